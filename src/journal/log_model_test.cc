// Random lives of a log against a plain list of what was appended: crashes that keep any pieces of
// what was not synced, processes that end while the cache lives on, calls that fail, and damage.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <stdexcept>

#include "journal/log_reader.h"
#include "journal/log_writer.h"
#include "journal/testing_disk.h"

namespace eve::journal {
namespace {

using testing::Collector;
using testing::TestDisk;

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

/// What a damage may do unnoticed.
enum class Excuse : uint8_t {
  kNone,
  kLastFlush,    ///< pieces of the last flush can look as if they had never been written
  kLastSegment,  ///< nobody misses the newest file
};

class Walk {
 public:
  explicit Walk(uint64_t seed)
      : random_(seed), disk_(seed + 1), options_(testing::small_options()) {
    options_.segment_bytes = (2 + random_.below(12)) * kBlockBytes;
    if (random_.chance(1, 2)) options_.extend_bytes = 16 * kBlockBytes;
    create();
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
    end_process();
    recover(Excuse::kNone);
  }
  void run_with_damage(int steps) {
    for (int i = 0; i < steps; ++i) step();
    for (int round = 0; round < 3; ++round) {
      end_process();
      const Excuse excuse = harm();
      if (!recover(excuse)) return;
      for (int i = 0; i < 8; ++i) step();
    }
  }

 private:
  void step() {
    switch (random_.below(16)) {
      case 0:
        end_process();
        recover(Excuse::kNone);
        break;
      case 1:
        if (log_->settle().ok()) acknowledged();
        last_flush_ = log_->state().ok() ? log_->end() : last_flush_;
        break;
      case 2:
        cut();
        break;
      case 3:
        if (random_.chance(1, 4) && log_->close().ok()) acknowledged();
        break;
      case 4:
        flush();
        break;
      case 5:
        if (log_->write().ok()) written_ = log_->end();
        break;
      case 6:
      case 7:
      case 8:
        flush();
        break;
      default:
        append();
    }
    if (log_->state().ok()) return;
    end_process();
    recover(Excuse::kNone);
  }

  void append() {
    const uint64_t size = random_.chance(1, 8) ? random_.below(9000) : random_.below(200);
    const char filler = random_.chance(1, 4) ? '\0' : 'x';
    Bytes payload = std::to_string(next_payload_++) + ":" + Bytes(size, filler);
    const auto position = log_->append(7, next_payload_, payload);
    if (!position) return;  // closed
    timeline_.resize(position->value());
    timeline_.push_back(payload);
    ever_.emplace(position->value(), std::move(payload));
  }
  void flush() {
    may_fail();
    const Position before = log_->durable_end();
    if (log_->flush().ok()) {
      if (log_->durable_end() != before) last_flush_ = before;
      acknowledged();
    }
    disk_.permits = nullptr;
  }
  void acknowledged() {
    require(log_->durable_end() == log_->end(), "flushed, and something is not durable");
    acknowledged_ = log_->durable_end();
  }
  void cut() {
    may_fail();
    const Position before(1 + random_.below(acknowledged_.value()));
    cut_ = std::max(cut_, before);
    (void)log_->cut(before);
    disk_.permits = nullptr;
  }
  /// Some call soon.
  void may_fail() {
    if (!random_.chance(1, 12)) return;
    auto left = random_.below(6);
    disk_.permits = [left](const std::string&) mutable { return left-- != 0; };
  }
  void end_process() {
    log_.reset();
    disk_.permits = nullptr;
    if (random_.chance(1, 3)) return;
    written_ = Position(1);
    disk_.crash();
  }

  void create() {
    auto log = LogWriter::create(disk_, options_, testing::life(1));
    require(log.ok(), "cannot create");
    log_ = std::move(*log);
  }

