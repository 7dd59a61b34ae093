// What the benchmarks of the state engine rest on: their arithmetic, and prototypes that do what
// they are compared for.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <sstream>

#include "bench/multiset_hash.h"
#include "bench/slot_tree.h"
#include "bench/state.h"
#include "bench/trie.h"

namespace eve::bench {
namespace {

const crypto::Digester& sha256() {
  return digester_of(crypto::DigestAlgorithm::kSha256);
}

std::vector<uint64_t> up_to(uint64_t count) {
  std::vector<uint64_t> all(count);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(Goal, IsJudgedByTheMedianOfTheRatiosOrOfTheValues) {
  Row row;
  row.values = {10, 30, 20};
  EXPECT_EQ(verdict(row), "");
  row.goal = Goal{Goal::Of::kRatio, 1.2};
  EXPECT_EQ(verdict(row), "not measured");
  row.baseline = "other";
  row.baseline_values = {10, 10, 20};
  EXPECT_EQ(verdict(row), "goal: ratio at most 1.20: met");
  row.baseline_values = {5, 10, 10};
  EXPECT_EQ(verdict(row), "goal: ratio at most 1.20: not met");
  row.goal = Goal{Goal::Of::kValue, 20};
  row.better = "higher";
  EXPECT_EQ(verdict(row), "goal: value at least 20.00: met");
}

TEST(Goal, IsInTheReport) {
  Report report;
  report.rows.emplace_back();
  report.rows[0].name = "a row";
  report.rows[0].values = {3};
  report.rows[0].goal = Goal{Goal::Of::kValue, 2};
  EXPECT_NE(report.to_json().find("\"met\": false"), std::string::npos);
  EXPECT_NE(report.to_table().find("not met"), std::string::npos);
  report.rows[0].values.clear();
  EXPECT_NE(report.to_json().find("\"met\": null"), std::string::npos);
}

/// The lines of a table.
std::vector<std::string> lines_of(const std::string& table) {
  std::vector<std::string> lines;
  std::istringstream in(table);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Table, HasColumnsAsWideAsTheirWidestEntry) {
  Report report;
  for (const std::string& name : {std::string("short"), std::string(90, 'n')}) {
    Row row;
    row.name = name;
    row.unit = name.substr(0, 20);
    row.values = {12, 14, 16};
    row.baseline = name;
    row.baseline_values = {2, 4, 8};
    row.better = "higher";
    row.note = "note";
    report.rows.push_back(row);
  }
  const auto lines = lines_of(report.to_table());
  ASSERT_EQ(lines.size(), 3);
  for (const std::string& line : {lines[1], lines[2]}) {
    // Values end where their headings do; words start there.
    EXPECT_EQ(line.find("14.0") + 4, lines[0].find("median") + 6);
    EXPECT_EQ(line.find("3.500") + 5, lines[0].find("ratio to") + 8);
    EXPECT_EQ(line.find("4.000") + 5, lines[0].find("value of") + 8);
    EXPECT_EQ(line.find("higher"), lines[0].find("better"));
    EXPECT_EQ(line.find("note"), lines[2].find("note"));
  }
  EXPECT_EQ(lines_of(report.to_table(1)).size(), 2);
  EXPECT_EQ(report.to_table(2), "");
}

TEST(Table, IsPrintedAGroupAtATime) {
  Report report;
  report.rows.resize(1);
  report.rows[0].name = "first";
  testing::internal::CaptureStdout();
  report.print();
  EXPECT_EQ(lines_of(testing::internal::GetCapturedStdout()).size(), 2);
  report.rows.resize(2);
  report.rows[1].name = "second";
  testing::internal::CaptureStdout();
  report.print();
  report.print();
  const std::string printed = testing::internal::GetCapturedStdout();
  EXPECT_EQ(printed.find("first"), std::string::npos);
  EXPECT_EQ(printed.find("second"), printed.rfind("second"));
  EXPECT_NE(printed.find("second"), std::string::npos);
}

TEST(InTurn, LetsEachGoFirst) {
  std::string order;
  for (const size_t turn : {0, 1, 2, 3}) {
    in_turn(turn, {[&] { order += 'a'; }, [&] { order += 'b'; }, [&] { order += 'c'; }});
  }
  EXPECT_EQ(order, "abcbcacababc");
}

TEST(Draw, GivesDifferentNumbersBelowTheBound) {
  Random random(1);
  for (const size_t count : {0, 1, 60, 100}) {
    const auto drawn = draw(random, count, 100);
    const std::set<uint64_t> different(drawn.begin(), drawn.end());
    EXPECT_EQ(drawn.size(), count);
    EXPECT_EQ(different.size(), count);
    EXPECT_TRUE(different.empty() || *different.rbegin() < 100);
  }
}

TEST(Crew, RunsEveryThreadOnce) {
  Crew crew(4);
  std::atomic<size_t> sum{0};
  for (size_t round = 1; round <= 20; ++round) {
    const Cost cost = crew.run([&](size_t thread) { sum += size_t{1} << (8 * thread); });
    EXPECT_EQ(sum, round * 0x01010101);
    EXPECT_GT(cost.wall, 0);
  }
}

/// The root of the objects in these slots, from nothing.
crypto::Digest root_of(const Payloads& payloads, const std::vector<uint64_t>& slots, size_t arity) {
  std::vector<crypto::Digest> level;
  for (const uint64_t object : slots) level.push_back(sha256().digest(payloads[object]));
  while (level.size() > 1) {
    std::vector<crypto::Digest> above;
    for (size_t first = 0; first < level.size(); first += arity) {
      Bytes children;
      for (size_t i = first; i < std::min(level.size(), first + arity); ++i) {
        children += level[i].view();
      }
      above.push_back(sha256().digest(children));
    }
    level = std::move(above);
  }
  return level.at(0);
}

TEST(SlotTree, FollowsChangesAndNewObjects) {
  for (const size_t arity : {2, 16}) {
    Payloads payloads = make_payloads(100);
    SlotTree tree(sha256(), arity, payloads);
    const auto in_order = [&](uint64_t a, uint64_t b) { return payloads[a] < payloads[b]; };
    std::vector<uint64_t> slots = up_to(100);
    std::sort(slots.begin(), slots.end(), in_order);
    EXPECT_EQ(tree.root(), root_of(payloads, slots, arity));

    for (const uint64_t index : {99, 3, 40}) ++payloads[index][kKeyBytes];
    tree.update(payloads, {99, 3, 40});
    EXPECT_EQ(tree.root(), root_of(payloads, slots, arity));

    Payloads more = make_payloads(150);
    std::copy(payloads.begin(), payloads.end(), more.begin());
    payloads = more;
    std::vector<uint64_t> fresh = up_to(150);
    fresh.erase(fresh.begin(), fresh.begin() + 100);
    tree.insert(payloads, fresh);
    std::sort(fresh.begin(), fresh.end(), in_order);
    slots.insert(slots.end(), fresh.begin(), fresh.end());
    EXPECT_EQ(tree.root(), root_of(payloads, slots, arity));
  }
}

TEST(SlotTree, ReusesTheLowestFreeSlots) {
  Payloads payloads = make_payloads(40);
  SlotTree tree(sha256(), 4, payloads);
  const auto in_order = [&](uint64_t a, uint64_t b) { return payloads[a] < payloads[b]; };
  std::vector<uint64_t> slots = up_to(40);
  std::sort(slots.begin(), slots.end(), in_order);
  const std::vector<uint64_t> freed{30, 2, 17};
  tree.erase({slots[freed[0]], slots[freed[1]]});
  tree.erase({slots[freed[2]]});
  EXPECT_NE(tree.root(), root_of(payloads, slots, 4));

  payloads = make_payloads(45);
  tree.insert(payloads, {42, 41});
  tree.insert(payloads, {40, 43, 44});
  std::vector<uint64_t> first{41, 42};
  std::vector<uint64_t> then{40, 43, 44};
  std::sort(first.begin(), first.end(), in_order);
  std::sort(then.begin(), then.end(), in_order);
  slots[2] = first[0];
  slots[17] = first[1];
  slots[30] = then[0];
  slots.insert(slots.end(), then.begin() + 1, then.end());
  EXPECT_EQ(tree.root(), root_of(payloads, slots, 4));
}

TEST(Trie, IsAFunctionOfTheObjectsAlone) {
  const Payloads payloads = make_payloads(500);
  const Trie at_once(sha256(), kKeyBytes, payloads);
  Trie one_by_one(sha256(), kKeyBytes, {});
  for (uint64_t index = 500; index-- > 0;) {
    EXPECT_NE(one_by_one.root(), at_once.root());
    one_by_one.update(payloads, {index});
  }
  EXPECT_EQ(one_by_one.root(), at_once.root());
  EXPECT_EQ(one_by_one.bytes(), at_once.bytes());
}

TEST(Trie, FollowsChanges) {
  Payloads payloads = make_payloads(300);
  Trie trie(sha256(), kKeyBytes, payloads);
  for (const uint64_t index : {5, 299, 17}) ++payloads[index][kKeyBytes];
  EXPECT_NE(trie.root(), Trie(sha256(), kKeyBytes, payloads).root());
  trie.update(payloads, {5, 299, 17});
  EXPECT_EQ(trie.root(), Trie(sha256(), kKeyBytes, payloads).root());
}

/// `hash` has been told nothing yet; `fresh` neither.
template <typename Hash>
void check_multiset(Hash hash, Hash fresh) {
  Payloads payloads = make_payloads(20);
  for (const auto& payload : payloads) hash->insert(payload);
  const Bytes before = payloads[7];
  payloads[7][kKeyBytes] = 'x';
  EXPECT_NE(hash->token(), fresh->token());
  hash->replace(before, payloads[7]);
  std::reverse(payloads.begin(), payloads.end());
  for (const auto& payload : payloads) {
    EXPECT_NE(hash->token(), fresh->token());
    fresh->insert(payload);
  }
  EXPECT_EQ(hash->token(), fresh->token());
}

TEST(MultisetHash, DependsOnTheObjectsAndNotOnTheirOrder) {
  for (const auto algorithm : kAlgorithms) {
    const auto& digester = digester_of(algorithm);
    check_multiset(std::make_unique<SumHash>(digester), std::make_unique<SumHash>(digester));
  }
  for (const auto expand : {LtHash::Expand::kShake128, LtHash::Expand::kChaCha20}) {
    check_multiset(std::make_unique<LtHash>(expand), std::make_unique<LtHash>(expand));
  }
}

}  // namespace
}  // namespace eve::bench
