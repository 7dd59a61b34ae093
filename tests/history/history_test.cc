#include "tests/history/history.h"

#include <gtest/gtest.h>

namespace eve::history {
namespace {

Operation write(double from, double to, std::string argument, std::string reply) {
  return {true, from, to, std::move(argument), reply, reply.empty()};
}
Operation read(double from, double to, std::string reply) {
  return {false, from, to, "", reply, reply.empty()};
}

TEST(History, CounterInOrder) {
  const auto outcome = check(Kind::kCounter, {write(0, 1, "2", "2"), read(2, 3, "2"),
                                              write(4, 5, "3", "5"), read(6, 7, "5")});
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.final_value, "5");
}

TEST(History, LostUpdate) {
  EXPECT_NE(check(Kind::kCounter, {write(0, 1, "2", "2"), write(0, 1, "2", "2")}).error, "");
  EXPECT_NE(check(Kind::kRegister, {write(0, 1, "a", ""), write(2, 3, "b", "")}).error, "");
}

TEST(History, StaleRead) {
  EXPECT_NE(check(Kind::kRegister, {write(0, 1, "a", ""), read(2, 3, "")}).error, "");
  EXPECT_EQ(check(Kind::kRegister, {write(0, 2, "a", ""), read(1, 3, "")}).error, "");
}

TEST(History, ReadsThatGoBack) {
  const auto outcome =
      check(Kind::kRegister, {write(0, 9, "a", ""), read(1, 2, "a"), read(3, 4, "")});
  EXPECT_NE(outcome.error, "");
}

TEST(History, LogKeepsEveryAppend) {
  const auto outcome =
      check(Kind::kLog, {write(0, 5, "aa", "4"), write(0, 5, "bb", "2"), read(6, 7, "bbaa")});
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.final_value, "bbaa");
  EXPECT_NE(check(Kind::kLog, {write(0, 5, "aa", "4")}).error, "");
}

TEST(History, ValueNobodyWrote) {
  EXPECT_NE(check(Kind::kRegister, {write(0, 1, "a", ""), read(2, 3, "x")}).error, "");
}

}  // namespace
}  // namespace eve::history
