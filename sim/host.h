// What every simulated node has: a clock that is a little wrong, a timer, a moment of rest after
// messages have come (idle), and the chance to crash.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "sim/backlog.h"
#include "sim/blame.h"
#include "sim/event_queue.h"
#include "sim/node_clock.h"
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
  const BlameChecker* blame = nullptr;  ///< null: nobody looks who refuses what
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
  /// At which point of its next step that sends anything it dies.
  enum class Doom : uint8_t { kBeforeSends, kAmidSends, kAfterSends };
  /// Then `last_act` is to crash it; null: it lives on.
  void doom(Doom when, std::function<void()> last_act) {
    doom_ = when;
    last_act_ = std::move(last_act);
  }
  bool doomed() const { return last_act_ != nullptr; }
  /// For the first time, or again after a crash.
  void start();
  /// Its disk gives no errors any more.
  virtual void calm() {}
  /// It is up, and what it keeps turned out to be damaged: it does nothing any more. Precondition:
  /// up().
  virtual bool broken() const { return false; }
  /// From now on it restarts as if it had never run, and tells nobody.
  void become_amnesiac() { amnesiac_ = true; }
  /// Stands still until then: what comes meanwhile waits.
  void pause_until(TimeUs when);
  /// As pause_until, but links may break meanwhile, and what comes is read socket by socket. False:
  /// this one is not idle enough for that now, and goes on.
  bool sleep_until(TimeUs when);
  /// Handles messages one by one and takes its time, ten times the usual.
  void set_slow(bool slow) { slow_ = slow; }
  bool slow() const { return slow_; }

  /// The node's clock is set by a person or a program.
  void step_clock(TimeUs by);
  /// So that all steps so far add up to `total`; returns this step.
  TimeUs step_clock_to(TimeUs total);
  void drift_clock(int64_t ppm) { clock_.drift(around_.queue.now(), ppm); }

 protected:
  virtual void on_start() = 0;
  /// What it has refused in this life. Precondition: up().
  virtual const Refusals& refusals() const = 0;
  virtual void on_message(const wire::Message& message, Address from, TimeUs now) = 0;
  virtual void on_tick(TimeUs now) = 0;
  virtual void on_idle(TimeUs now) = 0;
  virtual TimeUs deadline() const = 0;
  virtual void on_crash() = 0;

  /// What this node's clock says.
  TimeUs local_now() { return clock_.read(around_.queue.now()); }
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
  void take(const wire::MessagePtr& message, Address from);
  template <typename Act>
  void guarded(const Act& act);
  void wake();
  void send_part(const std::vector<wire::Send>& sends);
  void arm();
  void ring();

  Address self_;
  NodeClock clock_;
  TimeUs stepped_by_ = 0;  ///< its clock, all steps together
  bool slow_ = false;
  TimeUs slow_until_ = 0;  ///< a slow node is busy with earlier messages
  bool up_ = false;
  bool amnesiac_ = false;
  uint64_t lives_ = 0;
  TimeUs paused_until_ = 0;
  bool asleep_ = false;  ///< what comes during this pause stays in the sockets
  Backlog backlog_;
  Doom doom_ = Doom::kAmidSends;
  std::function<void()> last_act_;  ///< null: not doomed
  bool dying_ = false;              ///< the last act is about to happen: nothing leaves any more
  bool idle_pending_ = false;
  TimeUs armed_at_ = 0;  ///< in local time; kNever: not armed
  BlameChecker::Seen blamed_;
  uint64_t early_rings_ = 0;  ///< rings in a row after which the deadline was not in the future
};

}  // namespace eve::sim
