// Rules R2, R3 and R5: batches, their results and their tokens.
#include "execution/runner.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "execution/reply_store.h"
#include "execution/runner_testing.h"

namespace eve::execution {
namespace {

using testing::call;
using testing::digester;
using testing::open;
using testing::Replica;
using testing::texts;
using wire::ReplyStatus;
using Texts = std::vector<Bytes>;

Bytes random_request(Random& random) {
  const auto key = [&] { return "k" + std::to_string(random.below(12)); };
  switch (random.below(8)) {
    case 0:
      return "set " + key() + " " + std::to_string(random.below(100));
    case 1:
    case 2:
      return "get " + key();
    case 3:
    case 4:
      return "add " + key() + " " + std::to_string(random.below(9));
    case 5:
      return "move " + key() + " " + key() + " 3";
    case 6:
      return random.chance(1, 6) ? "count" : "stamp";
    default:
      return random.chance(1, 20) ? "fail " + key() : "add " + key() + " 1";
  }
}

TEST(R2Mixed, ParallelEqualsSequentialInStateRepliesAndToken) {
  Replica sequential;
  Replica one;
  Replica four(4);
  const SessionId id = sequential.open_session();
  one.open_session();
  four.open_session();
  Random random(1);
  uint64_t next = 1;
  for (int round = 0; round < 60; ++round) {
    std::vector<wire::BundlePtr> bundles;
    for (uint64_t b = 1 + random.below(4); b > 0; --b) {
      std::vector<Bytes> requests(1 + random.below(60));
      for (Bytes& request : requests) request = random_request(random);
      bundles.push_back(call(0, id, next, requests, next - 1));
      next += requests.size();
    }
    const auto batch = sequential.batch(bundles);
    const BatchExecuted expected = sequential.run(batch, RunMode::kSequential);
    for (Replica* replica : {&one, &four}) {
      const BatchExecuted done = replica->run(batch);
      ASSERT_EQ(done.parts, expected.parts) << "round " << round;
      ASSERT_EQ(done.token, expected.token);
      ASSERT_EQ(done.requests, expected.requests);
      for (size_t i = 0; i < done.replies.size(); ++i) {
        ASSERT_EQ(done.replies[i].payload.view(), expected.replies[i].payload.view());
      }
    }
  }
  EXPECT_EQ(four.runner.root(), four.runner.recompute_root());
}

TEST(R2Mixed, ExpensiveRequestsAreSpreadAndCheapOnesAreNot) {
  Replica replica(4);
  const SessionId id = replica.open_session();
  replica.run({call(0, id, 1, {"get a", "get b", "get c"})});
  EXPECT_EQ(replica.scheduler.tasks, 0u);
  const std::vector<Bytes> large(64, "big 1000000");
  replica.run({call(0, id, 4, large, 3)});
  replica.run({call(0, id, 68, large, 67)});
  EXPECT_GE(replica.scheduler.tasks, 8u);
}

TEST(R2Mixed, ALyingFootprintHarmsNothingButTheCount) {
  Replica replica(4);
  const SessionId id = replica.open_session();
  const std::vector<Bytes> heavy(8, "big 3000000");  // teaches that requests are expensive
  replica.run({call(0, id, 1, heavy)});
  const BatchExecuted done = replica.run({call(0, id, 9, std::vector<Bytes>(200, "lie a"), 8)});
  EXPECT_EQ(done.parallel_batches, 1u);
  EXPECT_EQ(replica.runner.root(), replica.runner.recompute_root());
  replica.roll_back(2);
  EXPECT_EQ(replica.runner.root(), replica.runner.recompute_root());
  const auto again = replica.batch({call(0, id, 9, std::vector<Bytes>(200, "lie a"), 8)});
  EXPECT_EQ(texts(replica.run(again, RunMode::kSequential).replies[0], 200).back(), "200");
}

TEST(R3Throwing, LeavesNothingButTheFixedReply) {
  for (const RunMode mode : {RunMode::kParallel, RunMode::kSequential}) {
    Replica replica(4);
    const SessionId id = replica.open_session();
    const BatchExecuted done = replica.run(
        replica.batch({call(0, id, 1, {"set a before", "fail a", "get a", "fail b", "get b"})}),
        mode);
    const Bytes failed(kRequestFailed);
    EXPECT_EQ(texts(done.replies[0], 5), (Texts{"before", failed, "before", failed, "none"}));
    EXPECT_EQ(done.requests, 5u);
    EXPECT_EQ(done.failed, 2u);
    EXPECT_EQ(done.failure, "as asked for");
    EXPECT_EQ(replica.runner.root(), replica.runner.recompute_root());
    const auto again = replica.run({call(0, id, 6, {"get a", "get b"})});
    EXPECT_EQ(texts(again.replies[0], 2), (Texts{"before", "none"}));
  }
}

TEST(R5Token, IsTheDigestOfItsParts) {
  Replica replica;
  const crypto::Digest genesis = wire::genesis_token(replica.runner.empty_root(), digester());
  const auto batch = replica.batch({open(0, 1), open(1, 1)});
  const BatchExecuted done = replica.run(batch);
  EXPECT_EQ(done.generation, 1u);
  EXPECT_EQ(done.parts.number, BatchNumber(1));
  EXPECT_EQ(done.parts.previous, genesis);
  EXPECT_EQ(done.parts.batch, batch->digest);
  EXPECT_EQ(done.parts.state, replica.runner.root());
  Bytes digests;
  for (const BundleReply& reply : done.replies) {
    EXPECT_EQ(reply.digest, wire::reply_digest(reply.status, reply.payload.view(), digester()));
    digests.append(reply.digest.view());
  }
  EXPECT_EQ(done.parts.replies, digester().digest(digests));
  EXPECT_EQ(done.token, wire::token_of(done.parts, digester()));
  EXPECT_EQ(replica.run(replica.batch({})).parts.previous, done.token);
}

TEST(R5Token, RequestsSeeTheBatchsTimeAndTheirOwnRandomNumbers) {
  Replica replica(2);
  const SessionId id = replica.open_session();
  const BatchExecuted done = replica.run({call(0, id, 1, {"stamp", "stamp"})});
  const Texts stamps = texts(done.replies[0], 2);
  const std::string time = std::to_string(replica.time);
  EXPECT_EQ(stamps[0].substr(0, time.size() + 4), time + " 2 0");
  EXPECT_EQ(stamps[1].substr(0, time.size() + 4), time + " 2 1");
  EXPECT_NE(stamps[0].substr(time.size() + 4), stamps[1].substr(time.size() + 4));
}

TEST(Runner, RunsOnlyTheNextBatch) {
  Replica replica;
  const auto one = replica.batch({open(0, 1)});
  const auto two = replica.batch({});
  EXPECT_TRUE(replica.apply(RunBatch{1, two, RunMode::kParallel}).empty());
  EXPECT_EQ(replica.apply(RunBatch{1, one, RunMode::kParallel}).size(), 1u);
  EXPECT_TRUE(replica.apply(RunBatch{1, one, RunMode::kParallel}).empty());
}

TEST(Runner, RollbackThenRerunGivesTheSameTokens) {
  Replica replica(2);
  const SessionId id = replica.open_session();
  std::vector<wire::BatchPtr> batches;
  std::vector<crypto::Digest> tokens;
  for (uint64_t i = 1; i <= 8; ++i) {
    batches.push_back(replica.batch({call(0, id, i, {"add a 1"}, i / 2), open(1, i)}));
    tokens.push_back(replica.run(batches.back()).token);
  }
  replica.commit(5);
  replica.commit(3);  // late, and no harm
  for (uint64_t back : {8, 7, 5}) {
    replica.apply(RollbackTo{BatchNumber(back)});
    for (size_t i = back - 1; i < batches.size(); ++i) {
      ASSERT_EQ(replica.run(batches[i], RunMode::kSequential).token, tokens[i]);
    }
  }
}

TEST(Runner, CutsRepliesThatAreTooLarge) {
  Replica replica;
  const SessionId id = replica.open_session();
  const std::string over = std::to_string((16u << 20) + 1);
  const std::string most = std::to_string(16u << 20);
  const BatchExecuted done = replica.run({call(
      0, id, 1, {"big " + over, "big " + most, "big " + most, "big " + most, "big " + most})});
  const Texts replies = texts(done.replies[0], 5);
  ASSERT_EQ(replies.size(), 5u);
  EXPECT_EQ(replies[0], kReplyTooLarge);
  EXPECT_EQ(replies[1].size(), 16u << 20);
  EXPECT_EQ(replies[3].size(), 16u << 20);
  EXPECT_EQ(replies[4], kReplyTooLarge);  // one more would not fit into a message
}

/// Switches nothing, but says that it might: every request must then be a task of its own.
class HookedScheduler final : public Scheduler, public AccessHook {
 public:
  size_t workers() const override { return 1; }
  void run(size_t count, uint64_t, const std::function<void(size_t, size_t)>& task) override {
    inside_ = true;
    for (size_t i = 0; i < count; ++i) task(0, i);
    inside_ = false;
    tasks += count;
  }
  AccessHook* hook() override { return this; }
  void on_access() override {
    ++accesses;
    outside += inside_ ? 0 : 1;
  }
  size_t tasks = 0;
  size_t accesses = 0;
  size_t outside = 0;

