// How much may wait at an executor, in bytes: of one client, of all, and with what a view dropped.
#include <gtest/gtest.h>

#include "execution/executor_testing.h"
#include "execution/pending.h"

namespace eve::execution::executor_testing {
namespace {

constexpr uint64_t kSession = 1 << 16;

class Limits : public ::testing::Test {
 protected:
  /// Of `bytes`, as far as anybody counts; all share one buffer.
  wire::BundlePtr sized(const wire::BundlePtr& bundle, size_t bytes) const {
    auto made = std::make_shared<wire::Bundle>(*bundle);
    made->raw = buffer_.slice(0, bytes);
    return made;
  }
  std::vector<uint64_t> take() {
    std::vector<uint64_t> firsts;
    for (const auto& bundle : pending.take(order, BatchNumber(1), 0)) {
      firsts.push_back(bundle->first.value());
    }
    return firsts;
  }

  SharedBytes buffer_{Bytes(limits::kMaxBundleBytes, 'x')};
  SessionMirror mirror;
  ProposalOrder order{mirror};
  Pending pending{1'000};
};

TEST_F(Limits, BytesOfOneClientAndOfAll) {
  const size_t share = 2 * limits::kMaxBatchBytes / limits::kMaxBundleBytes;
  for (uint16_t client = 0; client < 2; ++client) {
    for (uint64_t nonce = 1; nonce <= share; ++nonce) {
      EXPECT_TRUE(pending.add(sized(open(nonce, client), limits::kMaxBundleBytes), 0));
    }
    EXPECT_FALSE(pending.add(sized(open(share + 1, client), 1'000), 0)) << "its share is full";
  }
  EXPECT_FALSE(pending.add(sized(open(1, 3), 1'000), 0)) << "all is full";
  EXPECT_TRUE(pending.full_batch());
  pending.remove(Stream::of(*open(1, 1)), RequestNumber(1));
  EXPECT_TRUE(pending.add(sized(open(1, 3), 1'000), 0));
}

// Only what is of the same client makes room for a client that has used up its own.
TEST_F(Limits, AClientsEarlyBundlesMakeRoomForItsOwn) {
  for (uint64_t first = 2; first <= 5; ++first) {
    pending.add(sized(call(first, 1, kSession, 0), limits::kMaxBundleBytes), 0, true);
  }
  pending.add(call(7, 1, kSession, 1), 0, true);
  pending.add(open(9, 1), 0);
  EXPECT_TRUE(pending.add(sized(call(1, 1, kSession, 0), limits::kMaxBundleBytes), 0));
  EXPECT_TRUE(pending.has(*call(7, 1, kSession, 1)));
  EXPECT_EQ(pending.size(), 6u);
}

TEST_F(Limits, WhatAViewDroppedExceedsThemByAWindowOfBatches) {
  std::vector<wire::BundlePtr> dropped;
  const size_t fits = (4 + limits::kWindow) * (limits::kMaxBatchBytes / limits::kMaxBundleBytes);
  for (uint64_t nonce = 1; nonce <= fits + 5; ++nonce) {
    dropped.push_back(sized(open(nonce), limits::kMaxBundleBytes));
  }
  pending.requeue(dropped, 0);
  EXPECT_EQ(pending.size(), fits);
  EXPECT_FALSE(pending.has(*dropped.back()));
}

TEST_F(Limits, SoManyBundlesAtMost) {
  std::vector<wire::BundlePtr> dropped;
  const size_t fits = limits::kMaxPendingBundles + limits::kWindow * limits::kMaxBatchBundles;
  for (uint64_t nonce = 1; nonce <= fits + 5; ++nonce) {
    dropped.push_back(sized(open(nonce), 100));
  }
  pending.requeue(dropped, 0);
  EXPECT_EQ(pending.size(), fits);
}

TEST_F(Limits, AFollowerThatDoesNotFitStartsTheNextBatch) {
  order.proposed(*call(1), BatchNumber(1));  // the session's next is 2
  const size_t half = limits::kMaxBatchBytes / 2;
  const SharedBytes large(Bytes(half, 'x'));
  for (const uint64_t first : {3, 4, 2}) {
    auto made = std::make_shared<wire::Bundle>(*call(first));
    made->raw = large;
    pending.add(made, 0);
  }
  EXPECT_EQ(take(), (std::vector<uint64_t>{2}));
  EXPECT_EQ(take(), (std::vector<uint64_t>{3}));
  EXPECT_EQ(take(), (std::vector<uint64_t>{4}));
}

TEST_F(Limits, WhatIsInABatchAlreadyIsDroppedAndWhatIsNotHereIsNotRetried) {
  pending.add(call(1), 0);
  order.proposed(*call(1), BatchNumber(1));
  pending.retried(*call(5), true, 0);
  EXPECT_FALSE(pending.overdue(0, 1));
  EXPECT_TRUE(take().empty());
  EXPECT_TRUE(pending.empty());
}

TEST_F(Limits, WhatCommittedStateHasAnsweredLeaves) {
  const BundleReply answered{
      0,  SessionId(kSession), RequestNumber(2), wire::ReplyStatus::kExecuted,
      {}, SharedBytes("two")};
  for (const uint64_t first : {1, 2, 3}) pending.add(call(first), 0);
  mirror.install({{0, SessionId(kSession), RequestNumber(9), RequestNumber(3), {answered}}});
  pending.remove_answered(mirror);
  EXPECT_EQ(pending.size(), 1u);
  EXPECT_EQ(take(), (std::vector<uint64_t>{3}));
  // And a primary does not propose it, should it come back.
  pending.add(call(2), 0);
  pending.add(call(1), 0);
  order.clear();
  EXPECT_TRUE(take().empty());
  EXPECT_TRUE(pending.empty());
}

}  // namespace
}  // namespace eve::execution::executor_testing
