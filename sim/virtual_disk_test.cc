#include "sim/virtual_disk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sim/sector_file.h"

namespace eve::sim {
namespace {

constexpr uint64_t kAll = UINT64_MAX;

Bytes sectors(const std::string& letters) {
  Bytes bytes;
  for (const char letter : letters) bytes += Bytes(kSectorBytes, letter);
  return bytes;
}

/// The first byte of each sector; '.' for zero.
std::string letters_of(const Bytes& bytes) {
  std::string letters;
  for (size_t at = 0; at < bytes.size(); at += kSectorBytes) {
    letters += bytes[at] == '\0' ? '.' : bytes[at];
  }
  return letters;
}

struct Machine {
  explicit Machine(const DiskPlan& plan = {}, uint64_t seed = 1) : disk(plan, seed) {}
  explicit Machine(uint64_t seed) : Machine(DiskPlan{}, seed) {}

  std::unique_ptr<journal::File> created(const std::string& name, const Bytes& bytes = {}) {
    auto file = std::move(disk.create(name).value());
    EXPECT_TRUE(file->write(0, bytes).ok());
    return file;
  }
  /// With its bytes and its name durable.
  std::unique_ptr<journal::File> durable(const std::string& name, const Bytes& bytes) {
    auto file = created(name, bytes);
    EXPECT_TRUE(file->sync().ok() && disk.sync_names().ok());
    return file;
  }
  /// What a new process reads.
  std::string found(const std::string& name) {
    auto file = disk.open(name);
    return file ? letters_of(*(*file)->read(0, kAll)) : "no such file";
  }
  std::string names() {
    std::string text;
    const auto listed = *disk.list();
    for (const auto& name : listed) text += (text.empty() ? "" : " ") + name;
    return text;
  }

