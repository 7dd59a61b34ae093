#include "execution/learner.h"

#include <algorithm>
#include <utility>

#include "wire/codec.h"

namespace eve::execution {
namespace {

/// Of one executor. They commit at different times: what one has said just before another says it
/// still counts.
constexpr size_t kMostClaims = 4;

}  // namespace

/// Beyond the executors: all of them are asked.
Learner::Learner(const LearnerOptions& options, const crypto::Digester& digester)
    : options_(options),
      digester_(digester),
      repair_(options.model, static_cast<uint16_t>(options.model.executors()),
              options.resend_after_us, digester),
      claims_(options.model.executors()) {}

void Learner::begin(const Fetched& state) {
  status_.held = state.parts.number;
  status_.token = state.token;
  status_.state_root = state.parts.state;
}

void Learner::start(TimeUs now, Outbox& out) {
  ask(now, out);
}

// ---- What is committed -------------------------------------------------------------------------

void Learner::ask(TimeUs now, Outbox& out) {
  const bool level = !repair_.active() && known_ > BatchNumber() && status_.held == known_;
  ask_at_ = now + (level ? options_.pause_us : options_.resend_after_us);
  std::vector<Address> executors;
  for (uint16_t i = 0; i < options_.model.executors(); ++i) {
    executors.push_back(Address::executor(i));
  }
  out.sends.push_back({std::move(executors), std::make_shared<const wire::Message>(
                                                 wire::StateRequest{BatchNumber(), {}})});
}

void Learner::receive(const wire::Message& message, Address from, TimeUs now, Outbox& out) {
  const auto* reply = std::get_if<wire::StateReply>(&message);
  const bool executor = from.role == Role::kExecutor && from.index < options_.model.executors();
  if (reply == nullptr || !executor) {
    refusals_.add(from, "a message that no node without a seat is sent");
    return;
  }
  hear(*reply, from.index, now, out);
}

void Learner::hear(const wire::StateReply& reply, uint16_t executor, TimeUs now, Outbox& out) {
  if (reply.number > BatchNumber()) {
    if (repair_.on_reply(reply, executor, now, out)) return;
    refusals_.add(Address::executor(executor),
                  "state that was not asked for, or is not what the token says");
    return;
  }
  if (!reply.nodes.empty()) {
    refusals_.add(Address::executor(executor), "nodes of the state that were not asked for");
    return;
  }
  if (!reply.parts || reply.parts->number == BatchNumber()) return;  // nothing is committed there
  const wire::TokenParts& parts = *reply.parts;
  claim({parts.number, wire::token_of(parts, digester_), parts.previous}, executor, now, out);
}

// Who has committed a batch has committed the one before it: the token names that one's, and where
// many batches are committed in a short time that makes it likelier that two say the same.
void Learner::claim(const Claim& claim, uint16_t executor, TimeUs now, Outbox& out) {
  auto& claims = claims_.at(executor);
  std::erase_if(claims, [&claim](const Claim& said) { return said.number == claim.number; });
  claims.push_back(claim);
  if (claims.size() > kMostClaims) claims.pop_front();
  if (vouched(claim.number, claim.token)) {
    know(claim.number, claim.token, now, out);
  } else if (claim.number.prev() > BatchNumber() && vouched(claim.number.prev(), claim.previous)) {
    know(claim.number.prev(), claim.previous, now, out);
  }
}

bool Learner::vouched(BatchNumber number, const crypto::Digest& token) const {
  const auto says_so = [&](const Claim& said) {
    return (said.number == number && said.token == token) ||
           (said.number == number.next() && said.previous == token);
  };
  size_t voices = 0;
  for (const auto& claims : claims_) {
    voices += std::any_of(claims.begin(), claims.end(), says_so) ? 1 : 0;
  }
  return voices >= options_.model.vouched();
}

void Learner::know(BatchNumber number, const crypto::Digest& token, TimeUs now, Outbox& out) {
  if (number >= known_) {
    known_ = number;
    known_token_ = token;
    known_at_ = now;
    if (number == status_.held) status_.level_at = now;
  }
  if (!repair_.active() && now >= rest_until_) fetch_newest(now, out);
}

// ---- Fetching it -------------------------------------------------------------------------------

void Learner::fetch_newest(TimeUs now, Outbox& out) {
  if (known_ <= status_.held) return;
  target_known_at_ = known_at_;
  ask_at_ = std::min(ask_at_, now + options_.resend_after_us);
  check_at_ = now + std::max<TimeUs>(options_.resend_after_us / 2, 1);
  repair_.begin(known_, known_token_, now, out);
}

void Learner::on_event(const Event& event, TimeUs now, Outbox& out) {
  if (const auto* wants = std::get_if<FetchWants>(&event)) {
    if (const auto liar = repair_.on_wants(*wants, now, out)) {
      refusals_.add(Address::executor(*liar), "nodes of the state that do not match the token");
    }
  } else if (const auto* state = std::get_if<Fetched>(&event)) {
    fetched(*state, now);
  }
}

// What differs from the next state is less the sooner it is fetched; a service that has a lot to do
// is left alone in between.
void Learner::fetched(const Fetched& state, TimeUs now) {
  repair_.on_fetched(state.parts.number);
  begin(state);
  ++status_.transfers;
  if (repair_.active()) return;  // of an older target
  status_.level_at = target_known_at_;
  rest_until_ = ask_at_ = now + options_.pause_us;
}

// ---- Time --------------------------------------------------------------------------------------

void Learner::tick(TimeUs now, Outbox& out) {
  if (now >= ask_at_) ask(now, out);
  if (!repair_.active() || now < check_at_) return;
  check_at_ = now + std::max<TimeUs>(options_.resend_after_us / 2, 1);
  repair_.check(now, out);
  if (repair_.stuck(now) && known_ > repair_.target()) fetch_newest(now, out);
}

TimeUs Learner::deadline() const {
  return repair_.active() ? std::min(ask_at_, check_at_) : ask_at_;
}

LearnerStatus Learner::status() const {
  LearnerStatus status = status_;
  status.known = std::max(known_, status.held);
  status.fetching = repair_.active();
  status.transfer_bytes = repair_.bytes();
  status.refused_messages = refusals_.total();
  if (repair_.active()) {
    status.waiting_for = repair_.waiting_for();
  } else if (known_ == BatchNumber()) {
    status.waiting_for = "executors to say what they have committed";
  }
  return status;
}

}  // namespace eve::execution
