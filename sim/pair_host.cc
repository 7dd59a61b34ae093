#include "sim/pair_host.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

#include "base/limits.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr TimeUs kCommandCostUs = 3;
constexpr uint64_t kSlowerBy = 10;
constexpr uint64_t kQuestionUs = 2'000;
constexpr uint64_t kAgainUs = 100'000;
// A replica's own record on its disk; one in so many stalls.
constexpr uint64_t kWriteUs = 2'000;
constexpr uint64_t kStallUs = 1'000'000;
constexpr uint64_t kStalledWrites = 8;

}  // namespace

void PairArbiter::ask(const pair::Request& request, std::function<bool()> alive, Answer answer) {
  const auto delay = static_cast<TimeUs>(1 + random_.below(kQuestionUs));
  queue_.at(queue_.now() + delay, [this, request, alive, answer] {
    const auto again = static_cast<TimeUs>(1 + random_.below(kAgainUs));
    const bool lost = faulty_ && random_.chance(1, 5);
    if (reachable_ && !lost) {
      if (record_ == request.expected) record_ = request.wanted;
      const pair::Record now = record_;
      // A copy that comes late changes nothing any more, or the protocol is wrong.
      if (faulty_ && random_.chance(1, 5)) {
        queue_.at(queue_.now() + 20 * again, [this, request] {
          if (record_ == request.expected) record_ = request.wanted;
        });
      }
      if (!faulty_ || !random_.chance(1, 5)) {
        queue_.at(queue_.now() + static_cast<TimeUs>(random_.below(kQuestionUs)),
                  [now, alive, answer] {
                    if (alive()) answer(now);
                  });
        return;
      }
    }
    queue_.at(queue_.now() + again, [this, request, alive, answer] {
      if (alive()) ask(request, alive, answer);
    });
  });
}

