// A replica's own copy of the record of who is in sync (docs/primary-backup.md): DIRECTORY/
// executor-I.record. Where there is no arbiter it is what the replica is held to.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "base/ids.h"
#include "eve/result.h"
#include "pair/record.h"

namespace eve::runtime {

class RecordFile {
 public:
  /// What is there, or the empty record. Errors name the file: a replica that cannot read what it
  /// is held to must not run.
  static Result<RecordFile> open(const std::filesystem::path& directory, Address address);
  /// How it is written; tests have disks that stall.
  using Write = std::function<Status(const std::filesystem::path& file, const pair::Record&)>;
  void write_with(Write write);

  /// What was written last, or is about to be.
  const pair::Record& record() const { return record_; }
  /// Durable when it returns success.
  Status write(const pair::Record& record);
  /// Without waiting for the disk: another's word, of which an older copy is as safe. A network
  /// thread that waits is away, and who was away must ask before it acts (P9). What is written
  /// meanwhile is given up for what comes later; the end waits for it.
  void write_later(const pair::Record& record) { write_later(record, nullptr); }
  /// `then` is called on the writer's thread: whether it is durable now, and if not, whether it may
  /// be there all the same.
  using Then = std::function<void(const Status& written, bool there)>;
  void write_later(const pair::Record& record, Then then);
  /// Waits for that. What became of it.
  Status flush();

  ~RecordFile();
  RecordFile(RecordFile&& other) noexcept;
  RecordFile& operator=(RecordFile&& other) noexcept;

 private:
  class Writer;
  RecordFile(std::filesystem::path file, const pair::Record& record);

  std::filesystem::path file_;
  pair::Record record_;
  Write write_;
  std::unique_ptr<Writer> writer_;  ///< null until there is something for it
};

}  // namespace eve::runtime
