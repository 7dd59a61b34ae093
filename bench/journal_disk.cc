// What the disk can do: appends of one size, each synced; and what the journal makes of it, with
// few records or many for each sync.
#include <algorithm>

#include "base/random.h"
#include "bench/journal.h"
#include "bench/timing.h"
#include "journal/log_writer.h"

namespace eve::bench {
namespace {

constexpr uint64_t kPreallocated = uint64_t{32} << 20;
constexpr size_t kRecordBytes[] = {100, 4096, 100'000};
constexpr size_t kGroups[] = {1, 8, 64};  // records for each sync

/// One way to make something durable, again and again.
class Contender {
 public:
  virtual ~Contender() = default;
  /// Once, with a sync at its end.
  virtual Status flush() = 0;
  /// Between measurements.
  virtual Status rest() { return {}; }
  /// Given to the disk so far.
  virtual uint64_t written() const = 0;

  std::string name;
  uint64_t records = 0;  ///< of each flush
  uint64_t bytes = 0;    ///< that were to be kept, of each flush
};

Bytes noise(size_t size) {
  Random random(size);
  Bytes bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

/// Writes and fdatasync, no more.
class Raw final : public Contender {
 public:
  static Result<std::unique_ptr<Contender>> make(journal::Disk& disk, size_t size, bool ahead) {
    auto raw = std::make_unique<Raw>();
    raw->name = "append " + std::to_string(size / 1024) + " KiB, " +
                (ahead ? "over zeroes written ahead" : "growing the file");
    raw->records = 1;
    raw->bytes = size;
    raw->content_ = noise(size);
    raw->ahead_ = ahead;
    auto file =
        disk.create(ahead ? "ahead-" + std::to_string(size) : "growing-" + std::to_string(size));
    if (!file) return file.error();
    raw->file_ = std::move(*file);
    if (auto status = raw->prepare(); !status) return status.error();
    if (auto status = disk.sync_names(); !status) return status.error();
    return std::unique_ptr<Contender>(std::move(raw));
  }
  Status flush() override {
    if (ahead_ && at_ + content_.size() > kPreallocated) at_ = 0;
    if (auto status = file_->write(at_, content_); !status) return status;
    at_ += content_.size();
    written_ += content_.size();
    return file_->sync();
  }
  Status rest() override {
    if (ahead_) return {};
    at_ = 0;
    if (auto status = file_->truncate(0); !status) return status;
    return file_->sync();
  }
  uint64_t written() const override { return written_; }

 private:
  Status prepare() {
    const Bytes zeroes(size_t{1} << 20, '\0');
    for (uint64_t at = 0; ahead_ && at < kPreallocated; at += zeroes.size()) {
      if (auto status = file_->write(at, zeroes); !status) return status;
    }
    return file_->sync();
  }

  std::unique_ptr<journal::File> file_;
  Bytes content_;
  bool ahead_ = false;
  uint64_t at_ = 0;
  uint64_t written_ = 0;
};

class Log final : public Contender {
 public:
  static Result<std::unique_ptr<Contender>> make(journal::Disk& disk, size_t size, size_t group) {
    auto log = std::make_unique<Log>();
    log->name = "journal, " + std::to_string(group) + " x " + std::to_string(size) + " B";
    log->records = group;
    log->bytes = group * size;
    log->content_ = noise(size);
    auto options = log_options();
    options.name = "log" + std::to_string(size) + "x" + std::to_string(group);
    auto writer = journal::LogWriter::create(disk, options, journal::Life{});
    if (!writer) return writer.error();
    log->writer_ = std::move(*writer);
    return std::unique_ptr<Contender>(std::move(log));
  }
  Status flush() override {
    for (uint64_t i = 0; i < records; ++i) {
      if (auto appended = writer_->append(1, i, content_); !appended) return appended.status();
    }
    return writer_->flush();
  }
  Status rest() override { return writer_->cut(writer_->durable_end()); }
  uint64_t written() const override { return writer_->written_bytes(); }

 private:
  std::unique_ptr<journal::LogWriter> writer_;
  Bytes content_;
};

struct Measured {
  std::vector<double> wall_us;
  std::vector<double> cpu_us;
  std::vector<double> amplification;
};

Status measure(Contender& contender, double seconds, Measured& out) {
  const uint64_t written = contender.written();
  const Stopwatch watch;
  size_t flushes = 0;
  Cost cost;
  for (; flushes < 3 || cost.wall < seconds * 1e9; cost = watch.elapsed()) {
    if (auto status = contender.flush(); !status) return status;
    ++flushes;
  }
  const auto count = static_cast<double>(flushes);
  out.wall_us.push_back(cost.wall * 1e-3 / count);
  out.cpu_us.push_back(cost.cpu * 1e-3 / count);
  out.amplification.push_back(static_cast<double>(contender.written() - written) /
                              (count * static_cast<double>(contender.bytes)));
  return contender.rest();
}

Result<std::vector<std::unique_ptr<Contender>>> contenders_on(journal::Disk& disk) {
  std::vector<std::unique_ptr<Contender>> all;
  Status failed;
  const auto add = [&](Result<std::unique_ptr<Contender>> made) {
    if (!made) failed = made.status();
    if (made) all.push_back(std::move(*made));
  };
  for (const size_t size : {size_t{4096}, size_t{65'536}}) {
    add(Raw::make(disk, size, true));
    add(Raw::make(disk, size, false));
  }
  for (const size_t size : kRecordBytes) {
    for (const size_t group : kGroups) add(Log::make(disk, size, group));
  }
  if (!failed) return failed.error();
  return all;
}

Row row_of(const Contender& contender, const Measured& measured, const Contender& first,
           const Measured& baseline) {
  Row row;
  row.name = contender.name;
  row.unit = "us/sync, wall";
  row.values = measured.wall_us;
  if (&contender != &first) {
    row.baseline = first.name;
    row.baseline_values = baseline.wall_us;
  }
  const double us = median(measured.wall_us);
  row.others = {{"syncs_per_s", 1e6 / us},
                {"records_per_s", static_cast<double>(contender.records) * 1e6 / us},
                {"mb_per_s", static_cast<double>(contender.bytes) / us},
                {"cpu_us_per_sync", median(measured.cpu_us)},
                {"bytes_written_per_byte_kept", median(measured.amplification)}};
  return row;
}

}  // namespace

Status add_disk_rows(const BenchOptions& options, const BenchFolder& folder, Report& report) {
  auto disk = folder.disk("disk");
  if (!disk) return disk.status();
  const auto contenders = contenders_on(**disk);
  if (!contenders) return contenders.status();
  std::vector<Measured> measured(contenders->size());
  const double seconds = options.seconds / 4;  // there are many of them
  Status status;
  for (size_t run = 0; run < options.runs; ++run) {
    std::vector<std::function<void()>> turns;
    for (size_t i = 0; i < contenders->size(); ++i) {
      turns.push_back([&, i] {
        if (status.ok()) status = measure(*(*contenders)[i], seconds, measured[i]);
      });
    }
    in_turn(run, turns);
    if (!status) return status;
  }
  for (size_t i = 0; i < contenders->size(); ++i) {
    report.rows.push_back(
        row_of(*(*contenders)[i], measured[i], *contenders->front(), measured.front()));
  }
  return {};
}

}  // namespace eve::bench
