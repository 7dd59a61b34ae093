#include "runtime/token_book.h"

#include <gtest/gtest.h>

namespace eve::runtime {
namespace {

using Recent = std::vector<execution::Executor::Committed>;

execution::Executor::Committed batch(uint64_t number) {
  execution::Executor::Committed made;
  made.number = BatchNumber(number);
  made.token.bytes[0] = static_cast<uint8_t>(number);
  return made;
}

TEST(TokenBook, KeepsWhatIsShownOnce) {
  TokenBook book;
  book.add({batch(0), batch(1), batch(2)});
  book.add({batch(1), batch(2), batch(3)});
  book.add({batch(7)});  // fetched
  for (const uint64_t number : {1, 2, 3, 7}) {
    const auto found = book.find(BatchNumber(number));
    ASSERT_TRUE(found.has_value()) << number;
    EXPECT_EQ(found->token, batch(number).token);
  }
  EXPECT_FALSE(book.find(BatchNumber(4)).has_value());
  EXPECT_FALSE(book.find(BatchNumber(8)).has_value());
}

TEST(TokenBook, IsBehindBeforeAnythingIsMissed) {
  TokenBook book;
  EXPECT_FALSE(book.behind(BatchNumber(limits::kHistoryBatches / 2 - 1)));
  EXPECT_TRUE(book.behind(BatchNumber(limits::kHistoryBatches / 2)));
}

TEST(TokenBook, IsBounded) {
  TokenBook book;
  for (uint64_t i = 1; i <= TokenBook::kMost + 10; ++i) book.add({batch(i)});
  EXPECT_FALSE(book.find(BatchNumber(10)).has_value());
  EXPECT_TRUE(book.find(BatchNumber(11)).has_value());
  EXPECT_TRUE(book.find(BatchNumber(TokenBook::kMost + 10)).has_value());
}

}  // namespace
}  // namespace eve::runtime
