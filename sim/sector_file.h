// A file of a virtual disk: what its process reads, what the disk holds, and what was written in
// between. Decides nothing: which writes reach the disk is the caller's word. Sectors of zeroes
// take no space.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/random.h"
#include "eve/bytes.h"

namespace eve::sim {

/// What a disk writes whole or not at all.
inline constexpr uint64_t kSectorBytes = 512;
using Sector = std::array<char, kSectorBytes>;
/// Null: zeroes.
using SectorPtr = std::shared_ptr<const Sector>;

class SectorFile {
 public:
  // ---- what the process sees
  uint64_t size() const { return size_.now; }
  uint64_t sectors() const { return (size_.now + kSectorBytes - 1) / kSectorBytes; }
  /// Sectors that take space.
  uint64_t stored() const { return stored_; }
  bool stores(uint64_t sector) const;
  void write(uint64_t offset, ByteView bytes);
  void truncate(uint64_t size);
  /// Precondition: offset + size <= size().
  Bytes read(uint64_t offset, uint64_t size) const;

  // ---- what was written since the last sync
  bool dirty() const { return !dirty_.empty() || !size_.between.empty(); }
  const std::set<uint64_t>& dirty_sectors() const { return dirty_; }
  SectorPtr now(uint64_t sector) const;
  /// All of it reaches the disk.
  void write_back();
  /// The sector counts as written, and was not.
  void lose(uint64_t sector);
  void lose_size();
  /// What is read is what the disk holds. Precondition: !dirty().
  void evict();

  // ---- a crash
  /// Nothing of it has reached the disk.
  void drop();
  /// Any subset of it has, each sector as any of the versions that it had meanwhile.
  void tear(Random& random);
  /// Within size(), and not stored: where a crash may show something else.
  bool blank(uint64_t sector) const { return sector < sectors() && !stores(sector); }

  // ---- damage to what the disk holds; `seen`: the cache does not hide it
  void overwrite(uint64_t sector, SectorPtr bytes, bool seen);
  void flip(uint64_t sector, uint64_t bit, bool seen);
  void ruin(uint64_t sector) { slots_[sector].bad = true; }
  /// Whether a sector of that range cannot be read.
  bool ruined(uint64_t offset, uint64_t size) const;

 private:
  /// Versions beyond are forgotten, the oldest first: the disk has overwritten them.
  static constexpr size_t kMaxVersions = 8;

  template <typename T>
  struct Versions {
    T now{};                 ///< what the process sees
    T disk{};                ///< what is there after a crash, if nothing else
    std::vector<T> between;  ///< since `disk`, before `now`

    void change(T to) {
      between.push_back(std::move(now));
      if (between.size() > kMaxVersions) between.erase(between.begin());
      now = std::move(to);
    }
    void settle(T to) {
      now = disk = std::move(to);
      between.clear();
    }
    T any(Random& random) const {
      const uint64_t drawn = random.below(between.size() + 2);
      return drawn == 0 ? disk : drawn == 1 ? now : between[drawn - 2];
    }
  };
  struct Slot {
    Versions<SectorPtr> content;
    bool bad = false;
  };

  void set(uint64_t sector, SectorPtr bytes);
  void count(const SectorPtr& before, const SectorPtr& after);
  /// Nothing beyond the end shows when the file grows again.
  void clear_beyond_end();
  uint64_t any_size(Random& random) const;

  Versions<uint64_t> size_;
  std::map<uint64_t, Slot> slots_;
  std::set<uint64_t> dirty_;
  uint64_t stored_ = 0;
};

}  // namespace eve::sim
