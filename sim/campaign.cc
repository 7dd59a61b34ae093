#include "sim/campaign.h"

#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace eve::sim {
namespace {

using Clock = std::chrono::steady_clock;

class Running {
 public:
  Running(const Campaign& campaign, const std::function<void(uint64_t, const Outcome&)>& each)
      : campaign_(campaign),
        each_(each),
        next_(campaign.first_seed),
        due_(campaign.first_seed),
        until_(Clock::now() +
               std::chrono::duration_cast<Clock::duration>(
                   std::chrono::duration<double, std::ratio<60>>(campaign.minutes.value_or(0)))) {}

  void work() {
    Fibers fibers(kWorkers);
    while (const auto seed = take()) {
      if (campaign_.starting) campaign_.starting(*seed);
      hand_over(*seed, run_seed(*seed, campaign_.options_for(*seed), fibers, campaign_.trace,
                                campaign_.diagram));
    }
  }

 private:
  std::optional<uint64_t> take() {
    const std::lock_guard lock(mutex_);
    const bool more =
        campaign_.minutes ? Clock::now() < until_ : next_ - campaign_.first_seed < campaign_.seeds;
    if (!more) return std::nullopt;
    return next_++;
  }

  void hand_over(uint64_t seed, Outcome outcome) {
    const std::lock_guard lock(mutex_);
    done_.emplace(seed, std::move(outcome));
    for (auto first = done_.begin(); first != done_.end() && first->first == due_; ++due_) {
      each_(first->first, first->second);
      first = done_.erase(first);
    }
  }

  const Campaign& campaign_;
  const std::function<void(uint64_t, const Outcome&)>& each_;
  std::mutex mutex_;
  uint64_t next_;
  uint64_t due_;
  std::map<uint64_t, Outcome> done_;  ///< those that wait for earlier ones
  Clock::time_point until_;
};

}  // namespace

Options Campaign::options_for(uint64_t seed) const {
  Options chosen = options;
  if (!strategies.empty()) {
    chosen.byzantine.strategy = strategies[(seed - first_seed) % strategies.size()];
  }
  return chosen;
}

void run(const Campaign& campaign, const std::function<void(uint64_t, const Outcome&)>& each) {
  Running running(campaign, each);
  const size_t jobs = campaign.jobs != 0 ? campaign.jobs : std::thread::hardware_concurrency();
  std::vector<std::thread> others;
  for (size_t i = 1; i < jobs; ++i) others.emplace_back([&running] { running.work(); });
  running.work();
  for (std::thread& other : others) other.join();
}

}  // namespace eve::sim
