#include "sim/member_executor.h"

#include <algorithm>
#include <utility>

#include "sim/violation.h"

namespace eve::sim {

MemberExecutor::MemberExecutor(const Surroundings& around, const MemberSurroundings& cluster,
                               Address self, TimeUs clock_offset, uint64_t seed,
                               const crypto::Authenticator& keys, const MemberExecutorSetup& setup,
                               Fibers& fibers)
    : MemberHost(around, cluster, self, clock_offset, seed, keys), setup_(setup), fibers_(fibers) {}

bool MemberExecutor::recovered() const {
  if (!up() || executor_ == nullptr) return false;
  const auto now = executor_->glance();
  return !now.silent && !now.fetching && now.committed >= started_at_;
}

void MemberExecutor::on_start() {
  scheduler_ = std::make_unique<FiberScheduler>(fibers_, random_.next(), setup_.switch_every);
  runner_ = std::make_unique<execution::Runner>(cluster_.digester, *scheduler_, setup_.make_service,
                                                [this] { return around_.queue.now(); });
  runner_committed_ = BatchNumber();
  cluster_.ledger.restarted(self());
  MemberHost::on_start();
}

/// M7: what the core before had committed is what the next one begins with.
void MemberExecutor::begin(bool again) {
  ++incarnation_;
  running_ = false;
  std::vector<execution::Event> events;
  while (!commands_.empty()) apply(commands_.pop(), events);
  apply(execution::RollbackTo{runner_committed_}, events);
  executor_.reset();
  started_at_ = cluster_.ledger.last();
  const auto seat = steward_->seat();
  if (!seat) return;

  const membership::Beginning& present = steward_->present();
  execution::ExecutorOptions options;
  options.model = cluster_.model;
  options.index = seat->index;
  options.clients = setup_.clients;
  options.restarted = again;
  options.epoch = present.members.epoch;
  options.start = present.number;
  options.genesis = present.token;
  const auto left = steward_->succession().replaced();
  options.helpers = std::any_of(left.begin(), left.end(),
                                [](Address node) { return node.role == Role::kExecutor; })
                        ? 1
                        : 0;
  epoch_keys_ = std::make_unique<membership::EpochKeys>(keys_, present.members);
  executor_ = std::make_unique<execution::Executor>(options, *epoch_keys_, cluster_.digester);
  if (options.epoch > Epoch()) executor_->begin(runner_->resume(), local_now());
  execution::Outbox out;
  executor_->start(local_now(), out);
  carry_out(out);
}

void MemberExecutor::hear(const wire::Message& message, Address from, TimeUs now) {
  if (executor_ == nullptr) return serve(message, from);
  execution::Outbox out;
  executor_->receive(message, from, now, out);
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
  return executor_ == nullptr ? no_refusals() : executor_->refusals();
}

void MemberExecutor::on_tick(TimeUs now) {
  MemberHost::on_tick(now);
  if (executor_ == nullptr) return;
  execution::Outbox out;
  executor_->tick(now, out);
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
  return executor_ == nullptr ? steward : std::min(steward, executor_->deadline());
}

void MemberExecutor::on_crash() {
  ++incarnation_;
  executor_.reset();
  runner_.reset();
  commands_.clear();
  running_ = false;
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

void MemberExecutor::run_next() {
  if (running_ || commands_.empty()) return;
  running_ = true;
  const execution::Command command = commands_.pop();
  auto events = std::make_shared<std::vector<execution::Event>>();
  apply(command, *events);
  const bool runs = std::holds_alternative<execution::RunBatch>(command);
  const auto usual = static_cast<uint64_t>(setup_.request_cost_us) * (runs ? 4 : 1);
  later(static_cast<TimeUs>(1 + random_.below(usual)), [this, events, core = incarnation_] {
    if (core != incarnation_) return;
    running_ = false;
    for (execution::Event& event : *events) {
      execution::Outbox out;
      executor_->on_event(std::move(event), local_now(), out);
      carry_out(out);
    }
    run_next();
    stepped();
  });
}

void MemberExecutor::apply(const execution::Command& command,
                           std::vector<execution::Event>& events) {
  runner_->apply(command,
                 [&events](execution::Event event) { events.push_back(std::move(event)); });
  if (const auto* commit = std::get_if<execution::CommitBatches>(&command)) {
    runner_committed_ = std::max(runner_committed_, commit->number);
  }
  for (const execution::Event& event : events) {
    if (const auto* done = std::get_if<execution::BatchExecuted>(&event)) {
      cluster_.ledger.saw_executed(*done);
    }
    if (const auto* fetched = std::get_if<execution::Fetched>(&event)) {
      runner_committed_ = std::max(runner_committed_, fetched->parts.number);
    }
  }
}

void MemberExecutor::observe() {
  if (executor_ == nullptr || liar()) return;
  const auto now = executor_->glance();
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
