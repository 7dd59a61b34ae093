// Changes of the members at an executor, and the epoch that ends with one: M2, M4, M7, M10.
#include <gtest/gtest.h>

#include "execution/executor_testing.h"

namespace eve::execution::executor_testing {
namespace {

const Address kOperator = Address::client(limits::kOperator);

wire::BundlePtr change(uint32_t epoch = 0, std::optional<uint16_t> executor = 2,
                       std::optional<uint16_t> verifier = std::nullopt) {
  return wire::make_change({Epoch(epoch), executor, verifier, "who comes"}, [](ByteView) {
    return NamingAuthenticator::signature(limits::kOperator);
  });
}

void commit_own(Replica& replica, uint64_t number, size_t vouched = 1) {
  tell(replica, vouched, commit(number, replica.runner.token(number)));
}

/// An executor 1 at which batch 1 was a change, and is committed.
Replica at_the_end() {
  Replica replica(options(1, 0, 1));
  replica.receive(Address::executor(0), batch(0, 1, {change()}));
  commit_own(replica, 1);
  return replica;
}

TEST(M2Alone, APrimaryProposesAChangeByItselfAndThenWaits) {
  Replica primary(options(1, 0, 0));
  primary.receive(Address::client(0), wire::BundleMessage{open(1)});
  primary.receive(kOperator, wire::BundleMessage{change()});
  primary.receive(Address::client(0), wire::BundleMessage{open(2)});
  primary.idle();
  std::vector<wire::BatchPtr> proposed;
  for (const auto& [to, message] : primary.sent<wire::BatchMessage>()) {
    if (to == Address::executor(1)) proposed.push_back(message.batch);
  }
  ASSERT_EQ(proposed.size(), 2u);
  EXPECT_FALSE(wire::holds_change(*proposed[0]));
  EXPECT_TRUE(wire::change_in(*proposed[1]));
  commit_own(primary, 1);
  primary.idle();
  EXPECT_TRUE(primary.sent<wire::BatchMessage>().empty()) << "nothing after it";
  EXPECT_EQ(primary.runner.last(), BatchNumber(2));
}

TEST(M2Alone, ABatchThatHoldsMoreIsInvalid) {
  for (const auto& bundles : {std::vector{change(), open(1)}, std::vector{change(), change()}}) {
    Replica replica(options(1, 0, 1));
    replica.receive(Address::executor(0), batch(0, 1, bundles));
    EXPECT_EQ(replica.runner.last(), BatchNumber());
    replica.pass(200'000);
    EXPECT_FALSE(replica.sent<wire::Suspect>().empty());
  }
}

TEST(M2Alone, ChangesOfOtherEpochsAndSeatsThatThereAreNotAreInvalid) {
  for (const auto& bundle : {change(1), change(0, 3), change(0, std::nullopt, 3)}) {
    Replica replica(options(1, 0, 1));
    replica.receive(Address::executor(0), batch(0, 1, {bundle}));
    EXPECT_EQ(replica.runner.last(), BatchNumber());
  }
}

TEST(M2Alone, NothingRunsAfterAChangeThatIsNotCommitted) {
  Replica replica(options(1, 0, 1));
  replica.receive(Address::executor(0), batch(0, 1, {change()}));
  replica.receive(Address::executor(0), batch(0, 2, {open(1)}));
  EXPECT_EQ(replica.runner.last(), BatchNumber(1));
  EXPECT_EQ(replica.sent<wire::Token>().size(), 3u);
}

TEST(M1Asking, OnlyTheOperatorsSignatureCounts) {
  Replica primary(options(1, 1, 0));
  const auto forged = wire::make_change({Epoch(0), 2, std::nullopt, ""},
                                        [](ByteView) { return NamingAuthenticator::signature(0); });
  primary.receive(kOperator, wire::BundleMessage{forged});
  primary.idle();
  EXPECT_TRUE(primary.sent<wire::BatchMessage>().empty());
  primary.pass(2'000'000);
  primary.receive(Address::client(0), wire::BundleMessage{change()});
  primary.idle();
  EXPECT_TRUE(primary.sent<wire::BatchMessage>().empty()) << "in another's name";
  primary.receive(kOperator, wire::BundleMessage{change()});
  primary.idle();
  EXPECT_FALSE(primary.sent<wire::BatchMessage>().empty());
}

TEST(M1Asking, AChangeOfAnotherEpochIsNotQueued) {
  Replica primary(options(1, 0, 0));
  primary.receive(kOperator, wire::BundleMessage{change(1)});
  primary.idle();
  EXPECT_EQ(primary.executor->load().pending_bundles, 0u);
}

TEST(M1Asking, APrimaryThatLeavesItUndoneIsSuspected) {
  Replica replica(options(1, 0, 1));
  replica.receive(kOperator, wire::BundleMessage{change(), true});
  replica.pass(1'000'000);
  EXPECT_FALSE(replica.sent<wire::Suspect>().empty());
}

TEST(M4End, ItAnswersAndRunsNothingMore) {
  Replica replica = at_the_end();
  EXPECT_TRUE(replica.executor->status().ended);
  replica.receive(Address::executor(0), batch(0, 2, {open(1)}));
  replica.receive(Address::executor(0), batch(0, 3, {open(2)}));
  EXPECT_EQ(replica.runner.last(), BatchNumber(1));
  replica.receive(Address::client(0), wire::BundleMessage{open(3), true});
  replica.pass(3'000'000);
  EXPECT_TRUE(replica.sent<wire::Suspect>().empty()) << "nobody is to blame";
}

TEST(M4End, BatchesThatWaitedBehindTheChangeDoNotRun) {
  Replica replica(options(1, 0, 1));
  replica.receive(Address::executor(0), batch(0, 1, {change()}));
  replica.receive(Address::executor(0), batch(0, 2, {open(1)}));
  commit_own(replica, 1);
  EXPECT_EQ(replica.runner.last(), BatchNumber(1));
  for (const auto& [to, token] : replica.sent<wire::Token>()) {
    EXPECT_EQ(token.parts.number, BatchNumber(1));
  }
}

TEST(M4End, ItTellsTheVerifiersTheEvidenceAgainAndAgain) {
  Replica replica = at_the_end();
  auto told = replica.sent<wire::EpochEnd>();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].first, Address::verifier(0));
  EXPECT_EQ(told[0].second.evidence.parts.number, BatchNumber(1));
  EXPECT_EQ(wire::token_of(told[0].second.evidence.parts, digester()), replica.runner.token(1));
  replica.pass(1'000'000);
  EXPECT_GE(replica.sent<wire::EpochEnd>().size(), 3u * 5);
}

TEST(M4End, ASpeculativeChangeEndsNothing) {
  Replica replica(options(1, 0, 1));
  replica.receive(Address::executor(0), batch(0, 1, {change()}));
  EXPECT_FALSE(replica.executor->status().ended);
  tell(replica, 1, rollback(1, 0, genesis()));
  EXPECT_FALSE(replica.executor->status().ended);
  EXPECT_EQ(replica.runner.last(), BatchNumber());
  replica.idle();  // it leads view 1: what was dropped is proposed again
  EXPECT_EQ(replica.runner.last(), BatchNumber(1));
}

TEST(M4End, WhoFetchesTheLastBatchKnowsIt) {
  Replica other = at_the_end();
  Replica late(options(1, 0, 2));
  tell(late, 1, commit(1, other.runner.token(1)));
  late.pass(300'000);
  for (int round = 0; round < 10; ++round) {
    for (const auto& [to, request] : late.sent<wire::StateRequest>()) {
      if (to != Address::executor(1)) continue;
      other.receive(Address::executor(2), request);
    }
    for (const auto& [to, reply] : other.sent<wire::StateReply>()) {
      late.receive(Address::executor(1), reply);
    }
  }
  EXPECT_EQ(late.executor->status().committed, BatchNumber(1));
  EXPECT_TRUE(late.executor->status().ended);
  EXPECT_FALSE(late.sent<wire::EpochEnd>().empty());
}

ExecutorOptions next_epoch(const Replica& replica, uint16_t index) {
  ExecutorOptions next = options(1, 0, index);
  next.epoch = Epoch(1);
  next.start = BatchNumber(1);
  next.genesis = replica.runner.token(1);
  return next;
}

TEST(M7Beginning, WhoHoldsTheStartGoesOnFromIt) {
  Replica old = at_the_end();
  const ExecutorOptions next = next_epoch(old, 0);
  Replica replica(next, old.runner,
                  Fetched{{BatchNumber(1), {}, {}, {}, {}}, next.genesis, 1'000'001, {}, Epoch(1)},
                  old.now);
  EXPECT_EQ(replica.executor->status().committed, BatchNumber(1));
  EXPECT_FALSE(replica.executor->status().ended);
  replica.receive(Address::client(0), wire::BundleMessage{open(1)});
  replica.idle();
  const auto batches = replica.sent<wire::BatchMessage>();
  ASSERT_FALSE(batches.empty()) << "it leads view 0";
  EXPECT_EQ(batches[0].second.batch->number, BatchNumber(2));
  EXPECT_EQ(batches[0].second.batch->view, View(0));
  EXPECT_EQ(replica.sent<wire::Token>().size(), 3u);
}

TEST(M7Beginning, WhoDoesNotFetchesItAndProposesNothingBefore) {
  Replica old = at_the_end();
  const ExecutorOptions next = next_epoch(old, 0);
  Replica replica(next, FakeRunner(), Fetched{{}, genesis(), 0, {}, Epoch(0)}, old.now);
  EXPECT_TRUE(replica.executor->status().fetching);
  replica.receive(Address::client(0), wire::BundleMessage{open(1)});
  replica.idle();
  EXPECT_TRUE(replica.sent<wire::BatchMessage>().empty());
  const auto asked = replica.sent<wire::StateRequest>();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].second.number, BatchNumber(1));
}

