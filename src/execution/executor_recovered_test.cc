// A start with what an earlier process has left: E12.
#include <gtest/gtest.h>

#include "execution/executor_testing.h"

namespace eve::execution::executor_testing {
namespace {

/// Heads of the batch's bundles, as a log keeps them.
wire::BatchPtr head_of(const wire::Batch& batch) {
  auto head = std::make_shared<wire::Batch>(batch);
  for (wire::BundlePtr& bundle : head->bundles) {
    auto copy = std::make_shared<wire::Bundle>(*bundle);
    for (ByteView& request : copy->requests) request = {};
    copy->raw = {};
    copy->signature.clear();
    bundle = copy;
  }
  return head;
}

/// Executor 1 of a cluster with u = 1, which had committed batch 1 and run 2 and 3, in view `view`.
class E12Recovered : public ::testing::TestWithParam<uint32_t> {
 protected:
  static constexpr TimeUs kStart = 9'000'000;

  void start(uint16_t index = 1, uint64_t view = 0, bool restarted = false) {
    run(batch(view, 1, {open(9)}));
    runner.apply(CommitBatches{BatchNumber(1)}, [](const Event&) {});
    const BatchExecuted one = results.at(0);
    run(batch(view, 2, {call(1)}));
    run(batch(view, 3, {call(2)}));
    Recovered recovered;
    recovered.unsure = unsure;
    recovered.view = View(view);
    recovered.committed = {one.parts, one.token, 1'000'001, {}};
    if (!restarted) {
      for (size_t i = 1; i < results.size(); ++i) {
        recovered.above.push_back({head_of(*batches[i]), results[i]});
        const bool is_unsure =
            std::count(unsure.begin(), unsure.end(), results[i].parts.number) > 0;
        if (!is_unsure) recovered.said.push_back({View(view), results[i].parts, results[i].token});
      }
    } else {
      runner.apply(RollbackTo{BatchNumber(1)}, [](const Event&) {});
    }
    ExecutorOptions chosen = options(1, GetParam(), index);
    chosen.restarted = restarted;
    replica = std::make_unique<Replica>(chosen, recovered, runner, kStart);
  }
  void run(const wire::BatchMessage& message) {
    batches.push_back(message.batch);
    runner.apply(RunBatch{0, message.batch, RunMode::kParallel, {}}, [this](Event event) {
      results.push_back(std::get<BatchExecuted>(std::move(event)));
    });
  }
  ExecutorStatus status() { return replica->executor->status(); }
  std::vector<wire::Token> tokens() {
    std::vector<wire::Token> found;
    for (const auto& [to, token] : replica->sent<wire::Token>()) {
      if (to == Address::verifier(0)) found.push_back(token);
    }
    return found;
  }
  void tell(const wire::Verdict& verdict) {
    executor_testing::tell(*replica, GetParam() + 1, verdict);
  }

