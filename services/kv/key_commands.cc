// Commands about keys, whatever their values.
#include "services/kv/numbers.h"
#include "services/kv/replicated_commands.h"

namespace eve::kv::replicated {

void del(Call& call) {
  int64_t erased = 0;
  for (const ByteView key : call.args.subspan(1)) erased += call.store.erase(key) ? 1 : 0;
  call.reply.integer(erased);
}

void exists(Call& call) {
  int64_t present = 0;
  for (const ByteView key : call.args.subspan(1)) present += call.store.find(key) ? 1 : 0;
  call.reply.integer(present);
}

void type(Call& call) {
  call.reply.status(call.store.find(call.args[1]) ? "string" : "none");
}

namespace {

/// Moves the value with its expiry. Precondition: the names differ.
void move(Call& call, const Store::Entry& entry) {
  call.store.put(call.args[2], entry.value, entry.expires_ms);
  call.store.erase(call.args[1]);
}

}  // namespace

void rename(Call& call) {
  const auto entry = call.store.find(call.args[1]);
  if (!entry) return call.reply.error("ERR no such key");
  if (call.args[1] != call.args[2]) move(call, *entry);
  call.reply.ok();
}

void renamenx(Call& call) {
  const auto entry = call.store.find(call.args[1]);
  if (!entry) return call.reply.error("ERR no such key");
  // The same name twice exists too.
  if (call.store.find(call.args[2])) return call.reply.integer(0);
  move(call, *entry);
  call.reply.integer(1);
}

void copy(Call& call) {
  bool replace = false;
  for (size_t i = 3; i < call.args.size(); ++i) {
    const bool has_next = i + 1 < call.args.size();
    if (equal_ignoring_case(call.args[i], "REPLACE")) {
      replace = true;
    } else if (equal_ignoring_case(call.args[i], "DB") && has_next) {
      const auto database = parse_integer(call.args[++i]);
      if (!database) return call.reply.error(kNotAnInteger);
      if (*database != 0) return call.reply.error("ERR DB index is out of range");
    } else {
      return call.reply.error(kSyntaxError);
    }
  }
  if (call.args[1] == call.args[2]) {
    return call.reply.error("ERR source and destination objects are the same");
  }
  const auto entry = call.store.find(call.args[1]);
  if (!entry || (!replace && call.store.find(call.args[2]))) return call.reply.integer(0);
  call.store.put(call.args[2], entry->value, entry->expires_ms);
  call.reply.integer(1);
}

}  // namespace eve::kv::replicated
