#include "runtime/pair_host.h"

#include <cstring>

#include "crypto/keys.h"
#include "runtime/log.h"
#include "wire/codec.h"

namespace eve::runtime {
namespace {

uint64_t draw_life() {
  uint64_t life = 0;
  while (life == 0) {
    const auto random = crypto::random_secret();
    std::memcpy(&life, random.data(), sizeof life);
  }
  return life;
}

}  // namespace

PairHost::PairHost(Router& router, const crypto::Authenticator& authenticator,
                   const crypto::Digester& digester, pair::ReplicaOptions options,
                   MakeStage make_stage, std::unique_ptr<Arbiter> arbiter)
    : router_(router),
      authenticator_(authenticator),
      digester_(digester),
      options_(std::move(options)),
      make_stage_(std::move(make_stage)),
      arbiter_(std::move(arbiter)) {
  make_replica();
}

void PairHost::make_replica() {
  stage_ = make_stage_();
  options_.genesis = wire::genesis_token(stage_->empty_root(), digester_);
  options_.life = draw_life();
  replica_ = std::make_unique<pair::Replica>(options_, authenticator_, digester_);
}

// P11: what this replica has committed is not what the other one goes on from.
void PairHost::start_over(TimeUs now) {
  const auto status = replica_->status();
  log(LogLevel::kError, "starts over: the other replica's history is another one",
      {{"committed", std::to_string(status.committed.value())},
       {"record", pair::format_record(status.record)}});
  options_.record = status.record;
  replica_.reset();
  stage_.reset();
  outbox_ = {};
  refusals_seen_ = {};
  make_replica();
  replica_->start(now, outbox_);
}

void PairHost::start(TimeUs now) {
  replica_->start(now, outbox_);
  hand_out();
}

void PairHost::receive(const wire::Message& message, Address from, TimeUs now) {
  replica_->receive(message, from, now, outbox_);
  hand_out();
}

TimeUs PairHost::deadline() const {
  return std::min(replica_->deadline(), arbiter_->deadline());
}

void PairHost::tick(TimeUs now) {
  arbiter_->tick(now);
  if (now >= replica_->deadline()) replica_->tick(now, outbox_);
  hand_out();
}

bool PairHost::idle(TimeUs now) {
  auto events = stage_->take_events();
  for (auto& event : events) replica_->on_event(std::move(event), now, outbox_);
  const auto answer = arbiter_->take_answer();
  // A replica that started over has not asked.
  if (answer && replica_->glance().asking) replica_->on_record(*answer, now, outbox_);
  replica_->idle(now, outbox_);
  refusals_seen_.pass_on(
      replica_->refusals(), [this](Address sender) { return router_.name_of(sender); },
      router_.links().refusals(), now);
  const bool sent = hand_out();
  if (replica_->glance().conflict) {
    start_over(now);
    return true;
  }
  const bool commanded = !outbox_.commands.empty();
  // Commands gather over the turn, so that one wake-up serves them all.
  stage_->submit(outbox_.commands);
  return !events.empty() || answer.has_value() || sent || commanded;
}

bool PairHost::hand_out() {
  for (const pair::Request& request : outbox_.requests) arbiter_->ask(request);
  const bool asked = !outbox_.requests.empty();
  outbox_.requests.clear();
  if (outbox_.sends.empty()) return asked;
  router_.send(Address::executor(options_.index), outbox_.sends);
  return true;
}

}  // namespace eve::runtime
