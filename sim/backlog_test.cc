#include "sim/backlog.h"

#include <gtest/gtest.h>

#include <set>

namespace eve::sim {
namespace {

/// Message k comes at time k, from executor 0, verifier 0, verifier 1 in turns.
Backlog filled(size_t messages) {
  Backlog backlog;
  for (size_t k = 0; k < messages; ++k) {
    const Address from = k % 3 == 0 ? Address::executor(0) : Address::verifier(k % 3 - 1);
    const auto body = std::make_shared<const wire::Message>(wire::Suspect{View(k)});
    backlog.add(body, from, static_cast<TimeUs>(k));
  }
  return backlog;
}

TEST(Backlog, IsReadLinkByLinkAndABrokenLinkLosesItsBeginning) {
  Random random(1);
  std::set<Address> first;
  size_t lost = 0;
  for (int round = 0; round < 200; ++round) {
    Backlog backlog = filled(30);
    const auto read = backlog.read(30, random);
    EXPECT_TRUE(backlog.empty());
    ASSERT_FALSE(read.empty());
    first.insert(read.front().from);
    lost += read.size() < 30 ? 1 : 0;
    std::set<Address> done;
    for (size_t i = 1; i < read.size(); ++i) {
      if (read[i].from == read[i - 1].from) {
        EXPECT_GT(read[i].came_at, read[i - 1].came_at);
      } else {
        done.insert(read[i - 1].from);
      }
      EXPECT_FALSE(done.contains(read[i].from)) << "a link is read to its end";
    }
    EXPECT_EQ(read.back().came_at / 3, 9) << "the newest of every link is there";
  }
  EXPECT_EQ(first.size(), 3u);
  EXPECT_GT(lost, 50u);
  EXPECT_LT(lost, 150u);
}

TEST(Backlog, NothingComesOfNothing) {
  Random random(1);
  EXPECT_TRUE(Backlog().read(10, random).empty());
}

}  // namespace
}  // namespace eve::sim
