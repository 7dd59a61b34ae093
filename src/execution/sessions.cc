#include "execution/sessions.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"
#include "wire/codec.h"
#include "wire/membership.h"

namespace eve::execution {
namespace {

constexpr ByteView kEpochKey = "epoch";
constexpr ByteView kChangeKey = "change";
/// Expired sessions that a batch drops, beside one for each of its bundles: bounded work.
constexpr size_t kSweep = 16;

Bytes key_of(SessionId id) {
  Bytes key;
  Codec<uint64_t>::encode(id.value(), key);
  return key;
}

}  // namespace

Sessions::Sessions(State& state, const crypto::Digester& digester)
    : digester_(digester), table_(state, "eve.sessions"), cache_(state), meta_(state, "eve.meta") {}

void Sessions::start(BatchNumber number, TimeUs time_us, size_t bundles) {
  number_ = number;
  time_us_ = time_us;
  judged_ = 0;
  touched_.clear();
  dropped_.clear();
  departed_.clear();
  erased_ = 0;
  for (size_t left = kSweep + bundles; left > 0 && !sessions_.empty(); --left) {
    if (!expired(sessions_.front())) break;
    drop(sessions_.begin());
  }
}

Sessions::Judgement Sessions::judge(const wire::Bundle& bundle, bool quarantined) {
  const uint64_t index = judged_++;
  Judgement judgement =
      bundle.kind == wire::BundleKind::kOpen ? judge_opening(bundle, index) : judge_call(bundle);
  judgement.departed = departed_.size();
  if (judgement.action == Action::kRun && quarantined) judgement.action = Action::kQuarantine;
  return judgement;
}

Sessions::Judgement Sessions::judge_opening(const wire::Bundle& bundle, uint64_t index) {
  const auto found = by_opening_.find(Opening(bundle.client, bundle.first));
  if (found != by_opening_.end()) {
    if (!expired(*found->second)) return {Action::kOpen, {}, found->second->id};
    drop(found->second);
  }
  if (full(bundle.client)) return {Action::kRefuse, wire::ReplyStatus::kOverloaded, {}};
  Session session;
  session.id = SessionId(number_.value() << 16 | index);
  session.client = bundle.client;
  session.opened_with = bundle.first;
  session.next = RequestNumber(1);
  sessions_.push_back(std::move(session));
  const Position position = std::prev(sessions_.end());
  enlist(position);
  touch(position);
  return {Action::kOpen, {}, position->id};
}

Sessions::Judgement Sessions::judge_call(const wire::Bundle& bundle) {
  const auto found = by_id_.find(bundle.session);
  if (found == by_id_.end() || found->second->client != bundle.client || expired(*found->second)) {
    return {Action::kRefuse, wire::ReplyStatus::kUnknownSession, {}};
  }
  Session& session = *found->second;
  if (bundle.first < session.next) return {Action::kRepeat, wire::ReplyStatus::kOutOfOrder, {}};
  if (bundle.first > session.next || bundle.requests.empty()) {
    return {Action::kRefuse, wire::ReplyStatus::kOutOfOrder, {}};
  }
  const size_t leaving = acknowledged(session, bundle.acknowledged);
  if (session.cached.size() - leaving >= limits::kMaxSessionBundles) {
    return {Action::kRefuse, wire::ReplyStatus::kOverloaded, {}};
  }
  for (size_t i = 0; i < leaving; ++i) departed_.push_back({session.id, session.cached[i]});
  session.cached.erase(session.cached.begin(),
                       session.cached.begin() + static_cast<std::ptrdiff_t>(leaving));
  session.cached.push_back(bundle.first);
  session.next = RequestNumber(session.next.value() + bundle.requests.size());
  touch(found->second);
  return {Action::kRun, {}, {}};
}

BundleReply Sessions::answer(Context& context, const wire::Bundle& bundle,
                             const Judgement& judgement,
                             const std::optional<CachedReply>& replies) {
  erase_departed(context, judgement.departed);
  const Asked asked{bundle.client, bundle.session, bundle.first};
  const ReplyCache::Key key{bundle.session, bundle.first};
  if (judgement.action == Action::kRun || judgement.action == Action::kQuarantine) {
    cache_.put(context, key, *replies);
    return reply(asked, replies->status(), replies->payload());
  }
  if (judgement.action == Action::kChange) {
    return reply(asked, wire::ReplyStatus::kExecuted,
                 SharedBytes(wire::change_reply(epoch(context))));
  }
  if (judgement.action == Action::kOpen) {
    return reply(asked, wire::ReplyStatus::kExecuted, SharedBytes(key_of(judgement.opened)));
  }
  if (judgement.action == Action::kRepeat) {
    const std::optional<CachedReply> cached = cache_.find(context, key);
    if (cached) return reply(asked, cached->status(), cached->payload());
  }
  return reply(asked, judgement.refusal, {});
}

void Sessions::finish(Context& context) {
  erase_departed(context, departed_.size());
  for (SessionId id : dropped_) table_.erase(context, key_of(id));
  std::sort(touched_.begin(), touched_.end(), [](Position a, Position b) { return a->id < b->id; });
  for (Position session : touched_) {
    session->touched = false;
    sessions_.splice(sessions_.end(), sessions_, session);
    table_.put(context, key_of(session->id), encode(*session));
  }
  Bytes time;
  Codec<TimeUs>::encode(time_us_, time);
  meta_.put(context, kTimeKey, time);
}

void Sessions::reload(Context& context) {
  sessions_.clear();
  by_id_.clear();
  by_opening_.clear();
  of_client_.clear();
  std::vector<std::pair<Session, RequestNumber>> found;
  table_.scan(context, 0, [&](const ByteMap::Entry& entry) {
    auto session = decode(entry.key, entry.value);
    EVE_CHECK(session.has_value(), "a session that Eve wrote is malformed");
    found.push_back(std::move(*session));
    return true;
  });
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first.last_used_us, a.first.id) <
           std::pair(b.first.last_used_us, b.first.id);
  });
  for (auto& [session, oldest] : found) {
    load_replies(context, session, oldest);
    sessions_.push_back(std::move(session));
    enlist(std::prev(sessions_.end()));
  }
}

