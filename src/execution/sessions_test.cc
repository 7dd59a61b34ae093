// Rules R1 and R4: what runs, what is repeated, what is refused.
#include "execution/sessions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/limits.h"
#include "base/random.h"
#include "execution/runner_testing.h"

namespace eve::execution {
namespace {

using testing::call;
using testing::open;
using testing::Replica;
using testing::texts;
using wire::ReplyStatus;
using Texts = std::vector<Bytes>;

TEST(R1Sessions, OpeningIsIdempotentByClientAndNonce) {
  Replica replica;
  const BatchExecuted done = replica.run({open(0, 1), open(0, 1), open(0, 2), open(1, 1)});
  const SessionId id = Replica::id_in(done.replies[0]);
  EXPECT_EQ(id.value(), 1u << 16);
  EXPECT_EQ(Replica::id_in(done.replies[1]), id);
  EXPECT_EQ(Replica::id_in(done.replies[2]).value(), 1u << 16 | 2);
  EXPECT_EQ(Replica::id_in(done.replies[3]).value(), 1u << 16 | 3);
  EXPECT_EQ(Replica::id_in(replica.run({open(0, 1)}).replies[0]), id);
  EXPECT_EQ(done.requests, 0u);
}

TEST(R1Sessions, ARepeatedBundleIsAnsweredFromTheCacheAndNotRun) {
  Replica replica;
  const SessionId id = replica.open_session();
  const auto bundle = call(0, id, 1, {"add a 5", "add a 1"});
  const BatchExecuted first = replica.run({bundle, bundle});
  EXPECT_EQ(first.requests, 2u);
  EXPECT_EQ(texts(first.replies[0], 2), (Texts{"5", "6"}));
  const BatchExecuted again = replica.run({bundle});
  EXPECT_EQ(again.requests, 0u);
  for (const BundleReply& reply : {first.replies[1], again.replies[0]}) {
    EXPECT_EQ(reply.status, ReplyStatus::kExecuted);
    EXPECT_EQ(reply.payload.view(), first.replies[0].payload.view());
    EXPECT_EQ(reply.digest, first.replies[0].digest);
  }
}

TEST(R1Sessions, SeveralBundlesOfASessionInOneBatchRunInOrder) {
  Replica replica(2);
  const SessionId id = replica.open_session();
  const BatchExecuted done = replica.run({call(0, id, 1, {"set a x", "get a"}),
                                          call(0, id, 3, {"set a y"}), call(0, id, 4, {"get a"})});
  EXPECT_EQ(texts(done.replies[0], 2), (Texts{"x", "x"}));
  EXPECT_EQ(texts(done.replies[2], 1), (Texts{"y"}));
}

TEST(R1Sessions, RefusesWhatIsNotTheSessionsNext) {
  Replica replica;
  const SessionId id = replica.open_session(0);
  const BatchExecuted done = replica.run({
      call(0, id, 2, {"set a x"}),             // a gap
      call(1, id, 1, {"set a x"}),             // somebody else's session
      call(0, SessionId(77), 1, {"set a x"}),  // no session
      call(0, id, 1, {"get a", "get a"}),
      call(0, id, 2, {"get a"}),  // cached, but not with this first number
  });
  EXPECT_EQ(done.requests, 2u);
  EXPECT_EQ(done.replies[0].status, ReplyStatus::kOutOfOrder);
  EXPECT_EQ(done.replies[1].status, ReplyStatus::kUnknownSession);
  EXPECT_EQ(done.replies[2].status, ReplyStatus::kUnknownSession);
  EXPECT_EQ(done.replies[3].status, ReplyStatus::kExecuted);
  EXPECT_EQ(done.replies[4].status, ReplyStatus::kOutOfOrder);
  EXPECT_TRUE(done.replies[4].payload.empty());
  EXPECT_EQ(texts(done.replies[3], 2), (Texts{"none", "none"}));
}

TEST(R4ReplyCache, AcknowledgedRepliesLeave) {
  Replica replica;
  const SessionId id = replica.open_session();
  const auto one = call(0, id, 1, {"add a 1", "add a 1"});
  const auto two = call(0, id, 3, {"add a 1"});
  replica.run({one, two});
  const uint64_t objects = replica.runner.objects();
  // Half of the first bundle is not enough for it to leave.
  const BatchExecuted half = replica.run({call(0, id, 4, {"get a"}, 1), one});
  EXPECT_EQ(half.replies[1].status, ReplyStatus::kExecuted);
  EXPECT_EQ(replica.runner.objects(), objects + 1);
  const BatchExecuted whole = replica.run({one, call(0, id, 5, {"get a"}, 3), one, two});
  EXPECT_EQ(whole.replies[0].status, ReplyStatus::kExecuted);
  EXPECT_EQ(whole.replies[2].status, ReplyStatus::kOutOfOrder);
  EXPECT_EQ(whole.replies[3].status, ReplyStatus::kOutOfOrder);
  EXPECT_EQ(replica.runner.objects(), objects);
  // Nobody can acknowledge what has not been answered yet.
  const auto last = call(0, id, 6, {"get a"}, 1000);
  EXPECT_EQ(replica.run({last, last}).replies[1].status, ReplyStatus::kExecuted);
  EXPECT_EQ(replica.runner.objects(), objects - 1);
}

TEST(R1Sessions, HoldsALimitedNumberOfUnacknowledgedBundles) {
  Replica replica;
  const SessionId id = replica.open_session();
  for (uint64_t i = 1; i <= limits::kMaxSessionBundles; ++i) {
    replica.run({call(0, id, i, {"add a 1"})});
  }
  const uint64_t next = limits::kMaxSessionBundles + 1;
  const BatchExecuted done =
      replica.run({call(0, id, next, {"add a 1"}), call(0, id, next, {"add a 1"}, 1)});
  EXPECT_EQ(done.replies[0].status, ReplyStatus::kOverloaded);
  EXPECT_EQ(texts(done.replies[1], 1), Texts{std::to_string(next)});
}

TEST(R1Sessions, LimitsSessionsOfAClient) {
  Replica replica;
  std::vector<wire::BundlePtr> bundles;
  for (uint64_t i = 0; i <= limits::kMaxSessionsPerClient; ++i) bundles.push_back(open(3, i));
  bundles.push_back(open(4, 0));
  const BatchExecuted done = replica.run(bundles);
  const size_t limit = limits::kMaxSessionsPerClient;
  EXPECT_EQ(done.replies[limit - 1].status, ReplyStatus::kExecuted);
  EXPECT_EQ(done.replies[limit].status, ReplyStatus::kOverloaded);
  EXPECT_EQ(done.replies[limit + 1].status, ReplyStatus::kExecuted);
}

TEST(R1Sessions, ExpireByBatchTimeAndLeaveNothing) {
  Replica replica;
  replica.run(replica.batch({}));  // the time's own object is there from now on
  const uint64_t objects = replica.runner.objects();
  const SessionId old = replica.open_session(0, 1);
  replica.run({call(0, old, 1, {"stamp"})});
  const SessionId young = replica.open_session(0, 2);
  const TimeUs at_limit = replica.time - 1'000'000 + limits::kSessionExpiryUs;
  const auto ok = replica.batch({call(0, old, 2, {"stamp"}, 1)}, at_limit);
  EXPECT_EQ(replica.run(ok).replies[0].status, ReplyStatus::kExecuted);
  const auto late = replica.batch({call(0, young, 1, {"stamp"}), call(0, old, 3, {"stamp"}, 2)},
                                  at_limit + limits::kSessionExpiryUs);
  const BatchExecuted done = replica.run(late);
  EXPECT_EQ(done.replies[0].status, ReplyStatus::kUnknownSession);
  EXPECT_EQ(done.replies[1].status, ReplyStatus::kExecuted);
  replica.run(replica.batch({}, replica.time + limits::kSessionExpiryUs + 1));
  EXPECT_EQ(replica.runner.objects(), objects);
  EXPECT_NE(replica.open_session(0, 1), old);
}

TEST(R1Sessions, ASweepIsBoundedAndTheRestIsGoneAllTheSame) {
  Replica replica;
  std::vector<wire::BundlePtr> bundles;
  for (uint64_t i = 0; i < 100; ++i) bundles.push_back(open(0, i));
  const SessionId last = Replica::id_in(replica.run(bundles).replies.back());
  const uint64_t objects = replica.runner.objects();
  const auto late = replica.batch({call(0, last, 1, {"stamp"}), open(0, 99)},
                                  replica.time + limits::kSessionExpiryUs + 1);
  const BatchExecuted done = replica.run(late);
  EXPECT_GT(replica.runner.objects(), 2 + objects / 2);
  EXPECT_EQ(done.replies[0].status, ReplyStatus::kUnknownSession);
  EXPECT_NE(Replica::id_in(done.replies[1]), last);
  // A replica that read its sessions anew sweeps the same ones.
  Replica other;
  other.run(other.batch(bundles));
  other.roll_back(0);
  other.time -= 1'000'000;
  other.run(other.batch(bundles));
  other.run(late);
  EXPECT_EQ(other.runner.root(), replica.runner.root());
}

TEST(R1Sessions, RollbackTakesSessionsAndRepliesBack) {
  Replica replica;
  const SessionId id = replica.open_session();
  const auto one = call(0, id, 1, {"add a 1"});
  const auto two = call(0, id, 2, {"add a 1"}, 1);
  replica.run({one});
  const BatchExecuted executed = replica.run({two, open(0, 9)});
  const crypto::Digest root = replica.runner.root();
  replica.roll_back(2);
  const BatchExecuted again = replica.run({one});
  EXPECT_EQ(texts(again.replies[0], 1), Texts{"1"});
  replica.roll_back(2);
  replica.time = replica.time - 2'000'000;
  const BatchExecuted same = replica.run({two, open(0, 9)});
  EXPECT_EQ(same.token, executed.token);
  EXPECT_EQ(replica.runner.root(), root);
  EXPECT_EQ(replica.runner.recompute_root(), root);
}

TEST(R1Sessions, LimitsSessionsInAll) {
  Replica replica;
  const size_t limit = limits::kMaxSessions;
  for (size_t opened = 0; opened < limit; opened += 1000) {
    std::vector<wire::BundlePtr> bundles;
    for (uint64_t i = 0; i < 1000; ++i)
      bundles.push_back(open(static_cast<uint16_t>(opened / 1000), i));
    for (const BundleReply& reply : replica.run(bundles).replies) {
      ASSERT_EQ(reply.status, ReplyStatus::kExecuted);
    }
  }
  EXPECT_EQ(replica.run({open(500, 1)}).replies[0].status, ReplyStatus::kOverloaded);
}

/// Clients that retry, repeat, skip, acknowledge late and fall silent; each bundle counts one up.
class CarelessClients {
 public:
  explicit CarelessClients(uint64_t seed) : random_(seed) {}

