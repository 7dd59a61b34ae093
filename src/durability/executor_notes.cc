#include "durability/executor_notes.h"

#include <limits>
#include <string>
#include <utility>

#include "base/limits.h"
#include "wire/codec.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace eve::durability {
namespace {

/// Of the payloads here. A log of a later release is refused before it gets this far.
constexpr uint32_t kNotesVersion = 1;
constexpr size_t kDigestBytes = sizeof(crypto::Digest);
constexpr size_t kBundleHeadBytes = 60;
constexpr size_t kNodeBytes = 9;

uint16_t kind(ExecutorNote note) {
  return static_cast<uint16_t>(note);
}

Error wrong(const char* what, const wire::Reader& in) {
  return Error{std::string(what) + ": " +
               (in.failed() ? in.problem() : "there is more than it should hold")};
}

bool done(const wire::Reader& in) {
  return !in.failed() && in.remaining() == 0;
}

void write(wire::Writer& out, const wire::TokenParts& parts) {
  out.id(parts.number);
  out.digest(parts.previous);
  out.digest(parts.batch);
  out.digest(parts.state);
  out.digest(parts.replies);
}

wire::TokenParts read_parts(wire::Reader& in) {
  wire::TokenParts parts;
  parts.number = in.id<BatchNumber>();
  parts.previous = in.digest();
  parts.batch = in.digest();
  parts.state = in.digest();
  parts.replies = in.digest();
  return parts;
}

void write(wire::Writer& out, const AnsweredBundle& bundle) {
  out.enumerator(bundle.kind);
  out.integer(bundle.reply.client);
  out.id(bundle.reply.session);
  out.id(bundle.reply.first);
  out.id(bundle.acknowledged);
  out.integer(bundle.requests);
  out.enumerator(bundle.reply.status);
  out.digest(bundle.reply.digest);
  out.boolean(bundle.cached);
  if (!bundle.cached) out.sized(bundle.reply.payload.view());
}

execution::EnterView read_view(View view, wire::Reader& in) {
  execution::EnterView command{view, in.id<BatchNumber>(), {}};
  command.quarantine.resize(in.count(limits::kMaxQuarantine, kDigestBytes));
  for (crypto::Digest& name : command.quarantine) name = in.digest();
  return command;
}

AnsweredBundle read_bundle(wire::Reader& in) {
  AnsweredBundle bundle;
  bundle.kind = in.enumerator(wire::BundleKind::kCall, wire::BundleKind::kChange);
  bundle.reply.client = in.integer<uint16_t>();
  bundle.reply.session = in.id<SessionId>();
  bundle.reply.first = in.id<RequestNumber>();
  bundle.acknowledged = in.id<RequestNumber>();
  bundle.requests = in.integer<uint32_t>();
  if (bundle.requests > limits::kMaxBundleRequests) in.fail("too many requests");
  bundle.reply.status =
      in.enumerator(wire::ReplyStatus::kExecuted, wire::ReplyStatus::kQuarantined);
  bundle.reply.digest = in.digest();
  bundle.cached = in.boolean();
  if (!bundle.cached) {
    bundle.reply.payload = SharedBytes(Bytes(in.sized(limits::kMaxFrameBytes)));
  }
  return bundle;
}

}  // namespace

Note note_of_genesis(const crypto::Digest& genesis) {
  wire::Writer out(sizeof(kNotesVersion) + kDigestBytes);
  out.integer(kNotesVersion);
  out.digest(genesis);
  return {kind(ExecutorNote::kBegan), 0, out.take()};
}

Note note_of(const execution::EnterView& command) {
  wire::Writer out;
  out.id(command.start);
  out.count(command.quarantine.size());
  for (const crypto::Digest& name : command.quarantine) out.digest(name);
  return {kind(ExecutorNote::kView), command.view.value(), out.take()};
}

Note note_of(const execution::CommitBatches& command) {
  return {kind(ExecutorNote::kCommit), command.number.value(), {}};
}

Note note_of(const execution::RollbackTo& command) {
  return {kind(ExecutorNote::kRollback), command.number.value(), {}};
}

Note note_of(const execution::StartFetch& command) {
  wire::Writer out;
  write(out, command.parts);
  return {kind(ExecutorNote::kFetch), command.parts.number.value(), out.take()};
}

Note note_of(const execution::SupplyFetch& command) {
  wire::Writer out;
  out.enumerator(command.peer.role);
  out.integer(command.peer.index);
  out.count(command.failed.size());
  for (const TreeNode& node : command.failed) {
    out.integer(node.level);
    out.integer(node.index);
  }
  out.raw(wire::encode(command.reply));
  return {kind(ExecutorNote::kSupply), command.reply.number.value(), out.take()};
}

