// Proposing, accepting, running, tokens; clients and suspicion: E1 to E4, E8, E9.
#include "execution/executor.h"

#include <gtest/gtest.h>

#include "execution/executor_testing.h"

namespace eve::execution::executor_testing {
namespace {

constexpr uint64_t kSession = 1 << 16;  // what an opening alone in batch 1 gives

/// Commits `number` with the replica's own token, as r+1 verifiers say.
void commit_own(Replica& replica, uint64_t number, size_t vouched) {
  tell(replica, vouched, commit(number, replica.runner.token(number)));
}

/// A primary whose first batch, the opening of a session, is committed.
Replica primary_with_session(uint32_t u = 1, uint32_t r = 0) {
  Replica replica(options(u, r, 0));
  replica.receive(Address::client(0), wire::BundleMessage{open(9)});
  replica.idle();
  commit_own(replica, 1, r + 1);
  replica.outgoing.clear();
  return replica;
}

/// As primary_with_session, for an executor that follows executor 0.
Replica backup_with_session(uint32_t u = 1, uint32_t r = 0) {
  Replica replica(options(u, r, 1));
  replica.receive(Address::executor(0), batch(0, 1, {open(9)}));
  commit_own(replica, 1, r + 1);
  replica.outgoing.clear();
  return replica;
}

std::vector<uint64_t> firsts(const wire::BatchMessage& message) {
  std::vector<uint64_t> numbers;
  for (const auto& bundle : message.batch->bundles) numbers.push_back(bundle->first.value());
  return numbers;
}

TEST(E1Proposing, BundlesThatArriveTogetherTravelTogether) {
  Replica primary = primary_with_session();
  primary.receive(Address::client(0), wire::BundleMessage{call(1, 2)});
  primary.receive(Address::client(0), wire::BundleMessage{call(3)});
  EXPECT_TRUE(primary.sent<wire::BatchMessage>().empty());
  primary.idle();
  const auto batches = primary.sent<wire::BatchMessage>();
  ASSERT_EQ(batches.size(), 2u);  // to each of the others
  EXPECT_EQ(firsts(batches[0].second), (std::vector<uint64_t>{1, 3}));
  EXPECT_EQ(batches[0].second.batch->number, BatchNumber(2));
  EXPECT_EQ(primary.sent<wire::Token>().size(), 3u);
}

TEST(E1Proposing, KeepsThePipelineAndTheWindow) {
  Replica primary = primary_with_session();
  for (uint64_t first = 1; first <= 5; ++first) {
    primary.receive(Address::client(0), wire::BundleMessage{call(first)});
    primary.idle();
  }
  EXPECT_EQ(primary.sent<wire::BatchMessage>().size(), 2u * 2);
  commit_own(primary, 3, 1);
  primary.idle();
  const auto batches = primary.sent<wire::BatchMessage>();
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(firsts(batches[0].second), (std::vector<uint64_t>{3, 4, 5}));
}

TEST(E1Proposing, FullBatchesDoNotWaitForThePipelineButForTheWindow) {
  Replica primary(options(1, 0, 0));
  uint64_t nonce = 1;
  for (uint64_t round = 0; round < limits::kWindow + 4; ++round) {
    for (size_t i = 0; i < limits::kMaxBatchBundles; ++i) {
      primary.receive(Address::client(round % 4), wire::BundleMessage{open(nonce++, round % 4)});
    }
    primary.idle();
  }
  EXPECT_EQ(primary.runner.last(), BatchNumber(limits::kWindow));
}

TEST(E1Proposing, TimeGrowsEvenIfTheClockDoesNot) {
  Replica primary = primary_with_session();
  primary.receive(Address::client(0), wire::BundleMessage{call(1)});
  primary.idle();
  primary.receive(Address::client(0), wire::BundleMessage{call(2)});
  primary.idle();
  const auto batches = primary.sent<wire::BatchMessage>();
  EXPECT_GT(batches.back().second.batch->time_us, batches.front().second.batch->time_us);
  EXPECT_NE(batches.back().second.batch->seed, batches.front().second.batch->seed);
}

TEST(E1Proposing, ASessionsBundlesAreProposedInOrderAndOnce) {
  Replica primary = primary_with_session();
  primary.receive(Address::client(0), wire::BundleMessage{call(3)});
  primary.receive(Address::client(0), wire::BundleMessage{call(2)});
  primary.idle();
  EXPECT_TRUE(primary.sent<wire::BatchMessage>().empty());  // 1 is missing
  primary.receive(Address::client(0), wire::BundleMessage{call(1)});
  primary.receive(Address::client(0), wire::BundleMessage{call(1)});
  primary.idle();
  EXPECT_EQ(firsts(primary.sent<wire::BatchMessage>().at(0).second),
            (std::vector<uint64_t>{1, 2, 3}));
  primary.receive(Address::client(0), wire::BundleMessage{call(2), true});  // in flight
  primary.idle();
  EXPECT_TRUE(primary.sent<wire::BatchMessage>().empty());
}

TEST(E1Proposing, AGapIsHeldForABoundedTime) {
  Replica primary = primary_with_session();
  primary.receive(Address::client(0), wire::BundleMessage{call(2)});
  primary.pass(500'000);
  primary.idle();
  primary.receive(Address::client(0), wire::BundleMessage{call(1)});
  primary.idle();
  EXPECT_EQ(firsts(primary.sent<wire::BatchMessage>().at(0).second), (std::vector<uint64_t>{1}));
}

TEST(E1Proposing, OneClientCannotTakeAllTheRoom) {
  Replica primary = primary_with_session();
  for (uint64_t first = 2; first < 3000; ++first) {
    primary.receive(Address::client(0), wire::BundleMessage{call(first)});
  }
  EXPECT_GT(primary.executor->status().refused_messages, 0u);
  primary.receive(Address::client(1), wire::BundleMessage{open(5, 1)});
  primary.idle();
  EXPECT_EQ(firsts(primary.sent<wire::BatchMessage>().at(0).second), (std::vector<uint64_t>{5}));
}

TEST(E1Proposing, ResendsWhatIsNotCommittedLessAndLessOften) {
  Replica primary = primary_with_session();
  primary.receive(Address::client(0), wire::BundleMessage{call(1)});
  primary.idle();
  primary.sent<wire::BatchMessage>();
  primary.pass(1'000'000);
  const size_t resends = primary.sent<wire::BatchMessage>().size() / 2;
  EXPECT_GE(resends, 2u);
  EXPECT_LE(resends, 4u);
}

TEST(E2Accepting, NothingBeyondTheWindowAboveTheLastCommit) {
  Replica replica(options(1, 1, 1));
  replica.receive(Address::executor(0), batch(0, limits::kWindow + 1, {open(9)}));
  EXPECT_EQ(replica.executor->load().window_batches, 0u);
  replica.receive(Address::executor(0), batch(0, limits::kWindow, {open(9)}));
  EXPECT_EQ(replica.executor->load().window_batches, 1u);
  EXPECT_EQ(replica.executor->load().window_end, BatchNumber(limits::kWindow));
}

TEST(E2Accepting, OnlyFromThePrimaryOfTheView) {
  Replica backup(options(1, 0, 1));
  backup.receive(Address::executor(2), batch(0, 1, {open(9)}));
  backup.receive(Address::verifier(0), batch(0, 1, {open(9)}));
  backup.receive(Address::client(0), batch(0, 1, {open(9)}));
  EXPECT_EQ(backup.executor->status().refused_messages, 3u);
  EXPECT_TRUE(backup.sent<wire::Token>().empty());
  backup.receive(Address::executor(0), batch(0, 1, {open(9)}));
  EXPECT_EQ(backup.sent<wire::Token>().size(), 3u);
}

TEST(E2Accepting, TheFirstBatchForANumberCounts) {
  Replica backup(options(1, 0, 1));
  backup.receive(Address::executor(0), batch(0, 1, {open(9)}));
  backup.receive(Address::executor(0), batch(0, 1, {open(8)}));
  EXPECT_EQ(backup.sent<wire::Token>().size(), 3u);
  EXPECT_EQ(backup.runner.runs.size(), 1u);
}

TEST(E2Accepting, NumbersBeyondTheWindowAreDropped) {
  Replica backup(options(1, 0, 1));
  for (uint64_t n = 1; n <= limits::kWindow + 3; ++n) {
    backup.receive(Address::executor(0), batch(0, n, {open(n)}));
  }
  EXPECT_EQ(backup.executor->status().executed, BatchNumber(limits::kWindow));
}

TEST(E2Accepting, BatchesRunInOrderWhateverOrderTheyComeIn) {
  Replica backup(options(1, 0, 1));
  backup.receive(Address::executor(0), batch(0, 2, {open(2)}));
  EXPECT_TRUE(backup.runner.runs.empty());
  backup.receive(Address::executor(0), batch(0, 1, {open(1)}));
  EXPECT_EQ(backup.runner.runs.size(), 2u);
}

struct InvalidBatch {
  const char* what;
  wire::BatchMessage message;
};

class E2Invalid : public ::testing::TestWithParam<int> {};

TEST_P(E2Invalid, GetsNoTokenAndASuspicionUntilTheViewChanges) {
  const std::vector<InvalidBatch> cases = {
      {"a forged bundle", batch(0, 1, {open(9), forged(1)})},
      {"no bundle", batch(0, 1, {})},
      {"a client that the cluster does not know", batch(0, 1, {open(9, 77)})},
      {"a time far ahead", batch(0, 1, {open(9)}, 1'000'000 + limits::kMaxClockSkewUs + 1)},
      {"a time below zero", batch(0, 1, {open(9)}, -1)},
  };
  const InvalidBatch& invalid = cases.at(static_cast<size_t>(GetParam()));
  SCOPED_TRACE(invalid.what);
  Replica backup(options(1, 1, 1));
  backup.receive(Address::executor(0), invalid.message);
  backup.pass(300'000);
  EXPECT_TRUE(backup.sent<wire::Token>().empty());
  EXPECT_TRUE(backup.runner.runs.empty());
  const size_t suspicions = backup.sent<wire::Suspect>().size() / 4;
  EXPECT_GE(suspicions, 2u);  // while the reason stands,
  EXPECT_LE(suspicions, 3u);  // at most once a resend time
  tell(backup, 2, rollback(1, 0, genesis()));
  backup.pass(300'000);
  EXPECT_TRUE(backup.sent<wire::Suspect>().empty());
}

INSTANTIATE_TEST_SUITE_P(Cases, E2Invalid, ::testing::Range(0, 5));

TEST(E2Accepting, TimeMustGrowFromBatchToBatch) {
  Replica backup(options(1, 0, 1));
  backup.receive(Address::executor(0), batch(0, 2, {open(2)}, 1'000'005));
  backup.receive(Address::executor(0), batch(0, 1, {open(1)}, 1'000'005));
  EXPECT_EQ(backup.executor->status().executed, BatchNumber(1));
  backup.pass(100'000);
  EXPECT_FALSE(backup.sent<wire::Suspect>().empty());
}

TEST(E2Accepting, VerdictsOverrideAnInvalidBatch) {
  Replica backup(options(1, 0, 1));
  backup.receive(Address::executor(0), batch(0, 1, {forged(1)}));
  tell(backup, 1, commit(1, digest_of("what the others ran")));
  backup.pass(200'000);
  EXPECT_TRUE(backup.executor->status().fetching);
}

TEST(E2Accepting, ABundleIsVerifiedOnce) {
  Replica backup = backup_with_session(1, 1);
  backup.receive(Address::client(0), wire::BundleMessage{call(1), true});
  const size_t before = backup.authenticator.verified;
  backup.receive(Address::client(0), wire::BundleMessage{call(1), true});
  backup.receive(Address::executor(0), batch(0, 2, {call(1)}));
  EXPECT_EQ(backup.authenticator.verified, before);
  EXPECT_EQ(backup.executor->status().executed, BatchNumber(2));
}

TEST(E2Accepting, BatchesOfTheNextViewWaitForIt) {
  Replica backup(options(1, 0, 2));
  backup.receive(Address::executor(1), batch(1, 1, {open(9)}));
  EXPECT_TRUE(backup.runner.runs.empty());
  tell(backup, 1, rollback(1, 0, genesis()));
  EXPECT_EQ(backup.runner.runs.size(), 1u);
  EXPECT_EQ(backup.sent<wire::Token>().at(0).second.view, View(1));
}

TEST(E2Accepting, ALiarsViewsDoNotDisplaceTheNextView) {
  Replica backup(options(1, 1, 2));
  backup.receive(Address::executor(1), batch(1, 1, {open(9)}));
  backup.receive(Address::executor(0), batch(3'000'000, 1, {open(9)}));
  backup.receive(Address::executor(0), batch(3, 1, {open(9)}));
  tell(backup, 2, rollback(1, 0, genesis()));
  EXPECT_EQ(backup.runner.runs.size(), 1u);
}

TEST(E3Running, InParallelInViewZeroAndInOrderAfterAStartPoint) {
  Replica backup(options(1, 0, 2));
  backup.receive(Address::executor(0), batch(0, 1, {open(1)}));
  tell(backup, 1, rollback(1, 0, genesis()));
  for (uint64_t n = 1; n <= limits::kWindow + 2; ++n) {
    backup.receive(Address::executor(1), batch(1, n, {open(n)}));
    commit_own(backup, n, 1);
  }
  const auto& runs = backup.runner.runs;
  ASSERT_EQ(runs.size(), 1 + limits::kWindow + 2);
  EXPECT_EQ(runs[0].second, RunMode::kParallel);
  EXPECT_EQ(runs[1].second, RunMode::kSequential);
  EXPECT_EQ(runs[limits::kWindow].second, RunMode::kSequential);
  EXPECT_EQ(runs[limits::kWindow + 1].second, RunMode::kParallel);
  EXPECT_EQ(backup.executor->status().batches_sequential, limits::kWindow);
}

TEST(E4Token, IsResentUnchangedUntilCommitted) {
  Replica backup = backup_with_session();
  backup.receive(Address::executor(0), batch(0, 2, {call(1)}));
  const auto first = backup.sent<wire::Token>();
  ASSERT_EQ(first.size(), 3u);
  backup.pass(500'000);
  const auto again = backup.sent<wire::Token>();
  EXPECT_GE(again.size(), 3u * 3);
  for (const auto& [to, token] : again) EXPECT_EQ(token.token, first[0].second.token);
  commit_own(backup, 2, 1);
  backup.pass(500'000);
  EXPECT_TRUE(backup.sent<wire::Token>().empty());
  EXPECT_EQ(backup.executor->deadline(), std::numeric_limits<TimeUs>::max());
}

TEST(E4Token, IsNeverReplacedByThatOfASecondRun) {
  Replica backup = backup_with_session();
  const wire::BatchMessage second = batch(0, 2, {call(1)});
  Replica right = backup_with_session();
  right.receive(Address::executor(0), second);

  backup.runner.diverges = {2};
  backup.receive(Address::executor(0), second);
  backup.receive(Address::executor(0), batch(0, 3, {call(2)}));
  const crypto::Digest said = backup.sent<wire::Token>().back().second.token;
  tell(backup, 1, commit(2, right.runner.token(2)));  // it has diverged, and fetches
  right.receive(Address::executor(2), wire::StateRequest{BatchNumber(2), {}});
  backup.receive(Address::executor(2), right.sent<wire::StateReply>().at(0).second);
  for (const auto& [to, request] : backup.sent<wire::StateRequest>()) {
    right.receive(Address::executor(2), request);
  }
  for (const auto& [to, reply] : right.sent<wire::StateReply>()) {
    backup.receive(Address::executor(2), reply);
  }
  ASSERT_EQ(backup.executor->status().executed, BatchNumber(3));  // ran again
  ASSERT_NE(backup.runner.token(3), said);
  backup.pass(300'000);
  for (const auto& [to, token] : backup.sent<wire::Token>()) EXPECT_EQ(token.token, said);
}

TEST(E8Replies, LeaveOnlyWhenCommitted) {
  Replica primary = primary_with_session();
  primary.receive(Address::client(0), wire::BundleMessage{call(1)});
  primary.idle();
  EXPECT_TRUE(primary.sent<wire::Reply>().empty());
  commit_own(primary, 2, 1);
  const auto replies = primary.sent<wire::Reply>();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].first, Address::client(0));
  EXPECT_TRUE(replies[0].second.payload.has_value());
}

TEST(E8Replies, OthersSendTheDigestWhereNodesMayLieAndNothingWhereNot) {
  for (const uint32_t r : {0u, 1u}) {
    Replica backup = backup_with_session(1, r);
    backup.receive(Address::executor(0), batch(0, 2, {call(1)}));
    commit_own(backup, 2, r + 1);
    const auto replies = backup.sent<wire::Reply>();
    ASSERT_EQ(replies.size(), r);
    for (const auto& [to, reply] : replies) EXPECT_FALSE(reply.payload.has_value());
  }
}

TEST(E8Replies, ARetryIsAnsweredByEveryExecutorWithThePayload) {
  Replica backup = backup_with_session();
  backup.receive(Address::executor(0), batch(0, 2, {call(1)}));
  backup.receive(Address::client(0), wire::BundleMessage{call(1), true});  // not committed yet
  EXPECT_TRUE(backup.sent<wire::Reply>().empty());
  commit_own(backup, 2, 1);
  EXPECT_TRUE(backup.sent<wire::Reply>().at(0).second.payload.has_value());
  backup.receive(Address::client(0), wire::BundleMessage{call(1), true});
  EXPECT_TRUE(backup.sent<wire::Reply>().at(0).second.payload.has_value());
  backup.receive(Address::client(0), wire::BundleMessage{open(9), true});
  EXPECT_EQ(backup.sent<wire::Reply>().at(0).second.session, SessionId());
}

TEST(E8Replies, AnotherClientsSessionIsNotAnswered) {
  Replica backup = backup_with_session();
  backup.receive(Address::executor(0), batch(0, 2, {call(1)}));
  commit_own(backup, 2, 1);
  backup.receive(Address::client(1), wire::BundleMessage{call(1, 1, kSession, 1), true});
  backup.receive(Address::client(1), wire::BundleMessage{call(1), true});  // not its own bundle
  EXPECT_TRUE(backup.sent<wire::Reply>().empty());
  EXPECT_EQ(backup.executor->status().refused_messages, 1u);
}

TEST(E8Replies, AForgedBundleIsRefused) {
  Replica primary = primary_with_session(1, 1);
  primary.receive(Address::client(0), wire::BundleMessage{forged(1)});
  primary.idle();
  EXPECT_TRUE(primary.sent<wire::BatchMessage>().empty());
  EXPECT_EQ(primary.executor->status().refused_messages, 1u);
}

TEST(E8Replies, AFloodOfForgedBundlesIsCheckedOnceInAWhileAndOthersAreHeard) {
  Replica primary = primary_with_session(1, 1);
  const auto& blamed = primary.executor->refusals().by_sender();
  for (uint64_t i = 1; i <= 100; ++i) {
    primary.receive(Address::executor(1), wire::BundleMessage{forged(i)});
  }
  EXPECT_EQ(blamed.at(Address::executor(1)).count, 100u);
  EXPECT_EQ(blamed.at(Address::executor(1)).reason,
            "a bundle, soon after one whose signature was wrong");
  // What the liar hands on is not worth a check; what the client says itself is.
  primary.receive(Address::executor(1), wire::BundleMessage{call(1)});
  primary.idle();
  EXPECT_TRUE(primary.sent<wire::BatchMessage>().empty());
  primary.receive(Address::client(0), wire::BundleMessage{call(1)});
  primary.idle();
  EXPECT_FALSE(primary.sent<wire::BatchMessage>().empty());
  // In time it may come back.
  primary.pass(1'000'001);
  primary.receive(Address::executor(1), wire::BundleMessage{forged(7)});
  EXPECT_EQ(blamed.at(Address::executor(1)).reason, "a bundle whose signature is wrong");
}

TEST(E9Suspicion, OfAPrimaryThatLeavesAForwardedRetryUncommitted) {
  Replica backup = backup_with_session();
  backup.receive(Address::client(0), wire::BundleMessage{call(1), true});
  const auto forwarded = backup.sent<wire::BundleMessage>();
  ASSERT_EQ(forwarded.size(), 1u);
  EXPECT_EQ(forwarded[0].first, Address::executor(0));
  backup.pass(390'000);
  EXPECT_TRUE(backup.sent<wire::Suspect>().empty());
  backup.pass(60'000);
  EXPECT_EQ(backup.sent<wire::Suspect>().size(), 3u);
  backup.receive(Address::executor(0), batch(0, 2, {call(1)}));
  commit_own(backup, 2, 1);
  backup.pass(500'000);
  EXPECT_TRUE(backup.sent<wire::Suspect>().empty());
}

TEST(E9Suspicion, NotForWhatIsNotNextInItsSession) {
  Replica backup = backup_with_session();
  backup.receive(Address::client(0), wire::BundleMessage{call(2), true});
  backup.receive(Address::client(0), wire::BundleMessage{open(10), false});
  backup.pass(1'000'000);
  EXPECT_TRUE(backup.sent<wire::Suspect>().empty());
}

// Its client must learn from a batch that the session is gone.
TEST(E9Suspicion, OfAPrimaryThatIgnoresABundleOfAnUnknownSession) {
  Replica backup = backup_with_session();
  backup.receive(Address::client(0), wire::BundleMessage{call(1, 1, 77), true});
  backup.pass(1'000'000);
  EXPECT_FALSE(backup.sent<wire::Suspect>().empty());
}

// Its batch may have reached the others too late for their clocks: without its own word they are
// too few.
TEST(E9Suspicion, OfItselfByAPrimaryWhoseBatchIsNeverCommitted) {
  Replica primary(options(1, 0, 0));
  primary.receive(Address::client(0), wire::BundleMessage{open(1), false});
  primary.idle();
  primary.pass(14'000'000);
  EXPECT_TRUE(primary.sent<wire::Suspect>().empty());
  primary.pass(2'000'000);
  EXPECT_FALSE(primary.sent<wire::Suspect>().empty());
}

TEST(E9Suspicion, ANewPrimaryGetsTheComplaintAndItsFullTime) {
  Replica backup(options(1, 0, 2));
  backup.receive(Address::client(0), wire::BundleMessage{open(1), true});
  backup.pass(500'000);
  EXPECT_FALSE(backup.sent<wire::Suspect>().empty());
  backup.sent<wire::BundleMessage>();
  tell(backup, 1, rollback(1, 0, genesis()));
  const auto forwarded = backup.sent<wire::BundleMessage>();
  ASSERT_EQ(forwarded.size(), 1u);
  EXPECT_EQ(forwarded[0].first, Address::executor(1));
  backup.pass(390'000);
  EXPECT_TRUE(backup.sent<wire::Suspect>().empty());
  backup.pass(110'000);
  EXPECT_EQ(backup.sent<wire::Suspect>().at(0).second.view, View(1));
}

// While a poisonous bundle is looked for all lead in turn, and one of them may be down: that it is
// must not be noticed only when the client asks again.
TEST(E9Suspicion, AComplaintOutlivesTheOwnTurnAsPrimary) {
  Replica node(options(1, 0, 1));
  node.receive(Address::client(0), wire::BundleMessage{open(1), true});
  tell(node, 1, rollback(1, 0, genesis()));
  node.idle();
  ASSERT_FALSE(node.sent<wire::BatchMessage>().empty());
  tell(node, 1, rollback(2, 0, genesis()));
  node.sent<wire::Suspect>();
  node.pass(390'000);
  EXPECT_TRUE(node.sent<wire::Suspect>().empty());
  node.pass(60'000);
  EXPECT_EQ(node.sent<wire::Suspect>().at(0).second.view, View(2));
}

// Found by the simulator (seeds 183 crash, 637 bft): batches that ran longer than the patience
// changed the view for ever.
TEST(E9Suspicion, ViewsThatBearNothingMakeForMorePatience) {
  Replica backup(options(1, 0, 2));
  backup.receive(Address::client(0), wire::BundleMessage{open(1), true});
  backup.pass(500'000);
  tell(backup, 1, rollback(1, 0, genesis()));
  backup.pass(500'000);
  tell(backup, 1, rollback(3, 0, genesis()));
  backup.sent<wire::Suspect>();
  backup.pass(700'000);
  EXPECT_TRUE(backup.sent<wire::Suspect>().empty());
  backup.pass(200'000);
  EXPECT_EQ(backup.sent<wire::Suspect>().at(0).second.view, View(3));
}

// Found by the simulator (bft, seed 4000074): while a poisonous bundle was looked for, view after
// view ended by divergence, and a liar in its turn was waited for 64 times as long.
TEST(E9Suspicion, ViewsThatOthersEndDoNot) {
  Replica backup(options(1, 0, 2));
  backup.receive(Address::client(0), wire::BundleMessage{open(1), true});
  for (const uint64_t view : {1, 3, 4, 6, 7}) {
    backup.pass(100'000);
    tell(backup, view, rollback(view, 0, genesis()));
  }
  backup.sent<wire::Suspect>();
  backup.pass(390'000);
  EXPECT_TRUE(backup.sent<wire::Suspect>().empty());
  backup.pass(60'000);
  EXPECT_EQ(backup.sent<wire::Suspect>().at(0).second.view, View(7));
}

TEST(E9Suspicion, ViewsInWhichNobodyAskedForAnythingDoNot) {
  Replica backup(options(1, 0, 2));
  for (const uint64_t view : {1, 3, 4, 6, 7}) tell(backup, view, rollback(view, 0, genesis()));
  backup.receive(Address::client(0), wire::BundleMessage{open(1), true});
  backup.sent<wire::Suspect>();
  backup.pass(600'000);
  EXPECT_EQ(backup.sent<wire::Suspect>().at(0).second.view, View(7));
}

TEST(Roles, MessagesOfTheWrongRoleAreRefused) {
  Replica backup(options(1, 0, 1));
  backup.receive(Address::executor(0), commit(1, genesis()));
  backup.receive(Address::verifier(3), commit(1, genesis()));  // there are three
  backup.receive(Address::executor(0), wire::Suspect{});
  backup.receive(Address::client(0), wire::Hello{});
  backup.receive(Address::verifier(0), wire::StateRequest{});
  backup.receive(Address::executor(3), wire::StateRequest{});
  backup.receive(Address::executor(1), wire::StateRequest{});  // itself
  backup.receive(Address::verifier(0), wire::BundleMessage{open(1)});
  EXPECT_EQ(backup.executor->status().refused_messages, 8u);
  EXPECT_EQ(backup.executor->deadline(), std::numeric_limits<TimeUs>::max());
}

}  // namespace
}  // namespace eve::execution::executor_testing
