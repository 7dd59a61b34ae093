#include "cli/backup_witness.h"

#include <gtest/gtest.h>

namespace eve::cli {
namespace {

crypto::Digest digest(uint8_t first) {
  crypto::Digest made;
  made.bytes[0] = first;
  return made;
}

Witnesses::Count heard(bool one_agrees, bool one_differs) {
  Witnesses witnesses;
  if (one_agrees) witnesses.said("executor-1", 7, digest(1).hex(), digest(2).hex());
  if (one_differs) witnesses.said("executor-2", 7, digest(1).hex(), digest(3).hex());
  witnesses.said("executor-3", 8, digest(9).hex(), digest(9).hex());  // of another batch
  return witnesses.count(7, digest(1), digest(2));
}

TEST(Witnesses, AreCountedForTheirBatch) {
  const auto count = heard(true, true);
  EXPECT_EQ(count.agree, std::set<std::string>{"executor-1"});
  EXPECT_EQ(count.differ, std::set<std::string>{"executor-2"});
  EXPECT_TRUE(Witnesses().count(7, digest(1), digest(2)).agree.empty());
}

TEST(Witnesses, WhereNodesMayLieOneIsNotEnough) {
  EXPECT_NE(why_not_believed(heard(false, false), 1), "");
  EXPECT_NE(why_not_believed(heard(false, true), 1), "");
  EXPECT_EQ(why_not_believed(heard(true, false), 1), "");
  // The one that differs is the liar: two who lie are more than there may be.
  EXPECT_EQ(why_not_believed(heard(true, true), 1), "");
  EXPECT_NE(why_not_believed(heard(true, false), 2), "");
}

TEST(Witnesses, WhereNobodyLiesOneThatDiffersIsEnough) {
  EXPECT_EQ(why_not_believed(heard(false, false), 0), "");
  EXPECT_EQ(why_not_believed(heard(true, false), 0), "");
  const auto why = why_not_believed(heard(true, true), 0);
  EXPECT_NE(why.find("executor-2"), std::string::npos) << why;
}

TEST(Witnesses, OfAPairTheOtherOneOrTheRecordVouches) {
  EXPECT_EQ(why_not_believed_of_pair(heard(true, false), false), "");
  EXPECT_EQ(why_not_believed_of_pair(heard(false, false), true), "") << "nobody else may answer";
  EXPECT_NE(why_not_believed_of_pair(heard(false, false), false), "") << "it may be left behind";
  EXPECT_NE(why_not_believed_of_pair(heard(false, true), false), "");
  EXPECT_NE(why_not_believed_of_pair(heard(false, true), true), "") << "two histories";
}

TEST(Witnesses, WhoBoastsIsNotWaitedFor) {
  EXPECT_EQ(acknowledged_through({5, 7, 1'000'000}, 1), 7u);
  EXPECT_EQ(acknowledged_through({5, 7, 9}, 0), 9u);
  EXPECT_EQ(acknowledged_through({7}, 1), 0u);
  EXPECT_EQ(acknowledged_through({}, 0), 0u);
}

}  // namespace
}  // namespace eve::cli
