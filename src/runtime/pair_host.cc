#include "runtime/pair_host.h"

#include <algorithm>

#include "runtime/log.h"
#include "wire/codec.h"

namespace eve::runtime {

PairHost::PairHost(EventLoop& loop, Router& router, const crypto::Authenticator& authenticator,
                   const crypto::Digester& digester, pair::ReplicaOptions options,
                   MakeStage make_stage, std::unique_ptr<Arbiter> arbiter,
                   ExecutorMemoryOptions memory)
    : loop_(loop),
      router_(router),
      authenticator_(authenticator),
      digester_(digester),
      options_(std::move(options)),
      make_stage_(std::move(make_stage)),
      arbiter_(std::move(arbiter)),
      memory_(std::move(memory)),
      other_room_(FaultModel::primary_backup()) {
  for (uint16_t i = 0; i < options_.clients; ++i) clients_.push_back(Address::client(i));
}

PairHost::~PairHost() {
  if (stage_ != nullptr) stage_->stop();
  if (journal_ != nullptr) (void)journal_->close();
}

Result<std::unique_ptr<PairHost>> PairHost::create(
    EventLoop& loop, Router& router, const crypto::Authenticator& authenticator,
    const crypto::Digester& digester, pair::ReplicaOptions options, MakeStage make_stage,
    std::unique_ptr<Arbiter> arbiter, ExecutorMemoryOptions memory) {
  std::unique_ptr<PairHost> host(new PairHost(loop, router, authenticator, digester,
                                              std::move(options), std::move(make_stage),
                                              std::move(arbiter), std::move(memory)));
  if (auto status = host->make_replica(false); !status) return Error{status.message()};
  return host;
}

Status PairHost::make_replica(bool anew) {
  stage_ = make_stage_();
  options_.genesis = wire::genesis_token(memory_.genesis.value_or(stage_->empty_root()), digester_);
  options_.process = draw_life();
  std::optional<execution::Recovered> recovered;
  if (auto status = remember(anew, recovered); !status) return status;
  replica_ = std::make_unique<pair::Replica>(options_, authenticator_, digester_);
  if (recovered) replica_->recover(std::move(*recovered));
  return {};
}

// P13. Sets the state's life.
Status PairHost::remember(bool anew, std::optional<execution::Recovered>& recovered) {
  if (memory_.durability == durability::Durability::kMemory) {
    options_.life = draw_life();
    if (memory_.begin) {
      const auto time = stage_->begin(memory_.begin);
      if (!time) return time.status();
      options_.genesis_time_us = *time;
    }
    return start_without_memory(memory_.directory, Address::executor(options_.index)).status();
  }
  auto found =
      open_pair_memory(memory_, options_.index, options_.genesis, digester_, *stage_, anew);
  if (!found) return found.status();
  options_.life = found->life;
  options_.genesis_time_us = found->opened.genesis_time_us;
  recovered = std::move(found->recovered);
  disk_ = std::move(found->disk);
  JournalThreadOptions thread;
  thread.name = to_string(Address::executor(options_.index));
  thread.on_broken = [this] { stopped_ = true; };
  thread.background = [this](durability::Keeper& keeper) { return work_on_checkpoint(keeper); };
  places_ = std::move(found->opened.places);
  checkpoints_ = std::move(found->checkpoints);
  journal_ = std::make_unique<JournalThread>(loop_, std::move(found->keeper), thread);
  stage_->keep_in({*journal_, *places_, *checkpoints_, found->opened.log_bytes},
                  std::move(*found->opened.recorder));
  return {};
}

// On the journal's thread.
bool PairHost::work_on_checkpoint(durability::Keeper& keeper) {
  const auto before = checkpoints_->taker().counts();
  const bool more = checkpoints_->work(keeper);
  const auto after = checkpoints_->taker().counts();
  if (after.failed > before.failed) {
    log(LogLevel::kWarn, "checkpoint_failed",
        {{"role", to_string(Address::executor(options_.index))}, {"reason", after.trouble}});
  }
  if (after.taken + after.failed > before.taken + before.failed) stage_->ask_for_step();
  return more;
}

// P11: what this replica has committed is not what the other one goes on from.
void PairHost::start_over(TimeUs now) {
  const auto status = replica_->status();
  log(LogLevel::kError, "starts_over",
      {{"role", to_string(Address::executor(options_.index))},
       {"reason", "the other replica's history is another one"},
       {"committed", std::to_string(status.committed.value())},
       {"record", pair::format_record(status.record)}});
  options_.record = status.record;
  stage_->stop();
  journal_.reset();
  checkpoints_.reset();
  places_.reset();
  stage_.reset();
  disk_.reset();
  outbox_ = {};
  refusals_seen_ = {};
  tokens_ = {};
  if (auto made = make_replica(true); !made) {
    log(LogLevel::kError, "start_over_failed",
        {{"role", to_string(Address::executor(options_.index))}, {"reason", made.message()}});
    stopped_ = true;
    return;
  }
  replica_->start(now, outbox_);
}

void PairHost::start(TimeUs now) {
  replica_->start(now, outbox_);
  hand_out();
}

void PairHost::receive(const wire::Message& message, Address from, TimeUs now) {
  if (stopped_) return;
  const auto* room = std::get_if<wire::Room>(&message);
  if (room != nullptr && from == Address::executor(pair::other_than(options_.index))) {
    other_room_.heard(*room, from, now);
    return;
  }
  replica_->receive(message, from, now, outbox_);
  hand_out();
}

TimeUs PairHost::deadline() const {
  if (stopped_) return kNever;
  return std::min({replica_->deadline(), arbiter_->deadline(), watch_.due()});
}

void PairHost::tick(TimeUs now) {
  if (stopped_) return;
  watch_disk(now);
  arbiter_->tick(now);
  if (now >= replica_->deadline()) replica_->tick(now, outbox_);
  hand_out();
}

// One low disk of two stops nothing: when it is full, the other replica goes on alone. So clients
// hear of it from a replica that is alone, or whose other one is low as well.
void PairHost::watch_disk(TimeUs now) {
  if (now < watch_.due()) return;
  watch_.look(journal_ == nullptr ? JournalStatus() : journal_->status(), now);
  if (!watch_.low() && !said_low_) return;
  if (!watch_.time_to_say(now)) return;
  said_low_ = watch_.low();
  const auto status = replica_->glance();
  const bool alone = status.in_sync && !pair::names_both(status.record);
  const bool in_the_way = watch_.low() && (alone || !other_room_.low(now).empty());
  const Address self = Address::executor(options_.index);
  const auto say = [&](bool low, std::vector<Address> to) {
    wire::Room word;
    if (low) word.low.push_back(self);
    outbox_.sends.push_back(
        {std::move(to), std::make_shared<const wire::Message>(std::move(word))});
  };
  say(watch_.low(), {Address::executor(pair::other_than(options_.index))});
  say(in_the_way, clients_);
}

bool PairHost::idle(TimeUs now) {
  if (stopped_) return false;
  auto events = stage_->take_events();
  for (auto& event : events) replica_->on_event(std::move(event), now, outbox_);
  const auto answer = arbiter_->take_answer();
  // A replica that started over has not asked.
  if (answer && replica_->glance().asking) replica_->on_record(*answer, now, outbox_);
  replica_->idle(now, outbox_);
  refusals_seen_.pass_on(
      replica_->refusals(), [this](Address sender) { return router_.name_of(sender); },
      router_.links().refusals(), now);
  if (tokens_.behind(replica_->glance().committed)) tokens_.add(replica_->recent());
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

pair::ReplicaStatus PairHost::status() const {
  auto status = replica_->status();
  if (const auto kept = journal(); kept && !kept->trouble.empty()) {
    status.waiting_for = "the disk: " + kept->trouble;
  }
  return status;
}

std::optional<durability::CheckpointTaker::Counts> PairHost::checkpoints() const {
  if (checkpoints_ == nullptr) return std::nullopt;
  return checkpoints_->taker().counts();
}

bool PairHost::want_checkpoint() {
  if (checkpoints_ != nullptr) stage_->want_checkpoint();
  return checkpoints_ != nullptr;
}

std::optional<execution::Executor::Committed> PairHost::committed(BatchNumber number) {
  tokens_.add(replica_->recent());
  return tokens_.find(number);
}

std::optional<JournalStatus> PairHost::journal() const {
  if (journal_ == nullptr) return std::nullopt;
  return journal_->status();
}

}  // namespace eve::runtime
