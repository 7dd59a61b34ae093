// Verdicts, new views, restarts, lagging: E5, E6, E10, E11.
#include <gtest/gtest.h>

#include "execution/executor_testing.h"

namespace eve::execution::executor_testing {
namespace {

/// Executor `index` after batches 1 to `last` of executor 0, one opening each, none committed.
Replica after_batches(uint64_t last, uint32_t u, uint32_t r, uint16_t index) {
  Replica replica(options(u, r, index));
  for (uint64_t n = 1; n <= last; ++n) {
    replica.receive(Address::executor(0), batch(0, n, {open(n)}));
  }
  return replica;
}

wire::Welcome welcome(uint64_t promised, const wire::Verdict& start, const wire::Verdict& last) {
  return {View(promised), start, last};
}

size_t count_runs(const Replica& replica, uint64_t number) {
  size_t count = 0;
  for (const auto& [at, mode] : replica.runner.runs) count += at == BatchNumber(number) ? 1 : 0;
  return count;
}

TEST(E5Verdicts, CountWhenOneMoreThanCanLieSaidTheSame) {
  for (const auto& [u, r] : std::vector<std::pair<uint32_t, uint32_t>>{{1, 0}, {1, 1}, {2, 2}}) {
    Replica backup = after_batches(1, u, r, 1);
    const wire::Verdict verdict = commit(1, backup.runner.token(1));
    tell(backup, r, verdict);
    if (r > 0) backup.receive(Address::verifier(0), verdict);  // repeating does not count
    EXPECT_EQ(backup.executor->status().committed, BatchNumber(0));
    backup.receive(Address::verifier(r), verdict);
    EXPECT_EQ(backup.executor->status().committed, BatchNumber(1));
  }
}

TEST(E5Verdicts, MatchInWhateverView) {
  Replica backup = after_batches(1, 1, 1, 1);
  backup.receive(Address::verifier(0), commit(1, backup.runner.token(1), 0));
  backup.receive(Address::verifier(1), commit(1, backup.runner.token(1), 4));
  EXPECT_EQ(backup.executor->status().committed, BatchNumber(1));
}

TEST(E5Verdicts, ACommitCommitsEverythingBeforeIt) {
  Replica backup = after_batches(3, 1, 0, 1);
  tell(backup, 1, commit(3, backup.runner.token(3)));
  EXPECT_EQ(backup.executor->status().commits, 3u);
  const auto recent = backup.executor->recent();
  ASSERT_EQ(recent.size(), 4u);
  EXPECT_EQ(recent.back().token, backup.runner.token(3));
}

TEST(E5Verdicts, OneThatComesBeforeTheExecutionEndsWaits) {
  Replica backup(options(1, 0, 1));
  backup.eager = false;
  Replica other = after_batches(1, 1, 0, 2);
  backup.receive(Address::executor(0), batch(0, 1, {open(1)}));
  tell(backup, 1, commit(1, other.runner.token(1)));
  backup.pass(1'000'000);
  EXPECT_FALSE(backup.executor->status().fetching);  // merely slower
  backup.run();
  EXPECT_EQ(backup.executor->status().committed, BatchNumber(1));
  EXPECT_EQ(backup.executor->status().repairs, 0u);
}

TEST(E5Verdicts, AMissingBatchIsAwaitedForTheResendTimeThenRepaired) {
  Replica backup = after_batches(1, 1, 0, 1);
  Replica other = after_batches(2, 1, 0, 2);
  tell(backup, 1, commit(2, other.runner.token(2)));
  EXPECT_FALSE(backup.executor->status().fetching);
  backup.pass(160'000);
  EXPECT_TRUE(backup.executor->status().fetching);
  EXPECT_EQ(backup.executor->status().repairs, 0u);  // it had not diverged
}

TEST(E5Verdicts, AMissingBatchThatComesInTimeIsRun) {
  Replica backup = after_batches(1, 1, 0, 1);
  Replica other = after_batches(2, 1, 0, 2);
  tell(backup, 1, commit(2, other.runner.token(2)));
  backup.receive(Address::executor(0), batch(0, 2, {open(2)}));
  EXPECT_EQ(backup.executor->status().committed, BatchNumber(2));
}

// Found by cluster.paused: a stopped replica woke up to all batches and to the late verdicts only.
// It had run a window of them, and waited for ever for a verdict that nobody would repeat.
TEST(E5Verdicts, OneBeyondTheWindowThatMayRunMeansRepair) {
  const uint64_t last = 2 * limits::kWindow + 8;
  Replica other(options(1, 0, 2));
  Replica backup(options(1, 0, 1));
  for (uint64_t n = 1; n <= last; ++n) {
    other.receive(Address::executor(0), batch(0, n, {open(n)}));
    tell(other, 1, commit(n, other.runner.token(n)));
  }
  tell(backup, 1, commit(last, other.runner.token(last)));
  for (uint64_t n = 1; n <= last; ++n) {
    backup.receive(Address::executor(0), batch(0, n, {open(n)}));
  }
  EXPECT_EQ(backup.runner.last(), BatchNumber(limits::kWindow));
  EXPECT_FALSE(backup.executor->status().fetching);
  backup.pass(160'000);
  EXPECT_TRUE(backup.executor->status().fetching);
}

TEST(E5Verdicts, ManyThatComeBeforeTheirBatchesAreAllKept) {
  const uint64_t last = limits::kHistoryBatches;
  Replica other(options(1, 0, 2));
  Replica backup(options(1, 0, 1));
  for (uint64_t n = 1; n <= last; ++n) {
    other.receive(Address::executor(0), batch(0, n, {open(n)}));
    tell(other, 1, commit(n, other.runner.token(n)));
    tell(backup, 1, commit(n, other.runner.token(n)));
  }
  for (uint64_t n = 1; n <= last; ++n) {
    backup.receive(Address::executor(0), batch(0, n, {open(n)}));
  }
  EXPECT_EQ(backup.executor->status().committed, BatchNumber(last));
  EXPECT_EQ(backup.executor->status().transfers, 0u);
}

TEST(E5Verdicts, AnotherTokenMeansRepair) {
  Replica backup(options(1, 0, 1));
  backup.runner.diverges = {1};
  Replica other = after_batches(1, 1, 0, 2);
  backup.receive(Address::executor(0), batch(0, 1, {open(1)}));
  tell(backup, 1, commit(1, other.runner.token(1)));
  EXPECT_TRUE(backup.executor->status().fetching);
  EXPECT_EQ(backup.executor->status().repairs, 1u);
}

TEST(E5Verdicts, OldOnesAndALiarsFloodChangeNothing) {
  Replica backup = after_batches(2, 1, 1, 1);
  tell(backup, 2, commit(2, backup.runner.token(2)));
  tell(backup, 4, commit(1, digest_of("old")));
  for (uint64_t n = 3; n < 500; ++n) {
    backup.receive(Address::verifier(3), commit(n, digest_of("lie")));
    backup.receive(Address::verifier(3), rollback(n, 0, digest_of("lie")));
  }
  EXPECT_EQ(backup.executor->status().committed, BatchNumber(2));
  EXPECT_EQ(backup.executor->status().view, View(0));
  EXPECT_FALSE(backup.executor->status().fetching);
}

TEST(E6Rollback, DropsWhatComesAfterTheStartPointAndCommitsIt) {
  Replica backup = after_batches(3, 1, 1, 2);
  tell(backup, 2, rollback(1, 2, backup.runner.token(2)));
  const ExecutorStatus status = backup.executor->status();
  EXPECT_EQ(status.view, View(1));
  EXPECT_EQ(status.committed, BatchNumber(2));
  EXPECT_EQ(status.rollbacks, 1u);
  EXPECT_EQ(backup.runner.last(), BatchNumber(2));
  EXPECT_EQ(backup.runner.committed(), BatchNumber(2));
}

TEST(E6Rollback, CountsOnlyWithTheSameViewNumberAndToken) {
  Replica backup = after_batches(2, 1, 1, 2);
  backup.receive(Address::verifier(0), rollback(1, 2, backup.runner.token(2)));
  backup.receive(Address::verifier(1), rollback(1, 1, backup.runner.token(1)));
  backup.receive(Address::verifier(2), rollback(2, 2, backup.runner.token(2)));
  backup.receive(Address::verifier(3), commit(2, backup.runner.token(2), 1));
  EXPECT_EQ(backup.executor->status().view, View(0));
}

TEST(E6Rollback, TheNewPrimaryProposesDroppedBundlesAgainOldestFirst) {
  Replica next = after_batches(3, 1, 0, 1);
  next.receive(Address::client(0), wire::BundleMessage{open(77)});
  tell(next, 1, rollback(1, 1, next.runner.token(1)));
  next.idle();
  const auto batches = next.sent<wire::BatchMessage>();
  ASSERT_EQ(batches.size(), 2u);
  const wire::Batch& proposed = *batches[0].second.batch;
  EXPECT_EQ(proposed.view, View(1));
  EXPECT_EQ(proposed.number, BatchNumber(2));
  std::vector<uint64_t> nonces;
  for (const auto& bundle : proposed.bundles) nonces.push_back(bundle->first.value());
  EXPECT_EQ(nonces, (std::vector<uint64_t>{2, 3, 77}));  // not 1: it is committed
  next.idle();
  EXPECT_TRUE(next.sent<wire::BatchMessage>().empty());
}

TEST(E6Rollback, TheOldPrimaryPassesOnWhatOnlyItWasSent) {
  Replica old(options(1, 0, 0));
  old.receive(Address::client(0), wire::BundleMessage{open(1)});
  old.idle();
  old.receive(Address::client(0), wire::BundleMessage{open(77)});
  Replica backup = after_batches(3, 1, 0, 2);
  backup.receive(Address::executor(0), wire::BundleMessage{open(77)});
  old.sent<wire::BundleMessage>();
  backup.sent<wire::BundleMessage>();
  tell(old, 1, rollback(1, 0, genesis()));
  tell(backup, 1, rollback(1, 0, genesis()));

  std::vector<uint64_t> nonces;
  for (const auto& [to, message] : old.sent<wire::BundleMessage>()) {
    EXPECT_EQ(to, Address::executor(1));
    EXPECT_FALSE(message.retry);
    nonces.push_back(message.bundle->first.value());
  }
  EXPECT_EQ(nonces, (std::vector<uint64_t>{1, 77}));
  EXPECT_TRUE(backup.sent<wire::BundleMessage>().empty()) << "others have it from there";
}

TEST(E6Rollback, EventsOfDroppedRunsAreIgnored) {
  Replica backup(options(1, 0, 2));
  backup.eager = false;
  backup.receive(Address::executor(0), batch(0, 1, {open(1)}));
  backup.receive(Address::executor(0), batch(0, 2, {open(2)}));
  Replica other = after_batches(1, 1, 0, 1);
  tell(backup, 1, rollback(1, 1, other.runner.token(1)));  // both still run
  backup.receive(Address::executor(1), batch(1, 2, {open(22)}));
  backup.run();
  EXPECT_EQ(backup.executor->status().committed, BatchNumber(1));
  EXPECT_EQ(backup.executor->status().executed, BatchNumber(2));
  EXPECT_EQ(count_runs(backup, 2), 2u);
  for (const auto& [to, token] : backup.sent<wire::Token>()) EXPECT_EQ(token.view, View(1));
}

TEST(E6Rollback, ABadBatchThatWaitedForItsViewIsBlamedOnThePrimaryThatSentIt) {
  Replica backup(options(1, 0, 2));
  backup.receive(Address::executor(1), batch(1, 1, {forged(1)}));
  EXPECT_TRUE(backup.executor->refusals().by_sender().empty());
  tell(backup, 2, rollback(1, 0, genesis()));
  ASSERT_EQ(backup.executor->status().view, View(1));
  const auto& blamed = backup.executor->refusals().by_sender();
  ASSERT_EQ(blamed.size(), 1u) << "the verifiers whose verdicts started the view are innocent";
  EXPECT_EQ(blamed.begin()->first, Address::executor(1));
  EXPECT_EQ(blamed.begin()->second.reason, "a batch with a bundle whose signature is wrong");
}

TEST(E6Rollback, WithoutTheStartPointItIsFetchedAtOnce) {
  Replica backup = after_batches(1, 1, 0, 2);
  Replica other = after_batches(3, 1, 0, 1);
  tell(backup, 1, rollback(1, 3, other.runner.token(3)));
  EXPECT_TRUE(backup.executor->status().fetching);
  EXPECT_EQ(backup.sent<wire::StateRequest>().at(0).second.number, BatchNumber(3));
}

TEST(E6Rollback, ALateOneDoesNotUndoACommitAboveIt) {
  Replica backup = after_batches(3, 1, 0, 2);
  const crypto::Digest first = backup.runner.token(1);
  tell(backup, 1, commit(3, backup.runner.token(3), 1));
  tell(backup, 1, rollback(1, 1, first));
  EXPECT_EQ(backup.executor->status().view, View(1));
  EXPECT_EQ(backup.executor->status().committed, BatchNumber(3));
  backup.receive(Address::executor(1), batch(1, 4, {open(4)}));
  EXPECT_EQ(backup.executor->status().executed, BatchNumber(4));
}

TEST(E6Rollback, ANewPrimaryWithoutTheStartPointDoesNotPropose) {
  Replica next = after_batches(1, 1, 0, 1);
  Replica other = after_batches(3, 1, 0, 2);
  next.receive(Address::client(0), wire::BundleMessage{open(77)});
  tell(next, 1, rollback(1, 3, other.runner.token(3)));
  next.idle();
  EXPECT_TRUE(next.sent<wire::BatchMessage>().empty());
}

TEST(E10Restart, IsSilentUntilAViewAboveWhatVerifiersHavePromised) {
  for (const uint32_t r : {0u, 1u}) {
    ExecutorOptions restarted = options(1, r, 2);
    restarted.restarted = true;
    Replica replica(restarted);
    const size_t verifiers = restarted.model.verifiers();
    EXPECT_TRUE(replica.sent<wire::Hello>().at(0).second.restarted);
    replica.pass(250'000);
    EXPECT_GE(replica.sent<wire::Hello>().size(), verifiers * 2);  // again until answered

    tell(replica, restarted.model.agreement(),
         welcome(1, rollback(0, 0, genesis()), commit(0, genesis())));
    replica.pass(250'000);
    EXPECT_TRUE(replica.sent<wire::Hello>().empty());

    // It runs and commits, and says nothing.
    replica.receive(Address::executor(0), batch(0, 1, {open(1)}));
    EXPECT_EQ(replica.runner.runs.size(), 1u);
    tell(replica, r + 1, rollback(1, 1, replica.runner.token(1)));
    EXPECT_EQ(replica.executor->status().committed, BatchNumber(1));
    replica.receive(Address::executor(1), batch(1, 2, {open(2)}));
    EXPECT_TRUE(replica.executor->status().silent);
    EXPECT_TRUE(replica.sent<wire::Token>().empty());

    tell(replica, r + 1, rollback(2, 2, replica.runner.token(2)));
    EXPECT_FALSE(replica.executor->status().silent);
    replica.receive(Address::client(0), wire::BundleMessage{open(5)});
    replica.idle();  // it leads view 2
    EXPECT_FALSE(replica.sent<wire::BatchMessage>().empty());
    EXPECT_EQ(replica.sent<wire::Token>().size(), verifiers);
  }
}

TEST(E10Restart, DoesNotProposeOrSuspectWhileSilent) {
  ExecutorOptions restarted = options(1, 0, 0);
  restarted.restarted = true;
  Replica replica(restarted);
  tell(replica, 3, welcome(0, rollback(0, 0, genesis()), commit(0, genesis())));
  replica.receive(Address::client(0), wire::BundleMessage{open(5), true});
  replica.idle();
  replica.pass(1'000'000);
  EXPECT_TRUE(replica.sent<wire::BatchMessage>().empty());
  EXPECT_TRUE(replica.sent<wire::Suspect>().empty());
}

TEST(E10Restart, ALiarCannotSilenceItForGood) {
  ExecutorOptions restarted = options(1, 1, 2);
  restarted.restarted = true;
  Replica replica(restarted);
  const wire::Verdict none = commit(0, genesis());
  replica.receive(Address::verifier(0), welcome(1u << 30, rollback(0, 0, genesis()), none));
  for (size_t i = 1; i < 4; ++i) {
    replica.receive(Address::verifier(i), welcome(0, rollback(0, 0, genesis()), none));
  }
  tell(replica, 2, rollback(1, 0, genesis()));
  EXPECT_FALSE(replica.executor->status().silent);
}

TEST(E10Restart, AnEmptyOneFetchesTheLatestCommitThatWelcomesName) {
  ExecutorOptions restarted = options(1, 1, 2);
  restarted.restarted = true;
  Replica replica(restarted);
  const wire::Welcome told = welcome(3, rollback(3, 700'000, digest_of("start")),
                                     commit(1'000'000, digest_of("latest"), 3));
  tell(replica, 2, told);
  EXPECT_EQ(replica.executor->status().view, View(3));
  EXPECT_TRUE(replica.executor->status().fetching);
  for (const auto& [to, request] : replica.sent<wire::StateRequest>()) {
    EXPECT_EQ(request.number, BatchNumber(1'000'000));
  }
  // Batches beyond are kept for when it has caught up.
  replica.receive(Address::executor(0), batch(3, 1'000'001, {open(1)}));
  EXPECT_EQ(replica.executor->status().refused_messages, 0u);
}

TEST(E11Lagging, AsksWhenOwnTokensStayUnanswered) {
  Replica backup = after_batches(1, 1, 0, 1);
  backup.pass(90'000);
  EXPECT_TRUE(backup.sent<wire::Hello>().empty());
  backup.pass(300'000);
  const auto hellos = backup.sent<wire::Hello>();
  EXPECT_GE(hellos.size(), 3u * 2);
  EXPECT_LE(hellos.size(), 3u * 4);
  EXPECT_FALSE(hellos[0].second.restarted);
}

/// It may have been committed, and nothing new says so (trap 8).
TEST(E11Lagging, AsksWhenARetriedRequestStaysUncommitted) {
  Replica backup(options(1, 1, 1));
  backup.receive(Address::client(0), wire::BundleMessage{open(1), true});
  backup.pass(350'000);
  EXPECT_TRUE(backup.sent<wire::Hello>().empty());
  backup.pass(200'000);
  const auto hellos = backup.sent<wire::Hello>();
  ASSERT_FALSE(hellos.empty());
  EXPECT_FALSE(hellos[0].second.restarted);
}

/// What comes before it may have been committed by others, of whom nothing came. Without asking it
/// would neither learn that nor suspect a primary that is down, and with it the others are too few.
TEST(E11Lagging, AsksWhenARetriedRequestFollowsOneThatIsNotHere) {
  Replica backup = after_batches(1, 1, 1, 1);
  tell(backup, 2, commit(1, backup.runner.token(1)));
  ASSERT_EQ(backup.executor->status().committed, BatchNumber(1));
  backup.pass(1'000'000);
  (void)backup.sent<wire::Hello>();
  backup.receive(Address::client(0), wire::BundleMessage{call(5)});
  backup.pass(450'000);
  EXPECT_TRUE(backup.sent<wire::Hello>().empty()) << "its client has not asked again";
  backup.receive(Address::client(0), wire::BundleMessage{call(5), true});
  backup.pass(2'000'000);
  const auto hellos = backup.sent<wire::Hello>();
  EXPECT_GE(hellos.size(), 4u);
  EXPECT_LE(hellos.size(), 4u * 5) << "a client that lies costs no more than this";
  EXPECT_TRUE(backup.sent<wire::Suspect>().empty()) << "it cannot tell what the primary owes";
}

TEST(E11Lagging, AsksWhenAHigherViewIsSpokenOf) {
  Replica backup(options(1, 1, 1));
  EXPECT_EQ(backup.executor->deadline(), std::numeric_limits<TimeUs>::max());
  backup.now += 1'000'000;
  backup.receive(Address::verifier(0), rollback(1, 0, genesis()));
  backup.pass(400'000);
  EXPECT_EQ(backup.sent<wire::Hello>().size(), 4u);  // once for one mention
}

TEST(E11Lagging, WelcomesCountAsVerdicts) {
  Replica backup = after_batches(2, 1, 1, 2);
  tell(backup, 2,
       welcome(1, rollback(1, 1, backup.runner.token(1)), commit(2, backup.runner.token(2), 1)));
  EXPECT_EQ(backup.executor->status().view, View(1));
  EXPECT_EQ(backup.executor->status().committed, BatchNumber(2));
}

}  // namespace
}  // namespace eve::execution::executor_testing
