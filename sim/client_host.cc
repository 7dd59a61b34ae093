#include "sim/client_host.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "eve/codec.h"
#include "sim/violation.h"
#include "wire/codec.h"

namespace eve::sim {

ClientHost::ClientHost(const Surroundings& around, const ClientSetup& setup, uint64_t seed,
                       const crypto::Authenticator& authenticator, const crypto::Digester& digester,
                       Workload& workload, ReplyChecker& replies, ReplyGate& gate)
    : Host(around, Address::client(setup.options.client), 0, seed),
      setup_(setup),
      workload_(workload),
      replies_(replies),
      gate_(gate),
      digester_(digester),
      session_(setup.options, authenticator, digester) {}

void ClientHost::on_start() {
  client::Outbox out;
  session_.start(local_now(), out);
  carry_out(out);
  schedule_burst();
}

/// Bursts are spread so that the last one comes at about the end of the run.
void ClientHost::schedule_burst() {
  if (made_ >= setup_.requests) return;
  const auto left =
      static_cast<uint64_t>(std::max<TimeUs>(setup_.duration_us - around_.queue.now(), 1000));
  if (setup_.sleep_us != 0 && made_ >= setup_.requests / 2) {
    slept_us_ = std::exchange(setup_.sleep_us, 0);
    later(slept_us_, [this] { schedule_burst(); });
    return;
  }
  const uint64_t bursts = 1 + (setup_.requests - made_) / ((1 + setup_.burst) / 2);
  later(static_cast<TimeUs>(1 + random_.below(2 * left / bursts)), [this] {
    const uint64_t burst = 1 + random_.below(setup_.burst);
    for (uint64_t i = 0; i < burst && made_ < setup_.requests; ++i) make_request();
    asking_us_ = around_.queue.now() - slept_us_;
    stepped();
    schedule_burst();
  });
}

void ClientHost::make_request() {
  Bytes request = workload_.request(self().index, made_, random_);
  if (!session_.submit(request, made_)) {
    throw Violation("bounds", to_string(self()) + " refuses a request of its own pace");
  }
  waiting_.push_back({std::move(request), around_.queue.now()});
  ++made_;
}

void ClientHost::nudge() {
  nudged_ = true;
  ++setup_.requests;
  make_request();
  stepped();
}

void ClientHost::disconnect(Address executor) {
  client::Outbox out;
  session_.on_disconnect(executor, local_now(), out);
  carry_out(out);
  stepped();
}

void ClientHost::on_message(const wire::Message& message, Address from, TimeUs now) {
  const auto* reply = std::get_if<wire::Reply>(&message);
  if (reply != nullptr) gate_.arrived(from, self().index, *reply);
  client::Outbox out;
  session_.receive(message, from, now, out);
  carry_out(out);
}

void ClientHost::on_tick(TimeUs now) {
  client::Outbox out;
  session_.tick(now, out);
  carry_out(out);
}

void ClientHost::on_idle(TimeUs now) {
  client::Outbox out;
  session_.idle(now, out);
  carry_out(out);
}

void ClientHost::carry_out(const client::Outbox& out) {
  for (const wire::Send& send : out.sends) {
    follow_bundle(*std::get<wire::BundleMessage>(*send.message).bundle);
    if (std::get<wire::BundleMessage>(*send.message).retry) around_.trace.hit(Site::kRetry);
  }
  send(out.sends);
  for (const client::Completion& completion : out.completions) check(completion);
}

/// A session numbers its requests in the order of submission: the first time that a bundle leaves,
/// it carries the tickets after those of the one before.
void ClientHost::follow_bundle(const wire::Bundle& bundle) {
  if (bundle.kind == wire::BundleKind::kOpen) {
    opening_ = {bundle.client, SessionId(), bundle.first};
    return;
  }
  check_session(bundle.session);
  const BundleName name{bundle.client, bundle.session, bundle.first};
  const auto same = [&name](const Carried& carried) { return carried.bundle == name; };
  if (std::any_of(carried_.begin(), carried_.end(), same)) return;
  carried_until_ += bundle.requests.size();
  carried_.push_back({name, carried_until_});
}

/// The name of its session is an answer like any other: r+1 executors gave it.
void ClientHost::check_session(SessionId session) {
  if (session == opened_) return;
  opened_ = session;
  Bytes payload;
  Codec<uint64_t>::encode(session.value(), payload);
  gate_.accepted(opening_, wire::reply_digest(wire::ReplyStatus::kExecuted, payload, digester_));
}

void ClientHost::check(const client::Completion& completion) {
  if (completion.ticket != completed_) {
    throw Violation("completions", to_string(self()) + " completes " +
                                       std::to_string(completion.ticket) + " instead of " +
                                       std::to_string(completed_));
  }
  if (!nudged_) answered_at_ = around_.queue.now();
  if (completion.quarantined) {
    replies_.follow();
    replies_.accepted(carried_.front().bundle, {});
    gate_.accepted(carried_.front().bundle,
                   wire::reply_digest(wire::ReplyStatus::kQuarantined, {}, digester_));
    workload_.quarantined(self().index, completed_, carried_.front().end);
    waiting_.pop_front();
    ++completed_;
    if (carried_.front().end == completed_) carried_.pop_front();
    return;
  }
  const Waiting& request = waiting_.front();
  Seen seen{self().index, completed_, request.made_at, around_.queue.now(), request.bytes, {}};
  if (completion.executed) {
    replies_.follow();
    const ByteView payload = completion.payload.view();
    replies_.accepted(carried_.front().bundle, payload);
    gate_.accepted(carried_.front().bundle,
                   wire::reply_digest(wire::ReplyStatus::kExecuted, payload, digester_));
    workload_.check(self().index, completed_, request.bytes, completion.reply);
    seen.reply = completion.reply;
  } else {
    around_.trace.hit(Site::kSessionExpired);
    if (!setup_.may_lose_session) workload_.lost(self().index, completed_);
  }
  workload_.saw(seen);
  waiting_.pop_front();
  ++completed_;
  if (carried_.front().end == completed_) carried_.pop_front();
}

void ClientHost::leave_unanswered() {
  uint64_t number = completed_;
  for (const Waiting& request : waiting_) {
    workload_.saw(
        {self().index, number++, request.made_at, around_.queue.now(), request.bytes, {}});
  }
}

}  // namespace eve::sim
