#include "runtime/record_file.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/files.h"
#include "runtime/log.h"

namespace eve::runtime {

namespace {

Status write_now(const std::filesystem::path& file, const pair::Record& record) {
  return replace_file(file, pair::format_record(record) + "\n");
}

/// Whether the file may hold this, which could not be written. Who cannot read it does not know.
bool may_hold(const std::filesystem::path& file, const pair::Record& record) {
  std::error_code failed;
  if (!std::filesystem::exists(file, failed)) return static_cast<bool>(failed);
  const auto text = read_file(file);
  return !text || *text == pair::format_record(record) + "\n";
}

}  // namespace

/// A thread that writes what it was given last.
class RecordFile::Writer {
 public:
  Writer(std::filesystem::path file, Write write)
      : file_(std::move(file)), write_(std::move(write)) {
    thread_ = std::thread([this] { serve(); });
  }
  ~Writer() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void write(const pair::Record& record, Then then) {
    {
      const std::lock_guard lock(mutex_);
      next_ = record;
      if (then) thens_.push_back(std::move(then));
    }
    changed_.notify_all();
  }
  Status flush() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !next_ && !busy_; });
    return last_;
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stop_ || next_; });
      if (!next_) return;
      const pair::Record record = *std::exchange(next_, std::nullopt);
      const auto thens = std::exchange(thens_, {});
      busy_ = true;
      lock.unlock();
      const auto written = write_(file_, record);
      const bool there = written.ok() || may_hold(file_, record);
      for (const Then& then : thens) then(written, there);
      if (!written && thens.empty()) {
        log(LogLevel::kWarn, "record_copy_not_written", {{"reason", written.message()}});
      }
      lock.lock();
      last_ = written;
      busy_ = false;
      changed_.notify_all();
    }
  }

  const std::filesystem::path file_;
  const Write write_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<pair::Record> next_;  ///< guarded by mutex_
  std::vector<Then> thens_;           ///< guarded by mutex_
  bool busy_ = false;                 ///< guarded by mutex_
  bool stop_ = false;                 ///< guarded by mutex_
  Status last_;                       ///< guarded by mutex_
  std::thread thread_;
};

RecordFile::RecordFile(std::filesystem::path file, const pair::Record& record)
    : file_(std::move(file)), record_(record), write_(write_now) {}
RecordFile::~RecordFile() = default;
RecordFile::RecordFile(RecordFile&& other) noexcept = default;
RecordFile& RecordFile::operator=(RecordFile&& other) noexcept = default;

Result<RecordFile> RecordFile::open(const std::filesystem::path& directory, Address address) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return Error{directory.string() + ": cannot make it: " + failed.message()};
  const auto file = directory / (to_string(address) + ".record");
  const bool there = std::filesystem::exists(file, failed);
  if (failed) return Error{file.string() + ": cannot examine it: " + failed.message()};
  if (!there) return RecordFile(file, {});
  auto text = read_file(file);
  if (!text) return text.error();
  if (text->ends_with('\n')) text->pop_back();
  const auto record = pair::parse_record(*text);
  if (!record) {
    return Error{file.string() + ": " + record.message() +
                 "; if the other replica runs, remove it, and this one returns from there"};
  }
  return RecordFile(file, *record);
}

Status RecordFile::write(const pair::Record& record) {
  (void)flush();  // or it would be overwritten by what is older
  if (auto status = write_(file_, record); !status) return status;
  record_ = record;
  return {};
}

void RecordFile::write_later(const pair::Record& record, Then then) {
  if (writer_ == nullptr) writer_ = std::make_unique<Writer>(file_, write_);
  writer_->write(record, std::move(then));
  record_ = record;
}

void RecordFile::write_with(Write write) {
  writer_.reset();
  write_ = std::move(write);
}

Status RecordFile::flush() {
  return writer_ == nullptr ? Status() : writer_->flush();
}

}  // namespace eve::runtime
