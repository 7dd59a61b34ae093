// The bank, with a mixer that is misled: footprints that leave out keys at random, so that requests
// that conflict run side by side; or that name keys nobody touches, so that others wait for
// nothing.
#pragma once

#include "sim/bank.h"

namespace eve::sim {

/// Misses conflicts: replicas diverge, money may be made and lost, but they agree on it.
class Narrow final : public Workload {
 public:
  execution::MakeService service() const override;
  bool right_footprints() const override { return false; }
  Bytes request(uint16_t client, uint64_t number, Random& random) override {
    return bank_.request(client, number, random);
  }
  /// Each request ran once.
  void check(uint16_t client, uint64_t number, ByteView request, ByteView reply) override;

 private:
  Bank bank_;
};

/// Invents conflicts: everything is as with the bank, only slower.
class Wide final : public Workload {
 public:
  execution::MakeService service() const override;
  bool right_footprints() const override { return true; }
  Bytes request(uint16_t client, uint64_t number, Random& random) override {
    return bank_.request(client, number, random);
  }
  void check(uint16_t client, uint64_t number, ByteView request, ByteView reply) override {
    bank_.check(client, number, request, reply);
  }

 private:
  Bank bank_;
};

}  // namespace eve::sim
