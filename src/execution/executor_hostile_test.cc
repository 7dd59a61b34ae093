// What an executor is sent by whom it does not believe, and more than it has room for.
#include <gtest/gtest.h>

#include "execution/executor_testing.h"
#include "execution/future_batches.h"

namespace eve::execution::executor_testing {
namespace {

/// Executor 1 of three; 0 leads view 0.
class Hostile : public ::testing::Test {
 protected:
  template <typename Message>
  void expect_refused(Address from, const Message& message) {
    const uint64_t before = replica.executor->status().refused_messages;
    replica.receive(from, message);
    EXPECT_EQ(replica.executor->status().refused_messages, before + 1) << to_string(from);
    EXPECT_TRUE(replica.outgoing.empty()) << to_string(from);
    replica.outgoing.clear();
  }
  Replica replica{options(1, 1, 1)};
};

TEST_F(Hostile, ClientsAreThoseOfTheCluster) {
  expect_refused(Address::client(4), wire::BundleMessage{open(9, 4), true});
  expect_refused(Address::executor(0), wire::BundleMessage{open(9, 4), true});
  expect_refused(Address::client(1), wire::BundleMessage{open(9, 2), true});
  expect_refused(Address::verifier(1), wire::BundleMessage{open(9), true});
}

TEST_F(Hostile, ABatchWithABundleOfNoClientIsRefused) {
  const uint64_t before = replica.executor->status().refused_messages;
  replica.receive(Address::executor(0), batch(0, 1, {open(9, 4)}));
  EXPECT_EQ(replica.executor->status().refused_messages, before + 1);
  EXPECT_TRUE(replica.runner.runs.empty());
  EXPECT_TRUE(replica.sent<wire::Token>().empty());
  EXPECT_FALSE((replica.pass(60'000), replica.sent<wire::Suspect>().empty()));
}

TEST_F(Hostile, AWelcomeIsAVerifiersAndHoldsARollbackAndACommit) {
  const wire::Verdict last = commit(1, digest_of("one"));
  const wire::Verdict start = rollback(0, 0, genesis());
  expect_refused(Address::executor(0), wire::Welcome{View(), start, last});
  expect_refused(Address::verifier(4), wire::Welcome{View(), start, last});
  for (const uint16_t verifier : {0, 1, 2}) {
    expect_refused(Address::verifier(verifier), wire::Welcome{View(), last, last});
    expect_refused(Address::verifier(verifier), wire::Welcome{View(), start, start});
  }
  EXPECT_EQ(replica.executor->status().waiting_for, "");
}

TEST_F(Hostile, StateIsSpokenOfAmongExecutors) {
  for (const Address from :
       {Address::verifier(0), Address::executor(1), Address::executor(3), Address::client(0)}) {
    expect_refused(from, wire::StateRequest{BatchNumber(0), {}});
    expect_refused(from, wire::StateReply{BatchNumber(0), std::nullopt, {}});
  }
}

// Its view's start point is agreed: the primary has nothing to say about it.
TEST_F(Hostile, ABatchUpToTheStartPointIsRefused) {
  Replica behind(options(1, 1, 2));
  tell(behind, 2, rollback(1, 5, digest_of("five")));
  const uint64_t before = behind.executor->status().refused_messages;
  behind.receive(Address::executor(1), batch(1, 5, {open(9)}));
  EXPECT_EQ(behind.executor->status().refused_messages, before + 1);
  behind.receive(Address::executor(1), batch(1, 6, {open(9)}));
  EXPECT_EQ(behind.executor->status().refused_messages, before + 1);
}

TEST_F(Hostile, ARefusedBatchIsSuspectedAgainWhileNothingElseHappens) {
  replica.receive(Address::executor(0), batch(0, 1, {forged(1)}));
  replica.sent<wire::Suspect>();
  replica.pass(1'000'000);
  EXPECT_GE(replica.sent<wire::Suspect>().size(), 4u);
}

// What ran in an older view is compared with the start point and not spoken of in the new one.
TEST(E4Token, IsOfABatchOfTheCurrentView) {
  Replica backup(options(1, 1, 1));
  backup.eager = false;
  backup.receive(Address::executor(0), batch(0, 1, {open(9)}));
  backup.receive(Address::executor(0), batch(0, 2, {call(1)}));
  Replica other(options(1, 1, 2));
  other.receive(Address::executor(0), batch(0, 1, {open(9)}));
  other.receive(Address::executor(0), batch(0, 2, {call(1)}));
  tell(backup, 2, rollback(2, 2, other.runner.token(2)));
  ASSERT_EQ(backup.executor->status().view, View(2));
  backup.run();
  EXPECT_EQ(backup.executor->status().committed, BatchNumber(2));
  EXPECT_TRUE(backup.sent<wire::Token>().empty());
}

// ---- Batches of views to come ------------------------------------------------------------------

wire::BatchPtr huge(uint64_t view, uint64_t number, const SharedBytes& raw, size_t bundles) {
  auto bundle = std::make_shared<wire::Bundle>();
  bundle->raw = raw;
  auto made = std::make_shared<wire::Batch>();
  made->view = View(view);
  made->number = BatchNumber(number);
  made->bundles.assign(bundles, bundle);
  return made;
}

TEST(FutureBatches, KeepAWindowOfTheSendersHighestView) {
  FutureBatches future(3);
  for (uint64_t number = 1; number <= limits::kWindow + 3; ++number) {
    EXPECT_TRUE(future.add(1, batch(1, number, {open(9)}).batch, View()));
  }
  EXPECT_FALSE(future.add(1, batch(4, 1, {open(9)}).batch, View())) << "too far ahead";
  EXPECT_EQ(future.take(View(1)).size(), limits::kWindow);
  EXPECT_TRUE(future.take(View(1)).empty());
}

TEST(FutureBatches, AreBoundedInBytes) {
  const SharedBytes raw(Bytes(limits::kMaxBatchBytes, 'x'));
  FutureBatches future(3);
  EXPECT_TRUE(future.add(1, huge(1, 1, raw, 1), View()));
  EXPECT_TRUE(future.add(1, huge(1, 2, raw, 1), View()));
  EXPECT_TRUE(future.add(1, huge(1, 3, raw, 1), View()));
  EXPECT_EQ(future.take(View(1)).size(), 2u);
}

TEST(FutureBatches, OfViewsThatWereSkippedAreForgotten) {
  FutureBatches future(3);
  future.add(1, batch(1, 1, {open(9)}).batch, View());
  future.add(0, batch(3, 1, {open(9)}).batch, View());
  EXPECT_TRUE(future.take(View(2)).empty());
  EXPECT_EQ(future.take(View(3)).size(), 1u);
}

// The window is bounded in bytes, too: what does not fit is dropped, and sent again later.
TEST(Window, IsBoundedInBytes) {
  Replica backup(options(1, 0, 1));
  backup.eager = false;
  const SharedBytes raw(Bytes(limits::kMaxBatchBytes, 'x'));
  const auto large = [&](uint64_t number) {
    auto made = std::make_shared<wire::Batch>(*batch(0, number, {open(9)}).batch);
    auto bundle = std::make_shared<wire::Bundle>(*open(9));
    bundle->raw = raw;
    made->bundles = {bundle, bundle, bundle, bundle};
    return wire::BatchMessage{made};
  };
  for (uint64_t number = 1; number <= limits::kWindow; ++number) {
    backup.receive(Address::executor(0), large(number));
  }
  EXPECT_EQ(backup.commands.size(), limits::kWindow / 4);
}

TEST(E1Proposing, NothingBeyondTheWindowLeaves) {
  Replica primary(options(1, 0, 0));
  uint64_t nonce = 1;
  for (uint64_t round = 0; round < limits::kWindow + 3; ++round) {
    const auto client = static_cast<uint16_t>(round % 4);
    for (size_t i = 0; i < limits::kMaxBatchBundles; ++i) {
      primary.receive(Address::client(client), wire::BundleMessage{open(nonce++, client)});
    }
    primary.idle();
  }
  const auto batches = primary.sent<wire::BatchMessage>();
  ASSERT_FALSE(batches.empty());
  EXPECT_EQ(batches.back().second.batch->number, BatchNumber(limits::kWindow));
}

// What it would propose extends another history than the one that is vouched for.
TEST(E1Proposing, NothingWhileACommitIsVouchedForThatIsNotHere) {
  Replica primary(options(1, 1, 0));
  tell(primary, 2, commit(5, digest_of("five")));
  primary.receive(Address::client(0), wire::BundleMessage{open(9)});
  primary.idle();
  EXPECT_TRUE(primary.sent<wire::BatchMessage>().empty());
}

}  // namespace
}  // namespace eve::execution::executor_testing
