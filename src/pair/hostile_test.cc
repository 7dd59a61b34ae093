// Nonsense from everybody: a replica neither ends nor keeps more than its bounds.
#include <gtest/gtest.h>

#include "pair/pair_testing.h"
#include "wire/test_messages.h"

namespace eve::pair::testing {
namespace {

constexpr size_t kKinds = std::variant_size_v<wire::Message>;

TEST(HostilePair, NonsenseFromEverybody) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Pair pair(seed % 2 == 0, seed);
    ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 5'000'000));
    wire::testing::Generator generator(seed);
    Random random(seed);
    Replica& replica = pair.replica(static_cast<uint16_t>(seed % 2));
    Outbox out;
    for (int i = 0; i < 2'000; ++i) {
      const wire::Message message = generator.message(random.below(kKinds));
      // The wire refuses epochs that no cluster reaches; records are adopted, so they are spared.
      if (std::holds_alternative<wire::PairBeat>(message) && random.chance(9, 10)) continue;
      const Address from = random.chance(1, 2) ? Address::executor(random.below(3))
                                               : Address::client(random.below(5));
      replica.receive(message, from, pair.now, out);
      replica.idle(pair.now, out);
      out.sends.clear();
      out.requests.clear();
      EXPECT_LE(replica.load().window_batches, limits::kHistoryBatches);
      EXPECT_LE(replica.load().pending_bundles, limits::kMaxPendingBundles);
    }
    EXPECT_GT(replica.status().refused_messages, 100u);
  }
}

// What is plausible and wrong: true messages of the other one, changed or at another time.
TEST(HostilePair, OldMessagesOfTheOtherOne) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Pair pair(true, seed);
    pair.faults.repeated = 300;
    pair.faults.late = 300;
    pair.faults.late_us = 20 * kSilence;
    pair.pass(30 * kSilence);
    pair.faults = {};
    ASSERT_TRUE(pair.pass_until([&] { return pair.both_in_sync(); }, 40 * kSilence)) << pair.text();
  }
}

}  // namespace
}  // namespace eve::pair::testing
