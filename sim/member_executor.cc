#include "sim/member_executor.h"

#include <algorithm>
#include <utility>

#include "sim/violation.h"

namespace eve::sim {

MemberExecutor::MemberExecutor(const Surroundings& around, const MemberSurroundings& cluster,
                               Address self, TimeUs clock_offset, uint64_t seed,
                               const crypto::Authenticator& keys, const MemberExecutorSetup& setup,
                               Fibers& fibers)
    : MemberHost(around, cluster, self, clock_offset, seed, keys), setup_(setup), fibers_(fibers) {
  if (!setup.storage.lasting()) return;
  storage_ = std::make_unique<ExecutorStorage>(
      setup.storage, self, random_.next(),
      [this](TimeUs delay, std::function<void()> action) { later(delay, std::move(action)); },
      [this] { return around_.queue.now(); });
}

// Who has forgotten nothing is merely behind.
bool MemberExecutor::recovered() const {
  if (!up() || executor_ == nullptr) return false;
  const auto now = executor_->glance();
  if (now.silent) return false;
  if (storage_ != nullptr) return now.committed >= steward_->present().number;
  return !now.fetching && now.committed >= started_at_;
}

void MemberExecutor::calm() {
  if (storage_ != nullptr) storage_->calm();
}

void MemberExecutor::on_start() {
  cluster_.ledger.restarted(self());
  MemberHost::on_start();
}

void MemberExecutor::make_runner() {
  scheduler_ = std::make_unique<FiberScheduler>(fibers_, random_.next(), setup_.switch_every);
  runner_ = std::make_unique<execution::Runner>(cluster_.digester, *scheduler_, setup_.make_service,
                                                [this] { return around_.queue.now(); });
  runner_committed_ = BatchNumber();
}

void MemberExecutor::end_core() {
  ++incarnation_;
  executor_.reset();
  if (learner_ != nullptr && steward_->seat() && learner_->status().held > BatchNumber()) {
    around_.trace.hit(Site::kLearntBeforeItSat);
  }
  learner_.reset();
}

/// M7: what the core before had committed is what the next one begins with.
void MemberExecutor::begin(bool again) {
  end_core();
  running_ = false;
  kept_view_ = View();
  started_at_ = cluster_.ledger.last();
  if (runner_ == nullptr) return open(again);
  const auto events = std::make_shared<std::vector<execution::Event>>();
  while (!commands_.empty()) apply(commands_.pop(), events, nullptr);
  const auto seated = [this, core = incarnation_] {
    if (core != incarnation_) return;
    durability::OpenedExecutor from;
    from.begins = runner_->resume();
    take_seat(from);
  };
  const membership::Beginning& present = steward_->present();
  apply(execution::BeginEpoch{steward_->epoch(), present.number, present.token}, events, seated);
  if (storage_ == nullptr) seated();
}

/// A process starts.
void MemberExecutor::open(bool again) {
  durability::OpenedExecutor opened;
  if (storage_ == nullptr) {
    make_runner();
    opened.restarted = again;
    if (steward_->epoch() > Epoch()) opened.begins = runner_->resume();
    return take_seat(opened);
  }
  const bool ran_before = storage_->ran_before();
  opened =
      storage_->open(cluster_.digester, cluster_.first.present().token,
                     [this]() -> execution::Runner& {
                       make_runner();
                       return *runner_;
                     },
                     {steward_->epoch(), steward_->present().number, steward_->present().token});
  forgot_ = opened.restarted;
  if (ran_before) note_what_was_found(opened);
  const auto& stands =
      opened.begins ? opened.begins->parts.number
                    : (opened.recovered ? opened.recovered->committed.parts.number : BatchNumber());
  runner_committed_ = stands;
  if (!opened.begins) return take_seat(opened);
  storage_->settle([this, core = incarnation_, begins = *opened.begins] {
    if (core != incarnation_) return;
    durability::OpenedExecutor from;
    from.begins = begins;
    take_seat(from);
  });
}

void MemberExecutor::note_what_was_found(const durability::OpenedExecutor& opened) {
  Trace& trace = around_.trace;
  const BatchNumber start = steward_->present().number;
  if (opened.begins) trace.hit(Site::kLinkKeptLogBehind);
  if (!opened.recovered) return;
  const execution::Recovered& found = *opened.recovered;
  trace.hit(opened.restarted ? Site::kMemoryLost : Site::kMemoryRecovered);
  if (opened.at_checkpoint) trace.hit(Site::kCheckpointRecovered);
  if (opened.restarted) return;
  if (found.committed.epoch > steward_->epoch()) trace.hit(Site::kEndedBeforeRestart);
  if (steward_->epoch() == Epoch()) return;
  if (found.committed.parts.number < start) trace.hit(Site::kFetchOfStartCutOff);
  const bool nothing = found.view == View() && found.said.empty() && found.above.empty();
  if (nothing && found.committed.parts.number == start) trace.hit(Site::kEpochNotedNothingSaid);
  if (!nothing) trace.hit(Site::kLogOfLaterEpoch);
}

/// The core of the present epoch, if there is a seat for it.
void MemberExecutor::take_seat(const durability::OpenedExecutor& from) {
  const auto seat = steward_->seat();
  if (!seat) {
    const auto events = std::make_shared<std::vector<execution::Event>>();
    if (from.recovered) apply(execution::RollbackTo{runner_committed_}, events, nullptr);
    if (!steward_->retired()) learn(from);
    return;
  }
  const membership::Beginning& present = steward_->present();
  execution::ExecutorOptions options;
  options.model = cluster_.model;
  options.index = seat->index;
  options.clients = setup_.clients;
  options.restarted = from.restarted;
  options.epoch = present.members.epoch;
  options.start = present.number;
  options.genesis = present.token;
  const auto left = steward_->succession().replaced();
  options.helpers = std::any_of(left.begin(), left.end(),
                                [](Address node) { return node.role == Role::kExecutor; })
                        ? 1
                        : 0;
  options.guests = membership::kGuests;
  epoch_keys_ = std::make_unique<membership::EpochKeys>(keys_, present.members);
  executor_ = std::make_unique<execution::Executor>(options, *epoch_keys_, cluster_.digester);
  if (from.begins) executor_->begin(*from.begins, local_now());
  if (from.recovered) {
    kept_view_ = from.recovered->view;
    for (const auto& batch : from.recovered->above) cluster_.ledger.saw_executed(batch.result);
    executor_->recover(*from.recovered, local_now());
  }
  execution::Outbox out;
  executor_->start(local_now(), out);
  carry_out(out);
  stepped();
}

void MemberExecutor::learn(const durability::OpenedExecutor& from) {
  learner_ = std::make_unique<execution::Learner>(execution::LearnerOptions{cluster_.model},
                                                  cluster_.digester);
  if (from.begins) learner_->begin(*from.begins);
  if (from.recovered) learner_->begin(from.recovered->committed);
  execution::Outbox out;
  learner_->start(local_now(), out);
  carry_out(out);
}

void MemberExecutor::hear(const wire::Message& message, Address from, TimeUs now) {
  if (executor_ == nullptr && learner_ == nullptr) return serve(message, from);
  execution::Outbox out;
  if (executor_ != nullptr) {
    executor_->receive(message, from, now, out);
  } else {
    learner_->receive(message, from, now, out);
  }
  carry_out(out);
}

void MemberExecutor::serve(const wire::Message& message, Address from) {
  const auto* request = std::get_if<wire::StateRequest>(&message);
  if (request == nullptr || from.role != Role::kExecutor) return;
  runner_->apply(execution::ServeState{from, *request}, [this](execution::Event event) {
    auto& served = std::get<execution::StateServed>(event);
    say({{{served.peer}, std::make_shared<const wire::Message>(std::move(served.reply))}});
  });
}

const Refusals& MemberExecutor::refusals() const {
  if (executor_ != nullptr) return executor_->refusals();
  return learner_ == nullptr ? no_refusals() : learner_->refusals();
}

void MemberExecutor::on_tick(TimeUs now) {
  MemberHost::on_tick(now);
  execution::Outbox out;
  if (executor_ != nullptr) executor_->tick(now, out);
  if (learner_ != nullptr) learner_->tick(now, out);
  carry_out(out);
}

void MemberExecutor::on_idle(TimeUs now) {
  if (executor_ == nullptr) return;
  execution::Outbox out;
  executor_->idle(now, out);
  carry_out(out);
}

TimeUs MemberExecutor::deadline() const {
  const TimeUs steward = MemberHost::deadline();
  if (learner_ != nullptr) return std::min(steward, learner_->deadline());
  return executor_ == nullptr ? steward : std::min(steward, executor_->deadline());
}

void MemberExecutor::on_crash() {
  if (storage_ != nullptr) {
    const uint64_t before = storage_->crashes_amid_checkpoints();
    storage_->end();
    if (storage_->crashes_amid_checkpoints() > before) {
      around_.trace.hit(Site::kCrashAmidCheckpoint);
    }
  }
  ++incarnation_;
  executor_.reset();
  learner_.reset();
  runner_.reset();
  commands_.clear();
  running_ = step_waits_ = false;
}

void MemberExecutor::carry_out(execution::Outbox& out) {
  observe();
  say(out.sends);
  for (execution::Command& command : out.commands) {
    if (const auto* run = std::get_if<execution::RunBatch>(&command)) {
      cluster_.ledger.saw_batch(run->batch);
    }
    commands_.push(std::move(command));
  }
  run_next();
}

/// Its effect on the state is there at once, and noted. Its events come when its time is over, and
/// not before the notes are as durable as they must be; so in order.
void MemberExecutor::run_next() {
  if (running_ || commands_.empty()) return;
  running_ = true;
  const execution::Command command = commands_.pop();
  const auto events = std::make_shared<std::vector<execution::Event>>();
  const auto lacks = std::make_shared<int>(storage_ == nullptr ? 1 : 2);
  const auto one_is_there = [this, events, lacks, core = incarnation_] {
    if (--*lacks == 0 && core == incarnation_) pass_on(events);
  };
  apply(command, events, one_is_there);
  const bool runs = std::holds_alternative<execution::RunBatch>(command);
  const auto usual = static_cast<uint64_t>(setup_.request_cost_us) * (runs ? 4 : 1);
  later(static_cast<TimeUs>(1 + random_.below(usual)), [this, one_is_there, core = incarnation_] {
    if (core != incarnation_) return;
    running_ = false;
    one_is_there();
    step_checkpoint();
    run_next();
    stepped();
  });
}

void MemberExecutor::pass_on(const Events& events) {
  for (execution::Event& event : *events) {
    if (const auto* entered = std::get_if<execution::ViewEntered>(&event)) {
      kept_view_ = entered->view;
    }
    execution::Outbox out;
    if (learner_ != nullptr) {
      learner_->on_event(event, local_now(), out);
    } else {
      executor_->on_event(std::move(event), local_now(), out);
    }
    carry_out(out);
  }
  stepped();
}

void MemberExecutor::apply(const execution::Command& command, const Events& events,
                           NoteJournal::Done done) {
  const size_t before = events->size();
  runner_->apply(command,
                 [&events](execution::Event event) { events->push_back(std::move(event)); });
  if (const auto* commit = std::get_if<execution::CommitBatches>(&command)) {
    runner_committed_ = std::max(runner_committed_, commit->number);
  }
  for (size_t i = before; i < events->size(); ++i) {
    if (const auto* executed = std::get_if<execution::BatchExecuted>(&(*events)[i])) {
      cluster_.ledger.saw_executed(*executed);
    }
    if (const auto* fetched = std::get_if<execution::Fetched>(&(*events)[i])) {
      runner_committed_ = std::max(runner_committed_, fetched->parts.number);
    }
    if (const auto* begun = std::get_if<execution::EpochBegun>(&(*events)[i])) {
      runner_committed_ = begun->state.parts.number;
    }
  }
  if (storage_ == nullptr) return;
  const std::vector<execution::Event> own(events->begin() + static_cast<ptrdiff_t>(before),
                                          events->end());
  storage_->carried_out(command, own, std::move(done));
}

/// Between two commands.
void MemberExecutor::step_checkpoint() {
  if (storage_ == nullptr || running_) return;
  const uint64_t before = storage_->checkpoints();
  storage_->step(*runner_);
  if (storage_->checkpoints() > before) around_.trace.hit(Site::kCheckpointTaken);
  const TimeUs at = storage_->time_of_step();
  if (at == durability::CheckpointTaker::kNever || step_waits_) return;
  step_waits_ = true;
  later(std::max<TimeUs>(at - around_.queue.now(), 1), [this] {
    step_waits_ = false;
    step_checkpoint();
  });
}

/// M14: r+1 have said that it is committed, so somebody who does not lie has.
void MemberExecutor::observe_learner() const {
  const auto now = learner_->status();
  const Ledger& ledger = cluster_.ledger;
  if (now.held == BatchNumber()) return;
  if (now.held > ledger.last() || ledger.token(now.held) != now.token) {
    throw Violation("learner", to_string(self()) + " holds state " +
                                   std::to_string(now.held.value()) + ", which is not committed");
  }
}

void MemberExecutor::observe() {
  if (learner_ != nullptr) return observe_learner();
  if (executor_ == nullptr) return;
  const auto now = executor_->glance();
  // Not before the log has the view that ended the silence.
  if (forgot_ && !now.silent && now.view == kept_view_) {
    forgot_ = false;
    storage_->remembered();
  }
  if (liar()) return;
  cluster_.ledger.committed(self(), now.committed, now.token);
}

void MemberExecutor::check_state() const {
  if (runner_ != nullptr && runner_->root() != runner_->recompute_root()) {
    throw Violation("state", to_string(self()) + " holds a state that is not its root's");
  }
}

void MemberExecutor::add_to(Statistics& statistics) const {
  if (executor_ == nullptr) return;
  const auto now = executor_->glance();
  statistics.rollbacks += now.rollbacks;
  statistics.repairs += now.repairs;
  statistics.transfers += now.transfers;
}

}  // namespace eve::sim