  std::vector<wire::BundlePtr> bundles() {
    std::vector<wire::BundlePtr> bundles;
    for (uint64_t left = random_.below(12); left > 0; --left) bundles.push_back(bundle());
    return bundles;
  }
  /// What a bundle of a session may be answered with, once it was executed: its first answer.
  void check(const wire::Batch& batch, const std::vector<BundleReply>& replies) {
    for (size_t i = 0; i < replies.size(); ++i) {
      const wire::Bundle& bundle = *batch.bundles[i];
      if (replies[i].status != ReplyStatus::kExecuted) continue;
      if (bundle.kind == wire::BundleKind::kOpen) {
        ids_[bundle.first.value()] = Replica::id_in(replies[i]);
        continue;
      }
      const Texts expected{std::to_string(bundle.first.value())};
      ASSERT_EQ(texts(replies[i], 1), expected);
      uint64_t& executed = executed_[bundle.session.value()];
      ASSERT_LE(bundle.first.value(), executed + 1);
      executed = std::max(executed, bundle.first.value());
    }
  }

 private:
  wire::BundlePtr bundle() {
    const uint64_t nonce = 1 + random_.below(6);
    if (!ids_.contains(nonce) || random_.chance(1, 15)) return open(0, nonce);
    const SessionId id = ids_[nonce];
    const uint64_t executed = executed_[id.value()];
    const uint64_t first = random_.chance(1, 3) ? 1 + random_.below(executed + 3) : executed + 1;
    const uint64_t acknowledged = first < 3 ? 0 : first - 1 - random_.below(2);
    return call(0, id, first, {"add s" + std::to_string(id.value()) + " 1"}, acknowledged);
  }

