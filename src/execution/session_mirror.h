// What an executor that does no execution itself knows of sessions: a mirror, as of the last
// committed batch, of the replicated sessions and reply caches (DESIGN 5.5). It answers retries and
// tells a primary what a session may send next. A hint only: the runner judges every bundle again,
// from the replicated state.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "execution/commands.h"
#include "execution/stream.h"
#include "wire/messages.h"

namespace eve::execution {

/// Where a bundle stands by committed state.
enum class Standing : uint8_t {
  kAnswered,  ///< executed, and the reply is here
  kStale,     ///< executed, and its reply was acknowledged
  kNext,      ///< its session's next, or an opening
  kEarly,     ///< something before it is missing
  kUnknown,   ///< no such session of this client
};

class SessionMirror {
 public:
  Standing standing(const wire::Bundle& bundle) const;
  /// The reply to a bundle that is kAnswered, else null. Valid until the next change.
  const BundleReply* answer(const wire::Bundle& bundle) const;

  /// `replies` of a batch that is now committed, in the order of its bundles.
  void apply(const wire::Batch& batch, const std::vector<BundleReply>& replies);
  /// Replaces everything by fetched sessions. Returns the replies that were not here before.
  std::vector<BundleReply> install(const std::vector<SessionSnapshot>& sessions);

  size_t sessions() const { return sessions_.size(); }

 private:
  using Opening = std::pair<uint16_t, RequestNumber>;  // client and nonce
  struct Cached {
    RequestNumber end;
    BundleReply reply;
  };
  struct Session {
    uint16_t client = 0;
    RequestNumber nonce;
    RequestNumber next{1};
    std::deque<Cached> replies;  // oldest first
    std::list<SessionId>::iterator use;
  };

  void apply_open(const wire::Bundle& bundle, const BundleReply& reply);
  void apply_call(const wire::Bundle& bundle, const BundleReply& reply);
  Session& touch(SessionId id, uint16_t client);
  void erase(SessionId id);
  const BundleReply* find(uint16_t client, SessionId id, RequestNumber first) const;

  std::unordered_map<SessionId, Session> sessions_;
  std::list<SessionId> uses_;  // least recently used first
  std::map<Opening, BundleReply> openings_;
};

}  // namespace eve::execution
