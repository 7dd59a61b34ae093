// Changes of the members at the runner (docs/membership.md, M3): what is executed, and the
// evidence.
#include <gtest/gtest.h>

#include "base/limits.h"
#include "execution/runner_testing.h"
#include "wire/membership.h"

namespace eve::execution {
namespace {

using testing::digester;
using testing::open;
using testing::Replica;
using wire::ReplyStatus;

wire::BundlePtr change(uint32_t epoch) {
  return wire::make_change({Epoch(epoch), 0, 1, "who comes"}, [](ByteView) { return Bytes(); });
}

std::optional<wire::Evidence> end(Replica& replica, uint64_t number) {
  const auto events = replica.apply(EndEpoch{BatchNumber(number)});
  if (events.empty()) return std::nullopt;
  return std::get<EpochEnded>(events.front()).evidence;
}

TEST(M3Executing, TheStatesEpochIsCountedUpAndTheBatchIsTheEvidence) {
  Replica replica;
  replica.open_session();
  const auto done = replica.run({change(0)});
  EXPECT_EQ(done.replies.front().status, ReplyStatus::kExecuted);
  EXPECT_EQ(done.replies.front().payload.view(), wire::change_reply(Epoch(1)));
  EXPECT_EQ(done.replies.front().client, limits::kOperator);
  replica.commit(2);
  const auto evidence = end(replica, 2);
  ASSERT_TRUE(evidence);
  EXPECT_EQ(evidence->parts, done.parts);
  const auto proven = wire::proven_change(*evidence, digester());
  ASSERT_TRUE(proven);
  EXPECT_EQ(*proven, (wire::Change{Epoch(0), 0, 1, "who comes"}));
  EXPECT_EQ(replica.runner.resume().epoch, Epoch(1));
  EXPECT_FALSE(end(replica, 1)) << "not the last batch of the epoch";
}

TEST(M3Executing, OneThatIsNotOfTheStatesEpochIsRefusedAndChangesNothing) {
  Replica replica;
  for (const uint32_t epoch : {1, 7}) {
    const auto done = replica.run({change(epoch)});
    EXPECT_EQ(done.replies.front().status, ReplyStatus::kOutOfOrder);
    EXPECT_TRUE(done.replies.front().payload.view().empty());
  }
  EXPECT_EQ(replica.runner.resume().epoch, Epoch(0));
  replica.run({change(0)});
  EXPECT_EQ(replica.run({change(0)}).replies.front().status, ReplyStatus::kOutOfOrder)
      << "a change is executed once";
  EXPECT_EQ(replica.run({change(1)}).replies.front().status, ReplyStatus::kExecuted);
  EXPECT_EQ(replica.runner.resume().epoch, Epoch(2));
}

TEST(M3Executing, OneThatIsNotAloneIsRefused) {
  Replica replica;
  const auto done = replica.run({change(0), open(0, 1)});
  EXPECT_EQ(done.replies[0].status, ReplyStatus::kOutOfOrder);
  EXPECT_EQ(done.replies[1].status, ReplyStatus::kExecuted);
  EXPECT_EQ(replica.runner.resume().epoch, Epoch(0));
}

TEST(M3Executing, ARollbackTakesItBack) {
  Replica replica;
  replica.open_session();
  const auto root = replica.runner.root();
  replica.run({change(0)});
  EXPECT_NE(replica.runner.root(), root);
  replica.roll_back(1);
  EXPECT_EQ(replica.runner.root(), root);
  EXPECT_EQ(replica.runner.resume().epoch, Epoch(0));
  EXPECT_FALSE(end(replica, 1));
  EXPECT_EQ(replica.run({change(0)}).replies.front().status, ReplyStatus::kExecuted);
}

// A restart: the evidence comes from the state, which the log's differences bring back.
TEST(M3Executing, WhoGotTheDifferenceOnlyHasTheEvidence) {
  Replica replica;
  const auto done = replica.run({change(0)});
  std::vector<Bytes> pieces;
  ASSERT_TRUE(replica.runner.difference(BatchNumber(1), 1u << 20,
                                        [&](Bytes piece) { pieces.push_back(std::move(piece)); }));
  Replica again;
  ASSERT_TRUE(again.runner.redo(done.parts, pieces));
  EXPECT_EQ(again.runner.resume().epoch, Epoch(1));
  const auto evidence = end(again, 1);
  ASSERT_TRUE(evidence);
  EXPECT_TRUE(wire::proven_change(*evidence, digester()));
}

TEST(M7Beginning, WhatIsNotCommittedIsUndoneAndWhatIsIsTheBeginning) {
  Replica replica;
  replica.open_session();
  const auto ending = replica.run({change(0)});
  replica.commit(2);
  const auto root = replica.runner.root();
  replica.run({open(0, 7)});
  ASSERT_NE(replica.runner.root(), root);

  const auto events = replica.apply(BeginEpoch{Epoch(1)});
  ASSERT_EQ(events.size(), 1u);
  const auto& begun = std::get<EpochBegun>(events.front());
  EXPECT_EQ(begun.epoch, Epoch(1));
  EXPECT_EQ(begun.state.parts, ending.parts);
  EXPECT_EQ(begun.state.token, ending.token);
  EXPECT_EQ(begun.state.epoch, Epoch(1));
  EXPECT_EQ(begun.state.sessions.size(), 1u);
  EXPECT_EQ(replica.runner.root(), root);
}

// Nobody who ran it has heard of the commit, perhaps: then nobody else holds it.
TEST(M7Beginning, WhatTheLinkSaysToBeCommittedIsIfItRanHere) {
  for (const bool same : {true, false}) {
    Replica replica;
    replica.open_session();
    replica.commit(1);
    const auto ending = replica.run({change(0)});
    const auto root = replica.runner.root();
    replica.run({open(0, 7)});
    const auto token = same ? ending.token : crypto::Digest();
    const auto events = replica.apply(BeginEpoch{Epoch(1), BatchNumber(2), token});
    const auto& begun = std::get<EpochBegun>(events.front());
    EXPECT_EQ(begun.state.parts.number, BatchNumber(same ? 2 : 1));
    EXPECT_EQ(begun.state.epoch, Epoch(same ? 1 : 0));
    EXPECT_EQ(replica.runner.root() == root, same);
  }
}

TEST(M7Beginning, AFetchIsGivenUp) {
  Replica replica;
  replica.open_session();
  replica.commit(1);
  Replica ahead;
  ahead.open_session();
  const auto target = ahead.run({change(0)});
  EXPECT_FALSE(replica.apply(StartFetch{target.parts}).empty());
  const auto events = replica.apply(BeginEpoch{Epoch(3)});
  EXPECT_EQ(std::get<EpochBegun>(events.front()).state.parts.number, BatchNumber(1));
  EXPECT_EQ(replica.run({open(0, 7)}).parts.number, BatchNumber(2)) << "it runs again";
}

TEST(M3Executing, SequentialAndParallelAgree) {
  Replica parallel(4);
  Replica sequential;
  const auto batch = parallel.batch({change(0)});
  EXPECT_EQ(parallel.run(batch).token, sequential.run(batch, RunMode::kSequential).token);
}

}  // namespace
}  // namespace eve::execution
