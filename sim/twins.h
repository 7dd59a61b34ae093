// Twins (Bano et al., *Twins: BFT systems made robust*, 2020): two correct instances with one
// identity and key behind one address. Each hears and speaks to a part of the others only, and the
// parts change: between them they say all that a double-tongued node can say, in good order.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "sim/event_queue.h"

namespace eve::sim {

class Twins {
 public:
  static constexpr size_t kInstances = 2;

  /// `nodes` as the roster numbers them. The company changes about every `change_us`.
  Twins(uint64_t seed, EventQueue& queue, size_t nodes, TimeUs change_us);

  void add(Address twin) { twins_.insert(twin); }
  bool contains(Address address) const { return twins_.contains(address); }
  void start() { change(); }

  /// Whether this instance of every twin and that node hear each other now.
  bool together(size_t instance, size_t node) const { return (company_[node] >> instance) & 1u; }
  /// How often a message was kept from one of the two.
  uint64_t kept_apart() const { return kept_apart_; }
  void count_apart() { ++kept_apart_; }

 private:
  void change();

  Random random_;
  EventQueue& queue_;
  TimeUs change_us_;
  std::set<Address> twins_;
  std::vector<uint8_t> company_;  ///< a bit an instance
  uint64_t kept_apart_ = 0;
};

}  // namespace eve::sim
