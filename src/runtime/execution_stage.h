// Where a replica's Runner lives: a thread of its own with workers, fed by a queue of commands.
//
// Handing a command to a sleeping thread and its event back costs two wake-ups, about 40 us of CPU
// (DESIGN 9): more than most small batches take. So a command runs on the network thread when the
// execution thread has nothing to do and the command is expected to take less than that.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "durability/executor_checkpoints.h"
#include "durability/executor_log.h"
#include "execution/command_queue.h"
#include "execution/runner.h"
#include "runtime/event_loop.h"
#include "runtime/genesis.h"
#include "runtime/journal_thread.h"
#include "runtime/spin.h"
#include "runtime/thread_pool.h"

namespace eve::runtime {

class ExecutionStage {
 public:
  /// `before_long_run` is called before a command of noticeable length runs on the network thread:
  /// what is queued for others should leave first. All references outlive the stage.
  ExecutionStage(EventLoop& loop, const crypto::Digester& digester, size_t threads,
                 const execution::MakeService& make_service, std::function<void()> before_long_run);
  ~ExecutionStage();
  ExecutionStage(const ExecutionStage&) = delete;
  ExecutionStage& operator=(const ExecutionStage&) = delete;

  crypto::Digest empty_root() const { return empty_root_; }

  // ---- Before the first submit() ----

  /// Brings the state to where the cluster begins; its time.
  Result<TimeUs> begin(const Begin& bring);

  /// The state that there is, for an Executor of a later epoch than the first.
  execution::Fetched resume() { return runner_->resume(); }

  // Executors that keep what they run (docs/durability.md):

  /// Brings the state to where the log ends.
  Result<durability::OpenedExecutor> recover(const durability::ExecutorLogAccess& log,
                                             bool ran_before, const crypto::Digest& genesis,
                                             const durability::PresentEpoch& present = {});
  /// Where what the runner does is kept; they outlive the stage's stop().
  struct Memory {
    JournalThread& journal;
    durability::LogPlaces& places;
    durability::ExecutorCheckpoints& checkpoints;
    uint64_t log_bytes = 0;  ///< OpenedExecutor's
  };
  /// From now on events come when the journal has what they rest on, and checkpoints are taken.
  void keep_in(const Memory& memory, durability::ExecutorRecorder recorder);
  /// Ends the thread: what waits is not carried out. Before the journal goes.
  void stop();

  // ---- From any thread, after keep_in() ----

  /// Takes a checkpoint soon, whatever the policy says.
  void want_checkpoint();
  /// What became of the last one is known: there may be another to begin.
  void ask_for_step();

  // ---- On the loop's thread ----

  /// Takes the commands out of `commands`, which keeps its memory.
  void submit(std::vector<execution::Command>& commands);
  /// Events since the last call, in order. The loop is woken when there are some.
  std::vector<execution::Event> take_events();

  struct Counts {
    uint64_t objects = 0;
    uint64_t memory_bytes = 0;
    std::vector<execution::Runner::Container> containers;
  };
  /// Of now if the stage is at rest, else of a moment ago.
  Counts counts();

 private:
  using Commands = std::vector<execution::Command>;

  void serve();
  bool wait_for_commands();
  void sleep(std::unique_lock<std::mutex>& lock);
  bool enter_here();
  void leave_here();
  void step();
  std::optional<execution::Command> next();
  void apply(execution::Command& command);
  void carry_out(execution::Command& command);
  void carry_out_and_keep(execution::Command& command);
  void make_runner();
  void emit(execution::Event event);
  bool run_here(const Commands& commands);
  int64_t expected_ns(const execution::Command& command) const;
  void learn(uint64_t requests, int64_t took_ns);
  void sample_counts();

  EventLoop& loop_;
  std::function<void()> before_long_run_;
  ThreadPool pool_;
  const crypto::Digester& digester_;
  const execution::MakeService make_service_;
  std::unique_ptr<execution::Runner> runner_;
  std::optional<Memory> memory_;
  std::optional<durability::ExecutorRecorder> recorder_;
  uint64_t stepped_at_bytes_ = 0;  ///< of memory_->log_bytes; as that, whose turn it is
  crypto::Digest empty_root_;

  /// What a batch took of late: so much, and so much for each request.
  std::atomic<int64_t> batch_ns_;
  std::atomic<int64_t> request_ns_;
  TimeUs not_here_until_ = 0;  ///< the network thread was held up too long lately

  std::mutex mutex_;
  std::condition_variable wake_;
  execution::CommandQueue queue_;         ///< guarded by mutex_
  bool running_ = false;                  ///< guarded by mutex_: the thread is inside the runner
  bool here_ = false;                     ///< guarded by mutex_: the network thread is
  bool step_wanted_ = false;              ///< guarded by mutex_
  bool asleep_ = false;                   ///< guarded by mutex_
  bool stop_ = false;                     ///< guarded by mutex_
  Counts counts_;                         ///< guarded by mutex_
  std::vector<execution::Event> events_;  ///< guarded by mutex_
  std::atomic<bool> has_commands_{false};
  HotSpin spin_;  ///< of the thread
  std::thread thread_;
};

}  // namespace eve::runtime
