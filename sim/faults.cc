#include "sim/faults.h"

#include <algorithm>
#include <utility>

namespace eve::sim {
namespace {

bool is_faulty(const Host& host) {
  return host.doomed() || !host.recovered();
}

}  // namespace

Faults::Faults(const Plan& plan, uint64_t seed, EventQueue& queue, Network& network,
               std::vector<Host*> executors, std::vector<Host*> verifiers, size_t nodes,
               std::function<void(Address)> on_crash)
    : plan_(plan.faults),
      liars_(plan.byzantine),
      faults_until_us_(plan.faults_until_us),
      model_(plan.model),
      random_(seed),
      queue_(queue),
      network_(network),
      executors_(std::move(executors)),
      verifiers_(std::move(verifiers)),
      nodes_(nodes),
      on_crash_(std::move(on_crash)) {}

void Faults::start() {
  repeat(plan_.partition_every_us, [this] { partition(); });
  repeat(plan_.executor_crash_every_us,
         [this] { crash_one(executors_, counts_.executor_crashes); });
  repeat(plan_.verifier_crash_every_us,
         [this] { crash_one(verifiers_, counts_.verifier_crashes); });
  repeat(plan_.pause_every_us, [this] { pause_one(); });
}

void Faults::stop() {
  stopped_ = true;
  network_.calm();
  for (const auto& hosts : {executors_, verifiers_}) {
    for (Host* host : hosts) {
      host->doom(nullptr);
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

void Faults::crash_one(const std::vector<Host*>& hosts, uint64_t& count) {
  const auto lies = [this](const Host* host) { return liars_.faulty(host->self(), model_); };
  const auto faulty = std::count_if(hosts.begin(), hosts.end(), [&lies](const Host* host) {
    return lies(host) || is_faulty(*host);
  });
  if (static_cast<uint64_t>(faulty) >= model_.u()) return;
  Host* host = hosts[random_.below(hosts.size())];
  if (lies(host)) return;
  if (is_faulty(*host)) return;
  ++count;
  if (random_.chance(1, 2)) {
    crash(*host);
  } else {
    host->doom([this, host] { crash(*host); });
  }
}

void Faults::crash(Host& host) {
  host.crash();
  on_crash_(host.self());
  queue_.after(around(plan_.down_us), [&host] {
    if (!host.up()) host.start();
  });
}

void Faults::partition() {
  std::vector<bool> apart(nodes_, false);
  // One node alone, as often as any split.
  if (random_.chance(1, 2)) {
    apart[random_.below(executors_.size() + verifiers_.size())] = true;
  } else {
    for (size_t i = 0; i < nodes_; ++i) apart[i] = random_.chance(1, 2);
  }
  network_.partition(std::move(apart));
  ++counts_.partitions;
  queue_.after(around(plan_.partition_us), [this, made = ++partitions_made_] {
    if (made == partitions_made_) network_.heal();
  });
}

void Faults::pause_one() {
  const size_t pick = random_.below(executors_.size() + verifiers_.size());
  Host* host = pick < executors_.size() ? executors_[pick] : verifiers_[pick - executors_.size()];
  host->pause_until(std::min(queue_.now() + around(plan_.pause_us), faults_until_us_));
  ++counts_.pauses;
}

}  // namespace eve::sim
