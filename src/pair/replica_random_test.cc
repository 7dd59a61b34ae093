// Two replicas under random faults, hundreds of schedules. With an arbiter anything goes: loss,
// repetition, delays far beyond every bound, pauses, cuts, an arbiter that cannot be reached,
// copies of its questions that come late, crashes of whichever is not the last in sync. Without
// one, what docs/primary-backup.md assumes: bounded delays and pauses, crashes. Where what they do
// is durable, either crashes at any time, and both at once.
//
// Safety is checked all the time (pair_testing.h); at the end, after the faults: both are in sync,
// every bundle is answered, and both have the same state.
#include <gtest/gtest.h>

#include "pair/pair_testing.h"

namespace eve::pair::testing {
namespace {

constexpr TimeUs kFaultyUntil = 40'000'000;

class Schedule {
 public:
  Schedule(bool arbiter, uint64_t seed) : arbiter_(arbiter), random_(seed), pair_(arbiter, seed) {
    // Each class of faults in half of the schedules.
    const auto flip = [this] { return random_.chance(1, 2); };
    if (flip()) pair_.faults.diverges = 20;
    if (flip()) pair_.faults.repeated = 30;
    if (random_.chance(1, 3)) {
      pair_.faults.poison = true;
      pair_.clients.push_back({2, std::nullopt, 1, {}, 0, 0, 0, true});
    }
    keeps_ = pair_.keeps = flip();
    crashes_ = keeps_ || flip();
    pauses_ = flip();
    if (arbiter && flip()) pair_.faults.loss = 30;
    if (flip()) {
      pair_.faults.late = 30;
      pair_.faults.late_us = arbiter ? 3 * kSilence : kSilence / 8;
    }
    if (!arbiter && flip()) pair_.faults.record_us = 2 * kSilence;
    cuts_ = arbiter && flip();
    arbiter_fails_ = arbiter && flip();
    stuck_ = arbiter && flip();
    // The ones that were started without it.
    for (uint16_t i = 0; i < 2; ++i) {
      pair_.kill(i);
      pair_.start(i);
    }
  }

  void run() {
    while (pair_.now < kFaultyUntil && !::testing::Test::HasFatalFailure()) {
      pair_.pass(kStep);
      misbehave();
    }
    if (::testing::Test::HasFatalFailure()) return;
    calm();
    ASSERT_TRUE(pair_.pass_until([&] { return pair_.both_in_sync(); }, 40'000'000))
        << pair_.text() << summary();
    pair_.stop_clients();
    ASSERT_TRUE(pair_.pass_until([&] { return pair_.all_answered(); }, 40'000'000))
        << pair_.text() << summary();
    pair_.pass(kSilence);
    EXPECT_EQ(pair_.status(0).token, pair_.status(1).token) << pair_.text();
    EXPECT_GT(pair_.answered(), 20u) << summary();
  }

  std::string summary() {
    return std::to_string(pair_.answered()) + " answered, epoch " +
           std::to_string(
               std::max(pair_.status(0).record.epoch, pair_.status(1).record.epoch).value()) +
           ", " + std::to_string(kills_) + " kills, " + std::to_string(pair_.history.size()) +
           " batches\n" + pair_.text();
  }
  uint64_t kills() const { return kills_; }

 private:
  void misbehave() {
    for (uint16_t i = 0; i < 2; ++i) {
      if (!pair_.processes[i]) {
        if (random_.chance(1, 300)) pair_.start(i);
        continue;
      }
      // Who does not know yet what the arbiter has decided dies more often.
      const bool decided = arbiter_ && pair_.status(i).asking;
      if (crashes_ && random_.chance(1, decided ? 100 : 700) && may_die(i)) {
        pair_.kill(i);
        ++kills_;
        // The arbiter has it all the same.
        if (arbiter_ && random_.chance(1, 10)) pair_.copies[i] = {};
        if (keeps_ && random_.chance(1, 3)) kill_both();
        if (random_.chance(1, 3)) pair_.start(i);
        continue;
      }
      if (pauses_ && random_.chance(1, 500)) {
        const auto longest = static_cast<uint64_t>(arbiter_ ? 5 * kSilence : kSilence / 4 - kStep);
        pair_.pause(i, static_cast<TimeUs>(random_.below(longest)));
      }
      if (stuck_ && random_.chance(1, 1000)) {
        pair_.processes[i]->stuck_runner = !pair_.processes[i]->stuck_runner;
      }
    }
    if (cuts_ && random_.chance(1, pair_.link ? 1000 : 300)) pair_.link = !pair_.link;
    if (arbiter_fails_ && random_.chance(1, pair_.arbiter.reachable ? 1000 : 300)) {
      pair_.arbiter.reachable = !pair_.arbiter.reachable;
    }
    if (arbiter_fails_ && random_.chance(1, pair_.arbiter.mute ? 200 : 300)) {
      pair_.arbiter.mute = !pair_.arbiter.mute;
    }
  }

  void kill_both() {
    for (uint16_t i = 0; i < 2; ++i) {
      if (!pair_.processes[i]) continue;
      pair_.kill(i);
      ++kills_;
    }
  }

  /// The other one could go on: nothing would be lost, and it will know.
  bool may_die(uint16_t index) {
    if (keeps_) return true;
    const uint16_t survivor = other_than(index);
    if (!pair_.processes[survivor]) return false;
    const ReplicaStatus victim = pair_.status(index);
    // Its question may still name itself alone. One that came too late changes nothing.
    if (victim.asking && (!arbiter_ || pair_.arbiter.record == victim.record)) return false;
    const uint64_t life = pair_.processes[survivor]->life;
    if (arbiter_) return pair_.arbiter.record.lives[survivor] == life;
    const ReplicaStatus other = pair_.status(survivor);
    return other.in_sync && !other.in_doubt && other.record == victim.record;
  }

  void calm() {
    pair_.faults = {};
    pair_.link = pair_.arbiter.reachable = true;
    pair_.arbiter.mute = false;
    for (uint16_t i = 0; i < 2; ++i) {
      if (!pair_.processes[i]) pair_.start(i);
      pair_.processes[i]->stuck_runner = false;
      pair_.processes[i]->paused_until = 0;
    }
  }

  bool arbiter_;
  Random random_;
  Pair pair_;
  bool crashes_ = false;
  bool keeps_ = false;
  bool pauses_ = false;
  bool cuts_ = false;
  bool arbiter_fails_ = false;
  bool stuck_ = false;
  uint64_t kills_ = 0;
};

class RandomPair : public ::testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Arbiter, RandomPair, ::testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "etcd" : "none"; });

TEST_P(RandomPair, StaysOneHistoryAndRecovers) {
  const char* wanted = std::getenv("PAIR_SEED");
  const uint64_t first = wanted == nullptr ? 1 : std::strtoull(wanted, nullptr, 10);
  const char* count = std::getenv("PAIR_SEEDS");
  const uint64_t seeds = count != nullptr ? std::strtoull(count, nullptr, 10) : 100;
  uint64_t kills = 0;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE("PAIR_SEED=" + std::to_string(seed));
    Schedule schedule(GetParam(), seed);
    schedule.run();
    kills += schedule.kills();
    if (HasFailure()) return;
  }
  EXPECT_TRUE(seeds < 50 || kills > seeds) << kills << " kills";
}

}  // namespace
}  // namespace eve::pair::testing
