#include "runtime/record_file.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "runtime/files.h"
#include "runtime/log.h"

namespace eve::runtime {

namespace {

Status write_now(const std::filesystem::path& file, const pair::Record& record) {
  return replace_file(file, pair::format_record(record) + "\n");
}

}  // namespace

/// A thread that writes what it was given last.
class RecordFile::Writer {
 public:
  explicit Writer(std::filesystem::path file) : file_(std::move(file)) {
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

  void write(const pair::Record& record) {
    {
      const std::lock_guard lock(mutex_);
      next_ = record;
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
      busy_ = true;
      lock.unlock();
      const auto written = write_now(file_, record);
      if (!written) {
        log(LogLevel::kWarn, "record_copy_not_written", {{"reason", written.message()}});
      }
      lock.lock();
      last_ = written;
      busy_ = false;
      changed_.notify_all();
    }
  }

  const std::filesystem::path file_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<pair::Record> next_;  ///< guarded by mutex_
  bool busy_ = false;                 ///< guarded by mutex_
  bool stop_ = false;                 ///< guarded by mutex_
  Status last_;                       ///< guarded by mutex_
  std::thread thread_;
};

RecordFile::RecordFile(std::filesystem::path file, const pair::Record& record)
    : file_(std::move(file)), record_(record) {}
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
  if (auto status = write_now(file_, record); !status) return status;
  record_ = record;
  return {};
}

void RecordFile::write_later(const pair::Record& record) {
  if (writer_ == nullptr) writer_ = std::make_unique<Writer>(file_);
  writer_->write(record);
  record_ = record;
}

Status RecordFile::flush() {
  return writer_ == nullptr ? Status() : writer_->flush();
}

}  // namespace eve::runtime
