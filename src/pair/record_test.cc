#include "pair/record.h"

#include <gtest/gtest.h>

namespace eve::pair {
namespace {

TEST(Record, EpochsFollowTheirPrimary) {
  EXPECT_EQ(next_epoch(View(0), 0), View(2));
  EXPECT_EQ(next_epoch(View(0), 1), View(1));
  EXPECT_EQ(next_epoch(View(7), 1), View(9));
  EXPECT_EQ(next_epoch(View(7), 0), View(8));
  for (uint64_t epoch = 0; epoch < 20; ++epoch) {
    for (const uint16_t index : {0, 1}) {
      const View next = next_epoch(View(epoch), index);
      EXPECT_GT(next, View(epoch));
      EXPECT_EQ(primary_of(next), index);
    }
  }
}

TEST(Record, NamesLivesNotReplicas) {
  const Record record{View(4), {11, 12}};
  EXPECT_TRUE(names(record, 0, 11));
  EXPECT_FALSE(names(record, 0, 12));
  EXPECT_TRUE(names_both(record));
  EXPECT_FALSE(names_both({View(4), {11, 0}}));
  EXPECT_FALSE(formed({}));
  EXPECT_FALSE(names({}, 0, 0)) << "nobody is named before the cluster is formed";
}

TEST(Record, TextIsExact) {
  for (const Record& record : {Record{}, Record{View(4), {1, 0}}, Record{View(7), {~0ull, 0xabc}},
                               Record{View(~0ull), {0, 5}}}) {
    const auto back = parse_record(format_record(record));
    ASSERT_TRUE(back.ok()) << format_record(record);
    EXPECT_EQ(*back, record);
  }
  EXPECT_EQ(format_record({View(4), {0x1f, 0}}),
            "epoch 4, executor-0 000000000000001f, executor-1 none");
}

TEST(Record, WhatItDidNotWriteIsRefused) {
  for (const char* text :
       {"", "epoch", "epoch 4", "epoch 4, executor-0 000000000000001f, executor-1 none ",
        "epoch 04, executor-0 000000000000001f, executor-1 none",
        "epoch 4, executor-0 1f, executor-1 none",
        "epoch 4, executor-0 000000000000001F, executor-1 none",
        "epoch 4, executor-0 none, executor-1 000000000000001f",
        "epoch 4, executor-0 none, executor-1 none",
        "epoch 99999999999999999999, executor-0 000000000000001f, executor-1 none"}) {
    EXPECT_FALSE(parse_record(text).ok()) << text;
  }
}

}  // namespace
}  // namespace eve::pair
