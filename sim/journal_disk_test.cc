// The journal on a virtual disk: whatever that does within journal/disk.h, all that was
// acknowledged is there for the next process, in order, and nothing that was never appended.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "journal/log_reader.h"
#include "journal/log_writer.h"
#include "journal/segment_file.h"
#include "sim/virtual_disk.h"

namespace eve::sim {
namespace {

using journal::LogWriter;
using journal::Position;

/// Records as they were read.
struct Collector : journal::Visitor {
  Status record(const journal::Record& record) override {
    records.emplace_back(record.position, Bytes(record.payload));
    return {};
  }
  std::vector<std::pair<Position, Bytes>> records;
};

DiskPlan plan_of(Random& random) {
  auto plan = DiskPlan::draw(random, DiskScope::kContract);
  for (const auto fault :
       {DiskFault::kSyncFails, DiskFault::kReadFails, DiskFault::kDiskFull, DiskFault::kRefused}) {
    plan[fault] *= 20;
  }
  plan.capacity_bytes = 4u << 20;
  plan.full_operations = 60;
  return plan;
}

journal::LogOptions options_of(Random& random) {
  journal::LogOptions options;
  options.segment_bytes = (2 + random.below(12)) * journal::kBlockBytes;
  options.reserve_bytes = 4 * journal::kBlockBytes;
  options.low_bytes = 64 * journal::kBlockBytes;
  return options;
}

/// A log that lives through many processes.
class Life {
 public:
  explicit Life(uint64_t seed)
      : random_(seed), disk_(plan_of(random_), seed + 1), options_(options_of(random_)) {}

  void run(int steps) {
    start();
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
    disk_.calm();
    end();
    start();
  }
  uint64_t resumed() const { return resumed_; }
  const VirtualDisk& disk() const { return disk_; }

 private:
  void step() {
    if (random_.chance(1, 60)) disk_.fail_power_after(1 + random_.below(20));
    const uint64_t drawn = random_.below(16);
    if (drawn == 0) {
      end();
      start();
    } else if (drawn == 1) {
      if (log_->settle().ok()) acknowledged_ = log_->durable_end();
    } else if (drawn == 2) {
      cut_ = std::max(cut_, Position(1 + random_.below(acknowledged_.value())));
      (void)log_->cut(cut_);
    } else if (drawn < 7) {
      if (log_->flush().ok()) acknowledged_ = log_->durable_end();
    } else {
      append();
    }
    if (log_->state().ok()) return;
    end();
    start();
  }

  void append() {
    const uint64_t size = random_.chance(1, 8) ? random_.below(9000) : random_.below(200);
    Bytes payload = std::to_string(appended_++) + ":" + Bytes(size, 'x');
    const auto position = log_->append(7, appended_, payload);
    if (!position) return;
    records_.resize(position->value());
    records_.push_back(std::move(payload));
  }

  /// The process ends, the machine with it or not.
  void end() {
    log_.reset();
    if (disk_.power_failed() || random_.chance(2, 3)) {
      disk_.crash();
    } else {
      disk_.kill();
    }
  }
  void start() {
    for (int attempt = 0; !try_to_start(); ++attempt) {
      ASSERT_LT(attempt, 300) << "it never comes up";
      if (attempt == 200) disk_.calm();
      end();
    }
    ++resumed_;
  }
  bool try_to_start() {
    if (random_.chance(1, 6)) disk_.fail_power_after(1 + random_.below(60));
    const auto read_errors = disk_.count(DiskFault::kReadFails);
    Collector found;
    const auto recovery = journal::read_log(disk_, options_, found);
    // What it cannot read it asks for again.
    const auto failed = disk_.count(DiskFault::kReadFails) - read_errors;
    const bool told = failed >= journal::kReadAttempts;
    if (!recovery || (told && !recovery->damage.empty())) return false;
    check(*recovery, found);
    auto log = recovery->empty ? LogWriter::create(disk_, options_, journal::Life{1})
                               : LogWriter::resume(disk_, options_, *recovery);
    if (!log) return false;
    log_ = std::move(*log);
    records_.resize(recovery->end.value());
    acknowledged_ = recovery->end;
    return true;
  }
  void check(const journal::Recovery& recovery, const Collector& found) {
    EXPECT_TRUE(recovery.damage.empty()) << recovery.damage.front().what;
    EXPECT_GE(recovery.end, acknowledged_) << "what was acknowledged is lost";
    EXPECT_LE(recovery.begin, cut_) << "more is gone than was cut";
    Position next = recovery.begin;
    for (const auto& [position, payload] : found.records) {
      EXPECT_EQ(position, next);
      EXPECT_TRUE(position.value() < records_.size() && payload == records_[position.value()])
          << "record " << position.value() << " was never appended";
      next = next.next();
    }
    EXPECT_EQ(next, recovery.end);
  }

  Random random_;
  VirtualDisk disk_;
  journal::LogOptions options_;
  std::unique_ptr<LogWriter> log_;
  std::vector<Bytes> records_{1};  ///< by position
  uint64_t appended_ = 0;
  Position acknowledged_{1};
  Position cut_{1};
  uint64_t resumed_ = 0;
};

TEST(JournalOnAVirtualDisk, KeepsWhatItAcknowledged) {
  uint64_t resumed = 0;
  std::map<std::string, uint64_t> faults;
  for (uint64_t seed = 0; seed < 1000 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed);
    life.run(150);
    resumed += life.resumed();
    for (size_t i = 0; i < DiskPlan::kFaults; ++i) {
      const auto fault = static_cast<DiskFault>(i);
      if (scope_of(fault) == DiskScope::kContract)
        faults[name_of(fault)] += life.disk().count(fault);
    }
  }
  EXPECT_GT(resumed, 5000u);
  for (const auto& [fault, count] : faults) EXPECT_GT(count, 0u) << fault;
}

}  // namespace
}  // namespace eve::sim
