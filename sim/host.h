// What every simulated node has: a clock that is a little wrong, a timer, a moment of rest after
// messages have come (idle), and the chance to crash.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "sim/event_queue.h"
#include "sim/post.h"
#include "sim/trace.h"

namespace eve::sim {

/// The world as a host sees it; all outlive the host.
struct Surroundings {
  EventQueue& queue;
  Post& post;
  Trace& trace;
  /// No small chances: a node rests as soon as the messages of an instant are in, and running any
  /// batch takes the same time. For scripts, whose transcripts people read.
  bool steady = false;
  /// More lie than the fault model admits: a node whose peers broke a promise stops, and the others
  /// go on.
  bool beyond = false;
};

class Host {
 public:
  Host(const Surroundings& around, Address self, TimeUs clock_offset, uint64_t seed);
  virtual ~Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  Address self() const { return self_; }
  bool up() const { return up_; }
  /// Up, and no longer missing what a restart took from it: not counted among the u.
  virtual bool recovered() const { return up_; }

  void receive(const wire::MessagePtr& message, Address from);
  void crash();
  /// The next time it sends anything, only a part of it leaves; then `last_act` is to crash it.
  void doom(std::function<void()> last_act) { last_act_ = std::move(last_act); }
  bool doomed() const { return last_act_ != nullptr; }
  /// For the first time, or again after a crash.
  void start();
  /// From now on it restarts as if it had never run, and tells nobody.
  void become_amnesiac() { amnesiac_ = true; }
  /// Stands still until then: what comes meanwhile waits.
  void pause_until(TimeUs when);

 protected:
  virtual void on_start() = 0;
  virtual void on_message(const wire::Message& message, Address from, TimeUs now) = 0;
  virtual void on_tick(TimeUs now) = 0;
  virtual void on_idle(TimeUs now) = 0;
  virtual TimeUs deadline() const = 0;
  virtual void on_crash() = 0;

  /// What this node's clock says.
  TimeUs local_now() const { return around_.queue.now() + clock_offset_; }
  /// Runs `action` after `delay`, if the node has not crashed until then; later if it pauses.
  void later(TimeUs delay, std::function<void()> action);
  void send(const std::vector<wire::Send>& sends);
  /// To be called after every step: sets the timer, and rests soon.
  void stepped();
  bool amnesiac() const { return amnesiac_; }
  /// How often it has started, counting now.
  uint64_t lives() const { return lives_; }

  const Surroundings around_;
  Random random_;

 private:
  template <typename Act>
  void guarded(const Act& act);
  void send_part(const std::vector<wire::Send>& sends);
  void arm();
  void ring();

  Address self_;
  TimeUs clock_offset_;
  bool up_ = false;
  bool amnesiac_ = false;
  uint64_t lives_ = 0;
  TimeUs paused_until_ = 0;
  std::function<void()> last_act_;  ///< null: not doomed
  bool dying_ = false;              ///< the last act is about to happen: nothing leaves any more
  bool idle_pending_ = false;
  TimeUs armed_at_ = 0;       ///< in local time; kNever: not armed
  uint64_t early_rings_ = 0;  ///< rings in a row after which the deadline was not in the future
};

}  // namespace eve::sim
