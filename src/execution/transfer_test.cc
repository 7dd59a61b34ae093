// Rule E7 as far as the runner is concerned: one replica fetches another's state.
#include "execution/transfer.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "execution/runner_testing.h"
#include "execution/session_mirror.h"

namespace eve::execution {
namespace {

using testing::call;
using testing::digester;
using testing::open;
using testing::Replica;
using testing::texts;

constexpr Address kPeer = Address::executor(1);

wire::StateReply serve(Replica& holder, BatchNumber number, std::vector<TreeNode> nodes) {
  auto events = holder.apply(ServeState{kPeer, {number, std::move(nodes)}});
  return std::get<StateServed>(events.at(0)).reply;
}

/// Carries wants and nodes between the two until the state is there.
Fetched fetch(Replica& fetcher, Replica& holder, std::vector<Event> events) {
  for (int round = 0; round < 1000; ++round) {
    if (const auto* fetched = std::get_if<Fetched>(&events.at(0))) return *fetched;
    const auto& wants = std::get<FetchWants>(events.at(0));
    EXPECT_EQ(wants.refused, 0u);
    EXPECT_LE(wants.nodes.size(), limits::kTransferNodesPerRequest);
    SupplyFetch supply{kPeer, serve(holder, BatchNumber(holder.number), wants.nodes), {}};
    for (size_t i = supply.reply.nodes.size(); i < wants.nodes.size(); ++i) {
      supply.failed.push_back(wants.nodes[i]);
    }
    events = fetcher.apply(supply);
  }
  ADD_FAILURE() << "the fetch does not end";
  return {};
}

/// Opens session 1 of client 0 and fills `batches` more batches; the last replies stay in the
/// cache.
BatchExecuted fill(Replica& replica, uint64_t batches) {
  const SessionId id = replica.open_session();
  BatchExecuted last;
  for (uint64_t i = 0; i < batches; ++i) {
    std::vector<Bytes> requests;
    for (uint64_t k = 0; k < 50; ++k) {
      requests.push_back("set k" + std::to_string(i * 37 + k) + " " + std::to_string(i));
    }
    last = replica.run({call(0, id, 1 + i * 50, requests, i > 1 ? (i - 1) * 50 : 0)});
    replica.commit(replica.number);
  }
  return last;
}

TEST(E7Transfer, BringsStateSessionsRepliesAndTheChainOfTokens) {
  Replica holder;
  const BatchExecuted last = fill(holder, 30);
  Replica fetcher;
  fetcher.run({open(5, 5)});  // its own history diverged
  const Fetched fetched = fetch(fetcher, holder, fetcher.apply(StartFetch{last.parts}));
  EXPECT_EQ(fetched.parts, last.parts);
  EXPECT_EQ(fetched.token, last.token);
  EXPECT_EQ(fetched.last_time_us, holder.time);
  ASSERT_EQ(fetched.sessions.size(), 1u);
  const SessionSnapshot& session = fetched.sessions[0];
  EXPECT_EQ(session.client, 0);
  EXPECT_EQ(session.opened_with, RequestNumber(1));
  EXPECT_EQ(session.next, RequestNumber(1501));
  ASSERT_EQ(session.replies.size(), 3u);
  EXPECT_EQ(session.replies[1].first, RequestNumber(1401));
  EXPECT_EQ(session.replies[2].payload.view(), last.replies[0].payload.view());
  EXPECT_EQ(session.replies[2].digest, last.replies[0].digest);
  EXPECT_EQ(fetcher.runner.root(), holder.runner.root());
  EXPECT_EQ(fetcher.runner.recompute_root(), holder.runner.root());

  const auto next = holder.batch({call(0, session.session, 1501, {"get k5", "add n 1"}, 1500),
                                  call(0, session.session, 1451, {"get k5"})});
  const BatchExecuted there = holder.run(next);
  const BatchExecuted here = fetcher.run(next);
  EXPECT_EQ(here.token, there.token);
  EXPECT_EQ(serve(fetcher, here.parts.number, {}).parts, here.parts);
}

/// Or a client whose opening only the liar and one other executor ran waits for ever (trap 8).
TEST(E7Transfer, BringsTheReplyToAnOpening) {
  Replica holder;
  const auto opening = open(0, 1);
  const BatchExecuted last = holder.run({opening});
  holder.commit(holder.number);
  Replica fetcher;
  SessionMirror mirror;
  const auto fresh =
      mirror.install(fetch(fetcher, holder, fetcher.apply(StartFetch{last.parts})).sessions);
  ASSERT_EQ(fresh.size(), 1u);
  EXPECT_EQ(fresh[0].digest, last.replies[0].digest);
  EXPECT_EQ(mirror.standing(*opening), Standing::kAnswered);
  ASSERT_NE(mirror.answer(*opening), nullptr);
  EXPECT_EQ(mirror.answer(*opening)->payload.view(), last.replies[0].payload.view());
}

TEST(E7Transfer, RefusesLiesAndAsksAgain) {
  Replica holder;
  const BatchExecuted last = fill(holder, 3);
  Replica fetcher;
  const auto events = fetcher.apply(StartFetch{last.parts});
  const auto wants = std::get<FetchWants>(events.at(0));
  SupplyFetch lie{kPeer, serve(holder, last.parts.number, wants.nodes), {}};
  ASSERT_FALSE(lie.reply.nodes.empty());
  for (auto& node : lie.reply.nodes) {
    Bytes bytes(node.payload.view());
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    node.payload = SharedBytes(bytes);
  }
  auto again = fetcher.apply(lie);
  auto& more = std::get<FetchWants>(again.at(0));
  EXPECT_EQ(more.refused, lie.reply.nodes.size());
  EXPECT_EQ(more.nodes, wants.nodes);
  more.refused = 0;
  EXPECT_EQ(fetch(fetcher, holder, again).token, last.token);
}

TEST(E7Transfer, ANewerTargetTakesOver) {
  Replica holder;
  const BatchExecuted old = fill(holder, 3);
  Replica fetcher;
  fetcher.apply(StartFetch{old.parts});
  const BatchExecuted newer = holder.run({open(1, 1)});
  const Fetched fetched = fetch(fetcher, holder, fetcher.apply(StartFetch{newer.parts}));
  EXPECT_EQ(fetched.token, newer.token);
  EXPECT_EQ(fetched.sessions.size(), 2u);
}

TEST(E7Transfer, RollbackGivesTheFetchUp) {
  Replica holder;
  const BatchExecuted last = fill(holder, 3);
  Replica fetcher;
  const auto batch = fetcher.batch({open(1, 1)});
  const BatchExecuted before = fetcher.run(batch);
  fetcher.apply(StartFetch{last.parts});
  EXPECT_TRUE(fetcher.apply(RunBatch{1, batch, RunMode::kParallel}).empty());
  fetcher.commit(1);
  fetcher.apply(RollbackTo{BatchNumber(0)});
  EXPECT_EQ(fetcher.run(batch).token, before.token);
  const auto late = fetcher.apply(SupplyFetch{kPeer, {}, {}});
  EXPECT_TRUE(std::get<FetchWants>(late.at(0)).nodes.empty());
}

TEST(ServeState, GivesPartsOfReadableVersionsAndBoundedChunks) {
  Replica holder;
  const SessionId id = holder.open_session();
  const BatchExecuted second = holder.run({call(0, id, 1, {"big 900000"})});
  const BatchExecuted third = holder.run({call(0, id, 2, {"big 900000"}, 1)});
  EXPECT_EQ(serve(holder, BatchNumber(2), {}).parts, second.parts);
  EXPECT_EQ(serve(holder, BatchNumber(3), {}).parts, third.parts);
  EXPECT_FALSE(serve(holder, BatchNumber(4), {{TreeNode::kRootLevel, 0}}).parts.has_value());
  EXPECT_TRUE(serve(holder, BatchNumber(4), {{TreeNode::kRootLevel, 0}}).nodes.empty());
  const wire::StateReply root = serve(holder, BatchNumber(2), {{TreeNode::kRootLevel, 0}});
  ASSERT_EQ(root.nodes.size(), 1u);
  EXPECT_EQ(digester().digest(root.nodes[0].payload.view()), second.parts.state);
  std::vector<TreeNode> many(2000, TreeNode{TreeNode::kRootLevel, 0});
  EXPECT_EQ(serve(holder, BatchNumber(2), many).nodes.size(), limits::kTransferNodesPerRequest);
  std::vector<TreeNode> leaves;
  for (uint64_t i = 0; i < 8; ++i) leaves.insert(leaves.end(), 8, TreeNode{0, i});
  size_t bytes = 0;
  for (const auto& node : serve(holder, BatchNumber(3), leaves).nodes) bytes += node.payload.size();
  EXPECT_GT(bytes, 900'000u);
  EXPECT_LE(bytes, limits::kTransferChunkBytes);
}

/// What a node asks that knows nothing yet (M14): not what only ran.
TEST(ServeState, NumberZeroAsksForTheNewestCommittedOne) {
  Replica holder;
  EXPECT_EQ(serve(holder, BatchNumber(), {}).parts->number, BatchNumber()) << "genesis";
  const SessionId id = holder.open_session();
  const BatchExecuted second = holder.run({call(0, id, 1, {"set a 1"})});
  holder.commit(2);
  holder.run({call(0, id, 2, {"set a 2"}, 1)});
  const wire::StateReply newest = serve(holder, BatchNumber(), {});
  EXPECT_EQ(newest.number, BatchNumber()) << "the question's";
  EXPECT_EQ(newest.parts, second.parts);
  const wire::StateReply nodes = serve(holder, BatchNumber(), {{TreeNode::kRootLevel, 0}});
  EXPECT_NE(nodes.parts, second.parts) << "nodes are of the version that is named";
  holder.roll_back(2);
  EXPECT_EQ(serve(holder, BatchNumber(), {}).parts, second.parts);
}

TEST(ServeState, ForgetsOldVersions) {
  Replica holder;
  fill(holder, 2 * limits::kHistoryBatches);
  EXPECT_FALSE(serve(holder, BatchNumber(3), {}).parts.has_value());
  EXPECT_TRUE(serve(holder, BatchNumber(holder.number - 1), {}).parts.has_value());
}

}  // namespace
}  // namespace eve::execution