Note note_of(Epoch epoch) {
  return {kind(ExecutorNote::kEpoch), epoch.value(), {}};
}

Note piece_note(BatchNumber number, Bytes piece) {
  return {kind(ExecutorNote::kPiece), number.value(), std::move(piece)};
}

Note note_of(const RunNote& run, ByteView last_piece) {
  wire::Writer out(256 + run.bundles.size() * kBundleHeadBytes + last_piece.size());
  out.id(run.view);
  out.integer(run.time_us);
  write(out, run.parts);
  out.integer(run.requests);
  out.integer(run.failed);
  out.integer(run.quarantined);
  out.count(run.bundles.size());
  for (const AnsweredBundle& bundle : run.bundles) write(out, bundle);
  out.raw(last_piece);
  return {kind(ExecutorNote::kRun), run.parts.number.value(), out.take()};
}

Result<crypto::Digest> read_genesis(ByteView payload) {
  wire::Reader in(payload);
  const auto version = in.integer<uint32_t>();
  if (!in.failed() && version != kNotesVersion) {
    return Error{"notes of version " + std::to_string(version) + ", this release reads " +
                 std::to_string(kNotesVersion) + "; start the release that wrote them"};
  }
  const crypto::Digest genesis = in.digest();
  if (!done(in)) return wrong("the beginning of the log", in);
  return genesis;
}

Result<execution::EnterView> read_view(uint64_t number, ByteView payload) {
  wire::Reader in(payload);
  execution::EnterView command = read_view(View(number), in);
  if (!done(in)) return wrong("a view", in);
  return command;
}

Result<Epoch> read_epoch(uint64_t number, ByteView payload) {
  if (number > std::numeric_limits<uint32_t>::max() || !payload.empty()) {
    return Error{"an epoch: there is more than it should hold"};
  }
  return Epoch(static_cast<uint32_t>(number));
}

Bytes context_of(const LogContext& context) {
  wire::Writer out;
  out.id(context.view.view);
  out.raw(note_of(context.view).payload);
  if (context.epoch > Epoch()) out.id(context.epoch);
  return out.take();
}

Result<LogContext> read_context(ByteView context) {
  wire::Reader in(context);
  LogContext read;
  const View view = in.id<View>();
  read.view = read_view(view, in);
  if (!in.failed() && in.remaining() > 0) {
    read.epoch = in.id<Epoch>();
    if (read.epoch == Epoch()) in.fail("it names the first epoch");
  }
  if (!done(in)) return wrong("a checkpoint's context", in);
  return read;
}

Result<execution::StartFetch> read_fetch(ByteView payload) {
  wire::Reader in(payload);
  const execution::StartFetch command{read_parts(in)};
  if (!done(in)) return wrong("the beginning of a state transfer", in);
  return command;
}

Result<execution::SupplyFetch> read_supply(ByteView payload, const crypto::Digester& digester) {
  wire::Reader in(payload);
  execution::SupplyFetch command;
  command.peer.role = in.enumerator(Role::kExecutor, Role::kClient);
  command.peer.index = in.integer<uint16_t>();
  command.failed.resize(in.count(limits::kMaxFrameBytes, kNodeBytes));
  for (TreeNode& node : command.failed) {
    node.level = in.integer<uint8_t>();
    node.index = in.integer<uint64_t>();
  }
  const SharedBytes frame{Bytes(in.raw(in.remaining()))};
  if (in.failed()) return wrong("a part of a state transfer", in);
  auto message = wire::decode(frame, digester);
  if (!message) return Error{"a part of a state transfer: " + message.message()};
  auto* reply = std::get_if<wire::StateReply>(&*message);
  if (reply == nullptr) return Error{"a part of a state transfer: it is another message"};
  command.reply = std::move(*reply);
  return command;
}

Result<RunRead> read_run(ByteView payload) {
  wire::Reader in(payload);
  RunRead read;
  RunNote& run = read.run;
  run.view = in.id<View>();
  run.time_us = in.integer<TimeUs>();
  run.parts = read_parts(in);
  run.requests = in.integer<uint32_t>();
  run.failed = in.integer<uint32_t>();
  run.quarantined = in.integer<uint32_t>();
  run.bundles.resize(in.count(limits::kMaxBatchBundles, kBundleHeadBytes));
  for (AnsweredBundle& bundle : run.bundles) bundle = read_bundle(in);
  read.last_piece = in.raw(in.remaining());
  if (in.failed()) return wrong("a run", in);
  return read;
}

}  // namespace eve::durability