/// The next process of executor `index`, whose log is of the epoch.
Replica restarted_in(const ExecutorOptions& next, FakeRunner stands, Recovered recovered,
                     TimeUs now) {
  return Replica(next, std::move(recovered), std::move(stands), now);
}

TEST(M12Restarts, WhoWasFetchingTheStartFetchesItAgain) {
  Replica old = at_the_end();
  for (const bool silent : {false, true}) {
    ExecutorOptions next = next_epoch(old, 2);
    next.restarted = silent;
    Recovered recovered;
    recovered.committed = {{}, genesis(), 0, {}, Epoch(0)};
    Replica replica = restarted_in(next, FakeRunner(), recovered, old.now);
    EXPECT_EQ(replica.executor->status().committed, BatchNumber(0));
    EXPECT_EQ(replica.executor->status().token, genesis()) << "and not that of the start";
    EXPECT_TRUE(replica.executor->status().fetching);
    EXPECT_EQ(replica.executor->status().silent, silent);
    EXPECT_FALSE(replica.executor->status().ended);
    EXPECT_TRUE(replica.sent<wire::Token>().empty());
    replica.receive(Address::executor(0), batch(0, 2, {open(1)}));
    EXPECT_EQ(replica.runner.last(), BatchNumber()) << "not before it holds the start";
    for (int round = 0; round < 10; ++round) {
      for (const auto& [to, request] : replica.sent<wire::StateRequest>()) {
        EXPECT_EQ(request.number, BatchNumber(1));
        if (to == Address::executor(1)) old.receive(Address::executor(2), request);
      }
      for (const auto& [to, reply] : old.sent<wire::StateReply>()) {
        replica.receive(Address::executor(1), reply);
      }
    }
    EXPECT_EQ(replica.executor->status().committed, BatchNumber(1));
    EXPECT_FALSE(replica.executor->status().ended) << "with the start it begins";
    EXPECT_EQ(replica.sent<wire::Token>().empty(), silent);
  }
}