  VirtualDisk disk;
};

/// What many seeds make of the same.
template <typename Outcome>
std::set<std::string> outcomes(const Outcome& outcome) {
  std::set<std::string> all;
  for (uint64_t seed = 0; seed < 200; ++seed) all.insert(outcome(seed));
  return all;
}

TEST(VirtualDisk, WhatIsSyncedSurvivesACrash) {
  Machine m;
  auto file = m.durable("log", sectors("abc"));
  m.disk.inject(DiskFault::kTornWrite);
  m.disk.inject(DiskFault::kNamesMixed);
  m.disk.crash();
  EXPECT_EQ(m.found("log"), "abc");
  EXPECT_EQ(m.disk.count(DiskFault::kTornWrite), 0u);
}

TEST(VirtualDisk, FilesOfAnEarlierProcessAreDead) {
  Machine m;
  auto file = m.durable("log", sectors("a"));
  m.disk.kill();
  EXPECT_FALSE(file->write(0, "b").ok());
  EXPECT_FALSE(file->sync().ok());
  EXPECT_FALSE(file->read(0, 1).ok());
  EXPECT_EQ(m.found("log"), "a");
}

TEST(VirtualDisk, AKilledProcessLosesNothingAndWhatTheNextOneFindsIsDurable) {
  Machine m;
  auto file = m.created("log", sectors("ab"));
  m.disk.kill();
  EXPECT_EQ(m.found("log"), "ab");
  m.disk.inject(DiskFault::kUnsyncedLost);
  m.disk.inject(DiskFault::kNamesLost);
  m.disk.crash();
  EXPECT_EQ(m.found("log"), "ab");
}

TEST(VirtualDisk, UnsyncedWritesMayBeLost) {
  Machine m;
  auto file = m.durable("log", sectors("ab"));
  ASSERT_TRUE(file->write(kSectorBytes, sectors("xyz")).ok());
  m.disk.inject(DiskFault::kUnsyncedLost);
  m.disk.crash();
  EXPECT_EQ(m.found("log"), "ab");
  EXPECT_EQ(m.disk.count(DiskFault::kUnsyncedLost), 1u);
}

TEST(VirtualDisk, ATornWriteLeavesAnySubsetOfItsSectors) {
  const auto all = outcomes([](uint64_t seed) {
    Machine m(seed);
    auto file = m.durable("log", sectors("abc"));
    EXPECT_TRUE(file->write(kSectorBytes, sectors("xy")).ok());
    m.disk.inject(DiskFault::kTornWrite);
    m.disk.crash();
    return m.found("log");
  });
  EXPECT_EQ(all, (std::set<std::string>{"abc", "axc", "aby", "axy"}));
}

TEST(VirtualDisk, ATornWriteMayLeaveOlderVersionsAndOtherSizes) {
  const auto all = outcomes([](uint64_t seed) {
    Machine m(seed);
    auto file = m.durable("log", sectors("a"));
    EXPECT_TRUE(file->write(0, sectors("b")).ok());
    EXPECT_TRUE(file->write(0, sectors("cd")).ok());
    m.disk.inject(DiskFault::kTornWrite);
    m.disk.crash();
    return m.found("log");
  });
  EXPECT_EQ(all, (std::set<std::string>{"a", "b", "c", "a.", "b.", "c.", "ad", "bd", "cd"}));
}

TEST(VirtualDisk, AFileCutShortMayBeWholeAgainButNothingOldShowsBeyondTheEnd) {
  const auto all = outcomes([](uint64_t seed) {
    Machine m(seed);
    auto file = m.durable("log", sectors("abc"));
    EXPECT_TRUE(file->truncate(kSectorBytes + 1).ok());
    m.disk.inject(DiskFault::kTornWrite);
    m.disk.crash();
    auto again = std::move(m.disk.open("log").value());
    const auto size = *again->size();
    EXPECT_TRUE(again->truncate(3 * kSectorBytes).ok());
    const auto bytes = *again->read(0, kAll);
    if (size == kSectorBytes + 1) {
      EXPECT_EQ(bytes.substr(size), Bytes(2 * kSectorBytes - 1, '\0'));
    }
    return letters_of(bytes) + std::to_string(size);
  });
  EXPECT_EQ(all, (std::set<std::string>{"ab.513", "ab.1536", "abc1536"}));
}

TEST(VirtualDisk, NamesThatWereNotSyncedMayBeLostInTheirOrder) {
  const auto all = outcomes([](uint64_t seed) {
    Machine m(seed);
    m.durable("old", sectors("o"));
    m.created("new", sectors("n"))->sync().ok();
    EXPECT_TRUE(m.disk.rename("new", "old").ok());
    m.created("next");
    m.disk.inject(DiskFault::kNamesLost);
    m.disk.crash();
    return m.names() + " " + m.found("old");
  });
  EXPECT_EQ(all, (std::set<std::string>{"old o", "new old o", "old n"}));
}

TEST(VirtualDisk, ARenameLeavesOneOfTheTwoAndAnyOfTheNames) {
  const auto all = outcomes([](uint64_t seed) {
    Machine m(seed);
    m.durable("old", sectors("o"));
    m.durable("new", sectors("n"));
    EXPECT_TRUE(m.disk.rename("new", "old").ok());
    m.disk.inject(DiskFault::kNamesMixed);
    m.disk.crash();
    return m.found("old") + ", " + m.found("new");
  });
  EXPECT_EQ(all, (std::set<std::string>{"o, n", "o, no such file", "n, n", "n, no such file"}));
}

TEST(VirtualDisk, AfterAFailedSyncTheNextOneProvesNothing) {
  const auto all = outcomes([](uint64_t seed) {
    Machine m(seed);
    auto file = m.durable("log", sectors("ab"));
    EXPECT_TRUE(file->write(0, sectors("xy")).ok());
    m.disk.inject(DiskFault::kSyncFails);
    EXPECT_FALSE(file->sync().ok());
    const auto seen = letters_of(*file->read(0, kAll));
    EXPECT_TRUE(file->sync().ok());
    m.disk.crash();
    return seen + ", " + m.found("log");
  });
  EXPECT_TRUE(all.contains("xy, ab"));
  EXPECT_TRUE(all.contains("ab, ab"));
  EXPECT_TRUE(all.contains("xy, xb"));
  EXPECT_TRUE(all.contains("xy, xy"));
  EXPECT_FALSE(all.contains("ab, xy"));
}

TEST(VirtualDisk, AProcessThatComesAfterAFailedSyncSeesWhatTheDiskHolds) {
  outcomes([](uint64_t seed) {
    Machine m(seed);
    auto file = m.durable("log", sectors("ab"));
    EXPECT_TRUE(file->write(0, sectors("xyz")).ok());
    m.disk.inject(DiskFault::kSyncFails);
    EXPECT_FALSE(file->sync().ok());
    m.disk.kill();
    const auto seen = m.found("log");
    m.disk.crash();
    EXPECT_EQ(m.found("log"), seen);
    return seen;
  });
}

TEST(VirtualDisk, NamesMayBeLostByAFailedSync) {
  const auto all = outcomes([](uint64_t seed) {
    Machine m(seed);
    auto file = m.created("log");
    m.disk.inject(DiskFault::kSyncFails);
    EXPECT_FALSE(m.disk.sync_names().ok());
    EXPECT_EQ(m.names(), "log");
    EXPECT_TRUE(m.disk.sync_names().ok());
    EXPECT_EQ(m.names(), "log");
    m.disk.crash();
    return m.names();
  });
  EXPECT_EQ(all, (std::set<std::string>{"", "log"}));
}

TEST(VirtualDisk, AfterARefreshNamesAreWhatTheDiskHolds) {
  const auto all = outcomes([](uint64_t seed) {
    Machine m(seed);
    auto file = m.created("log");
    m.disk.inject(DiskFault::kSyncFails);
    EXPECT_FALSE(m.disk.refresh().ok());
    EXPECT_TRUE(m.disk.refresh().ok());
    EXPECT_FALSE(file->write(0, "x").ok());
    const auto seen = m.names();
    m.disk.crash();
    EXPECT_EQ(m.names(), seen);
    return seen;
  });
  EXPECT_EQ(all, (std::set<std::string>{"", "log"}));
}

TEST(VirtualDisk, AReadFailsOnceABadSectorUntilItIsWritten) {
  Machine m;
  auto file = m.durable("log", sectors("a"));
  m.disk.inject(DiskFault::kReadFails);
  EXPECT_FALSE(file->read(0, 1).ok());
  EXPECT_TRUE(file->read(0, 1).ok());
  m.disk.inject(DiskFault::kBadSector);
  EXPECT_FALSE(file->read(0, kAll).ok());
  EXPECT_FALSE(file->read(kSectorBytes - 1, 1).ok());
  EXPECT_TRUE(file->read(kSectorBytes, 1).ok());
  m.disk.crash();
  auto again = std::move(m.disk.open("log").value());
  EXPECT_FALSE(again->read(0, 1).ok());
  ASSERT_TRUE(again->write(0, sectors("b")).ok() && again->sync().ok());
  EXPECT_EQ(m.found("log"), "b");
}

TEST(VirtualDisk, ALostWriteIsAcknowledged) {
  const auto all = outcomes([](uint64_t seed) {
    Machine m(seed);
    auto file = m.durable("log", sectors("ab"));
    EXPECT_TRUE(file->write(0, sectors("xy")).ok());
    m.disk.inject(DiskFault::kLostWrite);
    EXPECT_TRUE(file->sync().ok());
    const auto seen = letters_of(*file->read(0, kAll));
    m.disk.crash();
    const auto found = m.found("log");
    EXPECT_TRUE(seen == "xy" || seen == found) << seen << " " << found;
    return found;
  });
  EXPECT_EQ(all, (std::set<std::string>{"ab", "ay", "xb"}));
}

TEST(VirtualDisk, AMisdirectedWriteIsMissingInOnePlaceAndTooMuchInAnother) {
  const auto all = outcomes([](uint64_t seed) {
    Machine m(seed);
    m.durable("other", sectors("o"));
    auto file = m.durable("log", sectors("ab"));
    EXPECT_TRUE(file->write(0, sectors("x")).ok());
    m.disk.inject(DiskFault::kMisdirected);
    EXPECT_TRUE(file->sync().ok());
    m.disk.crash();
    return m.found("log") + " " + m.found("other");
  });
  EXPECT_EQ(all, (std::set<std::string>{"ax o", "ab x"}));
}

TEST(VirtualDisk, RotAtRestStays) {
  Machine m;
  auto file = m.durable("log", sectors("ab"));
  m.disk.inject(DiskFault::kRotAtRest);
  EXPECT_TRUE(m.disk.list().ok());
  m.disk.crash();
  const auto bytes = m.disk.copy().at("log");
  int bits = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bits += __builtin_popcount(static_cast<unsigned char>(bytes[i] ^ sectors("ab")[i]));
  }
  EXPECT_EQ(bits, 1);
}

TEST(VirtualDisk, RotAtAReadPasses) {
  Machine m;
  auto file = m.durable("log", sectors("ab"));
  m.disk.inject(DiskFault::kRotAtRead);
  EXPECT_NE(*file->read(0, kAll), sectors("ab"));
  EXPECT_EQ(*file->read(0, kAll), sectors("ab"));
}

TEST(VirtualDisk, AStaleSectorShowsWhatARemovedFileHeld) {
  const auto all = outcomes([](uint64_t seed) {
    Machine m(seed);
    m.disk.inject(DiskFault::kStaleSector);
    m.durable("earlier", sectors("e"));
    EXPECT_TRUE(m.disk.remove("earlier").ok());
    auto file = m.durable("log", sectors("a"));
    EXPECT_TRUE(file->write(kSectorBytes, sectors("b")).ok());
    m.disk.inject(DiskFault::kTornWrite);
    m.disk.crash();
    return m.found("log");
  });
  EXPECT_EQ(all, (std::set<std::string>{"a", "ab", "ae"}));
}

TEST(VirtualDisk, AnOldCopyComesBack) {
  Machine m;
  m.disk.inject(DiskFault::kOldCopy);
  auto file = m.durable("log", sectors("a"));
  ASSERT_TRUE(file->write(0, sectors("b")).ok());
  const auto unsynced = m.disk.copy();
  ASSERT_TRUE(file->sync().ok());
  m.disk.crash();
  EXPECT_EQ(m.disk.count(DiskFault::kOldCopy), 1u);
  EXPECT_EQ(m.found("log"), "a");

  m.durable("log-2", sectors("c"));
  m.disk.restore(unsynced);
  EXPECT_EQ(m.names(), "log");
  EXPECT_EQ(m.found("log"), "a");
}

TEST(VirtualDisk, FilesAreLost) {
  const auto all = outcomes([](uint64_t seed) {
    Machine m(seed);
    m.durable("a", sectors("a"));
    m.durable("b", sectors("b"));
    m.disk.inject(DiskFault::kFilesLost);
    m.disk.crash();
    return m.names();
  });
  EXPECT_EQ(all, (std::set<std::string>{"", "a", "b"}));
}

TEST(VirtualDisk, AFullDiskTakesPartOfAWriteAndOverwrites) {
  DiskPlan plan;
  plan.capacity_bytes = 8 * kSectorBytes;
  Machine m(plan);
  auto file = m.created("log", sectors("ab"));
  EXPECT_EQ(*m.disk.free_bytes(), 5 * kSectorBytes);  // a name takes one
  m.created("reserve", sectors("rr"));
  const auto full = file->write(kSectorBytes, sectors("xyzz"));
  EXPECT_FALSE(full.ok());
  EXPECT_EQ(letters_of(*file->read(0, kAll)), "axyz");
  EXPECT_EQ(*m.disk.free_bytes(), 0u);
  EXPECT_TRUE(file->write(0, sectors("c")).ok());
  EXPECT_FALSE(m.disk.create("another").ok());
  EXPECT_TRUE(m.disk.remove("reserve").ok());
  EXPECT_TRUE(file->write(4 * kSectorBytes, sectors("zz")).ok());
  m.disk.set_capacity(100 * kSectorBytes);
  EXPECT_TRUE(m.disk.create("another").ok());
}

TEST(VirtualDisk, SomebodyElseFillsTheDiskForAWhile) {
  Machine m;
  auto file = m.created("log");
  m.disk.inject(DiskFault::kDiskFull);
  EXPECT_FALSE(file->write(0, sectors("abcdefgh")).ok());
  EXPECT_LT(*m.disk.free_bytes(), 8 * kSectorBytes);
  int patience = 300;
  while (!file->write(0, sectors("abcdefgh")).ok() && --patience > 0) {
  }
  EXPECT_GT(patience, 0);
}

TEST(VirtualDisk, OperationsTakeTime) {
  Machine m;
  auto file = m.created("log", sectors("a"));
  m.disk.take_elapsed();
  ASSERT_TRUE(file->sync().ok());
  const TimeUs usual = m.disk.take_elapsed();
  EXPECT_GT(usual, 100);
  EXPECT_LT(usual, 1'000);
  EXPECT_EQ(m.disk.take_elapsed(), 0);
  m.disk.inject(DiskFault::kStall);
  ASSERT_TRUE(file->sync().ok());
  EXPECT_GE(m.disk.take_elapsed(), 10'000);
}

TEST(VirtualDisk, ThePowerFailsAtAnyOperation) {
  const auto run = [](Machine& m) {
    auto file = m.disk.create("log");
    return file && (*file)->write(0, sectors("ab")).ok() && (*file)->sync().ok() &&
           m.disk.sync_names().ok();
  };
  for (uint64_t at = 1; at <= 4; ++at) {
    Machine m;
    m.disk.fail_power_after(at);
    EXPECT_FALSE(run(m)) << at;
    EXPECT_TRUE(m.disk.power_failed());
    EXPECT_FALSE(m.disk.list().ok());
    m.disk.inject(DiskFault::kNamesLost);
    m.disk.crash();
    EXPECT_EQ(m.names(), "") << at;
    EXPECT_FALSE(m.disk.power_failed());
  }
  Machine m;
  m.disk.fail_power_after(5);
  EXPECT_TRUE(run(m));
}

TEST(VirtualDisk, ASyncThatThePowerFailsInIsNone) {
  Machine m;
  auto file = m.durable("log", sectors("a"));
  ASSERT_TRUE(file->write(0, sectors("b")).ok());
  m.disk.fail_power_after(1);
  EXPECT_FALSE(file->sync().ok());
  m.disk.inject(DiskFault::kUnsyncedLost);
  m.disk.crash();
  EXPECT_EQ(m.found("log"), "a");
}

TEST(VirtualDisk, ErrorsHaveTheKindsThatTheContractNames) {
  Machine m;
  auto file = m.durable("log", sectors("a"));
  const auto other = ErrorKind::kOther;
  m.disk.inject(DiskFault::kReadFails);
  EXPECT_EQ(file->read(0, kAll).kind(), ErrorKind::kMedium);
  m.disk.inject(DiskFault::kRefused);
  EXPECT_EQ(file->read(0, kAll).kind(), other);
  EXPECT_TRUE(file->read(0, kAll).ok());
  m.disk.inject(DiskFault::kRefused);
  EXPECT_FALSE(m.disk.open("log").ok());
  m.disk.inject(DiskFault::kRefused);
  EXPECT_FALSE(m.disk.list().ok());
  m.disk.inject(DiskFault::kSyncFails);
  EXPECT_EQ(m.disk.sync_names().kind(), ErrorKind::kMedium);
  m.disk.inject(DiskFault::kSyncFails);
  EXPECT_EQ(file->sync().kind(), ErrorKind::kMedium);
  m.disk.set_capacity(0);
  EXPECT_EQ(file->write(1u << 20, "x").kind(), ErrorKind::kNoSpace);
  EXPECT_EQ(m.disk.create("other").kind(), ErrorKind::kNoSpace);
  EXPECT_EQ(m.disk.open("none").kind(), other);
  m.disk.crash();
  EXPECT_EQ(file->sync().kind(), other);
}

TEST(VirtualDisk, CalmEndsTheFaultsNotTheDamage) {
  DiskPlan plan;
  plan[DiskFault::kReadFails] = plan[DiskFault::kSyncFails] = plan[DiskFault::kDiskFull] =
      1'000'000;
  Machine m(plan);
  EXPECT_FALSE(m.disk.sync_names().ok());
  m.disk.calm();
  auto file = m.durable("log", sectors("a"));
  EXPECT_EQ(m.found("log"), "a");
}

// ---- plans and seeds

/// A life with many operations; all that could be seen of it.
std::string history(DiskScope scope, uint64_t seed,
                    std::array<uint64_t, DiskPlan::kFaults>* counts) {
  Random random(seed);
  auto plan = DiskPlan::draw(random, scope);
  plan.capacity_bytes = 1u << 20;
  for (auto& chance : plan.per_million) chance = std::min(chance * 20, 500'000u);
  Machine m(plan, seed);
  std::string seen;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 20; ++i) {
      const std::string name(1, static_cast<char>('a' + random.below(4)));
      auto file = m.disk.create(name);
      if (!file) file = m.disk.open(name);
      if (random.chance(1, 8)) seen += m.disk.remove(name).ok() ? "-" : "?";
      if (!file) continue;
      const auto bytes = sectors(std::string(1 + random.below(4), 'x'));
      seen += (*file)->write(random.below(3000), bytes).ok() ? "w" : "!";
      if (random.chance(1, 2)) seen += (*file)->sync().ok() ? "s" : "f";
      if (random.chance(1, 4)) seen += m.disk.sync_names().ok() ? "n" : "f";
      const auto read = (*file)->read(0, kAll);
      seen += read ? *read : read.message();
    }
    seen += std::to_string(m.disk.take_elapsed());
    m.disk.crash();
    for (const auto& [name, bytes] : m.disk.copy()) seen += name + bytes;
  }
  for (size_t i = 0; i < DiskPlan::kFaults; ++i) {
    const auto count = m.disk.count(static_cast<DiskFault>(i));
    seen += std::to_string(count) + " ";
    if (counts != nullptr) (*counts)[i] += count;
  }
  return seen;
}

TEST(VirtualDisk, TheSameSeedReplays) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    EXPECT_EQ(history(DiskScope::kDamage, seed, nullptr),
              history(DiskScope::kDamage, seed, nullptr));
  }
  EXPECT_NE(history(DiskScope::kDamage, 1, nullptr), history(DiskScope::kDamage, 2, nullptr));
}

