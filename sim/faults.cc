#include "sim/faults.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/limits.h"

namespace eve::sim {
namespace {

constexpr TimeUs kLookForBrokenUs = 500'000;
constexpr TimeUs kFarAheadUs = 10'000'000'000;

bool is_faulty(const Host& host) {
  return host.doomed() || !host.recovered();
}

Site site_of(Partition kind) {
  return static_cast<Site>(static_cast<size_t>(Site::kPartitionLone) + static_cast<size_t>(kind));
}

}  // namespace

Faults::Faults(const Plan& plan, uint64_t seed, EventQueue& queue, Network& network,
               std::vector<Host*> executors, std::vector<Host*> verifiers, size_t nodes,
               std::function<void(Address)> on_crash)
    : plan_(plan),
      random_(seed),
      queue_(queue),
      network_(network),
      executors_(std::move(executors)),
      verifiers_(std::move(verifiers)),
      nodes_(nodes),
      on_crash_(std::move(on_crash)) {}

void Faults::start() {
  const FaultPlan& plan = plan_.faults;
  start_clocks();
  start_slow(executors_, plan.slow_executor);
  start_slow(verifiers_, plan.slow_verifier);
  repeat(plan.partition_every_us, [this] { partition(); });
  repeat(plan.clog_every_us, [this] { clog(); });
  repeat(plan.executor_crash_every_us, [this] { crash_one(executors_); });
  repeat(plan.verifier_crash_every_us, [this] { crash_one(verifiers_); });
  repeat(plan.pause_every_us, [this] {
    sites_.hit(Site::kPause);
    pause_one(queue_.now() + around(plan_.faults.pause_us));
  });
  repeat(plan.blackout_every_us, [this] { blackout(); });
  repeat(plan_.storage.together_every_us, [this] { crash_together(); });
  repeat(plan_.clocks.step_every_us, [this] { step_clock(); });
  if (plan_.storage.damaged > 0) look_for_broken();
  if (plan.sleeper) {
    const auto load = static_cast<uint64_t>(plan_.load_us);
    queue_.after(static_cast<TimeUs>(random_.below(load + 1)), [this] { send_to_sleep(); });
  }
  if (plan.long_pause_us != 0) {
    queue_.after(around(plan_.load_us / 2), [this] {
      sites_.hit(Site::kLongPause);
      pause_one(queue_.now() + plan_.faults.long_pause_us);
    });
  }
}

/// Who finds its log damaged while it runs says nothing any more; somebody starts it again.
void Faults::look_for_broken() {
  for (const auto& hosts : {executors_, verifiers_}) {
    for (Host* host : hosts) {
      if (!host->up() || !host->broken()) continue;
      sites_.hit(Site::kLogBroken);
      crash(*host);
      if (stopped_ && !host->up()) host->start();
    }
  }
  queue_.after(kLookForBrokenUs, [this] { look_for_broken(); });
}

void Faults::start_clocks() {
  const ClockPlan& clocks = plan_.clocks;
  if (clocks.drift_ppm != 0) {
    for (const auto& hosts : {executors_, verifiers_}) {
      for (Host* host : hosts) {
        const auto most = static_cast<uint64_t>(clocks.drift_ppm);
        host->drift_clock(static_cast<int64_t>(random_.below(2 * most + 1)) - clocks.drift_ppm);
        sites_.hit(Site::kClockDrift);
      }
    }
  }
  if (clocks.beyond_skew) {
    executors_.back()->step_clock(kFarAheadUs);
    sites_.hit(Site::kClockBeyondSkew);
  }
}

void Faults::start_slow(std::vector<Host*>& hosts, bool slow) {
  if (!slow) return;
  hosts[random_.below(hosts.size())]->set_slow(true);
  sites_.hit(Site::kSlowNode);
}

void Faults::stop() {
  stopped_ = true;
  network_.calm();
  for (const auto& hosts : {executors_, verifiers_}) {
    for (Host* host : hosts) {
      host->doom(Host::Doom::kAmidSends, nullptr);
      host->set_slow(false);
      host->drift_clock(0);
      host->calm();
      if (!host->up()) host->start();
    }
  }
}

TimeUs Faults::around(TimeUs mean) {
  return 1 + static_cast<TimeUs>(random_.below(static_cast<uint64_t>(2 * mean)));
}

void Faults::repeat(TimeUs every, std::function<void()> fault) {
  if (every == 0) return;
  queue_.after(around(every), [this, every, fault = std::move(fault)] {
    if (stopped_) return;
    fault();
    repeat(every, fault);
  });
}

// ---- Crashes -----------------------------------------------------------------------------------

size_t Faults::faulty(const std::vector<Host*>& hosts) const {
  return static_cast<size_t>(std::count_if(hosts.begin(), hosts.end(), [this](const Host* host) {
    return lies(*host) || is_faulty(*host) || damaged(*host);
  }));
}

bool Faults::may_crash(const std::vector<Host*>& hosts) const {
  return plan_.faults.too_many || faulty(hosts) < plan_.model.u();
}

Host* Faults::victim(const std::vector<Host*>& hosts) {
  const bool others_too = may_crash(hosts);
  if (!others_too && plan_.storage.damaged == 0) return nullptr;
  Host* host = hosts[random_.below(hosts.size())];
  if (lies(*host) || is_faulty(*host)) return nullptr;
  return others_too || damaged(*host) ? host : nullptr;
}

void Faults::crash_one(const std::vector<Host*>& hosts) {
  Host* host = victim(hosts);
  if (host == nullptr) return;
  if (random_.chance(1, 3)) {
    sites_.hit(Site::kCrashAtRest);
    crash(*host);
  } else {
    static constexpr std::array kDooms = {Host::Doom::kBeforeSends, Host::Doom::kAmidSends,
                                          Host::Doom::kAfterSends};
    host->doom(kDooms[random_.below(kDooms.size())], [this, host] { crash(*host); });
  }
}

void Faults::crash(Host& host) {
  const bool executor = host.self().role == Role::kExecutor;
  sites_.hit(executor ? Site::kExecutorCrash : Site::kVerifierCrash);
  host.crash();
  on_crash_(host.self());
  const auto& hosts = executor ? executors_ : verifiers_;
  const size_t all = faulty(hosts);
  if (all == plan_.model.u()) sites_.hit(Site::kAtTheLimit);
  if (all > plan_.model.u()) sites_.hit(Site::kBeyondTheLimit);
  queue_.after(around(plan_.faults.down_us), [this, &host] { restart(host); });
}

/// Some crash again while they try to come back: that makes nobody else faulty.
void Faults::restart(Host& host) {
  if (host.up()) return;
  host.start();
  if (stopped_ || !random_.chance(plan_.faults.loop_per_mille, 1000)) return;
  queue_.after(around(plan_.faults.down_us), [this, &host] {
    if (stopped_ || !host.up() || host.recovered() || host.doomed()) return;
    sites_.hit(Site::kCrashInLoop);
    crash(host);
  });
}

/// The power fails everywhere. Most machines keep their processes; as many as may lose theirs do.
void Faults::blackout() {
  sites_.hit(Site::kBlackout);
  const TimeUs until = queue_.now() + around(plan_.faults.blackout_us);
  for (const auto* hosts : {&executors_, &verifiers_}) {
    for (size_t i = 0; i < plan_.model.u(); ++i) {
      if (Host* host = victim(*hosts)) crash(*host);
    }
    for (Host* host : *hosts) host->pause_until(std::min(until, plan_.faults_until_us));
  }
}

/// Who forgets nothing may crash together with all others: what they have on their disks is all
/// that there is, and they come back as they were.
void Faults::crash_together() {
  sites_.hit(Site::kCrashTogether);
  const bool verifiers_too = plan_.storage.verifiers_too();
  for (const auto* hosts : {&executors_, &verifiers_}) {
    if (hosts == &verifiers_ && !verifiers_too) break;
    for (Host* host : *hosts) {
      if (!host->up() || lies(*host)) continue;
      host->doom(Host::Doom::kAmidSends, nullptr);
      crash(*host);
    }
  }
}

// ---- Links, pauses, clocks ---------------------------------------------------------------------

void Faults::partition() {
  const auto kind = static_cast<Partition>(random_.below(kPartitions));
  sites_.hit(site_of(kind));
  network_.cut(cut_links(kind, executors_.size() + verifiers_.size(), nodes_, random_));
  queue_.after(around(plan_.faults.partition_us), [this, made = ++partitions_made_] {
    if (made == partitions_made_) network_.heal();
  });
}

void Faults::clog() {
  const size_t from = random_.below(nodes_);
  const size_t to = random_.below(nodes_);
  const TimeUs until = queue_.now() + around(plan_.faults.clog_us);
  network_.clog(from, to, std::min(until, plan_.faults_until_us));
}

Host& Faults::any_server() {
  const size_t pick = random_.below(executors_.size() + verifiers_.size());
  return pick < executors_.size() ? *executors_[pick] : *verifiers_[pick - executors_.size()];
}

void Faults::pause_one(TimeUs until) {
  any_server().pause_until(std::min(until, plan_.faults_until_us));
}

/// While the load lasts, so that there is much to miss and little to wake up to.
void Faults::send_to_sleep() {
  if (stopped_) return;
  const TimeUs left = std::max<TimeUs>(plan_.load_us - queue_.now(), 1);
  const TimeUs until =
      queue_.now() + 1 + static_cast<TimeUs>(random_.below(static_cast<uint64_t>(left)));
  Host& sleeper = *executors_[random_.below(executors_.size())];
  if (sleeper.sleep_until(std::min(until, plan_.faults_until_us))) sites_.hit(Site::kSleeper);
}

/// A node far ahead of the others is faulty: steps stay within what is left of the skew allowed.
void Faults::step_clock() {
  Host& host = any_server();
  const auto most = static_cast<uint64_t>(plan_.clocks.step_us);
  const TimeUs target = static_cast<TimeUs>(random_.below(2 * most + 1)) - plan_.clocks.step_us;
  const TimeUs by = host.step_clock_to(target);
  sites_.hit(by > 0 ? Site::kClockStepAhead : Site::kClockStepBack);
}

}  // namespace eve::sim
