#include "base/quorum.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace eve {
namespace {

struct Sizes {
  uint32_t u, r, executors, verifiers, token_certificate, agreement, vouched, suspicion;
};

TEST(FaultModel, SizesOfTheTableInTheDesign) {
  for (const Sizes& s : {Sizes{0, 0, 1, 1, 1, 1, 1, 1}, Sizes{1, 0, 3, 3, 2, 2, 1, 2},
                         Sizes{1, 1, 3, 4, 2, 3, 2, 2}, Sizes{2, 0, 5, 5, 3, 3, 1, 3},
                         Sizes{2, 1, 5, 6, 3, 4, 2, 3}, Sizes{3, 3, 7, 10, 4, 7, 4, 4}}) {
    const FaultModel model(s.u, s.r);
    EXPECT_EQ(model.executors(), s.executors);
    EXPECT_EQ(model.verifiers(), s.verifiers);
    EXPECT_EQ(model.token_certificate(), s.token_certificate);
    EXPECT_EQ(model.agreement(), s.agreement);
    EXPECT_EQ(model.vouched(), s.vouched);
    EXPECT_EQ(model.suspicion(), s.suspicion);
    EXPECT_EQ(model.byzantine(), s.r > 0);
  }
}

// Of 2r+1 that speak, r+1 do not lie, and r+1 is what others believe.
TEST(FaultModel, WordsThatReachEverybody) {
  EXPECT_EQ(FaultModel(1, 0).broadcast(), 1u);
  EXPECT_EQ(FaultModel(1, 1).broadcast(), 3u);
  EXPECT_EQ(FaultModel(3, 2).broadcast(), 5u);
}

// Every executor has been primary under every leader: 3 and 4, or 5 and 6, share no factor.
TEST(FaultModel, ViewsThatABundleMakesFail) {
  EXPECT_EQ(FaultModel(0, 0).poisonous(), 1u);
  EXPECT_EQ(FaultModel(1, 1).poisonous(), 12u);
  EXPECT_EQ(FaultModel(2, 1).poisonous(), 30u);
}

// What the protocol's arguments rest on, for every model that a cluster may have.
TEST(FaultModel, QuorumsIntersectAndAreReachable) {
  for (uint32_t u = 0; u <= 31; ++u) {
    for (uint32_t r = 0; r <= u; ++r) {
      const FaultModel m(u, r);
      EXPECT_LE(m.agreement(), m.verifiers() - u) << "live with u failed";
      EXPECT_GT(2 * m.agreement(), m.verifiers() + r) << "two agree only through an honest one";
      EXPECT_LE(m.token_certificate(), m.executors() - u) << "live with u failed";
      EXPECT_GT(m.token_certificate(), r) << "an honest executor holds the state";
      EXPECT_GT(2 * m.token_certificate(), m.executors()) << "one certificate a batch";
      EXPECT_GT(m.vouched(), r) << "an honest node vouches";
      EXPECT_LE(m.vouched(), m.executors() - u) << "enough honest nodes to vouch";
      EXPECT_GT(m.suspicion(), r) << "liars alone change no view";
    }
  }
}

/// The same as Ballot, as dumb as can be: a list of all votes ever cast.
struct DumbBallot {
  std::vector<std::pair<uint16_t, int>> cast;

  std::optional<int> vote_of(uint16_t voter) const {
    for (const auto& [who, value] : cast) {
      if (who == voter) return value;
    }
    return std::nullopt;
  }
  size_t count(int value) const {
    size_t count = 0;
    for (uint16_t voter = 0; voter < 16; ++voter) count += vote_of(voter) == value ? 1 : 0;
    return count;
  }
  size_t voters() const {
    size_t count = 0;
    for (uint16_t voter = 0; voter < 16; ++voter) count += vote_of(voter) ? 1 : 0;
    return count;
  }
};

TEST(Ballot, CountsAsADumbOneDoes) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    Ballot<int> ballot;
    DumbBallot dumb;
    const uint64_t voters = 1 + random.below(16);
    const uint64_t values = 1 + random.below(4);
    for (int step = 0; step < 30; ++step) {
      const auto voter = static_cast<uint16_t>(random.below(voters));
      const int value = static_cast<int>(random.below(values));
      EXPECT_EQ(ballot.has(voter), dumb.vote_of(voter).has_value());
      EXPECT_EQ(ballot.add(voter, value), !dumb.vote_of(voter));
      dumb.cast.emplace_back(voter, value);

      ASSERT_EQ(ballot.voters(), dumb.voters());
      size_t best = 0;
      for (int v = 0; v < 4; ++v) {
        ASSERT_EQ(ballot.count(v), dumb.count(v));
        best = std::max(best, dumb.count(v));
      }
      ASSERT_EQ(ballot.best(), best);
      for (size_t quorum = 1; quorum <= 16; ++quorum) {
        const auto reached = ballot.reached(quorum);
        ASSERT_EQ(reached.has_value(), best >= quorum);
        if (reached) {
          ASSERT_GE(dumb.count(*reached), quorum);
        }
      }
    }
  }
}

TEST(Ballot, EmptyReachesNothing) {
  const Ballot<int> ballot;
  EXPECT_EQ(ballot.best(), 0u);
  EXPECT_FALSE(ballot.reached(1));
  EXPECT_FALSE(ballot.has(0));
}

}  // namespace
}  // namespace eve