TEST(VirtualDisk, EveryFaultHappensInItsScopeOnly) {
  for (const auto scope : {DiskScope::kSound, DiskScope::kContract, DiskScope::kDamage}) {
    std::array<uint64_t, DiskPlan::kFaults> counts{};
    for (uint64_t seed = 0; seed < 60; ++seed) history(scope, seed, &counts);
    for (size_t i = 0; i < DiskPlan::kFaults; ++i) {
      const auto fault = static_cast<DiskFault>(i);
      EXPECT_EQ(counts[i] > 0, scope_of(fault) <= scope) << name_of(fault);
    }
  }
}

TEST(DiskPlan, AWiderScopeLeavesTheNarrowerFaultsAsTheyAre) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random first(seed);
    Random second(seed);
    const auto contract = DiskPlan::draw(first, DiskScope::kContract);
    const auto damage = DiskPlan::draw(second, DiskScope::kDamage);
    for (size_t i = 0; i < DiskPlan::kFaults; ++i) {
      if (scope_of(static_cast<DiskFault>(i)) == DiskScope::kContract) {
        EXPECT_EQ(contract.per_million[i], damage.per_million[i]);
      }
    }
  }
  DiskPlan plan;
  EXPECT_EQ(to_string(plan), "");
  plan[DiskFault::kStall] = 7;
  plan[DiskFault::kTornWrite] = 1;
  EXPECT_EQ(to_string(plan), "torn write=1, stall=7");
}

}  // namespace
}  // namespace eve::sim
