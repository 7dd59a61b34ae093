#include "runtime/execution_stage.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"

namespace eve::runtime {
namespace {

/// Expected to take less: run on the network thread. A few times what two wake-ups cost; measured
/// better than half of it with batches of 20 small writes.
constexpr int64_t kHereNs = 200'000;
/// Expected to take more: others should not have to wait for what is queued for them.
constexpr int64_t kNoticeableNs = 20'000;
/// The estimate was this wrong: back to the execution thread for a while.
constexpr int64_t kHeldUpNs = 2'000'000;
constexpr TimeUs kHeldUpPauseUs = 1'000'000;
/// Before anything is known of the service.
constexpr uint32_t kSampleEvery = 64;  // commands
constexpr int64_t kFirstBatchNs = 20'000;
constexpr int64_t kFirstRequestNs = 20'000;
constexpr int64_t kCommitNs = 5'000;
/// From so many requests on, a batch tells what a request takes; below, what a batch does.
constexpr int64_t kManyRequests = 8;
constexpr int64_t kUnknownNs = INT64_MAX;
/// Moving a byte through mixing, execution and hashing.
constexpr int64_t kByteNs = 2;
/// How long the execution thread looks out for the next command while they come fast.
constexpr int64_t kSpinNs = 10'000;
/// The log has grown by so much: time to ask whether a checkpoint is due.
constexpr uint64_t kStepBytes = uint64_t{256} << 10;
/// A note takes room beside its payload.
constexpr uint64_t kNoteBytes = 32;

int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

uint64_t requests_in(const execution::Command& command) {
  const auto* run = std::get_if<execution::RunBatch>(&command);
  if (run == nullptr) return 0;
  uint64_t count = 0;
  for (const auto& bundle : run->batch->bundles) count += 1 + bundle->requests.size();
  return count;
}

int64_t bytes_in(const execution::RunBatch& run) {
  size_t bytes = 0;
  for (const auto& bundle : run.batch->bundles) bytes += bundle->raw.size();
  return static_cast<int64_t>(bytes);
}

/// For statistics; every worker may ask at once.
TimeUs steady_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

ExecutionStage::ExecutionStage(EventLoop& loop, const crypto::Digester& digester, size_t threads,
                               const execution::MakeService& make_service,
                               std::function<void()> before_long_run)
    : loop_(loop),
      before_long_run_(std::move(before_long_run)),
      pool_(threads),
      digester_(digester),
      make_service_(make_service),
      batch_ns_(kFirstBatchNs),
      request_ns_(kFirstRequestNs),
      spin_(kSpinNs) {
  make_runner();
  empty_root_ = runner_->empty_root();
  sample_counts();
  thread_ = std::thread([this] { serve(); });
}

ExecutionStage::~ExecutionStage() {
  stop();
}

void ExecutionStage::stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
  if (memory_) memory_->checkpoints.taker().stop();
}

void ExecutionStage::make_runner() {
  runner_ = std::make_unique<execution::Runner>(digester_, pool_, make_service_, steady_us);
}

Result<TimeUs> ExecutionStage::begin(const Begin& bring) {
  if (auto status = bring(*runner_); !status) return Error{status.message()};
  sample_counts();
  return runner_->last_time_us();
}

Result<durability::OpenedExecutor> ExecutionStage::recover(
    const durability::ExecutorLogAccess& log, bool ran_before, const crypto::Digest& genesis,
    const durability::PresentEpoch& present) {
  const auto anew = [this]() -> execution::Runner& {
    make_runner();
    return *runner_;
  };
  auto opened = durability::open_executor(log, ran_before, digester_, genesis, anew, present);
  sample_counts();
  return opened;
}

void ExecutionStage::keep_in(const Memory& memory, durability::ExecutorRecorder recorder) {
  {
    std::lock_guard lock(mutex_);
    memory_.emplace(memory);
    recorder_.emplace(std::move(recorder));
  }
  ask_for_step();  // the log may be long already
}

// ---- The network thread ------------------------------------------------------------------------

void ExecutionStage::submit(Commands& commands) {
  if (commands.empty()) return;
  if (run_here(commands)) {
    for (auto& command : commands) apply(command);
    commands.clear();
    leave_here();
    return;
  }
  bool notify = false;
  {
    std::lock_guard lock(mutex_);
    for (auto& command : commands) queue_.push(std::move(command));
    has_commands_.store(true, std::memory_order_release);
    notify = asleep_;
  }
  commands.clear();
  if (notify) wake_.notify_one();
}

bool ExecutionStage::run_here(const Commands& commands) {
  if (loop_.now() < not_here_until_) return false;
  int64_t expected = 0;
  for (const auto& command : commands) {
    const auto cost = expected_ns(command);
    if (cost >= kHereNs || expected + cost >= kHereNs) return false;
    expected += cost;
  }
  if (!enter_here()) return false;
  if (expected >= kNoticeableNs) before_long_run_();
  return true;
}

/// False: the thread is inside the runner, or about to be. Else it waits until leave_here().
bool ExecutionStage::enter_here() {
  std::lock_guard lock(mutex_);
  here_ = !running_ && queue_.empty();
  return here_;
}

void ExecutionStage::leave_here() {
  bool notify = false;
  {
    std::lock_guard lock(mutex_);
    here_ = false;
    if (memory_ && memory_->log_bytes >= stepped_at_bytes_ + kStepBytes) step_wanted_ = true;
    notify = asleep_ && step_wanted_;
  }
  if (notify) wake_.notify_one();
}

void ExecutionStage::ask_for_step() {
  {
    std::lock_guard lock(mutex_);
    step_wanted_ = true;
  }
  wake_.notify_one();
}

void ExecutionStage::want_checkpoint() {
  memory_->checkpoints.taker().want();
  ask_for_step();
}

int64_t ExecutionStage::expected_ns(const execution::Command& command) const {
  if (const auto* run = std::get_if<execution::RunBatch>(&command)) {
    const auto requests = static_cast<int64_t>(requests_in(command));
    return batch_ns_.load(std::memory_order_relaxed) +
           requests * request_ns_.load(std::memory_order_relaxed) + bytes_in(*run) * kByteNs;
  }
  if (std::holds_alternative<execution::CommitBatches>(command)) return kCommitNs;
  return kUnknownNs;
}

std::vector<execution::Event> ExecutionStage::take_events() {
  std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

ExecutionStage::Counts ExecutionStage::counts() {
  if (enter_here()) {
    sample_counts();
    leave_here();
  }
  std::lock_guard lock(mutex_);
  return counts_;
}

// ---- The execution thread ----------------------------------------------------------------------

void ExecutionStage::serve() {
  while (wait_for_commands()) {
    uint32_t done = 0;
    while (auto command = next()) {
      apply(*command);
      step();
      if (++done % kSampleEvery == 0) sample_counts();  // under load the queue is never empty
    }
    if (done == 0) step();
    if (done > 0) sample_counts();
  }
}

void ExecutionStage::step() {
  if (!memory_) return;
  stepped_at_bytes_ = memory_->log_bytes;
  if (memory_->checkpoints.taker().step(*runner_, memory_->log_bytes)) memory_->journal.poke();
}

// One at a time: what waits may be undone meanwhile, and then leaves the queue.
std::optional<execution::Command> ExecutionStage::next() {
  std::lock_guard lock(mutex_);
  if (queue_.empty() || stop_) {
    has_commands_.store(false, std::memory_order_relaxed);
    return std::nullopt;
  }
  return queue_.pop();
}

bool ExecutionStage::wait_for_commands() {
  const auto ready = [this] { return has_commands_.load(std::memory_order_acquire); };
  std::unique_lock lock(mutex_);
  running_ = false;
  if (queue_.empty() && !stop_) {
    lock.unlock();
    const bool seen = spin_.wait(ready);
    lock.lock();
    if (!seen && queue_.empty() && !stop_) {
      asleep_ = true;
      sleep(lock);
      asleep_ = false;
      spin_.warm();
    }
  }
  if (stop_) return false;
  running_ = true;
  step_wanted_ = false;
  return true;
}

/// Until there is a command, or a step of a checkpoint to do while nobody is inside the runner.
void ExecutionStage::sleep(std::unique_lock<std::mutex>& lock) {
  const auto called = [this] { return stop_ || !queue_.empty() || (step_wanted_ && !here_); };
  const TimeUs at = memory_ ? memory_->checkpoints.taker().time() : kNever;
  if (at == kNever) return wake_.wait(lock, called);
  const TimeUs now = steady_us();
  if (at > now && wake_.wait_for(lock, std::chrono::microseconds(at - now), called)) return;
  step_wanted_ = true;
  wake_.wait(lock, called);
}

// ---- Either ------------------------------------------------------------------------------------

void ExecutionStage::apply(execution::Command& command) {
  const auto requests = requests_in(command);
  const auto begin = steady_ns();
  if (!memory_) {
    carry_out(command);
  } else {
    carry_out_and_keep(command);
  }
  if (requests > 0) learn(requests, steady_ns() - begin);
}

void ExecutionStage::carry_out(execution::Command& command) {
  runner_->apply(std::move(command), [this](execution::Event event) { emit(std::move(event)); });
}

void ExecutionStage::carry_out_and_keep(execution::Command& command) {
  std::vector<execution::Event> events;
  runner_->apply(command,
                 [&events](execution::Event event) { events.push_back(std::move(event)); });
  auto recorded = recorder_->record(command, events);
  EVE_CHECK(recorded.ok(), recorded.message().c_str());
  // What peers send of a large state must not wait in memory while the disk is slow.
  if (memory_->journal.crowded()) recorded->until = durability::Keeper::Until::kDurable;
  const uint64_t notes = recorded->notes.size();
  for (const auto& note : recorded->notes) memory_->log_bytes += kNoteBytes + note.payload.size();
  auto kept = std::exchange(recorded->notes, {});
  const auto first = memory_->journal.submit(std::move(kept), recorded->until,
                                             [this, events = std::move(events)]() mutable {
                                               std::lock_guard lock(mutex_);
                                               for (auto& event : events) {
                                                 events_.push_back(std::move(event));
                                               }
                                             });
  recorded->tell(memory_->places, first, journal::Position(first.value() + notes));
}

void ExecutionStage::learn(uint64_t requests, int64_t took_ns) {
  const auto count = static_cast<int64_t>(requests);
  const auto batch = batch_ns_.load(std::memory_order_relaxed);
  const auto each = request_ns_.load(std::memory_order_relaxed);
  const auto average = [](int64_t old, int64_t seen) {
    return old + (std::max<int64_t>(seen, 0) - old) / 8;
  };
  if (count >= kManyRequests) {
    request_ns_.store(average(each, (took_ns - batch) / count), std::memory_order_relaxed);
  } else {
    batch_ns_.store(average(batch, took_ns - count * each), std::memory_order_relaxed);
  }
  const bool here = std::this_thread::get_id() != thread_.get_id();
  if (here && took_ns > kHeldUpNs) not_here_until_ = loop_.now() + kHeldUpPauseUs;
}

void ExecutionStage::emit(execution::Event event) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    first = events_.empty();
    events_.push_back(std::move(event));
  }
  // The loop asks for events in every turn; it only has to have one.
  if (first && std::this_thread::get_id() == thread_.get_id()) loop_.post([] {});
}

void ExecutionStage::sample_counts() {
  Counts counts{runner_->objects(), runner_->memory_bytes(), runner_->containers()};
  std::lock_guard lock(mutex_);
  counts_ = std::move(counts);
}

}  // namespace eve::runtime
