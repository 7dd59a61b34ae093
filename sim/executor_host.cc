#include "sim/executor_host.h"

#include <algorithm>
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
      ledger_(ledger) {}
ExecutorHost::~ExecutorHost() = default;

void ExecutorHost::make(bool restarted) {
  scheduler_ = std::make_unique<FiberScheduler>(fibers_, random_.next(), setup_.switch_every);
  runner_ = std::make_unique<execution::Runner>(digester_, *scheduler_, setup_.make_service,
                                                [this] { return around_.queue.now(); });
  auto options = setup_.options;
  options.restarted = restarted;
  executor_ = std::make_unique<execution::Executor>(options, authenticator_, digester_);
}

bool ExecutorHost::recovered() const {
  if (!up()) return false;
  const auto now = executor_->status();
  return !now.silent && !now.fetching && now.committed >= restarted_at_;
}

void ExecutorHost::on_start() {
  const bool restarted = lives() > 1 && !amnesiac();
  make(restarted);
  restarted_at_ = ledger_.last();
  ledger_.restarted(self());
  execution::Outbox out;
  executor_->start(local_now(), out);
  carry_out(out);
}

void ExecutorHost::on_crash() {
  Statistics all_lives;
  add_to(all_lives);
  earlier_lives_ = all_lives;
  executor_.reset();
  runner_.reset();
  commands_.clear();
  running_ = false;
}

void ExecutorHost::on_message(const wire::Message& message, Address from, TimeUs now) {
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
      ledger_.saw_batch(run->batch);
    }
    commands_.push_back(std::move(command));
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
  const execution::Command command = std::move(commands_.front());
  commands_.pop_front();
  const TimeUs takes = cost(command);
  auto events = std::make_shared<std::vector<execution::Event>>();
  runner_->apply(command,
                 [&events](execution::Event event) { events->push_back(std::move(event)); });
  later(takes, [this, events] {
    running_ = false;
    for (execution::Event& event : *events) {
      if (const auto* executed = std::get_if<execution::BatchExecuted>(&event)) {
        ledger_.saw_executed(*executed);
        around_.trace.note(around_.queue.now(), self(),
                           std::hash<crypto::Digest>()(executed->token), [executed] {
                             return "ran number " + std::to_string(executed->parts.number.value()) +
                                    ' ' + executed->token.brief();
                           });
      }
      execution::Outbox out;
      executor_->on_event(std::move(event), local_now(), out);
      carry_out(out);
    }
    stepped();
    run_next();
  });
}

TimeUs ExecutorHost::cost(const execution::Command& command) {
  const auto* run = std::get_if<execution::RunBatch>(&command);
  if (around_.steady) return run == nullptr ? 0 : setup_.request_cost_us;
  if (run == nullptr) return kCommandCostUs;
  uint64_t requests = 1;
  for (const auto& bundle : run->batch->bundles) requests += bundle->requests.size();
  const uint64_t usual = requests * static_cast<uint64_t>(setup_.request_cost_us);
  return static_cast<TimeUs>(usual / 2 + random_.below(usual + 1));
}

void ExecutorHost::observe() {
  const auto now = executor_->status();
  ledger_.committed(self(), now.committed, now.token);
  if (now.committed == BatchNumber()) return;
  if (now.state_root != ledger_.entry(now.committed).parts.state) {
    throw Violation("agreement", to_string(self()) + " names another state than its token");
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
  const auto now = executor_->status();
  statistics.rollbacks += now.rollbacks;
  statistics.repairs += now.repairs;
  statistics.transfers += now.transfers;
}

}  // namespace eve::sim
