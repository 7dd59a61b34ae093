// Checkpoints on a virtual disk: whatever that does within journal/disk.h, what was acknowledged is
// there again, from a checkpoint and the log beyond it; and what a disk that lies makes of a
// checkpoint is found out before the log is cut.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "durability/checkpoint_node_testing.h"
#include "sim/virtual_disk.h"

namespace eve::sim {
namespace {

using durability::testing::Node;
using durability::testing::Past;

DiskPlan plan_of(Random& random) {
  auto plan = DiskPlan::draw(random, DiskScope::kContract);
  for (const auto fault : {DiskFault::kSyncFails, DiskFault::kReadFails, DiskFault::kDiskFull}) {
    plan[fault] *= 10;
  }
  plan.capacity_bytes = 4u << 20;
  plan.full_operations = 60;
  return plan;
}

/// A node that lives through many processes.
class Life {
 public:
  explicit Life(uint64_t seed) : random_(seed), disk_(plan_of(random_), seed + 1) {}
  ~Life() { node_.reset(); }

  void run(int steps) {
    start();
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
    disk_.calm();
    end();
    start();
  }
  uint64_t taken() const { return taken_; }
  const VirtualDisk& disk() const { return disk_; }

 private:
  void step() {
    if (random_.chance(1, 100)) disk_.fail_power_after(1 + random_.below(30));
    const uint64_t drawn = random_.below(16);
    bool fine = true;
    if (drawn == 0 && random_.chance(1, 6)) fine = false;
    if (drawn > 0 && drawn < 4) fine = node_->run(random_);
    if (drawn >= 4 && drawn < 7) fine = node_->flush();
    for (int turn = 0; drawn >= 7 && fine && turn < 4; ++turn) {
      node_->step();
      fine = node_->work();
    }
    if (fine && !disk_.power_failed()) return;
    end();
    start();
  }
  void end() {
    if (node_ != nullptr) taken_ += node_->taker().counts().taken;
    // A process that is killed cleans nothing up.
    if (disk_.power_failed() || random_.chance(2, 3)) {
      disk_.crash();
    } else {
      disk_.kill();
    }
    node_.reset();
  }
  void start() {
    for (int attempt = 0; !try_to_start(); ++attempt) {
      ASSERT_LT(attempt, 300) << "it never comes up";
      if (attempt == 200) disk_.calm();
      end();
    }
  }
  bool try_to_start() {
    if (random_.chance(1, 6)) disk_.fail_power_after(1 + random_.below(60));
    const auto read_errors = disk_.count(DiskFault::kReadFails);
    node_ = std::make_unique<Node>(disk_, past_);
    return node_->start(
        [&] { return disk_.power_failed() || disk_.count(DiskFault::kReadFails) != read_errors; });
  }

  Random random_;
  VirtualDisk disk_;
  Past past_;
  std::unique_ptr<Node> node_;
  uint64_t taken_ = 0;
};

TEST(CheckpointsOnAVirtualDisk, KeepWhatWasAcknowledged) {
  uint64_t taken = 0;
  std::map<std::string, uint64_t> faults;
  for (uint64_t seed = 0; seed < 200 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed);
    life.run(300);
    taken += life.taken();
    for (size_t i = 0; i < DiskPlan::kFaults; ++i) {
      const auto fault = static_cast<DiskFault>(i);
      if (scope_of(fault) == DiskScope::kContract)
        faults[name_of(fault)] += life.disk().count(fault);
    }
  }
  EXPECT_GT(taken, 300u);
  for (const auto& [fault, count] : faults) EXPECT_GT(count, 0u) << fault;
}

TEST(CheckpointsOnAVirtualDisk, AreNotNamedWhereTheDiskLied) {
  uint64_t caught = 0;
  uint64_t taken = 0;
  for (uint64_t seed = 0; seed < 60 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    VirtualDisk disk(DiskPlan{}, seed);
    durability::testing::Writer writer;
    writer.write(0, 60, "value");
    for (const auto fault : {DiskFault::kLostWrite, DiskFault::kMisdirected}) {
      const auto before = disk.count(fault);
      disk.inject(fault, 1 + seed % 8);
      const auto name =
          durability::testing::write_checkpoint(disk, writer.replica, journal::Position(5), 300);
      disk.calm();
      if (!name.ok()) {
        ++caught;
        continue;
      }
      ++taken;
      // It came by after the last sync, or changed nothing in this file.
      const auto found =
          durability::verify_checkpoint(disk, *name, durability::testing::digester());
      EXPECT_TRUE(found.ok() || disk.count(fault) == before) << found.message();
    }
  }
  EXPECT_GT(caught, 30u);
  EXPECT_GT(taken, 3u);
}

}  // namespace
}  // namespace eve::sim