  /// False if the damage went unnoticed, as it may.
  bool recover(Excuse excuse) {
    for (int attempt = 0;; ++attempt) {
      require(attempt < 100, "no attempt succeeds");
      Collector seen;
      const auto recovery = read_log(disk_, options_, seen);
      require(recovery.ok(), "cannot read");
      if (excuse == Excuse::kNone && !harmed_) {
        require(recovery->damage.empty(), "damage is reported where there is none");
      }
      check_records(*recovery, seen);
      require(harmed_ || recovery->end >= written_, "a process lost what it had written");
      written_ = Position(1);
      if (!check_end(*recovery, excuse)) return false;
      if (recovery->empty) return false;
      if (resume(*recovery)) return true;
    }
  }
  void check_records(const Recovery& recovery, const Collector& seen) {
    Position position = recovery.begin;
    for (const auto& record : seen.records) {
      require(record.position == position, "a gap");
      if (harmed_) {
        const auto [from, to] = ever_.equal_range(position.value());
        require(std::any_of(from, to, [&](auto& e) { return e.second == record.payload; }),
                "a record that was never appended");
      } else {
        require(position.value() < timeline_.size(), "more than was appended");
        require(timeline_[position.value()] == record.payload, "another record");
      }
      position = position.next();
    }
    require(position == recovery.end, "not as many as it says");
    require(recovery.settled <= recovery.end, "settled beyond the end");
  }
  bool check_end(const Recovery& recovery, Excuse excuse) {
    if (!recovery.damage.empty()) return true;
    const bool all = recovery.end >= acknowledged_ && recovery.begin <= cut_;
    if (all) {
      require(harmed_ || recovery.settled >= last_flush_, "it forgot what it knew to be durable");
      return true;
    }
    require(excuse != Excuse::kNone, "acknowledged records are gone");
    if (excuse == Excuse::kLastFlush) {
      require(recovery.end >= last_flush_, "more than the last flush is gone");
      require(recovery.tail != Tail::kClosed, "the last flush is gone, and it says it is whole");
    }
    return false;
  }
  bool resume(const Recovery& recovery) {
    std::vector<NewRecord> first;
    const Bytes note = "damaged";
    if (!recovery.damage.empty()) first.push_back({9, 0, note});
    may_fail();
    auto log = LogWriter::resume(disk_, options_, recovery, first);
    disk_.permits = nullptr;
    if (!log) {
      if (!recovery.damage.empty() && recovery.copy.file.empty()) {
        require(set_aside_log(disk_, options_.name).ok(), "cannot set aside");
        create();
        start_over();
        return true;
      }
      // What is on record of damage may be there or not; what was good must be.
      if (!first.empty()) harmed_ = true;
      if (!first.empty()) ever_.emplace(recovery.end.value(), note);
      acknowledged_ = std::min(acknowledged_, recovery.end);
      last_flush_ = std::min(last_flush_, acknowledged_);
      if (random_.chance(1, 2)) disk_.crash();
      return false;
    }
    log_ = std::move(*log);
    timeline_.resize(recovery.end.value());
    if (!first.empty()) {
      timeline_.push_back(note);
      ever_.emplace(recovery.end.value(), note);
      cut_ = recovery.begin;
      acknowledged_ = recovery.end;
    }
    acknowledged();
    last_flush_ = acknowledged_;
    cut_ = std::max(cut_, recovery.begin);
    check_again(harmed_);
    return true;
  }
  /// What was visited is on the disk now, not in its cache only.
  void check_again(bool was_harmed) {
    Collector seen;
    const auto again = read_log(disk_, options_, seen);
    require(again.ok() && again->damage.empty(), "damage is left after it was set aside");
    require(again->end == log_->end() && again->settled == again->end, "resumed otherwise");
    for (const auto& record : seen.records) {
      Bytes& expected = timeline_.at(record.position.value());
      if (was_harmed) expected = record.payload;
      require(expected == record.payload, "resumed with another record");
    }
    harmed_ = false;
  }
  void start_over() {
    timeline_.assign(1, "");
    acknowledged_ = last_flush_ = cut_ = Position(1);
    harmed_ = false;
  }

  Excuse harm() {
    harmed_ = true;
    std::vector<std::string> segments;
    for (const auto& name : disk_.names()) {
      const auto parsed = parse_name(options_.name, name);
      if (parsed && parsed->kind == FileKind::kSegment) segments.push_back(name);
    }
    const size_t index = random_.below(segments.size());
    const std::string& victim = segments[index];
    const uint64_t size = disk_.content(victim).size();
    const uint64_t block = random_.below(size / kBlockBytes) * kBlockBytes;
    switch (random_.below(5)) {
      case 0:
        disk_.flip(victim, random_.below(size));
        return Excuse::kNone;
      case 1:
        disk_.blank(victim, block + kPieceBytes * random_.below(8), kPieceBytes);
        return Excuse::kLastFlush;
      case 2:
        disk_.blank(victim, block, kBlockBytes);
        return Excuse::kLastFlush;
      case 3: {
        const std::string& other = segments[random_.below(segments.size())];
        const uint64_t from =
            random_.below(disk_.content(other).size() / kBlockBytes) * kBlockBytes;
        const Bytes moved = disk_.content(other).substr(from, kBlockBytes);
        disk_.damage(victim, [&](Bytes& bytes) { testing::Inode::put(bytes, block, moved); });
        return Excuse::kLastFlush;  // it may be a block of zeroes
      }
      default:
        disk_.lose(victim);
        return index + 1 == segments.size() || index == 0 ? Excuse::kLastSegment : Excuse::kNone;
    }
  }

  Random random_;
  TestDisk disk_;
  LogOptions options_;
  std::unique_ptr<LogWriter> log_;

  std::vector<Bytes> timeline_{1};       // by position
  std::multimap<uint64_t, Bytes> ever_;  // every record that was ever at a position
  uint64_t next_payload_ = 0;
  Position acknowledged_{1};
  Position last_flush_{1};  // where it began
  Position written_{1};     // without a crash, records below are there
  Position cut_{1};
  bool harmed_ = false;
};

/// A hundred times ten walks; RapidCheck looks for the least number of steps that fails.
void walks(bool damage) {
  const auto many = rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<uint64_t>());
  const auto first = *rc::gen::noShrink(many);
  const int steps = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(1, 120));
  for (uint64_t seed = first; seed != first + 10; ++seed) {
    try {
      Walk walk(seed);
      damage ? walk.run_with_damage(steps) : walk.run(steps);
    } catch (const std::exception& error) {
      RC_FAIL(std::string(error.what()) + "; seed " + std::to_string(seed) + ", steps " +
              std::to_string(steps));
    }
  }
}

TEST(LogModel, KeepsWhatItAcknowledgedThroughCrashes) {
  EXPECT_TRUE(rc::check([] { walks(false); }));
}

TEST(LogModel, DamageIsReportedOrHarmless) {
  EXPECT_TRUE(rc::check([] { walks(true); }));
}

}  // namespace
}  // namespace eve::journal
