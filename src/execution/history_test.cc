#include "execution/history.h"

#include <gtest/gtest.h>

namespace eve::execution {
namespace {

History::Entry entry(uint64_t number) {
  History::Entry entry;
  entry.parts.number = BatchNumber(number);
  entry.token.bytes[0] = static_cast<uint8_t>(number);
  return entry;
}

TEST(History, FindsWhatItHolds) {
  History history(entry(10));
  for (uint64_t n = 11; n <= 20; ++n) history.append(entry(n));
  EXPECT_EQ(history.find(BatchNumber(9)), nullptr);
  EXPECT_EQ(history.find(BatchNumber(21)), nullptr);
  EXPECT_EQ(history.find(BatchNumber(15))->token.bytes[0], 15);
  history.drop_after(BatchNumber(18));
  EXPECT_EQ(history.last().token.bytes[0], 18);
  history.append(entry(19));
  history.forget_before(BatchNumber(17));
  EXPECT_EQ(history.find(BatchNumber(16)), nullptr);
  EXPECT_EQ(history.find(BatchNumber(17))->token.bytes[0], 17);
  history.forget_before(BatchNumber(100));
  EXPECT_EQ(history.last().token.bytes[0], 19);
}

}  // namespace
}  // namespace eve::execution
