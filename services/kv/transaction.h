// MULTI, WATCH and what is queued between MULTI and EXEC: the part of a connection that becomes one
// replicated request. Pure.
//
//   WATCH -> (versions asked for) -> known ;  MULTI -> open -> EXEC: 'T' request | DISCARD
#pragma once

#include <cstdint>
#include <vector>

#include "eve/bytes.h"
#include "services/kv/request.h"

namespace eve::kv {

class Transaction {
 public:
  bool open() const { return open_; }
  size_t commands() const { return commands_; }

  void begin() { open_ = true; }
  /// Queues a command, which may change data if it `writes`. False: it is too much for one
  /// transaction, which has failed now. Precondition: open().
  bool add(Args args, bool writes);
  /// A command that may change data is queued.
  bool writes() const { return writes_; }
  /// EXEC will be refused: a command could not be queued.
  void fail() { failed_ = true; }
  bool failed() const { return failed_; }
  /// Back to the state before MULTI, and no key watched.
  void clear();
  /// UNWATCH.
  void forget_watches();

  // ---- Watches ----

  /// Keys whose versions have been asked for; false, and nothing changed, if that is too much.
  bool watch(Args keys);
  /// Changes whenever the watches are forgotten; an answer to a question of another epoch is not
  /// ours any more.
  uint64_t watch_epoch() const { return watch_epoch_; }
  /// The answer to the oldest unanswered watch() of this epoch: `versions` as run by the service.
  /// False if they do not fit the question: then nobody knows, and EXEC has to fail.
  bool set_versions(ByteView versions);
  /// The newest question was not asked after all: EXEC must not run.
  void cancel_watch();
  /// The versions could not be learnt: EXEC must not run.
  void lose_watches() { watches_lost_ = true; }
  bool watches_lost() const { return watches_lost_; }
  bool awaiting_versions() const { return !questions_.empty(); }

  // ---- EXEC ----

  /// Appends "'T' protocol watches". Precondition: not awaiting_versions().
  void append_head(Bytes& request, Protocol protocol) const;
  /// The queued commands, as `items` of request.h without their count.
  ByteView queued() const { return queued_; }

 private:
  struct Watch {
    Bytes key;
    Version version;
  };

  bool open_ = false;
  bool failed_ = false;
  bool writes_ = false;
  bool watches_lost_ = false;
  size_t commands_ = 0;
  Bytes queued_;
  std::vector<Watch> watches_;
  std::vector<size_t> questions_;  ///< keys in each unanswered question, oldest first
  size_t answered_ = 0;            ///< watches whose versions are known
  size_t watch_bytes_ = 0;
  uint64_t watch_epoch_ = 0;
};

}  // namespace eve::kv
