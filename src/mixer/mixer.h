// From footprints to an ordered list of parallelBatches (paper section 3.1, DESIGN 6.2).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "eve/footprint.h"

namespace eve::mixer {

/// A batch in the order of execution: parallelBatch k is order[begin(k) .. begin(k+1)), indexes
/// into the batch, ascending. Requests of one parallelBatch have no known conflict.
struct MixedBatch {
  std::vector<uint32_t> order;
  std::vector<uint32_t> ends;  ///< exclusive end in `order` of each parallelBatch

  size_t parallel_batches() const { return ends.size(); }
  uint32_t begin(size_t k) const { return k == 0 ? 0 : ends[k - 1]; }
  uint32_t end(size_t k) const { return ends[k]; }
};

/// Deterministic: a function of the footprints only. Conflicting requests keep the batch's order: a
/// request goes to the first parallelBatch after the last one it conflicts with; one that is alone
/// follows all before it and precedes all after it. O(keys). Reuses its tables from batch to batch;
/// one thread at a time.
class Mixer {
 public:
  Mixer();
  ~Mixer();

  void start(size_t requests);
  /// Adds the next request of the batch.
  void add(const Footprint& footprint);
  /// The result since start(); valid until the next start().
  const MixedBatch& finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve::mixer
