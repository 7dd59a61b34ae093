// Exactly-once as replicated state (rules R1 and R4, DESIGN 5.5).
//
// The truth is in two tables, "eve.sessions" and "eve.replies" (reply_cache.h), and in "eve.meta",
// which holds the time of the last batch. What bundles are judged by is a copy of the sessions in
// memory, with indexes; it follows every batch, and is read anew from the tables where the state
// jumps (rollback, state transfer).
//
//   key of a session   = id:u64
//   value of a session = client:u16 nonce:u64 next:u64 oldest:u64 last_used:i64
//
// `oldest` is the first request of the oldest cached bundle, or `next` if there is none: only the
// session's next requests run, so the cached bundles follow each other without gaps up to `next`.
#pragma once

#include <list>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "crypto/digest.h"
#include "eve/state.h"
#include "execution/commands.h"
#include "execution/reply_cache.h"
#include "wire/messages.h"

namespace eve::execution {

/// A batch's life here: start(), judge() each bundle, (requests run), answer() each bundle,
/// finish(). Nothing is written to the tables before answer(), so requests may be run twice in
/// between. One thread at a time.
class Sessions {
 public:
  Sessions(State& state, const crypto::Digester& digester);

  /// Of the last batch's time, in "eve.meta".
  static constexpr ByteView kTimeKey = "time";

  enum class Action : uint8_t {
    kRefuse,  ///< answer with `refusal`
    kOpen,    ///< the session is opened, or was already
    kRepeat,  ///< the cache may have the answer
    kRun,
    kQuarantine,  ///< as if it had run, but nothing of it is executed
    kChange,      ///< of the members: executed here, not by the service
  };
  struct Judgement {
    Action action = Action::kRefuse;
    wire::ReplyStatus refusal = wire::ReplyStatus::kOutOfOrder;
    SessionId opened;     ///< for kOpen
    size_t departed = 0;  ///< how many of the departed replies are gone by then
  };

  void start(BatchNumber number, TimeUs time_us, size_t bundles);
  /// The next bundle of the batch; `quarantined`: in this batch's view.
  Judgement judge(const wire::Bundle& bundle, bool quarantined = false);
  /// A change of the members: executed if it is all of its batch, and of the state's epoch (M3).
  Judgement judge_change(Context& context, const wire::Batch& batch) const;
  /// The answer to a bundle, in batch order; `replies` for one that ran or is quarantined. Updates
  /// the reply cache.
  BundleReply answer(Context& context, const wire::Bundle& bundle, const Judgement& judgement,
                     const std::optional<CachedReply>& replies);
  /// Writes the sessions that changed, and the time.
  void finish(Context& context);

  /// The state has jumped: reads everything anew. O(sessions and cached replies).
  void reload(Context& context);
  /// Every session, in order of id, with its cached replies.
  std::vector<SessionSnapshot> snapshots(Context& context) const;
  /// The payload that the cache holds for a bundle; valid until the next batch.
  std::optional<ByteView> cached(Context& context, SessionId session, RequestNumber first) const {
    return cache_.payload(context, {session, first});
  }
  /// Time of the last batch; 0 at genesis.
  TimeUs last_time_us(Context& context) const;

  /// How many changes of the members the state has seen.
  Epoch epoch(Context& context) const;
  /// The batch with the last one; null in epoch 0.
  wire::BatchPtr last_change(Context& context) const;
  /// Carries out a change that was judged to be executed: the epoch after it, and the batch.
  void change(Context& context, const wire::Batch& batch);

  size_t size() const { return sessions_.size(); }

 private:
  struct Session {
    SessionId id;
    uint16_t client = 0;
    RequestNumber opened_with;
    RequestNumber next;
    TimeUs last_used_us = 0;
    bool touched = false;               ///< in this batch
    std::vector<RequestNumber> cached;  ///< first request of each cached bundle, oldest first
  };
  /// What a reply answers.
  struct Asked {
    uint16_t client = 0;
    SessionId session;
    RequestNumber first;
  };
  using Position = std::list<Session>::iterator;
  using Opening = std::pair<uint16_t, RequestNumber>;

  Judgement judge_opening(const wire::Bundle& bundle, uint64_t index);
  Judgement judge_call(const wire::Bundle& bundle);
  bool expired(const Session& session) const;
  bool full(uint16_t client) const;
  void touch(Position session);
  void drop(Position session);
  void enlist(Position session);
  void load_replies(Context& context, Session& session, RequestNumber oldest) const;
  void erase_departed(Context& context, size_t end);
  BundleReply reply(const Asked& asked, wire::ReplyStatus status, SharedBytes payload) const;

  static size_t acknowledged(const Session& session, RequestNumber upto);
  static Bytes encode(const Session& session);
  static std::optional<std::pair<Session, RequestNumber>> decode(ByteView key, ByteView value);

  const crypto::Digester& digester_;
  ByteMap table_;
  ReplyCache cache_;
  ByteMap meta_;

  /// In order of (last used, id): the same on every replica, so that a bounded sweep is, too.
  std::list<Session> sessions_;
  std::unordered_map<SessionId, Position> by_id_;
  std::map<Opening, Position> by_opening_;
  std::unordered_map<uint16_t, size_t> of_client_;

  BatchNumber number_;  ///< of the batch at hand, with what follows
  TimeUs time_us_ = 0;
  uint64_t judged_ = 0;
  std::vector<Position> touched_;
  std::vector<SessionId> dropped_;
  std::vector<ReplyCache::Key> departed_;  ///< replies that leave, in the order they do
  size_t erased_ = 0;                      ///< how many of them have left
};

}  // namespace eve::execution
