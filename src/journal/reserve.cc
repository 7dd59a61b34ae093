#include "journal/reserve.h"

#include <algorithm>

namespace eve::journal {
namespace {

constexpr uint64_t kStep = uint64_t{1} << 20;

}  // namespace

Result<bool> Reserve::is_there() {
  const auto names = disk_.list();
  if (!names) return names.error();
  return std::find(names->begin(), names->end(), name_) != names->end();
}

Status Reserve::fill(File& file) {
  const Bytes zeroes(std::min(bytes_, kStep), '\0');
  for (uint64_t at = 0; at < bytes_; at += zeroes.size()) {
    const uint64_t size = std::min<uint64_t>(bytes_ - at, zeroes.size());
    if (auto status = file.write(at, ByteView(zeroes).substr(0, size)); !status) return status;
  }
  return file.sync();
}

Status Reserve::hold() {
  if (held_ || bytes_ == 0) return {};
  const auto there = is_there();
  if (!there) return there.status();
  if (*there) {
    auto file = disk_.open(name_);
    const auto size = file ? (*file)->size() : Result<uint64_t>(file.error());
    held_ = size.ok() && *size == bytes_;
    if (held_) return {};
    if (auto status = disk_.remove(name_); !status) return status;
  }
  auto file = disk_.create(name_);
  if (!file) return file.status();
  const auto status = fill(**file);
  held_ = status.ok();
  if (!held_) (void)disk_.remove(name_);
  return status;
}

Status Reserve::give_up() {
  if (!held_) return {};
  held_ = false;
  if (auto status = disk_.remove(name_); !status) return status;
  return disk_.sync_names();
}

}  // namespace eve::journal
