#include "sim/executor_host.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

#include "base/limits.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

/// The window's batches with their commits, a fetch, and what a few peers may ask at once.
constexpr size_t kMostCommands = 8 * limits::kWindow + 256;
constexpr TimeUs kCommandCostUs = 3;
constexpr uint64_t kSlowerBy = 10;

}  // namespace

ExecutorHost::ExecutorHost(const Surroundings& around, const ExecutorSetup& setup,
                           TimeUs clock_offset, uint64_t seed, Fibers& fibers,
                           const crypto::Authenticator& authenticator,
                           const crypto::Digester& digester, Ledger& ledger)
    : Host(around, Address::executor(setup.options.index), clock_offset, seed),
      setup_(setup),
      fibers_(fibers),
      authenticator_(authenticator),
      digester_(digester),
      ledger_(ledger) {
  if (!setup.storage.lasting()) return;
  storage_ = std::make_unique<ExecutorStorage>(
      setup.storage, self(), random_.next(),
      [this](TimeUs delay, std::function<void()> action) { later(delay, std::move(action)); },
      [this] { return around_.queue.now(); });
}
ExecutorHost::~ExecutorHost() = default;

void ExecutorHost::make_runner() {
  scheduler_ = std::make_unique<FiberScheduler>(fibers_, random_.next(), setup_.switch_every);
  runner_ = std::make_unique<execution::Runner>(digester_, *scheduler_, setup_.make_service,
                                                [this] { return around_.queue.now(); });
  rollbacks_.fetched({BatchNumber(), {}, {}, runner_->empty_root(), {}});
}

void ExecutorHost::make_executor(bool restarted) {
  auto options = setup_.options;
  options.restarted = restarted;
  executor_ = std::make_unique<execution::Executor>(options, authenticator_, digester_);
}

bool ExecutorHost::recovered() const {
  if (!up()) return false;
  const auto now = executor_->glance();
  // Who has forgotten nothing is merely behind.
  if (broken()) return false;
  if (storage_ != nullptr && !now.silent) return true;
  return !now.silent && !now.fetching && now.committed >= restarted_at_;
}

void ExecutorHost::calm() {
  if (storage_ != nullptr) storage_->calm();
}

void ExecutorHost::on_start() {
  bool restarted = lives() > 1 && !amnesiac();
  if (storage_ != nullptr) {
    if (lives() > 1 && amnesiac()) storage_->forget();
    auto opened = storage_->open(digester_, setup_.options.genesis, [this]() -> execution::Runner& {
      make_runner();
      make_executor(true);  // to be asked, should this not come to an end
      return *runner_;
    });
    restarted = forgot_ = opened.restarted;
    make_executor(restarted);
    recover(opened);
  } else {
    make_runner();
    make_executor(restarted);
  }
  restarted_at_ = ledger_.last();
  ledger_.restarted(self());
  views_.restarted(self());
  if (restarted && setup_.silence != nullptr) setup_.silence->restarted(self());
  execution::Outbox out;
  executor_->start(local_now(), out);
  carry_out(out);
}

void ExecutorHost::recover(const durability::OpenedExecutor& opened) {
  kept_view_ = opened.recovered ? opened.recovered->view : View();
  if (!opened.recovered) return;
  around_.trace.hit(opened.restarted ? Site::kMemoryLost : Site::kMemoryRecovered);
  if (opened.at_checkpoint) around_.trace.hit(Site::kCheckpointRecovered);
  if (!opened.recovered->above.empty()) around_.trace.hit(Site::kSpeculationRecovered);
  rollbacks_.fetched(opened.recovered->committed.parts);
  for (const auto& batch : opened.recovered->above) {
    ledger_.saw_executed(batch.result);  // it may have died before it said so
    rollbacks_.ran(batch.result.parts, execution::RunMode::kSequential);
  }
  executor_->recover(*opened.recovered, local_now());
}

