// The checker must see what it is there to see.
#include "sim/register_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/random.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

TEST(RegisterHistory, AnOrderThatAgreesWithTimeIsRight) {
  RegisterHistory history;
  history.read("x", std::nullopt, 0, 5);
  history.wrote("x", "a", 3, 10);
  history.wrote("x", "b", 4, 30);
  history.read("x", "b", 12, 15);
  history.read("x", "b", 16, 40);
  history.wrote("y", "c", 0, std::nullopt);
  history.read("y", "c", 100, 110);
  EXPECT_NO_THROW(history.check());
}

TEST(RegisterHistory, AStaleRead) {
  RegisterHistory history;
  history.wrote("x", "a", 0, 10);
  history.wrote("x", "b", 20, 30);
  history.read("x", "a", 40, 50);
  EXPECT_THROW(history.check(), Violation);
}

TEST(RegisterHistory, AnAcknowledgedWriteIsLost) {
  RegisterHistory history;
  history.wrote("x", "a", 0, 10);
  history.read("x", std::nullopt, 20, 30);
  EXPECT_THROW(history.check(), Violation);
}

TEST(RegisterHistory, AValueThatComesBack) {
  RegisterHistory history;
  history.wrote("x", "a", 0, 100);
  history.wrote("x", "b", 0, 100);
  history.read("x", "a", 10, 20);
  history.read("x", "b", 30, 40);
  EXPECT_NO_THROW(history.check());
  history.read("x", "a", 50, 60);
  EXPECT_THROW(history.check(), Violation);
}

TEST(RegisterHistory, ValuesFromNowhereAndFromTheFuture) {
  RegisterHistory phantom;
  phantom.read("x", "a", 0, 10);
  EXPECT_THROW(phantom.check(), Violation);
  RegisterHistory early;
  early.read("x", "a", 0, 10);
  early.wrote("x", "a", 20, 30);
  EXPECT_THROW(early.check(), Violation);
}

struct Operation {
  bool write;
  int value;  ///< 0: nothing
  TimeUs invoked;
  TimeUs completed;
};

/// Deliberately dumb: tries every order.
bool some_order_is_right(const std::vector<Operation>& operations) {
  std::vector<size_t> order(operations.size());
  std::iota(order.begin(), order.end(), size_t{0});
  do {
    int now = 0;
    bool right = true;
    for (size_t i = 0; i < order.size() && right; ++i) {
      const Operation& next = operations[order[i]];
      for (size_t j = 0; j < i && right; ++j) {
        right = next.completed >= operations[order[j]].invoked;
      }
      if (next.write) now = next.value;
      right = right && next.value == now;
    }
    if (right) return true;
  } while (std::next_permutation(order.begin(), order.end()));
  return false;
}

TEST(RegisterHistory, AgreesWithTryingEveryOrder) {
  Random random(7);
  int wrong = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<Operation> operations;
    RegisterHistory history;
    const uint64_t writes = 1 + random.below(3);
    for (uint64_t i = 0; i < 5; ++i) {
      // Times are all different, as virtual time's ties would be concurrent here and not there.
      const TimeUs invoked = static_cast<TimeUs>(random.below(40) * 16 + 2 * i);
      const TimeUs completed = invoked + 1 + static_cast<TimeUs>(random.below(20) * 16);
      const bool write = i < writes;
      const int value =
          write ? static_cast<int>(i) + 1 : static_cast<int>(random.below(writes + 1));
      operations.push_back({write, value, invoked, completed});
      const std::string text = std::to_string(value);
      if (write) {
        history.wrote("x", text, invoked, completed);
      } else {
        history.read("x", value == 0 ? std::nullopt : std::optional<ByteView>(text), invoked,
                     completed);
      }
    }
    bool right = true;
    try {
      history.check();
    } catch (const Violation&) {
      right = false;
    }
    ASSERT_EQ(right, some_order_is_right(operations)) << "round " << round;
    wrong += right ? 0 : 1;
  }
  EXPECT_GT(wrong, 500);
  EXPECT_LT(wrong, 2500);
}

}  // namespace
}  // namespace eve::sim