PairHost::PairHost(const Surroundings& around, const PairSetup& setup, TimeUs clock_offset,
                   uint64_t seed, Fibers& fibers, const crypto::Authenticator& authenticator,
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
PairHost::~PairHost() = default;

void PairHost::calm() {
  if (storage_ != nullptr) storage_->calm();
}

void PairHost::make_runner() {
  scheduler_ = std::make_unique<FiberScheduler>(fibers_, random_.next(), setup_.switch_every);
  runner_ = std::make_unique<execution::Runner>(digester_, *scheduler_, setup_.make_service,
                                                [this] { return around_.queue.now(); });
  rollbacks_.fetched({BatchNumber(), {}, {}, runner_->empty_root(), {}});
}

/// P13. Sets the state's life.
std::optional<durability::OpenedExecutor> PairHost::open_storage() {
  if (storage_ == nullptr) {
    make_runner();
    life_ = random_.next() | 1;
    return std::nullopt;
  }
  const auto make = [this]() -> execution::Runner& {
    make_runner();
    return *runner_;
  };
  auto opened = storage_->open(digester_, setup_.options.genesis, make);
  const bool whole = !opened.restarted;
  if (!whole) {
    around_.trace.hit(Site::kMemoryLost);
    opened = storage_->open_anew(digester_, setup_.options.genesis, make);
  }
  std::memcpy(&life_, storage_->life().data(), sizeof life_);
  if (!whole || !opened.recovered) return std::nullopt;
  return opened;
}

void PairHost::recover(const durability::OpenedExecutor& opened) {
  around_.trace.hit(Site::kMemoryRecovered);
  if (opened.at_checkpoint) around_.trace.hit(Site::kCheckpointRecovered);
  if (!opened.recovered->above.empty()) around_.trace.hit(Site::kSpeculationRecovered);
  rollbacks_.fetched(opened.recovered->committed.parts);
  for (const auto& batch : opened.recovered->above) {
    ledger_.saw_executed(batch.result);  // it may have died before it said so
    rollbacks_.ran(batch.result.parts, execution::RunMode::kSequential);
  }
  replica_->recover(*opened.recovered);
}

void PairHost::on_start() {
  const auto opened = open_storage();
  ledger_.restarted(self());
  process_ = random_.next() | 1;
  auto options = setup_.options;
  options.life = life_;
  options.process = process_;
  options.record = copy_;
  options.arbiter = setup_.arbiter != nullptr;
  replica_ = std::make_unique<pair::Replica>(options, authenticator_, digester_);
  if (opened) recover(*opened);
  pair::Outbox out;
  replica_->start(local_now(), out);
  carry_out(out);
}

void PairHost::on_crash() {
  if (storage_ != nullptr) {
    const uint64_t before = storage_->crashes_amid_checkpoints();
    storage_->end();
    if (storage_->crashes_amid_checkpoints() > before) {
      around_.trace.hit(Site::kCrashAmidCheckpoint);
    }
  }
  if (random_.chance(1, 2)) end_write();  // nobody heard of it, and it is there
  writing_.reset();
  step_waits_ = false;
  add_to(earlier_lives_);
  replica_.reset();
  runner_.reset();
  commands_.clear();
  running_ = false;
}

void PairHost::on_message(const wire::Message& message, Address from, TimeUs now) {
  pair::Outbox out;
  replica_->receive(message, from, now, out);
  carry_out(out);
}

void PairHost::on_tick(TimeUs now) {
  pair::Outbox out;
  replica_->tick(now, out);
  carry_out(out);
}

void PairHost::on_idle(TimeUs now) {
  pair::Outbox out;
  replica_->idle(now, out);
  carry_out(out);
}

void PairHost::carry_out(pair::Outbox& out) {
  observe();
  send(out.sends);
  for (execution::Command& command : out.commands) {
    if (const auto* run = std::get_if<execution::RunBatch>(&command)) {
      ledger_.saw_batch(run->batch);
    }
    commands_.push(std::move(command));
  }
  for (const pair::Request& request : std::exchange(out.requests, {})) put(request);
  run_next();
}

void PairHost::put(const pair::Request& request) {
  around_.trace.note(around_.queue.now(), self(), request.wanted.epoch.value(), [request] {
    return (request.answer ? "asks for " : "keeps ") + pair::format_record(request.wanted);
  });
  if (!request.answer) {
    if (request.wanted.epoch > copy_.epoch) copy_ = request.wanted;
    return;
  }
  if (setup_.arbiter == nullptr) {
    writing_ = request;
    const auto most = random_.chance(1, kStalledWrites) ? kStallUs : kWriteUs;
    later(static_cast<TimeUs>(1 + random_.below(most)), [this] {
      end_write();
      answered(copy_);
    });
    return;
  }
  const auto alive = [this, process = process_] { return up() && process_ == process; };
  setup_.arbiter->ask(request, alive, [this, alive](const pair::Record& record) {
    later(1, [this, record, alive] {
      if (alive()) answered(record);
    });
  });
}

void PairHost::end_write() {
  const auto request = std::exchange(writing_, std::nullopt);
  if (request && copy_ == request->expected) copy_ = request->wanted;
}

void PairHost::answered(const pair::Record& record) {
  if (!replica_->glance().asking) return;
  if (record.epoch > copy_.epoch) copy_ = record;
  pair::Outbox out;
  replica_->on_record(record, local_now(), out);
  carry_out(out);
  stepped();
}

/// As an executor does: one command after the other, each taking its time.
void PairHost::run_next() {
  if (running_ || commands_.empty()) return;
  running_ = true;
  const execution::Command command = commands_.pop();
  auto events = std::make_shared<std::vector<execution::Event>>();
  apply(command, *events);
  later(cost(command, *events), [this, command, events] {
    running_ = false;
    if (storage_ != nullptr) {
      storage_->carried_out(command, *events, [this, events] { pass_on(*events); });
      step_checkpoint();
    } else {
      pass_on(*events);
    }
    run_next();
  });
}

void PairHost::step_checkpoint() {
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

void PairHost::pass_on(std::vector<execution::Event>& events) {
  for (execution::Event& event : events) {
    if (const auto* done = std::get_if<execution::BatchExecuted>(&event)) {
      ledger_.saw_executed(*done);
    }
    pair::Outbox out;
    replica_->on_event(std::move(event), local_now(), out);
    carry_out(out);
  }
  stepped();
}

void PairHost::apply(const execution::Command& command, std::vector<execution::Event>& events) {
  runner_->apply(command,
                 [&events](execution::Event event) { events.push_back(std::move(event)); });
  const auto* run = std::get_if<execution::RunBatch>(&command);
  for (const execution::Event& event : events) {
    if (const auto* executed = std::get_if<execution::BatchExecuted>(&event)) {
      rollbacks_.ran(executed->parts, run->mode);
    }
    if (const auto* fetched = std::get_if<execution::Fetched>(&event)) {
      rollbacks_.fetched(fetched->parts);
    }
  }
  if (const auto* rollback = std::get_if<execution::RollbackTo>(&command)) {
    rollbacks_.rolled_back(self(), rollback->number, runner_->root());
  }
  if (const auto* commit = std::get_if<execution::CommitBatches>(&command)) {
    rollbacks_.committed(commit->number);
  }
}

TimeUs PairHost::cost(const execution::Command& command,
                      const std::vector<execution::Event>& events) {
  const auto* done =
      events.empty() ? nullptr : std::get_if<execution::BatchExecuted>(&events.front());
  if (done == nullptr || !std::holds_alternative<execution::RunBatch>(command)) {
    return kCommandCostUs;
  }
  const uint64_t pace = slow() ? kSlowerBy : 1;
  const uint64_t usual =
      pace * (1 + done->requests) * static_cast<uint64_t>(setup_.request_cost_us);
  return static_cast<TimeUs>(usual / 2 + random_.below(usual + 1));
}

void PairHost::observe() {
  const auto now = replica_->glance();
  ledger_.committed(self(), now.committed, now.token);
  if (now.conflict) {
    throw Violation("one history", to_string(self()) + " has committed what the other has not");
  }
  if (now.executed.value() > now.committed.value() + limits::kWindow) {
    throw Violation("bounds", to_string(self()) + " ran ahead beyond the window");
  }
  const execution::ExecutorLoad load = replica_->load();
  if (load.window_batches > limits::kHistoryBatches) {
    throw Violation("bounds", to_string(self()) + " keeps too many batches");
  }
}

void PairHost::check_state() const {
  if (runner_->root() != runner_->recompute_root()) {
    throw Violation("state", to_string(self()) + " holds a state that is not its root's");
  }
}

void PairHost::add_to(Statistics& statistics) const {
  if (&statistics != &earlier_lives_) statistics += earlier_lives_;
  if (replica_ == nullptr) return;
  const auto now = replica_->glance();
  statistics.rollbacks += now.rollbacks;
  statistics.repairs += now.repairs;
  statistics.transfers += now.transfers;
  statistics.accesses += scheduler_->accesses();
  statistics.switches += scheduler_->switches();
}

}  // namespace eve::sim
