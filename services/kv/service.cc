#include "services/kv/service.h"

#include "services/kv/command_table.h"
#include "services/kv/limits.h"
#include "services/kv/replicated_commands.h"
#include "services/kv/request.h"
#include "services/kv/store.h"

namespace eve::kv {

namespace {

/// One item of a transaction: a command, or the reply to one that the front end answered.
struct Item {
  bool known = false;
  ByteView reply;
  Protocol protocol = Protocol::kResp2;
  ArgList args;
};

void read_item(RequestReader& reader, Item& item) {
  RequestReader peek = reader;
  item.known = peek.octet() == kKnownReply;
  if (item.known) {
    reader.octet();
    item.reply = reader.bytes();
  } else {
    item.protocol = reader.protocol();
    reader.arguments(item.args);
  }
}

/// The replicated command that `args` call, or null with the reason in `reason`.
const Command* admit(Args args, Bytes& reason) {
  const Command* command = find_command(args);
  reason = refusal(command, args);
  if (!reason.empty()) return nullptr;
  if (command->replicated == nullptr) {
    reason = "ERR '" + Bytes(command->name) + "' is not replicated: send it to a front end";
    return nullptr;
  }
  for_each_key(*command, args, [&](ByteView key) {
    if (key.size() > kMaxKeyBytes) reason = "ERR key too long: the limit is 65536 bytes";
  });
  return reason.empty() ? command : nullptr;
}

void add_footprint(Args args, Footprint& out) {
  Bytes reason;
  const Command* command = admit(args, reason);
  if (command == nullptr) return;
  if (command->has(kWholeDatabase)) return out.alone();
  for_each_key(*command, args,
               [&](ByteView key) { command->has(kWrite) ? out.write(key) : out.read(key); });
}

void add_items_footprint(RequestReader& reader, Footprint& out) {
  const uint64_t count = reader.count();
  Item item;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    read_item(reader, item);
    if (reader.ok() && !item.known) add_footprint(item.args.view(), out);
  }
}

/// Whether the rest of the request is the rest of a transaction: a first look, so that nothing runs
/// of one whose end is malformed.
bool well_formed_transaction(RequestReader reader) {
  const uint64_t watches = reader.count();
  for (uint64_t i = 0; i < watches && reader.ok(); ++i) {
    reader.bytes();
    reader.version();
  }
  const uint64_t count = reader.count();
  if (count > kMaxTransactionCommands) return false;
  Item item;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) read_item(reader, item);
  return reader.ok() && reader.at_end();
}

/// As above for a request for versions.
bool well_formed_versions(RequestReader reader) {
  const uint64_t keys = reader.count();
  if (keys > static_cast<uint64_t>(kMaxArguments)) return false;
  bool fits = true;
  for (uint64_t i = 0; i < keys && reader.ok(); ++i) {
    fits = reader.bytes().size() <= kMaxKeyBytes && fits;
  }
  return fits && reader.ok() && reader.at_end();
}

void run_command(Store& store, Args args, Protocol protocol, Bytes& out) {
  Bytes reason;
  const Command* command = admit(args, reason);
  Reply reply(out, protocol);
  if (command == nullptr) return reply.error(reason);
  Call call{*command, args, store, reply};
  command->replicated(call);
}

bool run_single(Store& store, RequestReader& reader, Bytes& out) {
  const Protocol protocol = reader.protocol();
  ArgList args;
  reader.arguments(args);
  if (!reader.ok() || !reader.at_end()) return false;
  run_command(store, args.view(), protocol, out);
  return true;
}

bool watches_hold(Store& store, RequestReader& reader) {
  const uint64_t watches = reader.count();
  bool hold = true;
  for (uint64_t i = 0; i < watches; ++i) {
    const ByteView key = reader.bytes();
    const Version version = reader.version();
    hold = hold && key.size() <= kMaxKeyBytes && store.version_of(key) == version;
  }
  return hold;
}

bool run_transaction(Store& store, RequestReader& reader, Bytes& out) {
  Reply reply(out, reader.protocol());
  if (!reader.ok() || !well_formed_transaction(reader)) return false;
  if (!watches_hold(store, reader)) {
    reply.null_array();
    return true;
  }
  const uint64_t count = reader.count();
  reply.array(count);
  Item item;
  for (uint64_t i = 0; i < count; ++i) {
    read_item(reader, item);
    const size_t before = out.size();
    if (item.known) {
      out.append(item.reply);
    } else {
      run_command(store, item.args.view(), item.protocol, out);
    }
    if (out.size() > kMaxTransactionReplyBytes && out.size() - before > kMaxErrorBytes) {
      out.resize(before);
      reply.error("ERR executed, but the transaction's replies are too large");
    }
  }
  return true;
}

bool run_versions(Store& store, RequestReader& reader, Bytes& out) {
  if (!well_formed_versions(reader)) return false;
  const uint64_t keys = reader.count();
  for (uint64_t i = 0; i < keys; ++i) store.version_of(reader.bytes()).append_to(out);
  return true;
}

class KvService final : public Service {
 public:
  explicit KvService(State& state) : map_(state, "kv") {}

  void footprint(ByteView request, Footprint& out) const override {
    RequestReader reader(request);
    const auto kind = static_cast<RequestKind>(reader.octet());
    if (kind != RequestKind::kVersions) reader.protocol();
    if (kind == RequestKind::kCommand) {
      ArgList args;
      reader.arguments(args);
      if (reader.ok()) add_footprint(args.view(), out);
      return;
    }
    const uint64_t keys = reader.count();
    for (uint64_t i = 0; i < keys && reader.ok(); ++i) {
      out.read(reader.bytes());
      if (kind == RequestKind::kTransaction) reader.version();
    }
    if (kind == RequestKind::kTransaction) add_items_footprint(reader, out);
  }

  void execute(Context& context, ByteView request, Bytes& reply) override {
    RequestReader reader(request);
    Store store(map_, context);
    bool understood = false;
    switch (static_cast<RequestKind>(reader.octet())) {
      case RequestKind::kCommand:
        understood = run_single(store, reader, reply);
        break;
      case RequestKind::kTransaction:
        understood = run_transaction(store, reader, reply);
        break;
      case RequestKind::kVersions:
        understood = run_versions(store, reader, reply);
        break;
    }
    if (!understood) reply.append(kMalformedRequest);
  }

 private:
  ByteMap map_;
};

}  // namespace

std::unique_ptr<Service> make_service(State& state) {
  return std::make_unique<KvService>(state);
}

}  // namespace eve::kv