  std::vector<BatchNumber> unsure;
  FakeRunner runner;
  std::vector<wire::BatchPtr> batches;
  std::vector<BatchExecuted> results;
  std::unique_ptr<Replica> replica;
};

TEST_P(E12Recovered, RepeatsItsTokensAtOnceAndAsksWhatItMissed) {
  start();
  const auto repeated = tokens();
  ASSERT_EQ(repeated.size(), 2u);
  EXPECT_EQ(repeated[0].token, results[1].token);
  EXPECT_EQ(repeated[1].token, results[2].token);
  const auto hellos = replica->sent<wire::Hello>();
  ASSERT_FALSE(hellos.empty());
  EXPECT_FALSE(hellos[0].second.restarted);
  EXPECT_EQ(hellos[0].second.committed, BatchNumber(1));
  EXPECT_EQ(status().executed, BatchNumber(3));
  EXPECT_FALSE(status().silent);
}

// A restart of a cluster that is idle meanwhile: no link was up when it said its Hello, and nobody
// speaks of what it has missed.
TEST_P(E12Recovered, SaysHelloUntilEnoughVerifiersHaveAnswered) {
  start();
  tell(commit(3, results[2].token));
  (void)replica->sent<wire::Hello>();
  replica->pass(1'000'000);
  EXPECT_GE(replica->sent<wire::Hello>().size(), 2u);
  const wire::Verdict begins{wire::VerdictKind::kRollback, View(), BatchNumber(), genesis(), {}};
  const auto missed = commit(60, digest_of("what it has missed"));
  for (uint16_t i = 0; i < GetParam() + 1; ++i) {
    replica->receive(Address::verifier(i), wire::Welcome{View(), begins, missed});
  }
  replica->pass(1'000'000);
  EXPECT_TRUE(status().fetching);
}

TEST_P(E12Recovered, SaysNoHelloWithoutNeedWhenEnoughHaveAnswered) {
  start();
  tell(commit(3, results[2].token));
  const wire::Verdict begins{wire::VerdictKind::kRollback, View(), BatchNumber(), genesis(), {}};
  for (uint16_t i = 0; i < GetParam() + 2; ++i) {
    (void)replica->sent<wire::Hello>();
    replica->pass(1'000'000);
    EXPECT_FALSE(replica->sent<wire::Hello>().empty());
    const wire::Welcome welcome{View(), begins, commit(3, results[2].token)};
    for (int again = 0; again < 3; ++again) replica->receive(Address::verifier(i), welcome);
  }
  (void)replica->sent<wire::Hello>();
  replica->pass(1'000'000);
  EXPECT_TRUE(replica->sent<wire::Hello>().empty());
}

TEST_P(E12Recovered, AnswersClientsWhenWhatItHadRunIsCommitted) {
  start();
  replica->receive(Address::client(0), wire::BundleMessage{call(1), true});
  tell(commit(2, results[1].token));
  EXPECT_EQ(status().committed, BatchNumber(2));
  const auto replies = replica->sent<wire::Reply>();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].second.digest, results[1].replies[0].digest);
  EXPECT_TRUE(replies[0].second.payload.has_value());
}

// The simulator's, seed 24 of the crash configuration.
TEST_P(E12Recovered, AVerdictOnWhatWasCommittedLongAgoIsNoNews) {
  start();
  tell(commit(1, results[0].token));
  EXPECT_FALSE(status().fetching);
  EXPECT_EQ(status().waiting_for, "the verdict on batch 2");
}

TEST_P(E12Recovered, GoesOnWithTheNextBatchOfItsView) {
  start();
  (void)tokens();
  replica->receive(Address::executor(0), batch(0, 4, {call(3)}));
  const auto fresh = tokens();
  ASSERT_EQ(fresh.size(), 1u);
  EXPECT_EQ(fresh[0].parts.number, BatchNumber(4));
  EXPECT_EQ(fresh[0].parts.previous, results[2].token);
}

