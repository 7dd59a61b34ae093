// What the state engine's maps are compared with. Each is used as its documentation suggests, with
// its own hash function and its own growth; nothing is reserved beforehand, as in Eve.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#ifdef EVE_HAVE_TBB
#include <tbb/concurrent_hash_map.h>
#endif

namespace eve::bench {

/// 64 hash maps with a mutex each. All operations may be used by all threads at once.
class LockedMaps {
 public:
  static constexpr const char* kName = "64 locked std::unordered_map";

  /// Copies the value to `out`; false if there is none.
  bool get(const std::string& key, std::string& out) {
    Shard& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.map.find(key);
    if (found == shard.map.end()) return false;
    out = found->second;
    return true;
  }
  std::optional<std::string> get(const std::string& key) {
    Shard& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.map.find(key);
    if (found == shard.map.end()) return std::nullopt;
    return found->second;
  }
  void put(const std::string& key, const std::string& value) {
    Shard& shard = shard_of(key);
    const std::scoped_lock lock(shard.mutex);
    shard.map[key] = value;
  }

 private:
  static constexpr unsigned kBits = 6;
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<std::string, std::string> map;
  };
  /// By the top bits: buckets are chosen by the hash modulo a prime.
  Shard& shard_of(const std::string& key) {
    return shards_[std::hash<std::string>()(key) >> (64 - kBits)];
  }
  std::array<Shard, size_t{1} << kBits> shards_;
};

#ifdef EVE_HAVE_TBB
/// oneTBB's map. All operations may be used by all threads at once.
class TbbMap {
 public:
  static constexpr const char* kName = "tbb::concurrent_hash_map";

  bool get(const std::string& key, std::string& out) {
    Map::const_accessor found;
    if (!map_.find(found, key)) return false;
    out = found->second;
    return true;
  }
  std::optional<std::string> get(const std::string& key) {
    Map::const_accessor found;
    if (!map_.find(found, key)) return std::nullopt;
    return found->second;
  }
  void put(const std::string& key, const std::string& value) {
    Map::accessor found;
    map_.insert(found, key);
    found->second = value;
  }

 private:
  using Map = tbb::concurrent_hash_map<std::string, std::string>;
  Map map_;
};
#endif

}  // namespace eve::bench