std::vector<SessionSnapshot> Sessions::snapshots(Context& context) const {
  std::vector<SessionSnapshot> snapshots;
  for (const Session& session : sessions_) {
    SessionSnapshot snapshot{session.client, session.id, session.opened_with, session.next, {}};
    // The reply to the opening is a function of the session: it need not be kept to be repeated.
    snapshot.replies.push_back(reply({session.client, SessionId(), session.opened_with},
                                     wire::ReplyStatus::kExecuted,
                                     SharedBytes(key_of(session.id))));
    for (RequestNumber first : session.cached) {
      const auto cached = cache_.find(context, {session.id, first});
      EVE_CHECK(cached.has_value(), "a session names a reply that is not there");
      snapshot.replies.push_back(
          reply({session.client, session.id, first}, cached->status(), cached->payload()));
    }
    snapshots.push_back(std::move(snapshot));
  }
  std::sort(snapshots.begin(), snapshots.end(),
            [](const auto& a, const auto& b) { return a.session < b.session; });
  return snapshots;
}

TimeUs Sessions::last_time_us(Context& context) const {
  const std::optional<ByteView> time = meta_.get(context, kTimeKey);
  return time ? Codec<TimeUs>::decode(*time).value_or(0) : 0;
}

// ---- Membership (M3) ---------------------------------------------------------------------------

Epoch Sessions::epoch(Context& context) const {
  const std::optional<ByteView> epoch = meta_.get(context, kEpochKey);
  return Epoch(epoch ? Codec<uint32_t>::decode(*epoch).value_or(0) : 0);
}

wire::BatchPtr Sessions::last_change(Context& context) const {
  const std::optional<ByteView> batch = meta_.get(context, kChangeKey);
  if (!batch) return nullptr;
  return wire::decode_batch(SharedBytes(Bytes(*batch)), digester_);
}

Sessions::Judgement Sessions::judge_change(Context& context, const wire::Batch& batch) const {
  Judgement judgement;
  judgement.departed = departed_.size();
  const auto change = wire::change_in(batch);
  if (change && change->epoch == epoch(context)) judgement.action = Action::kChange;
  return judgement;
}

