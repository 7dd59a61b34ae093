// The service that scenario scripts use: counters that requests name in words, right and wrong
// footprints, and races whose outcome on each replica the script decides.
//
//   set K V    add K N    get K    erase K       right footprints
//   race K     adds 1, says nothing of it in its footprint; where two of them meet on two threads,
//              the counter grows by what the script gives for this replica (1 if it gives nothing)
//   moody K    grows by what the script gives for this replica, also alone and in order: where it
//              gives different numbers replicas never agree; its footprint is right
//   fail K V   sets K, dawdles, and throws; its footprint is right
//   peek K     dawdles, and reads K without saying so
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "execution/runner.h"

namespace eve::sim {

/// What the script has to do with the service of one replica. Lives as long as the replica.
class Backstage {
 public:
  /// What races grow by in batch `number` from now on, or in every batch without a rule of its own.
  void set_race(std::optional<uint64_t> number, int64_t growth);
  int64_t race(uint64_t number) const;

  /// Gets what peeks read, run by run.
  std::function<void(const std::string& text)> note;

 private:
  std::map<uint64_t, int64_t> in_batch_;
  int64_t otherwise_ = 1;
};

/// `backstage` outlives the service.
execution::MakeService make_stage_service(const Backstage& backstage);

}  // namespace eve::sim
