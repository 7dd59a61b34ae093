#include "verification/rounds.h"

#include "base/limits.h"
#include "verification/testing.h"

namespace eve::verification::testing {
namespace {

const FaultModel kModel(1, 1);

class RoundsTest : public ::testing::Test {
 protected:
  bool token(uint16_t executor, uint64_t number, ByteView name, const crypto::Digest& previous) {
    return rounds_.add(executor,
                       make_token(rounds_.view().value(), number, digest(name), previous));
  }
  bool prepare(uint16_t peer, uint64_t number, ByteView name, const crypto::Digest& previous) {
    return rounds_.add(
        Signer(kModel, peer).prepare(rounds_.view().value(), number, digest(name), previous));
  }
  std::string next() {
    const auto prepare = rounds_.next_prepare();
    if (!prepare) return "";
    for (const auto* name : {"A1", "B1", "A2", "B2", "A3", "B3"}) {
      if (prepare->token == digest(name)) return name;
    }
    return "?";
  }
  const Signer self_{kModel, 0};
  Rounds rounds_{kModel, self_.notary(), {BatchNumber(0), kGenesis}};
};

TEST_F(RoundsTest, V1TheFirstTokenOfAnExecutorCounts) {
  EXPECT_TRUE(token(0, 1, "A1", kGenesis));
  EXPECT_FALSE(token(0, 1, "B1", kGenesis));
  EXPECT_TRUE(token(1, 1, "B1", kGenesis));
  EXPECT_EQ(next(), "");
  EXPECT_EQ(rounds_.divergences(), 1u);
}

TEST_F(RoundsTest, V2PreparesOnATokenCertificateAndOnce) {
  token(0, 1, "A1", kGenesis);
  EXPECT_EQ(next(), "");
  token(1, 1, "A1", kGenesis);
  EXPECT_EQ(next(), "A1");
  EXPECT_EQ(next(), "");
}

TEST_F(RoundsTest, V2JoinsVouchedPreparesThatCameBeforeTheTokens) {
  prepare(1, 1, "A1", kGenesis);
  EXPECT_EQ(next(), "");
  prepare(2, 1, "A1", kGenesis);
  EXPECT_EQ(next(), "A1");
}

TEST_F(RoundsTest, V2PreparesInOrder) {
  token(0, 2, "A2", digest("A1"));
  token(1, 2, "A2", digest("A1"));
  EXPECT_EQ(next(), "");
  token(0, 1, "A1", kGenesis);
  token(1, 1, "A1", kGenesis);
  EXPECT_EQ(next(), "A1");
  EXPECT_EQ(next(), "A2");
}

TEST_F(RoundsTest, V2ATokenMustExtendTheOneBefore) {
  token(0, 1, "A1", digest("elsewhere"));
  token(1, 1, "A1", digest("elsewhere"));
  EXPECT_EQ(next(), "");
  prepare(1, 1, "B1", kGenesis);
  prepare(2, 1, "B1", kGenesis);
  EXPECT_EQ(next(), "B1");
  token(0, 2, "A2", digest("A1"));
  token(1, 2, "A2", digest("A1"));
  EXPECT_EQ(next(), "");
}

// Trap 2: it votes for the chain of the certificate, not for every certificate it sees.
TEST_F(RoundsTest, V2ACertificateOutranksTheOwnVote) {
  token(0, 1, "A1", kGenesis);
  token(1, 1, "A1", kGenesis);
  EXPECT_EQ(next(), "A1");
  for (const uint16_t peer : {1, 2, 3}) prepare(peer, 1, "B1", kGenesis);
  const auto certificate = rounds_.next_certificate();
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->token, digest("B1"));
  EXPECT_TRUE(self_.notary().valid(*certificate));
  EXPECT_EQ(next(), "") << "one PREPARE a number";