// What a log says to have run without the state that the epoch begins with is not of this epoch.
TEST(M12Restarts, NothingBelowTheStartIsCommittedOrSaid) {
  FakeRunner runner;
  std::vector<BatchExecuted> results;
  std::vector<wire::BatchPtr> ran;
  for (const uint64_t number : {1, 2}) {
    ran.push_back(batch(0, number, {open(number)}).batch);
    runner.apply(RunBatch{0, ran.back(), RunMode::kParallel, {}}, [&](Event event) {
      results.push_back(std::get<BatchExecuted>(std::move(event)));
    });
  }
  ExecutorOptions next = options(1, 0, 1);
  next.epoch = Epoch(1);
  next.start = BatchNumber(3);
  next.genesis = digester().digest("the start");
  Recovered recovered;
  recovered.committed = {results[0].parts, results[0].token, 1'000'001, {}, Epoch(0)};
  recovered.above.push_back({ran[1], results[1]});
  recovered.said.push_back({View(0), results[1].parts, results[1].token});
  Replica replica = restarted_in(next, runner, recovered, 9'000'000);
  EXPECT_EQ(replica.executor->status().committed, BatchNumber(1));
  EXPECT_TRUE(replica.executor->status().fetching);
  tell(replica, 1, commit(2, results[1].token));
  EXPECT_EQ(replica.executor->status().committed, BatchNumber(1));
  replica.pass(500'000);
  EXPECT_TRUE(replica.sent<wire::Token>().empty());
  EXPECT_EQ(replica.executor->load().window_batches, 0u);
}

TEST(M12Restarts, ViewZeroStartsWhereTheEpochDoes) {
  Replica old = at_the_end();
  const ExecutorOptions next = next_epoch(old, 1);
  Recovered recovered;
  recovered.committed = {{BatchNumber(1), {}, {}, {}, {}}, next.genesis, 1'000'001, {}, Epoch(1)};
  Replica replica = restarted_in(next, old.runner, recovered, old.now);
  EXPECT_FALSE(replica.executor->status().ended);
  replica.receive(Address::executor(0), batch(0, 2, {open(1)}));
  EXPECT_EQ(replica.sent<wire::Token>().size(), 3u);
}

// The epoch's primary may have proposed, whatever its log says.
TEST(M12Restarts, WhoLedViewZeroDoesNotLeadItAgain) {
  Replica old = at_the_end();
  const ExecutorOptions next = next_epoch(old, 0);
  Recovered recovered;
  recovered.committed = {{BatchNumber(1), {}, {}, {}, {}}, next.genesis, 1'000'001, {}, Epoch(1)};
  Replica replica = restarted_in(next, old.runner, recovered, old.now);
  replica.receive(Address::client(0), wire::BundleMessage{open(1)});
  replica.idle();
  EXPECT_TRUE(replica.sent<wire::BatchMessage>().empty());
}

TEST(M12Restarts, AnEpochThatHadEndedHasEndedStill) {
  Replica old = at_the_end();
  const ExecutorOptions same = options(1, 0, 1);
  Recovered recovered;
  recovered.committed = {
      {BatchNumber(1), {}, {}, {}, {}}, old.runner.token(1), 1'000'001, {}, Epoch(1)};
  Replica replica = restarted_in(same, old.runner, recovered, old.now);
  EXPECT_TRUE(replica.executor->status().ended);
  EXPECT_EQ(replica.sent<wire::EpochEnd>().size(), 3u);
}

TEST(M10Leaving, WhoWasReplacedIsAskedForStateAndCountsForNothing) {
  Replica old = at_the_end();
  ExecutorOptions next = next_epoch(old, 0);
  next.helpers = 1;
  Replica replica(next, FakeRunner(), Fetched{{}, genesis(), 0, {}, Epoch(0)}, old.now);
  const Address retired = Address::executor(3);
  EXPECT_EQ(replica.sent<wire::StateRequest>().size(), 3u);
  old.receive(Address::executor(0), wire::StateRequest{BatchNumber(1), {}});
  for (const auto& [to, reply] : old.sent<wire::StateReply>()) replica.receive(retired, reply);
  for (const auto& [to, request] : replica.sent<wire::StateRequest>()) {
    EXPECT_EQ(to, retired);
    old.receive(Address::executor(0), request);
  }
  for (const auto& [to, reply] : old.sent<wire::StateReply>()) replica.receive(retired, reply);
  EXPECT_EQ(replica.executor->status().committed, BatchNumber(1));
  EXPECT_EQ(replica.executor->status().refused_messages, 0u);
  replica.receive(retired, batch(0, 2, {open(1)}));
  replica.receive(retired, wire::BundleMessage{open(2)});
  EXPECT_EQ(replica.executor->status().refused_messages, 2u);
}

}  // namespace
}  // namespace eve::execution::executor_testing
