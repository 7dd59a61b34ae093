// Quarantined bundles: answered, not executed (R1); and how a bundle that always fails comes to be
// alone and first (E1), so that verifiers know it.
#include <gtest/gtest.h>

#include <algorithm>

#include "execution/executor_testing.h"
#include "execution/runner_testing.h"

namespace eve::execution {
namespace {

using wire::ReplyStatus;

wire::Names names_of(std::vector<wire::BundlePtr> bundles, const crypto::Digester& digester) {
  wire::Names names;
  for (const auto& bundle : bundles) names.push_back(wire::bundle_name(*bundle, digester));
  std::sort(names.begin(), names.end());
  return names;
}

// ---- The runner --------------------------------------------------------------------------------

class R1Quarantine : public ::testing::Test {
 protected:
  BatchExecuted run(const std::vector<wire::BundlePtr>& bundles,
                    const std::vector<wire::BundlePtr>& listed) {
    const auto names = names_of(listed, testing::digester());
    auto events = replica_.apply(RunBatch{1, replica_.batch(bundles), RunMode::kSequential, names});
    return std::get<BatchExecuted>(events.at(0));
  }
  testing::Replica replica_;
  SessionId id_ = replica_.open_session();
  SessionId other_ = replica_.open_session(1);
  wire::BundlePtr poison_ = testing::call(0, id_, 1, {"set a poisoned", "set b poisoned"});
};

TEST_F(R1Quarantine, NothingOfItRunsAndItsSessionMovesPastIt) {
  const auto after = testing::call(0, id_, 3, {"get a"});
  const BatchExecuted done =
      run({poison_, testing::call(1, other_, 1, {"get b"}), after}, {poison_});
  EXPECT_EQ(done.replies[0].status, ReplyStatus::kQuarantined);
  EXPECT_TRUE(done.replies[0].payload.view().empty());
  EXPECT_EQ(done.replies[0].digest,
            wire::reply_digest(ReplyStatus::kQuarantined, "", testing::digester()));
  EXPECT_EQ(testing::texts(done.replies[1], 1), std::vector<Bytes>{"none"});
  EXPECT_EQ(testing::texts(done.replies[2], 1), std::vector<Bytes>{"none"});
  EXPECT_EQ(done.requests, 2u);
  EXPECT_EQ(done.quarantined, 2u);
}

// The cache keeps the answer: a view that lists nothing repeats it, and does not run the bundle.
TEST_F(R1Quarantine, IsForEver) {
  const BatchExecuted first = run({poison_}, {poison_});
  const BatchExecuted again = run({poison_, testing::call(0, id_, 3, {"get a"})}, {});
  EXPECT_EQ(again.replies[0].status, ReplyStatus::kQuarantined);
  EXPECT_EQ(again.replies[0].digest, first.replies[0].digest);
  EXPECT_EQ(testing::texts(again.replies[1], 1), std::vector<Bytes>{"none"});
  EXPECT_EQ(again.quarantined, 0u);
}

TEST_F(R1Quarantine, WhatHasRunStaysAnswered) {
  run({poison_}, {});
  const BatchExecuted again = run({poison_}, {poison_});
  EXPECT_EQ(again.replies[0].status, ReplyStatus::kExecuted);
}

TEST_F(R1Quarantine, IsUndoneWithItsBatch) {
  run({poison_}, {poison_});
  replica_.roll_back(2);
  EXPECT_EQ(run({poison_}, {}).replies[0].status, ReplyStatus::kExecuted);
  EXPECT_EQ(replica_.runner.root(), replica_.runner.recompute_root());
}

TEST_F(R1Quarantine, StateTransferKeepsIt) {
  const BatchExecuted done = run({poison_}, {poison_});
  testing::Replica fetching;
  std::vector<Event> events = fetching.apply(StartFetch{done.parts});
  for (int round = 0; round < 100 && !std::holds_alternative<Fetched>(events.at(0)); ++round) {
    const auto& wants = std::get<FetchWants>(events.at(0));
    auto served =
        replica_.apply(ServeState{Address::executor(1), {done.parts.number, wants.nodes}});
    events = fetching.apply(
        SupplyFetch{Address::executor(0), std::get<StateServed>(served.at(0)).reply, {}});
  }
  const auto& fetched = std::get<Fetched>(events.at(0));
  const auto session =
      std::find_if(fetched.sessions.begin(), fetched.sessions.end(),
                   [&](const SessionSnapshot& snapshot) { return snapshot.session == id_; });
  ASSERT_NE(session, fetched.sessions.end());
  EXPECT_EQ(session->replies.back().first, RequestNumber(1));
  EXPECT_EQ(session->replies.back().status, ReplyStatus::kQuarantined);
  EXPECT_EQ(session->next, RequestNumber(3));
}

}  // namespace

namespace executor_testing {
namespace {

wire::Verdict quarantining(uint64_t view, wire::Names names) {
  wire::Verdict verdict = rollback(view, 0, genesis());
  verdict.quarantine = std::move(names);
  return verdict;
}

std::vector<wire::Names> lists_run(const Replica& replica) {
  std::vector<wire::Names> lists;
  for (const Command& command : replica.commands) {
    if (const auto* run = std::get_if<RunBatch>(&command)) lists.push_back(run->quarantine);
  }
  return lists;
}

TEST(E6Quarantine, AListCountsFromOneMoreThanCanLie) {
  Replica backup(options(1, 1, 2));
  backup.eager = false;
  const auto names = names_of({call(1)}, digester());
  backup.receive(Address::verifier(0), quarantining(1, names));
  EXPECT_EQ(backup.executor->status().view, View(0));
  backup.receive(Address::verifier(1), quarantining(1, {}));
  EXPECT_EQ(backup.executor->status().view, View(0)) << "two lists, one verifier each";
  backup.receive(Address::verifier(2), quarantining(1, names));
  EXPECT_EQ(backup.executor->status().view, View(1));
  backup.receive(Address::executor(1), batch(1, 1, {call(1)}));
  EXPECT_EQ(lists_run(backup), std::vector<wire::Names>{names});
}

TEST(E6Quarantine, EndsWithTheView) {
  Replica backup(options(1, 0, 2));
  backup.eager = false;
  tell(backup, 1, quarantining(1, names_of({call(1)}, digester())));
  tell(backup, 1, rollback(3, 0, genesis()));
  backup.receive(Address::executor(0), batch(3, 1, {call(1)}));
  EXPECT_EQ(lists_run(backup), std::vector<wire::Names>{{}});
}

TEST(E4Token, NamesTheSoleBundleOfTheFirstBatchOnly) {
  const auto sole = [](uint64_t view, const std::vector<wire::BundlePtr>& bundles) {
    Replica backup(options(1, 0, 2));
    if (view > 0) tell(backup, 1, rollback(view, 0, genesis()));
    backup.receive(Address::executor(view), batch(view, 1, bundles));
    backup.receive(Address::executor(view), batch(view, 2, {open(9)}));
    const auto tokens = backup.sent<wire::Token>();
    EXPECT_EQ(tokens.back().second.parts.number, BatchNumber(2));
    EXPECT_FALSE(tokens.back().second.sole);
    return tokens.front().second.sole;
  };
  EXPECT_EQ(sole(1, {call(1)}), wire::bundle_name(*call(1), digester()));
  EXPECT_FALSE(sole(1, {call(1), open(1)}));
  EXPECT_FALSE(sole(1, {open(1)}));
  EXPECT_FALSE(sole(0, {call(1)})) << "view 0 runs in parallel";
}

/// The sizes of the batches that executor 2 proposes in view 2, when what it saw fail in view 1 was
/// a batch of `failed` openings, and `waiting` more wait.
std::vector<size_t> proposed_after(size_t failed, size_t waiting) {
  Replica next(options(1, 0, 2));
  std::vector<wire::BundlePtr> bundles;
  for (uint64_t i = 0; i < failed; ++i) bundles.push_back(open(1 + i));
  if (failed > 0) {
    tell(next, 1, rollback(1, 0, genesis()));
    next.receive(Address::executor(1), batch(1, 1, bundles));
  }
  for (uint64_t i = 0; i < waiting; ++i) {
    next.receive(Address::client(0), wire::BundleMessage{open(1000 + i)});
  }
  tell(next, 1, rollback(2, 0, genesis()));
  std::vector<size_t> sizes;
  uint64_t committed = 0;
  for (int i = 0; i < 40 && sizes.size() < 18; ++i) {
    next.idle();
    for (const auto& [to, message] : next.sent<wire::BatchMessage>()) {
      if (to == Address::executor(0)) sizes.push_back(message.batch->bundles.size());
    }
    if (committed < sizes.size()) {
      ++committed;
      tell(next, 1, commit(committed, next.runner.token(committed)));
    }
  }
  return sizes;
}

TEST(E1Splitting, WhatFailedInOrderIsSplitOverTheStretch) {
  const auto sizes = proposed_after(40, 0);
  EXPECT_EQ(sizes, (std::vector<size_t>{3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 1}));
}

TEST(E1Splitting, ASmallBatchIsSplitIntoSingleBundlesForTheStretchOnly) {
  auto sizes = proposed_after(10, 30);
  ASSERT_GT(sizes.size(), limits::kWindow);
  for (size_t i = 0; i < limits::kWindow; ++i) EXPECT_EQ(sizes[i], 1u) << i;
  EXPECT_EQ(sizes[limits::kWindow], 24u);
}

TEST(E1Splitting, AViewThatBoreNothingForOtherReasonsIsNotSplit) {
  EXPECT_EQ(proposed_after(0, 5), std::vector<size_t>{5}) << "the first such view";
}

// The simulator's, crash, storage damaged, seed 41: disks that take 20 ms for a sync, and a client
// that asks for more than that allows, had views end one another for ever.
TEST(E1Splitting, WhatWasOnItsWayInAViewThatBoreSomethingIsNotSplit) {
  Replica next(options(1, 0, 2));
  tell(next, 1, rollback(1, 0, genesis()));
  next.receive(Address::executor(1), batch(1, 1, {open(500)}));
  tell(next, 1, commit(1, next.runner.token(1), 1));
  std::vector<wire::BundlePtr> bundles;
  for (uint64_t i = 0; i < 10; ++i) bundles.push_back(open(1 + i));
  next.receive(Address::executor(1), batch(1, 2, bundles));
  tell(next, 1, rollback(2, 1, next.runner.token(1)));
  next.idle();
  const auto batches = next.sent<wire::BatchMessage>();
  ASSERT_FALSE(batches.empty());
  EXPECT_EQ(batches.front().second.batch->bundles.size(), 10u);
}

// The primary of this view did not see what failed: after two views that bore nothing it splits.
TEST(E1Splitting, WithoutTheBatchThatFailedItIsSplitAfterTwoViewsInVain) {
  Replica next(options(1, 0, 0));
  tell(next, 1, rollback(1, 0, genesis()));
  tell(next, 1, rollback(2, 0, genesis()));
  for (uint64_t i = 0; i < 3; ++i) {
    next.receive(Address::client(0), wire::BundleMessage{open(1 + i)});
  }
  tell(next, 1, rollback(3, 0, genesis()));
  next.idle();
  const auto batches = next.sent<wire::BatchMessage>();
  ASSERT_FALSE(batches.empty());
  for (const auto& [to, message] : batches) EXPECT_EQ(message.batch->bundles.size(), 1u);
}

TEST(E9Suspicion, OneThatIsDownCostsNoMoreWhileOthersWorkInVain) {
  Replica backup(options(1, 0, 2));
  for (uint64_t view = 1; view <= 8; ++view) {
    tell(backup, 1, rollback(view, 0, genesis()));
    backup.receive(Address::client(0), wire::BundleMessage{open(1), true});
    const bool down = view % 3 == 0;
    if (!down && view % 3 == 1) backup.receive(Address::executor(1), batch(view, 1, {open(1)}));
    if (view % 3 == 2) backup.idle();
    backup.sent<wire::Suspect>();
    backup.pass(500'000);
    EXPECT_EQ(!backup.sent<wire::Suspect>().empty(), down || view == 1) << view;
  }
}

// Found by the simulator (seed 529 --service poison): a primary that sent its batches to one
// executor alone had 64 times the usual wait from it at each of its turns.
TEST(E9Suspicion, WhoHasRunTheBatchWaitsForOthersOnly) {
  Replica backup(options(1, 0, 2));
  for (uint64_t view = 1; view <= 9; ++view) {
    tell(backup, 1, rollback(view, 0, genesis()));
    backup.receive(Address::client(0), wire::BundleMessage{open(1), true});
    if (view % 3 == 2) backup.idle();
    if (view % 3 != 2) backup.receive(Address::executor(view % 3), batch(view, 1, {open(1)}));
    if (view < 9) backup.pass(3'300'000);  // it loses its patience
  }
  backup.sent<wire::Suspect>();
  backup.pass(3'100'000);
  EXPECT_TRUE(backup.sent<wire::Suspect>().empty()) << "others may be slower";
  backup.pass(200'000);
  EXPECT_FALSE(backup.sent<wire::Suspect>().empty());

  tell(backup, 1, rollback(10, 0, genesis()));
  backup.eager = false;
  backup.receive(Address::executor(1), batch(10, 1, {open(1)}));
  backup.sent<wire::Suspect>();
  backup.pass(3'500'000);
  backup.run();
  backup.pass(3'300'000);
  EXPECT_TRUE(backup.sent<wire::Suspect>().empty()) << "they may take as long again";
  backup.pass(400'000);
  EXPECT_FALSE(backup.sent<wire::Suspect>().empty());
}

}  // namespace
}  // namespace executor_testing
}  // namespace eve::execution
