#include "runtime/room_book.h"

#include <gtest/gtest.h>

namespace eve::runtime {
namespace {

const Address kE0 = Address::executor(0);
const Address kE1 = Address::executor(1);
const Address kE2 = Address::executor(2);
const Address kV0 = Address::verifier(0);
const Address kV3 = Address::verifier(3);
constexpr TimeUs kNow = 1'000'000;
using All = std::vector<Address>;

TEST(RoomBook, UpToULowDisksAreInNobodysWay) {
  RoomBook book({1, 1});
  EXPECT_EQ(book.in_the_way(kNow), All());
  book.heard({{kE1}}, kE1, kNow);
  EXPECT_EQ(book.in_the_way(kNow), All());
  book.heard({{kE2}}, kE2, kNow);
  EXPECT_EQ(book.in_the_way(kNow), (All{kE1, kE2}));
  book.heard({{}}, kE1, kNow);
  EXPECT_EQ(book.in_the_way(kNow), All());
}

TEST(RoomBook, OfAnExecutorOnlyItselfSpeaks) {
  RoomBook book({1, 1});
  book.heard({{kE0, kE1, kE2}}, kE0, kNow);
  EXPECT_EQ(book.in_the_way(kNow), All());
  book.heard({{kE0, kE1, kE2}}, kE1, kNow);
  EXPECT_EQ(book.in_the_way(kNow), (All{kE0, kE1}));
}

TEST(RoomBook, OfAVerifierOneThatDoesNotLieMustHaveHeard) {
  RoomBook book({1, 1});
  book.heard({{kV0, kV3}}, kE0, kNow);
  EXPECT_EQ(book.in_the_way(kNow), All()) << "a liar says so";
  book.heard({{kV0}}, kE1, kNow);
  EXPECT_EQ(book.in_the_way(kNow), All()) << "one verifier is within u";
  book.heard({{kV3}}, kE2, kNow);
  EXPECT_EQ(book.in_the_way(kNow), (All{kV0, kV3}));
  RoomBook trusting({1, 0});
  trusting.heard({{kV0, kV3}}, kE0, kNow);
  EXPECT_EQ(trusting.in_the_way(kNow), (All{kV0, kV3}));
}

TEST(RoomBook, ExecutorsAndVerifiersAreCountedApart) {
  RoomBook book({1, 0});
  book.heard({{kE0, kV0}}, kE0, kNow);
  EXPECT_EQ(book.in_the_way(kNow), All());
}

// A replica of a pair speaks when nobody else can go on without it.
TEST(RoomBook, OfAPairOneThatSpeaksIsEnough) {
  RoomBook book(FaultModel::primary_backup());
  EXPECT_EQ(book.in_the_way(kNow), All());
  book.heard({{kE1}}, kE1, kNow);
  EXPECT_EQ(book.in_the_way(kNow), All{kE1});
  book.heard({{}}, kE1, kNow);
  EXPECT_EQ(book.in_the_way(kNow), All());
}

TEST(RoomBook, AWordIsForgotten) {
  RoomBook book({1, 0});
  book.heard({{kE0}}, kE0, kNow);
  book.heard({{kE1}}, kE1, kNow + 1);
  EXPECT_EQ(book.low(kNow + 1).size(), 2u);
  EXPECT_EQ(book.in_the_way(kNow + RoomBook::kWordUs - 1).size(), 2u);
  EXPECT_EQ(book.in_the_way(kNow + RoomBook::kWordUs), All());
  EXPECT_EQ(book.low(kNow + RoomBook::kWordUs).size(), 1u);
}

TEST(DiskWatch, IsLowWithoutRoomAndWithErrorsAndSaysSo) {
  DiskWatch watch;
  JournalStatus status;
  TimeUs now = kNow;
  const auto look = [&] { EXPECT_TRUE(watch.look(status, now = watch.due() + kNow)); };
  look();
  EXPECT_FALSE(watch.low());
  (void)watch.time_to_say(now);
  status.space = journal::Space::kLow;
  look();
  EXPECT_TRUE(watch.low());
  EXPECT_TRUE(watch.time_to_say(now)) << "it has changed";
  EXPECT_FALSE(watch.time_to_say(now + 1));
  EXPECT_TRUE(watch.time_to_say(now + DiskWatch::kSayUs));
  status.space = journal::Space::kEnough;
  look();
  EXPECT_FALSE(watch.low());
  EXPECT_TRUE(watch.time_to_say(now));
  status.trouble = "no";
  look();
  EXPECT_TRUE(watch.low());
  status.broken = true;
  look();
  EXPECT_FALSE(watch.low()) << "it is silent, as one that is dead";
}

TEST(DiskPace, ADiskOnWhichNotesWaitIsDistrustedForAWhile) {
  using durability::DiskPace;
  DiskPace pace;
  EXPECT_TRUE(pace.look(kNow, DiskPace::kStalledUs - 1));
  EXPECT_FALSE(pace.look(kNow, DiskPace::kStalledUs));
  EXPECT_FALSE(pace.look(kNow + DiskPace::kDistrustUs - 1, 0));
  EXPECT_TRUE(pace.look(kNow + DiskPace::kDistrustUs, 0));
  EXPECT_TRUE(pace.keeps_up());
}

}  // namespace
}  // namespace eve::runtime
