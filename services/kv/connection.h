// One client connection of the KV front end: the parser, the commands answered here, MULTI, and the
// order of replies.
//
//   bytes -> Parser -> dispatch -> local command ---------------------> ReplyQueue -> client
//                              \-> request -> gateway ... on_reply ---/
//
// Nothing a client sends stops the process; what it can make the gateway hold has limits
// (limits.h). EXEC waits for the versions that a WATCH before it asked for; what the client sends
// meanwhile waits with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/front_end.h"
#include "services/kv/command_table.h"
#include "services/kv/parser.h"
#include "services/kv/reply.h"
#include "services/kv/reply_queue.h"
#include "services/kv/transaction.h"

namespace eve::kv {

class Connection final : public runtime::FrontEnd {
 public:
  Connection(uint64_t id, const std::string& peer, const runtime::GatewayStats& stats)
      : id_(id), peer_(peer), stats_(stats) {}

  void on_bytes(Host& host, ByteView bytes) override;
  void on_reply(Host& host, runtime::Outcome outcome, ByteView reply) override;

  // ---- For the commands answered here (local_commands.h); valid while one runs ----

  /// Where the command's reply goes.
  Reply reply() { return Reply(local_, protocol_); }
  uint64_t id() const { return id_; }
  const runtime::GatewayStats& stats() const { return stats_; }
  int64_t now_us() const { return host_->now_us(); }
  Protocol protocol() const { return protocol_; }
  void set_protocol(Protocol protocol) { protocol_ = protocol; }
  const Bytes& name() const { return name_; }
  void set_name(ByteView name) { name_ = name; }
  /// The line that CLIENT INFO shows; `command` is the one that asks.
  Bytes description(ByteView command) const;

  enum class ReplyMode : uint8_t { kOn, kOff };
  void set_reply_mode(ReplyMode mode) { reply_mode_ = mode; }
  ReplyMode reply_mode() const { return reply_mode_; }
  void skip_next_reply() { skip_next_ = true; }

  /// Nothing more is read; the connection closes once everything expected has been answered.
  void finish() { finishing_ = true; }
  /// As if just connected.
  void reset();

  Transaction& transaction() { return transaction_; }
  void exec();
  void watch(Args keys);

 private:
  void process();
  void dispatch();
  void refuse(const Command* command, const Bytes& reason);
  Bytes disk_trouble(const Command& command);
  void answer_locally(const Command& command, Args args);
  void run_transaction();
  bool build_transaction(Bytes& request);
  void submit(ReplyQueue::Kind kind, Bytes request);
  void take_versions(bool current, runtime::Outcome outcome, ByteView versions);
  void flush_local();
  void check_limits();
  void close_if_done();
  bool silent() const { return reply_mode_ == ReplyMode::kOff || skip_this_; }

  const uint64_t id_;
  const std::string peer_;
  const runtime::GatewayStats& stats_;

  Host* host_ = nullptr;  ///< during on_bytes and on_reply
  Parser parser_;
  std::vector<ByteView> args_;  ///< the command being dispatched
  Bytes local_;                 ///< the local reply being written
  ReplyQueue replies_;
  Transaction transaction_;
  bool exec_waiting_ = false;  ///< for versions; nothing is dispatched meanwhile
  bool finishing_ = false;
  bool closed_ = false;

  Protocol protocol_ = Protocol::kResp2;
  Bytes name_;
  ReplyMode reply_mode_ = ReplyMode::kOn;
  bool skip_this_ = false;
  bool skip_next_ = false;
  int64_t since_us_ = -1;  ///< of the first bytes; -1: none yet
};

}  // namespace eve::kv