  Random random_;
  std::map<uint64_t, SessionId> ids_;      // by nonce
  std::map<uint64_t, uint64_t> executed_;  // by session
};

TEST(R1Sessions, EveryBundleRunsOnceHoweverClientsAndRollbacksRepeatIt) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CarelessClients clients(seed);
    Random random(seed + 1000);
    Replica steady;
    Replica shaken;  // goes back and forth, and so reads its sessions anew all the time
    std::vector<wire::BatchPtr> batches;
    for (uint64_t n = 1; n <= 80; ++n) {
      const TimeUs pause = random.chance(1, 20) ? limits::kSessionExpiryUs / 2 : 1000;
      batches.push_back(steady.batch(clients.bundles(), steady.time + pause));
      const BatchExecuted done = steady.run(batches.back());
      ASSERT_NO_FATAL_FAILURE(clients.check(*batches.back(), done.replies)) << "seed " << seed;
      ASSERT_EQ(shaken.run(batches.back()).token, done.token) << "seed " << seed << " batch " << n;
      if (!random.chance(1, 4)) continue;
      const uint64_t back = n - random.below(std::min<uint64_t>(n, 5));
      shaken.roll_back(back);
      for (uint64_t again = back; again < n; ++again) shaken.run(batches[again]);
    }
    ASSERT_EQ(shaken.runner.root(), steady.runner.recompute_root());
  }
}

}  // namespace
}  // namespace eve::execution