void ExecutorHost::on_crash() {
  if (storage_ != nullptr) {
    const uint64_t before = storage_->crashes_amid_checkpoints();
    storage_->end();
    if (storage_->crashes_amid_checkpoints() > before) {
      around_.trace.hit(Site::kCrashAmidCheckpoint);
    }
  }
  if (running_) around_.trace.hit(Site::kCrashWhileRunning);
  if (fetching_) around_.trace.hit(Site::kCrashWhileFetching);
  Statistics all_lives;
  add_to(all_lives);
  earlier_lives_ = all_lives;
  executor_.reset();
  runner_.reset();
  commands_.clear();
  waits_.clear();
  pace_ = {};
  looking_ = false;
  running_ = false;
  step_waits_ = false;
  fetching_ = false;
  sources_.clear();
  seen_ = {};
  window_bundles_ = 0;
  dropped_bundles_ = 0;
}

void ExecutorHost::on_message(const wire::Message& message, Address from, TimeUs now) {
  witness(message, from);
  execution::Outbox out;
  executor_->receive(message, from, now, out);
  carry_out(out);
}

void ExecutorHost::on_tick(TimeUs now) {
  execution::Outbox out;
  executor_->tick(now, out);
  carry_out(out);
}

void ExecutorHost::on_idle(TimeUs now) {
  execution::Outbox out;
  executor_->idle(now, out);
  carry_out(out);
}

void ExecutorHost::carry_out(execution::Outbox& out) {
  // Before anything leaves: what a client accepts must be in the ledger already.
  observe();
  send(out.sends);
  for (execution::Command& command : out.commands) {
    if (const auto* run = std::get_if<execution::RunBatch>(&command)) {
      if (run->mode == execution::RunMode::kSequential) around_.trace.hit(Site::kSequentialRun);
      ledger_.saw_batch(run->batch);
    }
    commands_.push(std::move(command));
  }
  if (commands_.size() > kMostCommands) {
    throw Violation("bounds", to_string(self()) + " has " + std::to_string(commands_.size()) +
                                  " commands waiting");
  }
  run_next();
}

/// The execution thread: one command after the other, each taking its time. Its effect on the state
/// is there at once; the event that tells of it comes when the time is over.
void ExecutorHost::run_next() {
  if (running_ || commands_.empty()) return;
  running_ = true;
  const execution::Command command = commands_.pop();
  auto events = std::make_shared<std::vector<execution::Event>>();
  apply(command, *events);
  const TimeUs takes = cost(command, *events);
  if (std::holds_alternative<execution::RunBatch>(command)) {
    longest_run_us_ = std::max(longest_run_us_, takes);
  }
  later(takes, [this, command, events] {
    running_ = false;
    if (storage_ != nullptr) {
      keep(command, events);
      step_checkpoint();
    } else {
      pass_on(*events);
    }
    run_next();
  });
}

void ExecutorHost::keep(const execution::Command& command,
                        std::shared_ptr<std::vector<execution::Event>> events) {
  waits_.push_back(around_.queue.now());
  storage_->carried_out(command, *events, [this, events] {
    waits_.pop_front();
    pass_on(*events);
  });
  look_at_disk_soon();
}

void ExecutorHost::look_at_disk_soon() {
  if (looking_ || (waits_.empty() && pace_.keeps_up())) return;
  looking_ = true;
  later(durability::DiskPace::kLookUs, [this] {
    looking_ = false;
    const TimeUs now = around_.queue.now();
    const bool kept_up = pace_.keeps_up();
    pace_.look(now, waits_.empty() ? 0 : now - waits_.front());
    if (kept_up && !pace_.keeps_up()) around_.trace.hit(Site::kDiskTooSlow);
    execution::Outbox out;
    executor_->may_lead(pace_.keeps_up(), local_now(), out);
    const bool asks = !out.sends.empty();
    if (asks) around_.trace.hit(Site::kLeadLeft);
    carry_out(out);
    stepped();
    look_at_disk_soon();
  });
}

