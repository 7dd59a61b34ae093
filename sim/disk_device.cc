#include "sim/disk_device.h"

#include <algorithm>

namespace eve::sim {
namespace {

/// Sectors of removed files that may show again.
constexpr size_t kMaxStale = 256;
/// Everything but syncs: a call, and 500 MB/s.
constexpr TimeUs kCallUs = 5;
constexpr uint64_t kBytesPerUs = 500;
constexpr TimeUs kShortestStallUs = 10'000;
constexpr uint64_t kStallDoublings = 12;

Error medium_error(const char* what) {
  return Error{what, ErrorKind::kMedium};
}

}  // namespace

// ---- what happens at every operation

Status DiskDevice::begin() {
  if (power_failed_) return power_error();
  elapsed_ += kCallUs;
  if (operations_left_ > 0) power_failed_ = --operations_left_ == 0;
  fill_or_empty();
  if (dice_.strikes(DiskFault::kStall)) {
    auto& random = dice_.of(DiskFault::kStall);
    elapsed_ += kShortestStallUs << random.below(kStallDoublings + 1);
  }
  decay();
  return {};
}

void DiskDevice::decay() {
  const auto place_for = [&](DiskFault fault) -> std::pair<FilePtr, uint64_t> {
    if (!dice_.possible(fault)) return {};
    auto place = any_sector(dice_.of(fault));
    if (place.first != nullptr && !dice_.strikes(fault)) place.first = nullptr;
    return place;
  };
  if (const auto [file, sector] = place_for(DiskFault::kRotAtRest); file != nullptr) {
    auto& random = dice_.of(DiskFault::kRotAtRest);
    file->flip(sector, random.below(kSectorBytes * 8), random.chance(1, 2));
  }
  if (const auto [file, sector] = place_for(DiskFault::kBadSector); file != nullptr) {
    file->ruin(sector);
  }
}

void DiskDevice::take_time(uint64_t bytes) {
  elapsed_ += static_cast<TimeUs>(bytes / kBytesPerUs);
}

void DiskDevice::fill_or_empty() {
  if (full_operations_ > 0 && --full_operations_ == 0) others_bytes_ = 0;
  if (full_operations_ > 0 || !dice_.strikes(DiskFault::kDiskFull)) return;
  auto& random = dice_.of(DiskFault::kDiskFull);
  full_operations_ = 1 + random.below(dice_.plan().full_operations);
  // Not to the last byte: a write ends amid its sectors.
  others_bytes_ = free() - std::min(free(), random.below(8) * kSectorBytes);
}

Status DiskDevice::may_look() {
  if (!dice_.strikes(DiskFault::kRefused)) return {};
  return Error{"too many files are open: close some, and try again"};
}

uint64_t DiskDevice::free() const {
  uint64_t used = others_bytes_;
  for (const auto& [name, file] : names.now()) used += (file->stored() + 1) * kSectorBytes;
  return capacity_ - std::min(capacity_, used);
}

std::pair<FilePtr, uint64_t> DiskDevice::any_sector(Random& random) const {
  std::vector<FilePtr> files;
  for (const auto& [name, file] : names.now()) {
    if (file->sectors() > 0) files.push_back(file);
  }
  if (files.empty()) return {};
  const auto& file = files[random.below(files.size())];
  return {file, random.below(file->sectors())};
}

// ---- operations

Status DiskDevice::write(SectorFile& file, uint64_t offset, ByteView bytes) {
  if (offset > kMaxFileBytes || bytes.size() > kMaxFileBytes - offset) {
    return Error{"the file would be too large"};
  }
  take_time(bytes.size());
  uint64_t room = free() / kSectorBytes;
  uint64_t fits = 0;
  while (fits < bytes.size()) {
    const uint64_t at = offset + fits;
    if (!file.stores(at / kSectorBytes) && room-- == 0) break;
    fits += std::min(bytes.size() - fits, kSectorBytes - at % kSectorBytes);
  }
  file.write(offset, bytes.substr(0, fits));
  return fits == bytes.size() ? Status() : full_error();
}

Status DiskDevice::create(const std::string& name, const FilePtr& file) {
  if (names.find(name) != nullptr) return Error{name + " is there already; it is not overwritten"};
  if (free() < kSectorBytes) return full_error();
  names.create(name, file);
  return {};
}

Status DiskDevice::sync(SectorFile& file) {
  elapsed_ += dice_.plan().sync_us;
  take_time(file.dirty_sectors().size() * kSectorBytes);
  if (dice_.strikes(DiskFault::kSyncFails)) {
    lose_at_random(file, dice_.of(DiskFault::kSyncFails));
    return medium_error("the sync failed: what was written may be lost");
  }
  if (!file.dirty_sectors().empty()) {
    if (dice_.strikes(DiskFault::kLostWrite)) lose_writes(file);
    if (dice_.strikes(DiskFault::kMisdirected)) misdirect(file);
  }
  file.write_back();
  keep_old_copy();
  return {};
}

/// As Linux: what could not be written counts as written; whether it can still be read is the file
/// system's choice.
void DiskDevice::lose_at_random(SectorFile& file, Random& random) {
  const std::vector<uint64_t> dirty(file.dirty_sectors().begin(), file.dirty_sectors().end());
  const bool all = random.chance(1, 2);
  for (const uint64_t sector : dirty) {
    if (all || random.chance(1, 2)) file.lose(sector);
  }
  if (random.chance(1, 2)) file.lose_size();
  file.write_back();
  if (random.chance(1, 2)) file.evict();
}

/// Some sectors side by side.
void DiskDevice::lose_writes(SectorFile& file) {
  auto& random = dice_.of(DiskFault::kLostWrite);
  const std::vector<uint64_t> dirty(file.dirty_sectors().begin(), file.dirty_sectors().end());
  const uint64_t first = random.below(dirty.size());
  const uint64_t end = std::min<uint64_t>(dirty.size(), first + 1 + random.below(8));
  for (uint64_t i = first; i < end; ++i) file.lose(dirty[i]);
  const bool seen = random.chance(1, 2);
  file.write_back();
  if (seen) file.evict();
}

void DiskDevice::misdirect(SectorFile& file) {
  if (file.dirty_sectors().empty()) return;
  auto& random = dice_.of(DiskFault::kMisdirected);
  auto from = file.dirty_sectors().begin();
  std::advance(from, random.below(file.dirty_sectors().size()));
  const uint64_t sector = *from;
  const auto bytes = file.now(sector);
  auto [victim, to] = any_sector(random);
  file.lose(sector);
  if (victim.get() == &file && to == sector) to = (to + 1) % victim->sectors();
  if (victim == nullptr || (victim.get() == &file && to == sector)) return;  // nowhere
  const bool seen = random.chance(1, 2);
  file.write_back();
  victim->overwrite(to, bytes, seen);
  if (seen) file.evict();
}

Result<Bytes> DiskDevice::read(const SectorFile& file, uint64_t offset, uint64_t most) {
  const uint64_t size = offset >= file.size() ? 0 : std::min<uint64_t>(most, file.size() - offset);
  take_time(size);
  if (auto status = may_look(); !status) return status.error();
  if (dice_.strikes(DiskFault::kReadFails))
    return medium_error("the read failed; it may not again");
  if (file.ruined(offset, size)) return medium_error("a sector cannot be read");
  Bytes bytes = file.read(offset, size);
  if (!bytes.empty() && dice_.strikes(DiskFault::kRotAtRead)) {
    auto& random = dice_.of(DiskFault::kRotAtRead);
    auto& byte = bytes[random.below(bytes.size())];
    byte = static_cast<char>(byte ^ (1 << random.below(8)));
  }
  return bytes;
}

void DiskDevice::settle(SectorFile& file) {
  if (file.dirty() && dice_.strikes(DiskFault::kSyncFails)) {
    lose_at_random(file, dice_.of(DiskFault::kSyncFails));
  }
  file.write_back();
  file.evict();
}

Status DiskDevice::sync_names() {
  elapsed_ += dice_.plan().sync_us;
  if (dice_.strikes(DiskFault::kSyncFails)) {
    names.lose(dice_.of(DiskFault::kSyncFails));
    return medium_error("the sync failed: names may be lost");
  }
  names.write_back();
  keep_old_copy();
  return {};
}

void DiskDevice::bury(const FilePtr& file) {
  if (file == nullptr || !dice_.possible(DiskFault::kStaleSector)) return;
  for (uint64_t i = 0; i < std::min<uint64_t>(file->sectors(), kMaxStale); ++i) {
    if (file->stores(i)) stale_.push_back(file->now(i));
  }
  if (stale_.size() > kMaxStale) stale_.erase(stale_.begin(), stale_.end() - kMaxStale);
}

// ---- crashes

void DiskDevice::crash() {
  if (!old_copy_.empty() && dice_.strikes(DiskFault::kOldCopy)) {
    restore(old_copy_);
    return;
  }
  settle_names();
  for (const auto& [name, file] : names.now()) settle_file(*file);
  if (!names.now().empty() && dice_.strikes(DiskFault::kFilesLost)) lose_files();
  start_anew();
}

void DiskDevice::start_anew() {
  power_failed_ = false;
  operations_left_ = 0;
  refresh();
}

void DiskDevice::refresh() {
  ++life_;
  names.keep(names.unsynced());
}

void DiskDevice::settle_names() {
  const size_t changes = names.unsynced();
  if (changes > 0 && dice_.strikes(DiskFault::kNamesMixed)) {
    names.mix(dice_.of(DiskFault::kNamesMixed));
  } else if (changes > 0 && dice_.strikes(DiskFault::kNamesLost)) {
    names.keep(dice_.of(DiskFault::kNamesLost).below(changes));
  } else {
    names.keep(changes);
  }
}

void DiskDevice::settle_file(SectorFile& file) {
  const std::vector<uint64_t> dirty(file.dirty_sectors().begin(), file.dirty_sectors().end());
  if (file.dirty() && dice_.strikes(DiskFault::kTornWrite)) {
    file.tear(dice_.of(DiskFault::kTornWrite));
  } else if (file.dirty() && dice_.strikes(DiskFault::kUnsyncedLost)) {
    file.drop();
  } else {
    file.write_back();
    file.evict();
  }
  const bool blank =
      std::any_of(dirty.begin(), dirty.end(), [&](uint64_t sector) { return file.blank(sector); });
  if (stale_.empty() || !blank || !dice_.strikes(DiskFault::kStaleSector)) return;
  auto& random = dice_.of(DiskFault::kStaleSector);
  for (const uint64_t sector : dirty) {
    if (file.blank(sector)) file.overwrite(sector, stale_[random.below(stale_.size())], true);
  }
  file.evict();
}

void DiskDevice::lose_files() {
  auto& random = dice_.of(DiskFault::kFilesLost);
  Names left = names.now();
  const bool all = random.chance(1, 4);
  const uint64_t certain = random.below(left.size());
  uint64_t i = 0;
  std::erase_if(left, [&](const auto&) { return i++ == certain || all || random.chance(1, 4); });
  names.restore(std::move(left));
}

// ---- old copies

void DiskDevice::keep_old_copy() {
  if (!dice_.possible(DiskFault::kOldCopy)) return;
  if (!old_copy_.empty() && !dice_.of(DiskFault::kOldCopy).chance(1, 16)) return;
  old_copy_.clear();
  for (const auto& [name, file] : names.disk()) {
    auto copy = std::make_shared<SectorFile>(*file);
    copy->drop();
    old_copy_[name] = std::move(copy);
  }
}

void DiskDevice::restore(Names files) {
  names.restore(std::move(files));
  old_copy_.clear();
  start_anew();
}

void DiskDevice::calm() {
  dice_.calm();
  others_bytes_ = 0;
  full_operations_ = 0;
}

}  // namespace eve::sim
