// State transfer, requesting side, message by message: late, doubled and crossing answers (E7).
#include "execution/repair.h"

#include <gtest/gtest.h>

#include "execution/executor_testing.h"

namespace eve::execution::executor_testing {
namespace {

constexpr TimeUs kPatience = 1'000;

wire::TokenParts parts_of(uint64_t number) {
  return {BatchNumber(number), digest_of("before"), digest_of("batch"),
          digest_of("state " + std::to_string(number)), digest_of("replies")};
}
crypto::Digest token_of(uint64_t number) {
  return wire::token_of(parts_of(number), digester());
}

/// Executor 2 of three, whose runner the test plays.
class Fetching : public ::testing::Test {
 protected:
  void begin(uint64_t number) { repair.begin(BatchNumber(number), token_of(number), now, out); }
  bool answer(uint16_t peer, uint64_t number, const std::vector<TreeNode>& nodes = {}) {
    wire::StateReply reply{BatchNumber(number), parts_of(number), {}};
    for (TreeNode node : nodes) reply.nodes.push_back({node, SharedBytes("payload")});
    return repair.on_reply(reply, peer, now, out);
  }
  bool deny(uint16_t peer, uint64_t number) {
    return repair.on_reply({BatchNumber(number), std::nullopt, {}}, peer, now, out);
  }
  void want(const std::vector<TreeNode>& nodes) {
    EXPECT_FALSE(repair.on_wants({nodes, 0}, now, out).has_value());
  }
  /// Whom the nodes were asked of since the last call.
  std::map<TreeNode, std::vector<uint16_t>> asked() {
    std::map<TreeNode, std::vector<uint16_t>> found;
    for (const wire::Send& send : out.sends) {
      for (TreeNode node : std::get<wire::StateRequest>(*send.message).nodes) {
        for (Address to : send.to) found[node].push_back(to.index);
      }
    }
    out.sends.clear();
    return found;
  }
  template <typename Kind>
  size_t commands() {
    const auto count =
        std::count_if(out.commands.begin(), out.commands.end(),
                      [](const Command& command) { return std::holds_alternative<Kind>(command); });
    out.commands.clear();
    return static_cast<size_t>(count);
  }

