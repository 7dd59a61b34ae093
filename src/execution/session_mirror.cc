#include "execution/session_mirror.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "eve/codec.h"

namespace eve::execution {
namespace {

bool is_opening(const BundleReply& reply) {
  return reply.session == SessionId();
}

/// The session went past the bundle.
bool settles(wire::ReplyStatus status) {
  return status == wire::ReplyStatus::kExecuted || status == wire::ReplyStatus::kQuarantined;
}

}  // namespace

Standing SessionMirror::standing(const wire::Bundle& bundle) const {
  if (bundle.kind == wire::BundleKind::kChange) return Standing::kNext;  // of no session
  if (bundle.kind == wire::BundleKind::kOpen) {
    return openings_.contains({bundle.client, bundle.first}) ? Standing::kAnswered
                                                             : Standing::kNext;
  }
  const auto session = sessions_.find(bundle.session);
  if (session == sessions_.end() || session->second.client != bundle.client) {
    return Standing::kUnknown;
  }
  if (bundle.first == session->second.next) return Standing::kNext;
  if (bundle.first > session->second.next) return Standing::kEarly;
  return answer(bundle) != nullptr ? Standing::kAnswered : Standing::kStale;
}

const BundleReply* SessionMirror::answer(const wire::Bundle& bundle) const {
  return find(bundle.client, bundle.session, bundle.first);
}

const BundleReply* SessionMirror::find(uint16_t client, SessionId id, RequestNumber first) const {
  if (id == SessionId()) {
    const auto opening = openings_.find({client, first});
    return opening == openings_.end() ? nullptr : &opening->second;
  }
  const auto session = sessions_.find(id);
  if (session == sessions_.end() || session->second.client != client) return nullptr;
  for (const Cached& cached : session->second.replies) {
    if (cached.reply.first == first) return &cached.reply;
  }
  return nullptr;
}

void SessionMirror::apply(const wire::Batch& batch, const std::vector<BundleReply>& replies) {
  EVE_CHECK(batch.bundles.size() == replies.size(), "the runner answers every bundle of a batch");
  for (size_t i = 0; i < replies.size(); ++i) {
    const wire::Bundle& bundle = *batch.bundles[i];
    if (bundle.kind == wire::BundleKind::kOpen) {
      apply_open(bundle, replies[i]);
    } else if (bundle.kind == wire::BundleKind::kCall) {
      apply_call(bundle, replies[i]);
    }
  }
}

void SessionMirror::apply_open(const wire::Bundle& bundle, const BundleReply& reply) {
  if (reply.status != wire::ReplyStatus::kExecuted) return;
  const auto id = Codec<uint64_t>::decode(reply.payload.view());
  EVE_CHECK(id.has_value(), "the reply to an opening is the session's id");
  Session& session = touch(SessionId(*id), bundle.client);
  session.nonce = bundle.first;
  openings_[{bundle.client, bundle.first}] = reply;
}

void SessionMirror::apply_call(const wire::Bundle& bundle, const BundleReply& reply) {
  const auto known = sessions_.find(bundle.session);
  // A session may be named by a client that does not own it: that changes nothing.
  if (known != sessions_.end() && known->second.client != bundle.client) return;
  if (reply.status == wire::ReplyStatus::kUnknownSession) erase(bundle.session);
  if (!settles(reply.status)) return;

  Session& session = touch(bundle.session, bundle.client);
  auto& replies = session.replies;
  while (!replies.empty() && replies.front().end.prev() <= bundle.acknowledged) {
    replies.pop_front();
  }
  const RequestNumber end = end_of(bundle);
  if (bundle.first < session.next) return;  // a repetition, answered from the replicated cache
  session.next = end;
  replies.push_back({end, reply});
  if (replies.size() > limits::kMaxSessionBundles) replies.pop_front();
}

SessionMirror::Session& SessionMirror::touch(SessionId id, uint16_t client) {
  const auto [session, added] = sessions_.try_emplace(id);
  if (!added) {
    uses_.splice(uses_.end(), uses_, session->second.use);
    return session->second;
  }
  session->second.client = client;
  session->second.use = uses_.insert(uses_.end(), id);
  // The replicated table is no larger: what is least recently used here has expired there.
  if (sessions_.size() > limits::kMaxSessions) erase(SessionId(uses_.front()));
  return session->second;
}

void SessionMirror::erase(SessionId id) {
  const auto session = sessions_.find(id);
  if (session == sessions_.end()) return;
  openings_.erase({session->second.client, session->second.nonce});
  uses_.erase(session->second.use);
  sessions_.erase(session);
}

std::vector<BundleReply> SessionMirror::install(const std::vector<SessionSnapshot>& sessions) {
  std::vector<BundleReply> fresh;
  SessionMirror fetched;
  for (const SessionSnapshot& snapshot : sessions) {
    Session& session = fetched.touch(snapshot.session, snapshot.client);
    session.nonce = snapshot.opened_with;
    session.next = snapshot.next;
    for (const BundleReply& reply : snapshot.replies) {
      if (find(reply.client, reply.session, reply.first) == nullptr) fresh.push_back(reply);
      if (is_opening(reply)) {
        fetched.openings_[{reply.client, reply.first}] = reply;
        continue;
      }
      // Cached bundles follow each other: one ends where the next one starts.
      if (!session.replies.empty()) session.replies.back().end = reply.first;
      session.replies.push_back({snapshot.next, reply});
    }
  }
  *this = std::move(fetched);
  return fresh;
}

}  // namespace eve::execution
