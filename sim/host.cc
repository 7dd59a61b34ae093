#include "sim/host.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "sim/byzantine_plan.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr TimeUs kNever = std::numeric_limits<TimeUs>::max();
/// Real hosts rest when the sockets are empty: soon, but not after every message.
constexpr uint64_t kLongestWorkUs = 60;
constexpr uint64_t kMostEarlyRings = 100;
/// A message costs a node some 20 us; a slow one ten times that.
constexpr uint64_t kSlowMessageUs = 200;

}  // namespace

Host::Host(const Surroundings& around, Address self, TimeUs clock_offset, uint64_t seed)
    : around_(around), random_(seed), self_(self), clock_(clock_offset), armed_at_(kNever) {}

/// Runs `act`; where nothing is promised of what peers say, a broken promise of theirs ends this
/// node.
template <typename Act>
void Host::guarded(const Act& act) {
  try {
    act();
  } catch (const Violation& violation) {
    if (!around_.beyond || promised_beyond(violation.invariant())) throw;
    if (up_) crash();
  }
}

void Host::later(TimeUs delay, std::function<void()> action) {
  const TimeUs when = std::max(around_.queue.now() + delay, paused_until_);
  around_.queue.at(when, [this, life = lives_, action = std::move(action)] {
    if (life != lives_ || !up_) return;
    const TimeUs wait = paused_until_ - around_.queue.now();
    if (wait > 0) {
      later(wait, action);
    } else {
      guarded(action);
    }
  });
}

void Host::receive(const wire::MessagePtr& message, Address from) {
  if (!up_) return;
  if (asleep_) {
    backlog_.add(message, from, around_.queue.now());
    return;
  }
  if (paused_until_ > around_.queue.now()) {
    later(0, [this, message, from] { receive(message, from); });
    return;
  }
  if (slow_) {
    const TimeUs start = std::max(slow_until_, around_.queue.now());
    slow_until_ = start + static_cast<TimeUs>(random_.below(2 * kSlowMessageUs));
    later(slow_until_ - around_.queue.now(), [this, message, from] { take(message, from); });
    return;
  }
  take(message, from);
}

void Host::take(const wire::MessagePtr& message, Address from) {
  guarded([&] {
    handle(*message, from);
    stepped();
  });
}

void Host::handle(const wire::Message& message, Address from) {
  const uint64_t before = refused();
  const bool excused = may_refuse(message);
  on_message(message, from, local_now());
  if (around_.blame != nullptr && !excused) {
    around_.blame->received(self_, from, message, refused() - before);
  }
}

void Host::step_clock(TimeUs by) {
  clock_.step(by);
  stepped_by_ += by;
  // Its timers are for times of the clock: set anew.
  armed_at_ = kNever;
  arm();
}

TimeUs Host::step_clock_to(TimeUs total) {
  const TimeUs by = total - stepped_by_;
  step_clock(by);
  return by;
}

void Host::crash() {
  asleep_ = false;
  backlog_.clear();
  on_crash();
  up_ = false;
}

void Host::send(const std::vector<wire::Send>& sends) {
  if (sends.empty() || dying_) return;
  if (doomed()) {
    send_part(sends);
  } else {
    around_.post.send(self_, sends);
  }
}

/// A process that dies while it writes to its sockets, one after the other.
void Host::send_part(const std::vector<wire::Send>& sends) {
  std::vector<wire::Send> each;
  for (const wire::Send& send : sends) {
    for (const Address to : send.to) each.push_back({{to}, send.message});
  }
  switch (doom_) {
    case Doom::kBeforeSends:
      around_.trace.hit(Site::kCrashBeforeSends);
      each.clear();
      break;
    case Doom::kAmidSends:
      around_.trace.hit(Site::kCrashAmidSends);
      each.resize(random_.below(each.size() + 1));
      break;
    case Doom::kAfterSends:
      around_.trace.hit(Site::kCrashAfterSends);
  }
  around_.post.send(self_, each);
  dying_ = true;
  later(0, [act = std::exchange(last_act_, nullptr)] { act(); });
}

void Host::start() {
  up_ = true;
  last_act_ = nullptr;
  dying_ = false;
  ++lives_;
  paused_until_ = 0;
  slow_until_ = 0;
  idle_pending_ = false;
  armed_at_ = kNever;
  guarded([this] {
    on_start();
    stepped();
  });
}

void Host::pause_until(TimeUs when) {
  paused_until_ = std::max(paused_until_, when);
}

// One that is paused or slow already has messages elsewhere than in its sockets.
bool Host::sleep_until(TimeUs when) {
  const TimeUs now = around_.queue.now();
  if (!up_ || slow_ || paused_until_ > now || when <= now) return false;
  pause_until(when);
  asleep_ = true;
  later(0, [this] { wake(); });
  return true;
}

void Host::wake() {
  asleep_ = false;
  for (const Backlog::Message& message : backlog_.read(around_.queue.now(), random_)) {
    if (!up_) return;
    handle(*message.body, message.from);
  }
  stepped();
}

void Host::stepped() {
  if (!up_) return;
  arm();
  if (idle_pending_) return;
  idle_pending_ = true;
  const uint64_t work_us = around_.steady ? 0 : random_.below(kLongestWorkUs);
  later(static_cast<TimeUs>(work_us), [this] {
    idle_pending_ = false;
    on_idle(local_now());
    arm();
  });
}

/// One timer event is under way at a time, unless the deadline came closer.
void Host::arm() {
  if (!up_) return;
  const TimeUs next = deadline();
  if (next >= armed_at_) return;
  armed_at_ = next;
  later(std::max<TimeUs>(next - local_now(), 1), [this, next] {
    if (armed_at_ == next) ring();
  });
}

void Host::ring() {
  armed_at_ = kNever;
  const TimeUs now = local_now();
  if (deadline() <= now) {
    on_tick(now);
    early_rings_ = deadline() <= now ? early_rings_ + 1 : 0;
    if (early_rings_ > kMostEarlyRings) {
      throw Violation("timers", to_string(self_) + " asks to be woken at once, again and again");
    }
    stepped();
  } else {
    arm();
  }
}

}  // namespace eve::sim
