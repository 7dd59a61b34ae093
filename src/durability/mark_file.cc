#include "durability/mark_file.h"

#include <algorithm>

#include "journal/format.h"

namespace eve::durability {
namespace {

//   mark := sum:16 text      XXH3-128 of the text; one block at most
constexpr size_t kSumBytes = sizeof(journal::Sum);
constexpr const char* kUnfinished = ".new";
/// A device that fails to read once may not again.
constexpr int kReadings = 3;

Bytes sum_of(ByteView text) {
  const journal::Sum sum = journal::checksum(text);
  return {reinterpret_cast<const char*>(sum.data()), sum.size()};
}

Result<bool> is_there(journal::Disk& disk, const std::string& name) {
  const auto names = disk.list();
  if (!names) return names.error();
  return std::find(names->begin(), names->end(), name) != names->end();
}

Result<Bytes> read_block(journal::Disk& disk, const std::string& name) {
  auto file = disk.open(name);
  if (!file) return file.error();
  return (*file)->read(0, journal::kBlockBytes);
}

}  // namespace

Result<std::optional<Bytes>> read_mark(journal::Disk& disk, const std::string& name) {
  const auto there = is_there(disk, name);
  if (!there) return there.error();
  if (!*there) return std::optional<Bytes>();
  const std::optional<Bytes> damaged{Bytes()};
  auto bytes = read_block(disk, name);
  for (int again = 1; !bytes && bytes.kind() == ErrorKind::kMedium && again < kReadings; ++again) {
    bytes = read_block(disk, name);
  }
  // What says nothing about the medium says nothing about the mark.
  if (!bytes && bytes.kind() != ErrorKind::kMedium) return bytes.error();
  if (!bytes || bytes->size() <= kSumBytes) return damaged;
  const ByteView text = ByteView(*bytes).substr(kSumBytes);
  if (ByteView(*bytes).substr(0, kSumBytes) != sum_of(text)) return damaged;
  return std::optional<Bytes>(Bytes(text));
}

Status write_mark(journal::Disk& disk, const std::string& name, ByteView text) {
  const std::string unfinished = name + kUnfinished;
  const auto left = is_there(disk, unfinished);
  if (!left) return left.status();
  if (*left) {
    if (auto status = disk.remove(unfinished); !status) return status;
  }
  auto file = disk.create(unfinished);
  if (!file) return file.status();
  if (auto status = (*file)->write(0, sum_of(text) + Bytes(text)); !status) return status;
  if (auto status = (*file)->sync(); !status) return status;
  if (auto status = disk.rename(unfinished, name); !status) return status;
  return disk.sync_names();
}

Status remove_mark(journal::Disk& disk, const std::string& name) {
  if (auto status = disk.remove(name); !status) return status;
  return disk.sync_names();
}

}  // namespace eve::durability