 private:
  bool inside_ = false;
};

TEST(Runner, UnderAHookEachRequestIsATaskAndTheEngineIsNotWatched) {
  HookedScheduler scheduler;
  Runner runner(digester(), scheduler, testing::make_words, [] { return TimeUs(0); });
  Replica source;
  runner.apply(RunBatch{1, source.batch({open(0, 1)}), RunMode::kParallel}, [](const Event&) {});
  scheduler.tasks = 0;
  const SessionId id(1u << 16);
  size_t requests = 0;
  const auto count = [&](const Event& event) {
    requests += std::get<BatchExecuted>(event).requests;
  };
  const std::vector<Bytes> sets{"set a 1", "set b 1", "set c 1", "set a 2"};
  runner.apply(RunBatch{1, source.batch({call(0, id, 1, sets)}), RunMode::kParallel}, count);
  EXPECT_EQ(requests, 4u);
  EXPECT_GE(scheduler.tasks, 4u);
  EXPECT_EQ(scheduler.accesses, 4u);
  runner.apply(RunBatch{1, source.batch({call(0, id, 5, sets)}), RunMode::kSequential}, count);
  EXPECT_EQ(requests, 8u);
  EXPECT_EQ(scheduler.accesses, 8u);
  EXPECT_EQ(scheduler.outside, 0u);
}

}  // namespace
}  // namespace eve::execution
