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

Operation unknown_write(double from, std::string argument) {
  return {true, from, from, std::move(argument), "", true, true};
}

TEST(History, UnknownAppends) {
  const auto history = [](std::string last) {
    return std::vector<Operation>{write(0, 1, "<1>", "3"), unknown_write(2, "<2>"),
                                  unknown_write(2, "<3>"), write(4, 5, "<4>", "9"),
                                  read(6, 7, std::move(last))};
  };
  EXPECT_EQ(check(Kind::kLog, history("<1><2><4>")).error, "");
  EXPECT_EQ(check(Kind::kLog, history("<1><2><4>")).final_value, "<1><2><4>");
  EXPECT_EQ(check(Kind::kLog, history("<1><3><4><2>")).error, "");  // late, but once
  EXPECT_NE(check(Kind::kLog, history("<1><2><4><2>")).error, "");
  EXPECT_NE(check(Kind::kLog, history("<1><2><3>")).error, "");
  EXPECT_NE(check(Kind::kLog, history("<2><1><4>")).error, "");
  EXPECT_NE(check(Kind::kLog, history("<1><5><4>")).error, "");
  EXPECT_NE(check(Kind::kLog, history("")).error, "");
}

TEST(History, AppendBeforeItWasAskedFor) {
  EXPECT_NE(
      check(Kind::kLog, {unknown_write(4, "<2>"), write(1, 2, "<1>", "6"), read(6, 7, "<2><1>")})
          .error,
      "");
}

TEST(History, UnknownWritesOfARegister) {
  const auto history = [](std::string before_c, std::string last) {
    return std::vector<Operation>{write(0, 1, "a", ""), unknown_write(2, "b"),
                                  unknown_write(2, "x"), write(4, 5, "c", std::move(before_c)),
                                  read(6, 7, std::move(last))};
  };
  EXPECT_EQ(check(Kind::kRegister, history("a", "c")).error, "");
  EXPECT_EQ(check(Kind::kRegister, history("b", "c")).error, "");
  EXPECT_EQ(check(Kind::kRegister, history("b", "x")).error, "");  // it came late
  EXPECT_EQ(check(Kind::kRegister, history("b", "x")).final_value, "x");
  EXPECT_NE(check(Kind::kRegister, history("a", "a")).error, "");  // c is lost
  EXPECT_NE(check(Kind::kRegister, history("b", "a")).error, "");
  EXPECT_NE(check(Kind::kRegister, history("d", "c")).error, "");
  EXPECT_NE(check(Kind::kRegister, history("c", "c")).error, "");
  EXPECT_NE(check(Kind::kRegister, history("b", "")).error, "");
}

TEST(History, UnknownWritesRespectRealTime) {
  // b was seen, and then replaced by what c replaced: it cannot come back.
  EXPECT_NE(check(Kind::kRegister, {unknown_write(0, "b"), unknown_write(0, "d"), read(1, 2, "b"),
                                    read(3, 4, "d"), read(5, 6, "b"), read(7, 8, "d")})
                .error,
            "");
  EXPECT_EQ(check(Kind::kRegister, {unknown_write(0, "b"), unknown_write(0, "d"), read(1, 2, "d"),
                                    read(3, 4, "b"), read(5, 6, "b")})
                .error,
            "");
  EXPECT_NE(check(Kind::kRegister, {unknown_write(5, "b"), read(1, 2, "b"), read(7, 8, "b")}).error,
            "");
}

TEST(History, ValueNobodyWrote) {
  EXPECT_NE(check(Kind::kRegister, {write(0, 1, "a", ""), read(2, 3, "x")}).error, "");
}

}  // namespace
}  // namespace eve::history
