// The checker must see what it is there to see.
#include "sim/append_history.h"

#include <gtest/gtest.h>

#include "sim/violation.h"

namespace eve::sim {
namespace {

using Operation = AppendHistory::Operation;

Operation append(uint32_t key, uint64_t value) {
  return {key, value, {}};
}
Operation read(uint32_t key, std::vector<uint64_t> list) {
  return {key, std::nullopt, std::move(list)};
}

/// Each transaction by another client; all at the same time unless said otherwise.
class AppendHistoryTest : public ::testing::Test {
 protected:
  void add(std::vector<Operation> operations, TimeUs invoked = 0,
           std::optional<TimeUs> completed = 1000) {
    history_.add({clients_++, invoked, completed, std::move(operations)});
  }
  std::string verdict() const {
    try {
      history_.check();
    } catch (const Violation& violation) {
      return violation.what();
    }
    return "";
  }

  AppendHistory history_;
  uint16_t clients_ = 0;
};

TEST_F(AppendHistoryTest, AnOrderThatExplainsAll) {
  add({append(1, 10), append(2, 11)});
  add({append(1, 20), read(2, {11})});
  add({read(1, {10, 20}), read(2, {11})});
  add({append(1, 30)}, 2000, std::nullopt);
  add({read(1, {10, 20, 30})}, 3000, 4000);
  add({append(3, 40)}, 2000, std::nullopt);
  add({read(3, {})}, 9000, 9500);
  EXPECT_EQ(verdict(), "");
}

TEST_F(AppendHistoryTest, TwoOrders) {
  add({append(1, 10)});
  add({append(1, 20)});
  add({read(1, {10, 20})});
  add({read(1, {20})});
  EXPECT_NE(verdict().find("two orders"), std::string::npos);
}

TEST_F(AppendHistoryTest, AnAppendThatRanTwice) {
  add({append(1, 10)});
  add({read(1, {10, 10})});
  EXPECT_NE(verdict().find("twice"), std::string::npos);
}

TEST_F(AppendHistoryTest, AnAppendOfNobody) {
  add({read(1, {10})});
  EXPECT_NE(verdict().find("nobody"), std::string::npos);
}

TEST_F(AppendHistoryTest, ALostAppend) {
  add({append(1, 10)}, 0, 100);
  add({read(1, {})}, 200, 300);
  EXPECT_NE(verdict().find("real time"), std::string::npos);
}

TEST_F(AppendHistoryTest, ALostAppendAmongOthers) {
  add({append(1, 10)}, 0, 100);
  add({append(1, 20)}, 0, 1000);
  add({read(1, {20})}, 200, 300);
  EXPECT_NE(verdict(), "");
}

TEST_F(AppendHistoryTest, WritesThatInterleave) {
  add({append(1, 10), append(2, 11)});
  add({append(1, 20), append(2, 21)});
  add({read(1, {10, 20})});
  add({read(2, {21, 11})});
  EXPECT_NE(verdict().find("ww"), std::string::npos) << "G0";
}

TEST_F(AppendHistoryTest, ReadsInACircle) {
  add({append(1, 10), read(2, {20})});
  add({append(2, 20), read(1, {10})});
  EXPECT_NE(verdict().find("wr"), std::string::npos) << "G1c";
}

TEST_F(AppendHistoryTest, WriteSkew) {
  add({append(1, 10), read(2, {})});
  add({append(2, 20), read(1, {})});
  EXPECT_NE(verdict().find("rw"), std::string::npos) << "G2";
}

TEST_F(AppendHistoryTest, AClientsOwnRequestsStayInOrder) {
  history_.add({7, 0, 1000, {append(1, 10)}});
  history_.add({7, 0, 1000, {append(1, 20)}});
  add({read(1, {20, 10})});
  EXPECT_NE(verdict().find("client"), std::string::npos);
}

TEST_F(AppendHistoryTest, AStaleRead) {
  add({append(1, 10)}, 0, 10);
  add({append(1, 20)}, 20, 30);
  add({read(1, {10, 20})}, 40, 50);
  add({read(1, {10})}, 60, 70);
  EXPECT_NE(verdict(), "");
}

}  // namespace
}  // namespace eve::sim