  token(0, 2, "A2", digest("A1"));
  token(1, 2, "A2", digest("A1"));
  EXPECT_EQ(next(), "");
  prepare(1, 2, "B2", digest("B1"));
  prepare(2, 2, "B2", digest("B1"));
  EXPECT_EQ(next(), "B2");
}

TEST_F(RoundsTest, V3BadSignaturesDoNotCount) {
  auto forged = Signer(kModel, 1).prepare(0, 1, digest("A1"), kGenesis);
  forged.signature = "no";
  EXPECT_TRUE(rounds_.add(forged));
  prepare(2, 1, "A1", kGenesis);
  EXPECT_EQ(next(), "");
  EXPECT_EQ(rounds_.take_refused(), std::vector<uint16_t>{1});
  EXPECT_FALSE(prepare(1, 1, "A1", kGenesis)) << "its vote is spent";
  prepare(3, 1, "A1", kGenesis);
  EXPECT_EQ(next(), "A1");
  EXPECT_TRUE(rounds_.next_certificate()) << "the own one, and those of 2 and 3";
}

TEST_F(RoundsTest, SignaturesAreCheckedOnlyWhereTheyDecide) {
  token(0, 1, "A1", kGenesis);
  token(1, 1, "A1", kGenesis);
  prepare(1, 1, "A1", kGenesis);
  EXPECT_EQ(next(), "A1");
  EXPECT_EQ(self_.keys().verified, 0u);
  prepare(2, 1, "A1", kGenesis);
  prepare(3, 1, "A1", kGenesis);
  EXPECT_TRUE(rounds_.next_certificate());
  EXPECT_EQ(self_.keys().verified, 2u) << "two others and the own make three";
  rounds_.commit({BatchNumber(1), digest("A1")});
  EXPECT_FALSE(prepare(3, 1, "A1", kGenesis));
  EXPECT_EQ(self_.keys().verified, 2u);
}

TEST_F(RoundsTest, HoldsVotesInTheWindowOnly) {
  EXPECT_TRUE(token(0, limits::kWindow, "A1", kGenesis));
  EXPECT_FALSE(token(0, limits::kWindow + 1, "A1", kGenesis));
  EXPECT_FALSE(prepare(1, limits::kWindow + 1, "A1", kGenesis));
  EXPECT_FALSE(prepare(1, 0, "A1", kGenesis));
  rounds_.commit({BatchNumber(1), digest("A1")});
  EXPECT_TRUE(token(0, limits::kWindow + 1, "A1", kGenesis));
  EXPECT_FALSE(token(0, 1, "A1", kGenesis));
}

TEST_F(RoundsTest, V7AfterTheStartPointComesTheBatchThatExtendsIt) {
  const auto start = rounds_.enter(View(1), {BatchNumber(40), digest("A1")});
  EXPECT_EQ(start.previous, crypto::Digest());
  EXPECT_TRUE(self_.notary().valid(start));
  token(0, 41, "B2", digest("B1"));
  token(1, 41, "B2", digest("B1"));
  EXPECT_EQ(next(), "");
  prepare(1, 41, "A2", digest("A1"));
  prepare(2, 41, "A2", digest("A1"));
  EXPECT_EQ(next(), "A2");
}

TEST_F(RoundsTest, AStartPointBelowTheCommittedNumberIsStillVotedFor) {
  rounds_.commit({BatchNumber(1), digest("A1")});
  rounds_.enter(View(1), {BatchNumber(1), digest("A1")});
  prepare(1, 1, "A1", {});
  prepare(2, 1, "A1", {});
  const auto certificate = rounds_.next_certificate();
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->number, BatchNumber(1));
  EXPECT_EQ(rounds_.own_votes().size(), 2u);
  rounds_.begin({BatchNumber(1), digest("A1")});
  EXPECT_FALSE(rounds_.busy());
}

