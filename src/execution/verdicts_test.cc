// E5: which verdicts add up.
#include "execution/verdicts.h"

#include <gtest/gtest.h>

namespace eve::execution {
namespace {

const FaultModel kModel(1, 1);

crypto::Digest token(uint8_t name) {
  crypto::Digest digest;
  digest.bytes[0] = name;
  return digest;
}

wire::Verdict commit(uint64_t number, uint8_t name) {
  return {wire::VerdictKind::kCommit, View(0), BatchNumber(number), token(name)};
}

TEST(Verdicts, CommitsOfOneNumberAddUpIfTheyNameOneToken) {
  Verdicts verdicts(kModel);
  EXPECT_FALSE(verdicts.commit(0, commit(1, 'a')));
  EXPECT_FALSE(verdicts.commit(1, commit(1, 'b'))) << "one of them lies";
  EXPECT_FALSE(verdicts.commit(2, commit(2, 'a'))) << "of another number";
  EXPECT_TRUE(verdicts.vouched().empty());
  EXPECT_TRUE(verdicts.commit(3, commit(1, 'b')));
  EXPECT_EQ(verdicts.vouched(), (Verdicts::Vouched{{BatchNumber(1), token('b')}}));
  EXPECT_FALSE(verdicts.commit(2, commit(1, 'b'))) << "known already";
}

TEST(Verdicts, AVerifierCountsOnce) {
  Verdicts verdicts(kModel);
  EXPECT_FALSE(verdicts.commit(0, commit(1, 'a')));
  EXPECT_FALSE(verdicts.commit(0, commit(1, 'a')));
  EXPECT_TRUE(verdicts.commit(1, commit(1, 'a')));
}

TEST(Verdicts, WhatIsCommittedHereIsForgotten) {
  Verdicts verdicts(kModel);
  verdicts.vouch(BatchNumber(3), token('c'));
  verdicts.forget_through(BatchNumber(3));
  EXPECT_TRUE(verdicts.vouched().empty());
  EXPECT_FALSE(verdicts.commit(0, commit(3, 'c')));
  EXPECT_FALSE(verdicts.commit(1, commit(3, 'c')));
}

}  // namespace
}  // namespace eve::execution
