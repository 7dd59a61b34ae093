// A replica's own copy of the record of who is in sync (docs/primary-backup.md): DIRECTORY/
// executor-I.record. Where there is no arbiter it is what the replica is held to.
#pragma once

#include <filesystem>

#include "base/ids.h"
#include "eve/result.h"
#include "pair/record.h"

namespace eve::runtime {

class RecordFile {
 public:
  /// What is there, or the empty record. Errors name the file: a replica that cannot read what it
  /// is held to must not run.
  static Result<RecordFile> open(const std::filesystem::path& directory, Address address);

  const pair::Record& record() const { return record_; }
  /// Durable when it returns success.
  Status write(const pair::Record& record);

 private:
  RecordFile(std::filesystem::path file, const pair::Record& record)
      : file_(std::move(file)), record_(record) {}

  std::filesystem::path file_;
  pair::Record record_;
};

}  // namespace eve::runtime