  TimeUs now = 10'000;
  Outbox out;
  Repair repair{FaultModel(1, 1), 2, kPatience, digester()};
  const TreeNode a{0, 1};
  const TreeNode b{0, 2};
};

TEST_F(Fetching, SaysWhatItWaitsFor) {
  EXPECT_EQ(repair.waiting_for(), "");
  EXPECT_FALSE(repair.stuck(now));
  begin(5);
  EXPECT_EQ(repair.waiting_for(), "an executor that holds state 5");
  answer(0, 5);
  want({a, b});
  EXPECT_EQ(repair.waiting_for(), "2 nodes of state 5");
  repair.check(now, out);
  EXPECT_EQ(commands<StartFetch>(), 1u);
}

TEST_F(Fetching, PartsOfAnotherNumberAreALie) {
  begin(5);
  wire::StateReply reply{BatchNumber(5), parts_of(4), {}};
  EXPECT_FALSE(repair.on_reply(reply, 0, now, out));
  reply.parts->number =
      BatchNumber(5);  // other parts than the token's, and nodes that go with them
  reply.nodes.push_back({a, SharedBytes("payload")});
  EXPECT_FALSE(repair.on_reply(reply, 1, now, out));
  EXPECT_TRUE(repair.stuck(now)) << "nobody is left";
  EXPECT_EQ(commands<StartFetch>(), 0u);
}

// It may have run the batch, and not have heard yet that others came to another state.
TEST_F(Fetching, WhoHasDivergedHoldsAnotherVersionAndDoesNotLie) {
  begin(5);
  wire::StateReply reply{BatchNumber(5), parts_of(5), {}};
  reply.parts->state = digest_of("another state");
  EXPECT_TRUE(repair.on_reply(reply, 0, now, out));
  EXPECT_EQ(commands<StartFetch>(), 0u) << "its parts are not those of the token";
  EXPECT_TRUE(answer(1, 5));
  EXPECT_EQ(commands<StartFetch>(), 1u);
}

TEST_F(Fetching, IsStuckWhenNobodyAnswersInTime) {
  begin(5);
  EXPECT_FALSE(repair.stuck(now + kPatience - 1));
  EXPECT_TRUE(repair.stuck(now + kPatience));
  out.sends.clear();
  now += kPatience;
  repair.check(now, out);
  EXPECT_EQ(out.sends.size(), 1u) << "asks again";
  EXPECT_TRUE(repair.stuck(now)) << "asking again brings no holder";
  EXPECT_TRUE(answer(1, 5));
  EXPECT_FALSE(repair.stuck(now + 10 * kPatience));
}

// Else it would turn to newer ones for ever, each time before the answer is here.
TEST_F(Fetching, WaitsLongerForAHolderOfEachNewerTarget) {
  begin(5);
  for (const TimeUs wait : {kPatience, 2 * kPatience, 4 * kPatience}) {
    EXPECT_FALSE(repair.stuck(now + wait - 1));
    now += wait;
    EXPECT_TRUE(repair.stuck(now));
    begin(repair.target().value() + 1);
  }
  answer(0, repair.target().value());
  begin(repair.target().value() + 1);
  EXPECT_TRUE(repair.stuck(now + kPatience)) << "there was a holder";
}

TEST_F(Fetching, ANodeIsAskedOfOnePeerAtATimeAndItsLateAnswerIsTaken) {
  begin(5);
  answer(0, 5);
  want({a});
  EXPECT_EQ(asked()[a], (std::vector<uint16_t>{0}));
  answer(1, 5);
  EXPECT_TRUE(asked().empty());
  now += kPatience;
  repair.check(now, out);  // 0 did not answer
  out.commands.clear();
  want({a});  // the runner asks for it anew
  EXPECT_EQ(asked()[a], (std::vector<uint16_t>{1}));
  EXPECT_TRUE(answer(0, 5, {a}));  // late, and as good
  EXPECT_EQ(commands<SupplyFetch>(), 1u);
  EXPECT_TRUE(answer(1, 5, {a}));  // too late
  EXPECT_EQ(commands<SupplyFetch>(), 0u);
}

TEST_F(Fetching, WhatCameFromSomebodyElseMeanwhileIsNotAskedFor) {
  begin(5);
  answer(0, 5);
  want({a});
  asked();
  now += kPatience;
  repair.check(now, out);
  want({a, b});  // both wait: nobody is left to ask
  EXPECT_TRUE(asked().empty());
  answer(0, 5, {a});  // late; and its sender is a holder again
  const auto next = asked();
  EXPECT_FALSE(next.contains(a));
  EXPECT_TRUE(next.contains(b));
}

TEST_F(Fetching, AHolderThatSendsNothingOfWhatItWasAskedIsNone) {
  begin(5);
  answer(0, 5);
  want({a});
  asked();
  EXPECT_TRUE(answer(0, 5));
  EXPECT_EQ(commands<SupplyFetch>(), 1u) << "the runner hears of the failure";
  want({a});
  EXPECT_TRUE(asked().empty());
  EXPECT_FALSE(repair.stuck(now));
}

TEST_F(Fetching, ALiarIsGivenUpAndItsNodesGoElsewhere) {
  begin(5);
  answer(0, 5);
  answer(1, 5);
  want({a, b});
  const auto first = asked();
  ASSERT_EQ(first.size(), 2u);
  const uint16_t liar = first.at(a).at(0);
  const uint16_t other = first.at(b).at(0);
  ASSERT_NE(liar, other);
  answer(liar, 5, {a});
  EXPECT_EQ(repair.on_wants({{a}, 1}, now, out), liar);
  answer(other, 5, {b});
  EXPECT_EQ(asked().at(a), (std::vector<uint16_t>{other}));
}

TEST_F(Fetching, ANewerTargetMakesOlderWantsVoid) {
  begin(5);
  answer(0, 5);
  begin(6);
  EXPECT_TRUE(answer(0, 5)) << "late, and no lie";
  answer(0, 6);
  asked();
  want({a});  // the runner's answer for the older one
  EXPECT_TRUE(asked().empty());
  want({b});
  EXPECT_EQ(asked().size(), 1u);
}

TEST_F(Fetching, TheEndOfAnOlderOneIsNotTheEnd) {
  begin(5);
  answer(0, 5);
  begin(6);
  answer(0, 6);
  repair.on_fetched(BatchNumber(5));
  EXPECT_TRUE(repair.active());
  repair.on_fetched(BatchNumber(6));
  EXPECT_FALSE(repair.active());
  EXPECT_TRUE(answer(1, 6)) << "late";
  EXPECT_TRUE(deny(1, 6));
  repair.check(now + 10 * kPatience, out);
}

TEST_F(Fetching, WantsAfterTheEndAreIgnored) {
  begin(5);
  answer(0, 5);
  want({a});
  answer(0, 5, {a});
  begin(6);
  answer(0, 6);  // the runner has a supply and a new target to answer
  repair.on_fetched(BatchNumber(5));
  want({});
  EXPECT_TRUE(repair.active());
  begin(7);
  answer(0, 7);
  repair.on_fetched(BatchNumber(7));
  EXPECT_FALSE(repair.active());
}

TEST_F(Fetching, ARunnerThatWantsNothingAndIsNotDoneIsAskedAnew) {
  begin(5);
  answer(0, 5);
  want({});  // it waits for what nobody was asked for
  out.commands.clear();
  now += kPatience - 1;
  repair.check(now, out);
  EXPECT_EQ(commands<StartFetch>(), 0u);
  now += 1;
  repair.check(now, out);
  EXPECT_EQ(commands<StartFetch>(), 1u);
}

TEST_F(Fetching, APeerThatDeniesGivesItsNodesBack) {
  begin(5);
  answer(0, 5);
  answer(1, 5);
  want({a});
  const auto first = asked();
  ASSERT_EQ(first.size(), 1u);
  deny(first.begin()->second.at(0), 5);
  want({a, a});
  EXPECT_EQ(asked().size(), 1u);
}

}  // namespace
}  // namespace eve::execution::executor_testing
