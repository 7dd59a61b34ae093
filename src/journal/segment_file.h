// One segment as it is read: bytes through a window, groups checked against where they should be.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "journal/disk.h"
#include "journal/format.h"

namespace eve::journal {

/// What the next group must say of itself.
struct Expected {
  Life life{};
  uint64_t serial = 0;
  uint64_t group = 0;
  Position first;
  Sum chain{};
};

/// What is at an offset.
struct Found {
  enum class Kind : uint8_t {
    kGroup,       ///< the expected one, whole
    kNothing,     ///< zeroes, or the end of the file
    kPartial,     ///< pieces that should be there were never written: an interrupted write
    kWrong,       ///< everything was written, and it is not what should be there
    kUnreadable,  ///< the disk cannot read it
    kRefused,     ///< an error that says nothing about what the disk holds
  };
  Kind kind = Kind::kNothing;
  std::string what;  ///< of kPartial, kWrong, kUnreadable, kRefused
  GroupHeader header;
  Sum chain{};    ///< for the group after it
  ByteView body;  ///< until the next call
};

/// A disk that cannot read is asked again: not every error of a device is for good.
inline constexpr int kReadAttempts = 3;
Result<Bytes> read_patiently(const File& file, uint64_t offset, uint64_t most,
                             int attempts = kReadAttempts);
Result<std::unique_ptr<File>> open_patiently(Disk& disk, const std::string& name);

/// Holds one group and at most kWindowBytes more in memory. Not thread-safe.
class SegmentFile {
 public:
  static constexpr uint64_t kWindowBytes = uint64_t{1} << 20;

  explicit SegmentFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

  Result<uint64_t> size() const { return file_->size(); }
  /// `size` bytes from `offset`, fewer at the end of the file; valid until the next call.
  Result<ByteView> bytes(uint64_t offset, uint64_t size);
  /// The group that should be at `offset`.
  Found expect(uint64_t offset, const Expected& expected);
  /// Any group of this life and segment that says that it belongs at `offset`, wherever it stands
  /// in the chain. Where the header is sound, header.group is not 0, whatever the body is.
  Found any(uint64_t offset, const Life& life, uint64_t serial);

 private:
  Found header_at(uint64_t offset);
  void body_of(uint64_t offset, Found& found);

  std::unique_ptr<File> file_;
  int patience_ = 16;  ///< reads that failed once; a dead disk can take seconds for each
  uint64_t window_at_ = 0;
  Bytes window_;
};

}  // namespace eve::journal
