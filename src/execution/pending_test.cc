#include "execution/pending.h"

#include <gtest/gtest.h>

#include "execution/executor_testing.h"

namespace eve::execution::executor_testing {
namespace {

constexpr TimeUs kHold = 1'000;

class Queue : public ::testing::Test {
 protected:
  std::vector<uint64_t> take(TimeUs now = 0) {
    std::vector<uint64_t> firsts;
    for (const auto& bundle : pending.take(order, BatchNumber(1), now)) {
      firsts.push_back(bundle->first.value());
    }
    return firsts;
  }
  using Numbers = std::vector<uint64_t>;

  SessionMirror mirror;
  ProposalOrder order{mirror};
  Pending pending{kHold};
};

TEST_F(Queue, KeepsTheOrderOfArrival) {
  for (const uint64_t nonce : {5, 3, 4}) EXPECT_TRUE(pending.add(open(nonce), 0));
  EXPECT_FALSE(pending.add(open(3), 0));
  EXPECT_EQ(take(), (Numbers{5, 3, 4}));
  EXPECT_TRUE(pending.empty());
}

TEST_F(Queue, WhatCameTooEarlyFollowsWhatItWaitedFor) {
  order.proposed(*call(1), BatchNumber(1));  // the session's next is 2
  for (const uint64_t first : {4, 3, 9, 2}) EXPECT_TRUE(pending.add(call(first), 0));
  pending.add(open(7), 0);
  EXPECT_EQ(take(), (Numbers{2, 3, 4, 7}));
  EXPECT_EQ(take(kHold - 1), Numbers{});
  EXPECT_EQ(pending.size(), 1u);
  EXPECT_EQ(take(kHold), Numbers{});
  EXPECT_TRUE(pending.empty());
}

TEST_F(Queue, DroppedBundlesGoFirstAndOnce) {
  for (const uint64_t nonce : {1, 2, 3}) pending.add(open(nonce), 0);
  pending.requeue({open(8), open(3), open(9)}, 0);
  EXPECT_EQ(take(), (Numbers{8, 3, 9, 1, 2}));
}

TEST_F(Queue, ABatchHasLimits) {
  for (uint64_t nonce = 1; nonce <= limits::kMaxBatchBundles + 5; ++nonce) {
    pending.add(open(nonce), 0);
  }
  EXPECT_TRUE(pending.full_batch());
  EXPECT_EQ(take().size(), limits::kMaxBatchBundles);
  EXPECT_EQ(take().size(), 5u);
}

TEST_F(Queue, RoomIsCountedAndGivenBack) {
  for (int round = 0; round < 3; ++round) {
    size_t added = 0;
    for (uint64_t nonce = 1; nonce <= limits::kMaxPendingBundles; ++nonce) {
      added += pending.add(open(nonce), 0) ? 1 : 0;
    }
    EXPECT_EQ(added, limits::kMaxPendingBundles / 2);  // one client's share
    for (uint64_t nonce = 1; nonce <= limits::kMaxPendingBundles; ++nonce) {
      pending.remove(Stream::of(*open(nonce)), RequestNumber(nonce));
    }
    EXPECT_TRUE(pending.empty());
  }
}

// A batch's own fields count too: 32 MiB of bundles alone would be more than others decode.
TEST_F(Queue, ABatchOfTheLargestSizeCanBeDecoded) {
  const size_t half = limits::kMaxBatchBytes / 2;
  const auto large = [&](uint64_t nonce, size_t raw_bytes) {
    auto bundle = std::make_shared<wire::Bundle>(*open(nonce));
    bundle->raw = SharedBytes(Bytes(raw_bytes, 'x'));
    return bundle;
  };
  EXPECT_TRUE(pending.add(large(1, half), 0));
  EXPECT_TRUE(pending.add(large(2, half), 0));
  EXPECT_EQ(take(), Numbers{1});
  EXPECT_EQ(take(), Numbers{2});
}

TEST_F(Queue, WhatCameEarlyGivesWayToWhatIsNext) {
  size_t added = 0;
  for (uint64_t first = 2; first <= limits::kMaxPendingBundles; ++first) {
    added += pending.add(call(first), 0, true) ? 1 : 0;
  }
  EXPECT_EQ(added, limits::kMaxPendingBundles / 2);
  EXPECT_FALSE(pending.add(call(9'000), 0, true));
  EXPECT_TRUE(pending.add(call(1), 0));
  EXPECT_EQ(pending.size(), added);
  // Nor can two clients shut out a third.
  for (uint64_t first = 2; first <= limits::kMaxPendingBundles; ++first) {
    pending.add(call(first, 1, 2 << 16, 1), 0, true);
  }
  EXPECT_EQ(pending.size(), limits::kMaxPendingBundles);
  EXPECT_TRUE(pending.add(call(1, 1, 3 << 16, 2), 0));
}

TEST_F(Queue, WatchesAndForgets) {
  pending.add(open(1), 0);
  pending.retried(*open(1), true, 100);
  pending.retried(*open(1), true, 150);  // the first time counts
  EXPECT_FALSE(pending.overdue(50, 149));
  EXPECT_TRUE(pending.overdue(50, 150));
  EXPECT_EQ(pending.rewatch(200).size(), 1u);
  EXPECT_FALSE(pending.overdue(50, 249));
  pending.expire(60'000'000);
  EXPECT_TRUE(pending.empty());
}

TEST_F(Queue, WhatWasWatchedWhenTakenIsWatchedWhenItComesBack) {
  for (const uint64_t nonce : {1, 2, 3}) pending.add(open(nonce), 0);
  pending.retried(*open(1), true, 0);
  pending.retried(*open(3), true, 0);
  EXPECT_EQ(take().size(), 3u);
  pending.remove(Stream::of(*open(3)), RequestNumber(3));  // it was answered
  order.clear();
  pending.requeue({open(1), open(2), open(3)}, 100);
  const auto watched = pending.rewatch(100);
  ASSERT_EQ(watched.size(), 1u);
  EXPECT_EQ(watched[0]->first, RequestNumber(1));
  EXPECT_FALSE(pending.overdue(50, 149));
  EXPECT_TRUE(pending.overdue(50, 150));
}

}  // namespace
}  // namespace eve::execution::executor_testing