// What it said stays said, whatever the same batch leads to after a repair.
TEST_P(E12Recovered, SaysNothingElseForWhatItHadSaid) {
  start();
  (void)tokens();
  FakeRunner others;
  others.diverges = {2};
  std::vector<BatchExecuted> agreed;
  for (const auto& one : batches) {
    others.apply(RunBatch{0, one, RunMode::kParallel, {}},
                 [&](Event event) { agreed.push_back(std::get<BatchExecuted>(std::move(event))); });
  }
  ASSERT_NE(agreed[1].token, results[1].token);
  tell(commit(2, agreed[1].token));
  EXPECT_TRUE(status().fetching);
  // It cannot run batch 3 again: of its bundles there were only heads.
  EXPECT_EQ(replica->executor->load().window_batches, 0u);
  replica->receive(Address::executor(0), batch(0, 3, {call(2)}));
  for (int round = 0; round < 20 && status().fetching; ++round) {
    for (const auto& [to, request] : replica->sent<wire::StateRequest>()) {
      others.apply(ServeState{Address::executor(1), request}, [&](const Event& event) {
        replica->receive(to, std::get<StateServed>(event).reply);
      });
    }
    replica->pass(50'000);
  }
  EXPECT_EQ(status().committed, BatchNumber(2));
  EXPECT_EQ(status().executed, BatchNumber(3));
  for (const wire::Token& token : tokens()) {
    if (token.parts.number != BatchNumber(3)) continue;
    EXPECT_EQ(token.token, results[2].token);
  }
}

// The simulator's, seed 3 of the liars that repeat themselves.
TEST_P(E12Recovered, SaysNothingOfWhatItMayHaveSaidDifferently) {
  unsure = {BatchNumber(3)};
  start();
  const auto repeated = tokens();
  ASSERT_EQ(repeated.size(), 1u);
  EXPECT_EQ(repeated[0].parts.number, BatchNumber(2));
  replica->pass(1'000'000);
  for (const wire::Token& token : tokens()) EXPECT_EQ(token.parts.number, BatchNumber(2));
}

TEST_P(E12Recovered, ANewViewDropsItAndProposesNothingOfIt) {
  start();
  tell(rollback(1, 1, results[0].token));  // executor 1 leads view 1
  EXPECT_EQ(status().executed, BatchNumber(1));
  EXPECT_EQ(replica->executor->load().pending_bundles, 0u);
  replica->idle();
  EXPECT_TRUE(replica->sent<wire::BatchMessage>().empty());
  replica->receive(Address::client(0), wire::BundleMessage{call(1)});
  replica->idle();
  EXPECT_FALSE(replica->sent<wire::BatchMessage>().empty());
}

TEST_P(E12Recovered, DoesNotLeadTheViewThatItLed) {
  start(0);
  (void)replica->sent<wire::Hello>();
  replica->receive(Address::client(0), wire::BundleMessage{call(3)});
  replica->idle();
  EXPECT_TRUE(replica->sent<wire::BatchMessage>().empty());
  replica->pass(3'000'000);
  EXPECT_TRUE(replica->sent<wire::BatchMessage>().empty()) << "nor what it had run is sent again";
  const auto hellos = replica->sent<wire::Hello>();
  ASSERT_FALSE(hellos.empty());
  EXPECT_TRUE(hellos.back().second.restarted) << "it asks for a view";
  EXPECT_FALSE(status().silent);
  tell(rollback(3, 1, results[0].token));  // its next one
  replica->receive(Address::client(0), wire::BundleMessage{call(3)});
  replica->idle();
  EXPECT_FALSE(replica->sent<wire::BatchMessage>().empty());
}

TEST_P(E12Recovered, AnIdlePrimaryAsksForAViewToo) {
  start(0);
  tell(commit(3, results[2].token));
  EXPECT_EQ(status().committed, BatchNumber(3));
  (void)replica->sent<wire::Hello>();
  replica->pass(3'000'000);
  const auto hellos = replica->sent<wire::Hello>();
  ASSERT_FALSE(hellos.empty());
  EXPECT_TRUE(hellos.back().second.restarted);
  EXPECT_NE(status().waiting_for, "");
}

TEST_P(E12Recovered, WithoutAllItsMemoryItHasWhatWasCommittedAndIsSilent) {
  start(1, 0, true);
  EXPECT_TRUE(status().silent);
  EXPECT_EQ(status().committed, BatchNumber(1));
  EXPECT_EQ(status().executed, BatchNumber(1));
  EXPECT_TRUE(tokens().empty());
  replica->receive(Address::executor(0), batch(0, 2, {call(1)}));
  EXPECT_TRUE(tokens().empty());
}

INSTANTIATE_TEST_SUITE_P(Models, E12Recovered, ::testing::Values(0u, 1u));

}  // namespace
}  // namespace eve::execution::executor_testing