void Sessions::change(Context& context, const wire::Batch& batch) {
  Bytes next;
  Codec<uint32_t>::encode(epoch(context).next().value(), next);
  meta_.put(context, kEpochKey, next);
  meta_.put(context, kChangeKey, wire::encode_batch(batch));
}

bool Sessions::expired(const Session& session) const {
  return time_us_ - session.last_used_us > limits::kSessionExpiryUs;
}

bool Sessions::full(uint16_t client) const {
  const auto found = of_client_.find(client);
  return sessions_.size() >= limits::kMaxSessions ||
         (found != of_client_.end() && found->second >= limits::kMaxSessionsPerClient);
}

void Sessions::touch(Position session) {
  session->last_used_us = time_us_;
  if (!session->touched) touched_.push_back(session);
  session->touched = true;
}

/// Only expired sessions are dropped, so none that this batch has touched.
void Sessions::drop(Position session) {
  for (RequestNumber first : session->cached) departed_.push_back({session->id, first});
  dropped_.push_back(session->id);
  by_id_.erase(session->id);
  by_opening_.erase(Opening(session->client, session->opened_with));
  const auto count = of_client_.find(session->client);
  if (--count->second == 0) of_client_.erase(count);
  sessions_.erase(session);
}

void Sessions::enlist(Position session) {
  by_id_.emplace(session->id, session);
  by_opening_.emplace(Opening(session->client, session->opened_with), session);
  ++of_client_[session->client];
}

/// Walks the cached bundles from the oldest to the session's next request.
void Sessions::load_replies(Context& context, Session& session, RequestNumber oldest) const {
  RequestNumber first = oldest;
  while (first < session.next) {
    const auto cached = cache_.find(context, {session.id, first});
    EVE_CHECK(cached.has_value() && cached->requests() > 0, "the reply cache has a gap");
    session.cached.push_back(first);
    first = RequestNumber(first.value() + cached->requests());
  }
}

void Sessions::erase_departed(Context& context, size_t end) {
  for (; erased_ < end; ++erased_) cache_.erase(context, departed_[erased_]);
}

BundleReply Sessions::reply(const Asked& asked, wire::ReplyStatus status,
                            SharedBytes payload) const {
  const crypto::Digest digest = wire::reply_digest(status, payload.view(), digester_);
  return {asked.client, asked.session, asked.first, status, digest, std::move(payload)};
}

/// How many of the oldest cached bundles are acknowledged whole.
size_t Sessions::acknowledged(const Session& session, RequestNumber upto) {
  size_t count = 0;
  while (count < session.cached.size()) {
    const bool newest = count + 1 == session.cached.size();
    const RequestNumber end = newest ? session.next : session.cached[count + 1];
    if (end.prev() > upto) break;
    ++count;
  }
  return count;
}

Bytes Sessions::encode(const Session& session) {
  const RequestNumber oldest = session.cached.empty() ? session.next : session.cached.front();
  Bytes value;
  Codec<uint16_t>::encode(session.client, value);
  Codec<uint64_t>::encode(session.opened_with.value(), value);
  Codec<uint64_t>::encode(session.next.value(), value);
  Codec<uint64_t>::encode(oldest.value(), value);
  Codec<TimeUs>::encode(session.last_used_us, value);
  return value;
}

/// The session and its `oldest`.
std::optional<std::pair<Sessions::Session, RequestNumber>> Sessions::decode(ByteView key,
                                                                            ByteView value) {
  constexpr size_t kBytes = 2 + 4 * 8;
  if (key.size() != 8 || value.size() != kBytes) return std::nullopt;
  const auto number = [&](size_t offset) {
    return Codec<uint64_t>::decode(value.substr(offset, 8)).value_or(0);
  };
  Session session;
  session.id = SessionId(Codec<uint64_t>::decode(key).value_or(0));
  session.client = Codec<uint16_t>::decode(value.substr(0, 2)).value_or(0);
  session.opened_with = RequestNumber(number(2));
  session.next = RequestNumber(number(10));
  session.last_used_us = static_cast<TimeUs>(number(26));
  return std::pair(session, RequestNumber(number(18)));
}

}  // namespace eve::execution
