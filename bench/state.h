// What the groups of `eve bench state` share: an engine to measure, and its keys and values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "bench/bench.h"
#include "bench/timing.h"
#include "crypto/digest.h"
#include "eve/state.h"
#include "state/engine.h"

namespace eve::bench {

inline constexpr size_t kKeyBytes = 16;
inline constexpr size_t kValueBytes = 100;
inline constexpr size_t kBatchWrites = 1000;

/// Bits of `index` spread over 64, one to one.
inline uint64_t spread(uint64_t index) {
  return Random(index).next();
}
/// The key number `index`: random bytes, the same in every run.
void make_key(uint64_t index, std::string& key);
/// A value that differs from others in its first bytes.
void make_value(uint64_t number, std::string& value);

/// `count` different numbers below `bound`, all equally likely.
std::vector<uint64_t> draw(Random& random, size_t count, uint64_t bound);

const crypto::Digester& digester_of(crypto::DigestAlgorithm algorithm);
const char* name_of(crypto::DigestAlgorithm algorithm);
inline constexpr crypto::DigestAlgorithm kAlgorithms[] = {crypto::DigestAlgorithm::kSha256,
                                                          crypto::DigestAlgorithm::kXxh3};

/// "10,000,000".
std::string with_commas(uint64_t number);
/// What this machine could give us now, in bytes.
uint64_t available_memory();

/// An engine with one map, filled with the keys [0, keys).
class Loaded {
 public:
  Loaded(crypto::DigestAlgorithm algorithm, size_t workers, uint64_t keys);

  state::Engine& engine() { return engine_; }
  State& state() { return state_; }
  ByteMap& map() { return map_; }
  uint64_t keys() const { return keys_; }

  void begin() { engine_.begin(engine_.last().next()); }
  void commit() { engine_.commit(engine_.last()); }
  /// Overwrites `count` different random keys in the open batch.
  void touch(size_t count);
  /// Batches of one write until nothing larger is in the history.
  void age();

 private:
  void load();

  state::Engine engine_;
  State state_;
  ByteMap map_;
  const uint64_t keys_;
  Random random_{17};
  uint64_t written_ = 0;
};

/// A row whose values are CPU time, with wall time beside it.
Row make_row(const std::string& name, const std::string& unit, const Series& series);
void set_baseline(Row& row, const std::string& name, const Series& series);

// ---- The groups of rows ----

/// get and put against locked and concurrent hash maps.
void add_map_rows(const BenchOptions& options, Report& report);
/// Cost of a token for each dirty object against a plain tree, on one thread and on several.
void add_token_rows(const BenchOptions& options, Report& report);
/// Rollback and commit of the same batch over a small and a large state.
void add_undo_rows(const BenchOptions& options, Report& report);
/// Deltas of batches, and applying them, beside executing; and their bytes.
void add_delta_rows(const BenchOptions& options, Report& report);
/// Bytes an object beyond its key and value.
void add_memory_rows(const BenchOptions& options, Report& report);
/// Scans, get and put of ordered maps against std::map.
void add_ordered_rows(const BenchOptions& options, Report& report);
/// Reading and writing pages against memcpy.
void add_page_rows(const BenchOptions& options, Report& report);
/// What could have been used in place of the tree and its slots (docs/state.md).
void add_alternative_rows(const BenchOptions& options, Report& report);

}  // namespace eve::bench