/// The execution thread, between two commands.
void ExecutorHost::step_checkpoint() {
  if (running_ || !up()) return;  // the command's end is the next occasion
  storage_->step(*runner_);
  for (; checkpoints_seen_ < storage_->checkpoints(); ++checkpoints_seen_) {
    around_.trace.hit(Site::kCheckpointTaken);
  }
  const TimeUs at = storage_->time_of_step();
  if (at == durability::CheckpointTaker::kNever || step_waits_) return;
  step_waits_ = true;
  later(std::max<TimeUs>(at - around_.queue.now(), 1), [this] {
    step_waits_ = false;
    step_checkpoint();
  });
}

void ExecutorHost::pass_on(std::vector<execution::Event>& events) {
  for (execution::Event& event : events) happened(event);
  stepped();
}

void ExecutorHost::apply(const execution::Command& command, std::vector<execution::Event>& events) {
  if (const auto* rollback = std::get_if<execution::RollbackTo>(&command)) {
    if (rollbacks_.undoes_parallel(rollback->number)) around_.trace.hit(Site::kParallelRollback);
  }
  if (std::holds_alternative<execution::StartFetch>(command)) {
    if (fetching_) around_.trace.hit(Site::kTransferRetargeted);
    fetching_ = true;
  }
  runner_->apply(command,
                 [&events](execution::Event event) { events.push_back(std::move(event)); });
  const auto* run = std::get_if<execution::RunBatch>(&command);
  for (const execution::Event& event : events) {
    if (const auto* executed = std::get_if<execution::BatchExecuted>(&event)) {
      rollbacks_.ran(executed->parts, run->mode);
      if (setup_.sequential != nullptr && run->mode == execution::RunMode::kSequential) {
        setup_.sequential->ran(self(), executed->parts, executed->token);
      }
      if (executed->failed > 0 && run->mode == execution::RunMode::kParallel) {
        around_.trace.hit(Site::kThrowInParallel);
      }
    }
    if (const auto* fetched = std::get_if<execution::Fetched>(&event)) {
      rollbacks_.fetched(fetched->parts);
      fetching_ = false;
    }
  }
  if (const auto* rollback = std::get_if<execution::RollbackTo>(&command)) {
    rollbacks_.rolled_back(self(), rollback->number, runner_->root());
  }
  if (const auto* commit = std::get_if<execution::CommitBatches>(&command)) {
    rollbacks_.committed(commit->number);
  }
}

void ExecutorHost::happened(execution::Event& event) {
  if (const auto* entered = std::get_if<execution::ViewEntered>(&event)) {
    kept_view_ = entered->view;
  }
  if (const auto* executed = std::get_if<execution::BatchExecuted>(&event)) {
    ledger_.saw_executed(*executed);
    around_.trace.note(around_.queue.now(), self(), std::hash<crypto::Digest>()(executed->token),
                       [executed] {
                         return "ran number " + std::to_string(executed->parts.number.value()) +
                                ' ' + executed->token.brief();
                       });
  }
  execution::Outbox out;
  executor_->on_event(std::move(event), local_now(), out);
  carry_out(out);
}

void ExecutorHost::witness(const wire::Message& message, Address from) {
  if (const auto* batch = std::get_if<wire::BatchMessage>(&message)) {
    if (batch->batch->view > seen_.view) around_.trace.hit(Site::kBatchOfLaterView);
    if (batch->batch->view < seen_.view) around_.trace.hit(Site::kLateBatch);
  }
  if (const auto* verdict = std::get_if<wire::Verdict>(&message)) {
    if (verdict->kind == wire::VerdictKind::kCommit && verdict->number > seen_.executed) {
      around_.trace.hit(Site::kCommitBeforeExecution);
    }
  }
  if (const auto* reply = std::get_if<wire::StateReply>(&message)) {
    if (!reply->nodes.empty()) sources_.insert(from);
    if (!reply->parts) around_.trace.hit(Site::kTransferRefused);
  }
}

