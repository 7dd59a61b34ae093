#include "durability/log_places.h"

#include <gtest/gtest.h>

#include "durability/executor_notes.h"

namespace eve::durability {
namespace {

using journal::Position;

constexpr Position kEnd(1'000'000);

/// A run a note, from position 1 on.
void run(LogPlaces& places, uint64_t from, uint64_t to, uint64_t first) {
  for (uint64_t number = from; number <= to; ++number, ++first) {
    places.reaches(BatchNumber(number), Position(first));
    places.ends_at(Position(first + 1));
  }
}

uint64_t position_of(const LogPlaces& places, uint64_t number, Position most = kEnd) {
  const auto place = places.place_of(BatchNumber(number), most);
  EXPECT_TRUE(place.has_value()) << number;
  return place ? place->position.value() : 0;
}

LogPlaces& begun(LogPlaces& places) {
  places.begin_at(Position(1), BatchNumber(), {});
  return places;
}

TEST(LogPlaces, NoNoteBeforeAPlaceReachesBeyondItsBatch) {
  LogPlaces places;
  run(begun(places), 1, 1000, 1);
  for (uint64_t number = 0; number <= 1000; ++number) {
    const uint64_t position = position_of(places, number);
    EXPECT_LE(position, number + 1) << "a note that is needed lies before it";
    EXPECT_GT(position + 32, number + 1) << "much is read in vain";
  }
  EXPECT_LT(places.remembered(), 100u);
}

TEST(LogPlaces, WhatWasUndoneIsNeededAsWell) {
  LogPlaces places;
  run(begun(places), 1, 100, 1);
  run(places, 51, 60, 101);  // again, after a rollback
  EXPECT_LE(position_of(places, 60), 61u) << "batch 61 of before stands without its rollback";
  EXPECT_EQ(position_of(places, 100), 111u);
}

// Else the log would begin amid the fetch.
TEST(LogPlaces, AFetchReachesItsBatchFromItsBeginningOn) {
  LogPlaces places;
  run(begun(places), 1, 20, 1);
  places.reaches(BatchNumber(500), Position(21));
  places.ends_at(Position(40));
  EXPECT_LE(position_of(places, 20), 21u);
  EXPECT_EQ(position_of(places, 500), 40u);
}

TEST(LogPlaces, WhatIsNotOnTheDiskIsNotClaimed) {
  LogPlaces places;
  run(begun(places), 1, 20, 1);
  EXPECT_EQ(position_of(places, 20), 21u);
  EXPECT_EQ(position_of(places, 20, Position(15)), 15u);
}

TEST(LogPlaces, TheContextIsTheViewOfThePlace) {
  LogPlaces places;
  places.begin_at(Position(1), BatchNumber(), {Epoch(), {View(3), BatchNumber(0), {}}});
  run(places, 1, 20, 1);
  places.entered({View(4), BatchNumber(20), {}}, Position(21));
  places.ends_at(Position(22));
  run(places, 21, 60, 22);
  const auto view_at = [&](uint64_t number, Position most) {
    const auto place = places.place_of(BatchNumber(number), most);
    const auto view = place ? read_context(place->context) : Error{"no place"};
    return view.ok() ? view->view.view : View(99);
  };
  EXPECT_EQ(view_at(60, kEnd), View(4));
  EXPECT_EQ(view_at(60, Position(21)), View(3)) << "of a view that the log lacks";
  EXPECT_EQ(view_at(60, Position(22)), View(4));
  EXPECT_EQ(view_at(3, kEnd), View(3));
}

TEST(LogPlaces, AnEpochForgetsTheViewAndAViewKeepsTheEpoch) {
  LogPlaces places;
  places.begin_at(Position(1), BatchNumber(), {Epoch(1), {View(3), BatchNumber(0), {}}});
  run(places, 1, 20, 1);
  places.entered(Epoch(2), Position(21));
  run(places, 21, 40, 22);
  places.entered({View(1), BatchNumber(40), {}}, Position(42));
  places.ends_at(Position(43));
  const auto context_at = [&](uint64_t position) {
    const auto place = places.place_of(BatchNumber(40), Position(position));
    const auto context = place ? read_context(place->context) : Error{"no place"};
    EXPECT_TRUE(context.ok());
    return context.ok() ? std::pair(context->epoch, context->view.view) : std::pair<Epoch, View>();
  };
  EXPECT_EQ(context_at(21), std::pair(Epoch(1), View(3))) << "the note of the epoch comes after";
  EXPECT_EQ(context_at(22), std::pair(Epoch(2), View(0)));
  EXPECT_EQ(context_at(42), std::pair(Epoch(2), View(0)));
  EXPECT_EQ(context_at(43), std::pair(Epoch(2), View(1)));
}

TEST(LogPlaces, AfterACutNothingBeforeItIsNamed) {
  LogPlaces places;
  run(begun(places), 1, 100, 1);
  const uint64_t position = position_of(places, 70);
  places.cut(Position(position), BatchNumber(70));
  EXPECT_FALSE(places.place_of(BatchNumber(69), kEnd).has_value());
  for (uint64_t number = 70; number <= 100; ++number) {
    EXPECT_GE(position_of(places, number), position);
    EXPECT_LE(position_of(places, number), number + 1);
  }
  run(places, 101, 200, 101);
  EXPECT_EQ(position_of(places, 200), 201u);
}

TEST(LogPlaces, AnOldLogIsKnownFromItsCheckpointOn) {
  LogPlaces places;
  places.begin_at(Position(50), BatchNumber(40), {Epoch(), {View(2), BatchNumber(), {}}});
  EXPECT_EQ(position_of(places, 40), 50u);
  EXPECT_FALSE(places.place_of(BatchNumber(39), kEnd).has_value());
  run(places, 41, 45, 50);
  EXPECT_EQ(position_of(places, 40), 50u);
  EXPECT_EQ(position_of(places, 45), 55u);
}

}  // namespace
}  // namespace eve::durability
