#include "services/kv/connection.h"

#include <utility>

#include "services/kv/limits.h"
#include "services/kv/local_commands.h"
#include "services/kv/numbers.h"

namespace eve::kv {

namespace {

constexpr ByteView kOutcomeUnknown =
    "-ERR outcome unknown: the command may or may not have run; read its keys before trying "
    "again\r\n";
constexpr ByteView kQuarantined =
    "-QUARANTINED the command did not run and never will: the replicas cannot agree on it, or on "
    "another that was sent with it; see the operations guide\r\n";
constexpr ByteView kOverloaded =
    "OOM the gateway is overloaded: the command did not run; try again later";
constexpr ByteView kTooLarge =
    "ERR command too large: all its arguments together may take 8 megabytes";
constexpr ByteView kTransactionTooLarge =
    "ERR transaction too large: EXEC will refuse it; use several smaller ones";
constexpr ByteView kExecAborted = "EXECABORT Transaction discarded because of previous errors.";
constexpr ByteView kExecTooLarge =
    "EXECABORT Transaction discarded because it is too large: use several smaller ones";

/// What a quiet connection may keep allocated for arguments and local replies.
constexpr size_t kKeptArguments = 4096;
constexpr size_t kKeptBytes = 64u << 10;

/// What a browser sends first when a page talks it into posting to this port.
bool is_web_request(ByteView name) {
  return equal_ignoring_case(name, "post") || equal_ignoring_case(name, "host:");
}

ByteView shown(runtime::Outcome outcome, ByteView reply) {
  switch (outcome) {
    case runtime::Outcome::kExecuted:
      return reply;
    case runtime::Outcome::kQuarantined:
      return kQuarantined;
    case runtime::Outcome::kUnknown:
      break;
  }
  return kOutcomeUnknown;
}

}  // namespace

void Connection::on_bytes(Host& host, ByteView bytes) {
  if (finishing_) return;
  host_ = &host;
  if (since_us_ < 0) since_us_ = host.now_us();
  parser_.feed(bytes);
  process();
  check_limits();
  close_if_done();
}

void Connection::on_reply(Host& host, runtime::Outcome outcome, ByteView reply) {
  host_ = &host;
  const ReplyQueue::Expected expected = replies_.pop();
  if (expected.kind == ReplyQueue::Kind::kVersions) {
    const bool current = expected.watch_epoch == transaction_.watch_epoch();
    take_versions(current, outcome, reply);
    if (!expected.silent) host.send(local_);
    local_.clear();
  } else if (!expected.silent) {
    host.send(shown(outcome, reply));
  }
  if (!expected.after.empty()) host.send(expected.after);
  if (exec_waiting_ && !transaction_.awaiting_versions()) {
    exec_waiting_ = false;
    run_transaction();
    flush_local();
    process();
    check_limits();
  }
  close_if_done();
}

void Connection::process() {
  while (!finishing_ && !exec_waiting_) {
    const Parser::Outcome outcome = parser_.next(args_);
    if (outcome == Parser::Outcome::kNeedMore) return;
    if (outcome == Parser::Outcome::kError) {
      reply().error("ERR " + parser_.error());
      flush_local();
      return finish();
    }
    skip_this_ = std::exchange(skip_next_, false);
    dispatch();
    flush_local();
    if (args_.capacity() > kKeptArguments) args_ = {};
  }
}

void Connection::dispatch() {
  if (is_web_request(args_[0])) return finish();
  const Command* command = find_command(args_);
  Bytes reason = refusal(command, args_);
  if (reason.empty()) reason = disk_trouble(*command);
  if (!reason.empty()) return refuse(command, reason);
  if (transaction_.open() && !command->has(kAtOnce)) {
    const bool queued = transaction_.add(args_, command->has(kWrite));
    return queued ? reply().status("QUEUED") : reply().error(kTransactionTooLarge);
  }
  if (command->local != nullptr) return command->local(*this, args_);
  Bytes request = command_request(protocol_, args_);
  if (request.size() > limits::kMaxRequestBytes) return reply().error(kTooLarge);
  submit(ReplyQueue::Kind::kResp, std::move(request));
}

// As Redis does when it cannot write its files: what changes data is refused, and an EXEC of it.
Bytes Connection::disk_trouble(const Command& command) {
  const bool writes =
      command.has(kWrite) || (command.local == local::exec && transaction_.writes());
  if (!writes) return {};
  Bytes nodes;
  for (const std::string& node : host_->low_disks()) nodes += (nodes.empty() ? "" : ", ") + node;
  if (nodes.empty()) return {};
  return "MISCONF Too little disk space, or a disk that fails, on " + nodes +
         ": commands that may change data are refused, others run. Make room there; nothing has to "
         "be restarted";
}

void Connection::refuse(const Command* command, const Bytes& reason) {
  if (command != nullptr && command->local == local::exec) {
    transaction_.clear();
    const size_t from = reason.starts_with("ERR ") ? 4 : 0;
    return reply().error("EXECABORT Transaction discarded because of: " + reason.substr(from));
  }
  if (transaction_.open()) transaction_.fail();
  reply().error(reason);
}

void Connection::submit(ReplyQueue::Kind kind, Bytes request) {
  if (host_->submit(std::move(request))) {
    return replies_.expect(kind, silent(), transaction_.watch_epoch());
  }
  if (kind == ReplyQueue::Kind::kVersions) transaction_.cancel_watch();
  reply().error(kOverloaded);
}

void Connection::flush_local() {
  if (!local_.empty() && !silent()) {
    replies_.idle() ? host_->send(local_) : replies_.append(local_);
  }
  if (local_.capacity() > kKeptBytes) local_ = Bytes();
  local_.clear();
}

void Connection::check_limits() {
  const bool greedy =
      parser_.buffered() > kMaxQueryBytes || replies_.waiting_bytes() > kMaxWaitingReplyBytes;
  if (finishing_ || !greedy) return;
  // An EXEC that still waits does not run: the error takes the place of its reply.
  exec_waiting_ = false;
  skip_this_ = false;
  reply().error("ERR too much sent ahead of the replies: the connection is closed");
  flush_local();
  finish();
}

void Connection::close_if_done() {
  if (!finishing_ || closed_ || !replies_.idle()) return;
  closed_ = true;
  host_->close();
}

void Connection::reset() {
  transaction_.clear();
  protocol_ = Protocol::kResp2;
  name_.clear();
  reply_mode_ = ReplyMode::kOn;
  skip_next_ = false;
}

Bytes Connection::description(ByteView command) const {
  const int64_t age_s = (now_us() - since_us_) / 1'000'000;
  const Bytes multi = transaction_.open() ? std::to_string(transaction_.commands()) : "-1";
  return "id=" + std::to_string(id_) + " addr=" + peer_ + " name=" + name_ +
         " age=" + std::to_string(age_s) + " idle=0 flags=" + (transaction_.open() ? "x" : "N") +
         " db=0 sub=0 psub=0 ssub=0 multi=" + multi +
         " qbuf=" + std::to_string(parser_.buffered()) +
         " omem=" + std::to_string(replies_.waiting_bytes()) + " events=r cmd=" + Bytes(command) +
         " user=default redir=-1 resp=" + std::to_string(static_cast<int>(protocol_)) + "\n";
}

// ---- Transactions ----

void Connection::watch(Args keys) {
  // One question answers for as many keys as the service takes in one.
  for (const ByteView key : keys) {
    if (key.size() > kMaxKeyBytes) {
      return reply().error("ERR key too long: the limit is 65536 bytes");
    }
  }
  if (!transaction_.watch(keys)) return reply().error("ERR too many watched keys");
  submit(ReplyQueue::Kind::kVersions, versions_request(keys));
}

void Connection::take_versions(bool current, runtime::Outcome outcome, ByteView versions) {
  const bool executed = outcome == runtime::Outcome::kExecuted;
  if (current && !transaction_.set_versions(executed ? versions : ByteView())) {
    transaction_.lose_watches();
  }
  if (executed) return reply().ok();
  reply().error("ERR outcome unknown: the keys may not be watched; EXEC will fail; WATCH again");
}

void Connection::exec() {
  exec_waiting_ = transaction_.awaiting_versions();
  if (!exec_waiting_) run_transaction();
}

void Connection::run_transaction() {
  Bytes request;
  if (transaction_.failed()) {
    reply().error(kExecAborted);
  } else if (transaction_.watches_lost()) {
    reply().null_array();
  } else if (!build_transaction(request)) {
    local_.clear();
    reply().error(kExecTooLarge);
  } else {
    submit(ReplyQueue::Kind::kResp, std::move(request));
  }
  transaction_.clear();
}

bool Connection::build_transaction(Bytes& request) {
  request.reserve(transaction_.queued().size() + 64);
  transaction_.append_head(request, protocol_);
  append_count(request, transaction_.commands());
  RequestReader queued(transaction_.queued());
  ArgList args;
  while (!queued.at_end()) {
    queued.protocol();
    queued.arguments(args);
    const Command* command = find_command(args.view());
    if (command->local == nullptr) {
      append_command(request, protocol_, args.view());
    } else {
      local_.clear();
      command->local(*this, args.view());
      request.push_back(static_cast<char>(kKnownReply));
      append_bytes(request, local_);
    }
    if (request.size() > limits::kMaxRequestBytes) return false;
  }
  local_.clear();
  return true;
}

}  // namespace eve::kv