/// What a batch holds twice, or has been answered, does not run.
TimeUs ExecutorHost::cost(const execution::Command& command,
                          const std::vector<execution::Event>& events) {
  const bool is_run = std::holds_alternative<execution::RunBatch>(command);
  if (around_.steady) return is_run ? setup_.request_cost_us : 0;
  const auto* done =
      events.empty() ? nullptr : std::get_if<execution::BatchExecuted>(&events.front());
  if (!is_run || done == nullptr) return kCommandCostUs;
  const uint64_t pace = slow() ? kSlowerBy : 1;
  const uint64_t usual =
      pace * (1 + done->requests) * static_cast<uint64_t>(setup_.request_cost_us);
  return static_cast<TimeUs>(usual / 2 + random_.below(usual + 1));
}

void ExecutorHost::observe() {
  const auto now = executor_->glance();
  ledger_.committed(self(), now.committed, now.token);
  views_.stands(self(), now.view);
  if (now.executed.value() > now.committed.value() + limits::kWindow) {
    throw Violation("bounds", to_string(self()) + " ran ahead beyond the window");
  }
  check_bounds(now.view > seen_.view);
  if (now.transfers > seen_.transfers) {
    around_.trace.hit(Site::kTransfer);
    if (sources_.size() > 1) around_.trace.hit(Site::kTransferOfSeveralSources);
    sources_.clear();
  }
  if (seen_.silent && !now.silent) around_.trace.hit(Site::kExecutorReturned);
  // Not before the log has the view that ended the silence.
  if (forgot_ && !now.silent && now.view == kept_view_) {
    forgot_ = false;
    storage_->remembered();
  }
  if (now.repairs > seen_.repairs) around_.trace.hit(Site::kRepair);
  seen_ = now;
  if (now.committed == BatchNumber()) return;
  if (now.state_root != ledger_.entry(now.committed).parts.state) {
    throw Violation("agreement", to_string(self()) + " names another state than its token");
  }
}

/// Invariant 10: pending requests and the window of batches (docs/protocol.md, Bounds). A new view
/// may put what it drops before what is pending.
void ExecutorHost::check_bounds(bool new_view) {
  const execution::ExecutorLoad load = executor_->load();
  if (new_view) dropped_bundles_ += window_bundles_;
  window_bundles_ = load.window_bundles;
  const size_t most = limits::kMaxPendingBundles;
  const size_t dropped = std::min(dropped_bundles_, limits::kWindow * limits::kMaxBatchBundles);
  if (load.pending_bundles > most + dropped || load.pending_of_one_client > most / 2 + dropped) {
    throw Violation("bounds", to_string(self()) + " keeps " + std::to_string(load.pending_bundles) +
                                  " bundles pending, " +
                                  std::to_string(load.pending_of_one_client) + " of one client");
  }
  // Where more lie than the model admits, what is vouched for may not be committed.
  const BatchNumber known = ledger_.last();
  const bool beyond = !around_.beyond && load.window_end.value() > known.value() + limits::kWindow;
  if (load.window_batches > limits::kHistoryBatches || beyond) {
    throw Violation("bounds", to_string(self()) + " keeps " + std::to_string(load.window_batches) +
                                  " batches up to " + std::to_string(load.window_end.value()));
  }
}

void ExecutorHost::check_state() const {
  if (runner_->root() != runner_->recompute_root()) {
    throw Violation("state", to_string(self()) + " holds a state that is not its root's");
  }
}

void ExecutorHost::add_to(Statistics& statistics) const {
  statistics += earlier_lives_;
  if (executor_ == nullptr) return;
  const auto now = executor_->glance();
  statistics.rollbacks += now.rollbacks;
  statistics.repairs += now.repairs;
  statistics.transfers += now.transfers;
  statistics.accesses += scheduler_->accesses();
  statistics.switches += scheduler_->switches();
}

}  // namespace eve::sim
