// V6e: verifiers start a view for a node that needs one together, or not at all.
#include "verification/needs.h"

#include "verification/testing.h"

namespace eve::verification::testing {
namespace {

const FaultModel kModel(1, 1);
const Address kNode = Address::executor(2);

class NeedsTest : public ::testing::Test {
 protected:
  void say(uint16_t peer, uint64_t view, Address node = kNode) {
    lone_.give(Address::verifier(peer), wire::Needed{View(view), node});
  }
  size_t asked() { return lone_.sent<wire::ViewChange>().size(); }
  size_t told() { return lone_.sent<wire::Needed>().size(); }
  Lone lone_{kModel};
};

TEST_F(NeedsTest, OneVerifierIsNotBelieved) {
  say(1, 0);
  say(1, 0);
  EXPECT_EQ(told() + asked(), 0u);
}

TEST_F(NeedsTest, WhatIsBelievedIsPassedOnByWhoeverHeardNothing) {
  say(1, 0);
  say(2, 0);
  EXPECT_EQ(told(), 1u);
  EXPECT_EQ(asked(), 1u) << "with the own word three said so";
}

TEST_F(NeedsTest, NobodyIsBlamedForTheWordOnThisVeryVerifier) {
  say(1, 0, Address::verifier(0));
  EXPECT_EQ(lone_.status().refused_messages, 0u);
  say(1, 0, Address::executor(9));
  say(1, 0, Address::client(0));
  EXPECT_EQ(lone_.status().refused_messages, 2u);
}

TEST_F(NeedsTest, WordsOfAnotherViewDoNotAddUp) {
  say(1, 0);
  say(2, 1);
  say(3, 7);
  EXPECT_EQ(told() + asked(), 0u);
}

// Found by the simulator (seed 558 --service poison): a verifier that had come back already
// believed others that said it had not, passed that on, and was blamed for it.
TEST_F(NeedsTest, AWordOnTheSpeakerIsAWordLikeAnyOther) {
  say(1, 0, Address::verifier(1));
  EXPECT_EQ(told() + asked(), 0u) << "alone it is not believed";
  say(2, 0, Address::verifier(1));
  EXPECT_EQ(told(), 1u);
  EXPECT_EQ(lone_.status().refused_messages, 0u);
}

TEST_F(NeedsTest, NobodySpeaksForStrangers) {
  say(1, 0, Address::client(0));
  say(1, 0, Address::executor(3));
  lone_.give(kNode, wire::Needed{View(0), kNode});
  EXPECT_EQ(lone_.status().refused_messages, 3u);
}

// The node repeats its Hello; others are told again, but not at every Hello.
TEST_F(NeedsTest, IsToldAgainWhileTheNodeAsks) {
  for (int i = 0; i < 20; ++i) {
    lone_.give(kNode, wire::Hello{true, View(0), BatchNumber(0)});
    lone_.wait(20'000);
  }
  EXPECT_EQ(told(), 4u);
  EXPECT_EQ(asked(), 0u);
}

// Found by the simulator (seed 95 bft): of four, two had left and one had lost its promises; the
// fourth waited for a third word that nobody could give.
TEST_F(NeedsTest, WhoHasLeftTheViewCounts) {
  for (const uint16_t peer : {1, 2}) {
    lone_.give(Address::verifier(peer), lone_.signers[peer]->change(2, genesis_certificate()));
  }
  EXPECT_EQ(told() + asked(), 0u) << "but not for a node that nobody heard";
  lone_.give(Address::verifier(3), wire::Hello{true, View(0), BatchNumber(0)});
  EXPECT_EQ(asked(), 1u);
}

class Walks : public ::testing::Test {
 protected:
  size_t left() const {
    size_t count = 0;
    for (uint16_t i = 0; i < 4; ++i) count += cluster_.status(i).promised > View(0) ? 1 : 0;
    return count;
  }
  Cluster cluster_{kModel};
};

// Before there was Needed each of these took one verifier away, at most one a restart_change_us.
TEST_F(Walks, ALyingExecutorThatSpeaksToOneAtATimeMovesNobody) {
  for (uint16_t i = 0; i < 4; ++i) {
    cluster_.send(kNode, Address::verifier(i), wire::Hello{true, View(0), BatchNumber(0)});
    cluster_.wait(5'000'000);
    EXPECT_EQ(left(), 0u);
  }
}

TEST_F(Walks, ALyingVerifierThatSpeaksToOneAtATimeMovesNobody) {
  cluster_.liars[3] = [](const Envelope&) {};
  for (uint16_t i = 0; i < 3; ++i) {
    const auto say = [&](const wire::Message& message) {
      cluster_.send(Address::verifier(3), Address::verifier(i), message);
      cluster_.run();
    };
    say(wire::Hello{true, View(0), BatchNumber(0)});
    say(wire::Hello{false, View(1), BatchNumber(0)});
    say(wire::Needed{View(0), kNode});
    cluster_.wait(2'500'000);
    say(wire::Hello{false, View(1), BatchNumber(0)});
    cluster_.wait(2'500'000);
    EXPECT_EQ(left(), 0u);
  }
}

// Together they move all or none: what one correct verifier heard and a liar confirms to it only.
TEST_F(Walks, ALyingPairCannotTakeOneAway) {
  cluster_.liars[3] = [](const Envelope&) {};
  cluster_.send(kNode, Address::verifier(0), wire::Hello{true, View(0), BatchNumber(0)});
  cluster_.send(Address::verifier(3), Address::verifier(0), wire::Needed{View(0), kNode});
  cluster_.run();
  EXPECT_EQ(left(), 0u) << "two of four are not enough";
  cluster_.send(Address::verifier(3), Address::verifier(1), wire::Needed{View(0), kNode});
  cluster_.run();
  EXPECT_EQ(left(), 4u) << "a second correct one believes it, and so everybody does";
}

TEST_F(Walks, AGenuineRestartIsHeardByAllThoughItReachesTwo) {
  for (const uint16_t i : {0, 2}) {
    cluster_.send(kNode, Address::verifier(i), wire::Hello{true, View(0), BatchNumber(0)});
  }
  cluster_.run();
  EXPECT_EQ(left(), 4u);
  EXPECT_EQ(cluster_.settled(0), 4u);
}

TEST(CrashNeeds, OneThatHeardIsEnoughWhereNobodyLies) {
  Cluster cluster(FaultModel(1, 0));
  cluster.send(kNode, Address::verifier(1), wire::Hello{true, View(0), BatchNumber(0)});
  cluster.run();
  EXPECT_EQ(cluster.settled(0), 3u);
  EXPECT_EQ(cluster.status(0).view, View(1));
}

}  // namespace
}  // namespace eve::verification::testing
