#include "sim/sector_file.h"

#include <algorithm>

namespace eve::sim {
namespace {

constexpr Sector kZeroes{};

std::shared_ptr<Sector> copy_of(const SectorPtr& sector) {
  return std::make_shared<Sector>(sector == nullptr ? kZeroes : *sector);
}

/// Calls visit(sector, offset in it, how many bytes of it) for each sector of a range.
template <typename Visit>
void for_each_sector(uint64_t offset, uint64_t size, const Visit& visit) {
  while (size > 0) {
    const uint64_t begin = offset % kSectorBytes;
    const uint64_t part = std::min(size, kSectorBytes - begin);
    visit(offset / kSectorBytes, begin, part);
    offset += part;
    size -= part;
  }
}

}  // namespace

SectorPtr SectorFile::now(uint64_t sector) const {
  const auto at = slots_.find(sector);
  return at == slots_.end() ? nullptr : at->second.content.now;
}

bool SectorFile::stores(uint64_t sector) const {
  return now(sector) != nullptr;
}

void SectorFile::count(const SectorPtr& before, const SectorPtr& after) {
  if (before == nullptr && after != nullptr) ++stored_;
  if (before != nullptr && after == nullptr) --stored_;
}

void SectorFile::set(uint64_t sector, SectorPtr bytes) {
  auto& content = slots_[sector].content;
  count(content.now, bytes);
  content.change(std::move(bytes));
  dirty_.insert(sector);
}

void SectorFile::write(uint64_t offset, ByteView bytes) {
  if (bytes.empty()) return;
  for_each_sector(offset, bytes.size(), [&](uint64_t sector, uint64_t begin, uint64_t part) {
    auto changed = copy_of(now(sector));
    std::copy_n(bytes.data(), part, changed->data() + begin);
    bytes.remove_prefix(part);
    set(sector, std::move(changed));
    offset += part;
  });
  if (offset > size_.now) size_.change(offset);
}

void SectorFile::truncate(uint64_t size) {
  if (size == size_.now) return;
  if (size < size_.now) {
    const uint64_t kept = (size + kSectorBytes - 1) / kSectorBytes;
    for (auto at = slots_.lower_bound(kept); at != slots_.end(); ++at) {
      if (at->second.content.now != nullptr) set(at->first, nullptr);
    }
    if (size % kSectorBytes != 0 && stores(size / kSectorBytes)) {
      auto cut = copy_of(now(size / kSectorBytes));
      std::fill(cut->begin() + size % kSectorBytes, cut->end(), '\0');
      set(size / kSectorBytes, std::move(cut));
    }
  }
  size_.change(size);
}

Bytes SectorFile::read(uint64_t offset, uint64_t size) const {
  Bytes bytes;
  bytes.reserve(size);
  for_each_sector(offset, size, [&](uint64_t sector, uint64_t begin, uint64_t part) {
    const auto content = now(sector);
    bytes.append((content == nullptr ? kZeroes : *content).data() + begin, part);
  });
  return bytes;
}

bool SectorFile::ruined(uint64_t offset, uint64_t size) const {
  if (size == 0) return false;
  auto at = slots_.lower_bound(offset / kSectorBytes);
  const auto end = slots_.upper_bound((offset + size - 1) / kSectorBytes);
  return std::any_of(at, end, [](const auto& slot) { return slot.second.bad; });
}

void SectorFile::write_back() {
  for (const uint64_t sector : dirty_) {
    const auto at = slots_.find(sector);
    auto& content = at->second.content;
    content.settle(content.now);
    at->second.bad = false;
    if (content.now == nullptr) slots_.erase(at);
  }
  dirty_.clear();
  size_.settle(size_.now);
}

void SectorFile::lose(uint64_t sector) {
  if (dirty_.erase(sector) > 0) slots_[sector].content.between.clear();
}

void SectorFile::lose_size() {
  size_.between.clear();
}

void SectorFile::evict() {
  for (auto& [sector, slot] : slots_) {
    count(slot.content.now, slot.content.disk);
    slot.content.now = slot.content.disk;
  }
  size_.now = size_.disk;
  clear_beyond_end();
}

void SectorFile::clear_beyond_end() {
  for (auto at = slots_.lower_bound(sectors()); at != slots_.end(); at = slots_.erase(at)) {
    count(at->second.content.now, nullptr);
  }
  const auto last = slots_.find(size() / kSectorBytes);
  if (size() % kSectorBytes == 0 || last == slots_.end()) return;
  auto& content = last->second.content;
  if (content.now == nullptr) return;
  auto cut = copy_of(content.now);
  std::fill(cut->begin() + size() % kSectorBytes, cut->end(), '\0');
  content.settle(std::move(cut));
}

void SectorFile::drop() {
  for (const uint64_t sector : dirty_) slots_[sector].content.between.clear();
  dirty_.clear();
  size_.between.clear();
  evict();
}

void SectorFile::tear(Random& random) {
  for (const uint64_t sector : dirty_) {
    auto& content = slots_[sector].content;
    content.disk = content.any(random);
    content.between.clear();
  }
  dirty_.clear();
  size_.disk = any_size(random);
  size_.between.clear();
  evict();
}

/// A file that grows may have grown in part.
uint64_t SectorFile::any_size(Random& random) const {
  const uint64_t size = size_.any(random);
  if (size <= size_.disk || random.chance(1, 2)) return size;
  const uint64_t part = size_.disk + random.below(size - size_.disk);
  return std::max(size_.disk, part - part % kSectorBytes);
}

void SectorFile::overwrite(uint64_t sector, SectorPtr bytes, bool seen) {
  auto& content = slots_[sector].content;
  content.disk = std::move(bytes);
  if (!seen || dirty_.contains(sector)) return;
  count(content.now, content.disk);
  content.now = content.disk;
}

void SectorFile::flip(uint64_t sector, uint64_t bit, bool seen) {
  auto flipped = copy_of(slots_[sector].content.disk);
  (*flipped)[bit / 8] = static_cast<char>((*flipped)[bit / 8] ^ (1 << (bit % 8)));
  overwrite(sector, std::move(flipped), seen);
}

}  // namespace eve::sim