TEST_F(RoundsTest, TellsWhetherATokenCanStillReachItsQuorum) {
  token(0, 1, "A1", kGenesis);
  EXPECT_FALSE(rounds_.next_tokens().known);
  token(1, 1, "B1", kGenesis);
  EXPECT_TRUE(rounds_.next_tokens().known);
  EXPECT_TRUE(rounds_.next_tokens().diverged);
  EXPECT_FALSE(rounds_.next_tokens().hopeless) << "the third may agree with either";
  token(2, 1, "A3", kGenesis);
  EXPECT_TRUE(rounds_.next_tokens().hopeless);
}

TEST_F(RoundsTest, ATokenThatExtendsAnotherHistoryIsNoHope) {
  token(0, 1, "A1", kGenesis);
  token(1, 1, "B1", digest("elsewhere"));
  EXPECT_FALSE(rounds_.next_tokens().hopeless);
  token(2, 1, "B1", digest("elsewhere"));
  EXPECT_TRUE(rounds_.next_tokens().hopeless);
}

TEST(CommitVotes, CountOneViewEach) {
  CommitVotes votes(kModel);
  const auto commit = [](uint64_t view, uint64_t number, ByteView name) {
    return wire::Commit{View(view), BatchNumber(number), digest(name)};
  };
  votes.add(0, commit(0, 1, "A1"));
  votes.add(1, commit(0, 1, "A1"));
  votes.add(2, commit(1, 1, "A1"));
  EXPECT_FALSE(votes.reached(commit(0, 1, "A1"))) << "votes of two views make no quorum";
  votes.add(3, commit(0, 1, "B1"));
  EXPECT_FALSE(votes.reached(commit(0, 1, "A1")));
  votes.add(0, commit(1, 1, "A1"));
  votes.add(1, commit(1, 1, "A1"));
  EXPECT_TRUE(votes.reached(commit(1, 1, "A1"))) << "a later view's vote replaces the earlier";
  votes.add(0, commit(0, 1, "A1"));
  EXPECT_TRUE(votes.reached(commit(1, 1, "A1")));
}

TEST(CommitVotes, FollowAFarAheadClusterWithinBounds) {
  CommitVotes votes(kModel);
  for (uint64_t number = 1; number <= 10'000; ++number) {
    for (const uint16_t peer : {1, 2, 3}) {
      votes.add(peer, {View(0), BatchNumber(number), digest("A1")});
    }
  }
  EXPECT_TRUE(votes.reached({View(0), BatchNumber(10'000), digest("A1")}));
  EXPECT_FALSE(votes.reached({View(0), BatchNumber(10'000 - 2 * limits::kWindow), digest("A1")}))
      << "only the last are kept";
  EXPECT_EQ(votes.beyond(BatchNumber(9'999), View(0)), 3u);
  EXPECT_EQ(votes.beyond(BatchNumber(10'000), View(0)), 0u);
}

TEST(CommitVotes, AreInAViewBeyondAsLongAsTheyAreKept) {
  CommitVotes votes(kModel);
  const auto commit = [](uint64_t view, uint64_t number) {
    return wire::Commit{View(view), BatchNumber(number), digest("A1")};
  };
  votes.add(0, commit(2, 1));
  votes.add(1, commit(1, 1));
  votes.add(1, commit(3, 1));
  votes.add(1, commit(2, 1));
  EXPECT_EQ(votes.beyond(BatchNumber(1), View(3)), 0u);
  EXPECT_EQ(votes.beyond(BatchNumber(1), View(2)), 1u) << "a newer view's takes the older's place";
  EXPECT_EQ(votes.beyond(BatchNumber(1), View(1)), 2u);
  const uint64_t last = 1 + 2 * limits::kWindow;
  for (uint64_t number = 2; number <= last; ++number) votes.add(0, commit(0, number));
  EXPECT_EQ(votes.beyond(BatchNumber(last), View(0)), 1u) << "the first is forgotten";
}

}  // namespace
}  // namespace eve::verification::testing
