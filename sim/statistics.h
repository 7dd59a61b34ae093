// What happened in one seed, or in many.
#pragma once

#include <cstdint>

#include "sim/adversary/traitor.h"

namespace eve::sim {

struct Statistics {
  uint64_t seeds = 0;
  uint64_t virtual_us = 0;
  uint64_t events = 0;
  uint64_t messages = 0;
  uint64_t requests = 0;
  uint64_t batches = 0;
  uint64_t divergences = 0;   ///< replicas computed different tokens from the same past
  uint64_t view_changes = 0;  ///< highest view of each seed, added up
  uint64_t rollbacks = 0;
  uint64_t repairs = 0;
  uint64_t transfers = 0;
  uint64_t retries = 0;
  uint64_t executor_crashes = 0;
  uint64_t verifier_crashes = 0;
  uint64_t partitions = 0;
  uint64_t pauses = 0;
  uint64_t lies = 0;
  uint64_t kept_apart = 0;  ///< messages that one of two twins did not hear, or not say
  uint64_t amnesias = 0;
  uint64_t expiries = 0;  ///< hours that passed, so that sessions expired
  uint64_t lost = 0;
  uint64_t cut = 0;
  uint64_t duplicated = 0;
  uint64_t late = 0;

  adversary::DeedsByName strategies;  ///< what liars did

  Statistics& operator+=(const Statistics& other);
  /// Calls visit(name, value) for each number, in the order above.
  template <typename Visit>
  void for_each(const Visit& visit) const;
};

template <typename Visit>
void Statistics::for_each(const Visit& visit) const {
  visit("seeds", seeds);
  visit("virtual_us", virtual_us);
  visit("events", events);
  visit("messages", messages);
  visit("requests", requests);
  visit("batches", batches);
  visit("divergences", divergences);
  visit("view_changes", view_changes);
  visit("rollbacks", rollbacks);
  visit("repairs", repairs);
  visit("transfers", transfers);
  visit("retries", retries);
  visit("executor_crashes", executor_crashes);
  visit("verifier_crashes", verifier_crashes);
  visit("partitions", partitions);
  visit("pauses", pauses);
  visit("lies", lies);
  visit("kept_apart", kept_apart);
  visit("amnesias", amnesias);
  visit("expiries", expiries);
  visit("lost", lost);
  visit("cut", cut);
  visit("duplicated", duplicated);
  visit("late", late);
}

inline Statistics& Statistics::operator+=(const Statistics& other) {
  seeds += other.seeds;
  virtual_us += other.virtual_us;
  events += other.events;
  messages += other.messages;
  requests += other.requests;
  batches += other.batches;
  divergences += other.divergences;
  view_changes += other.view_changes;
  rollbacks += other.rollbacks;
  repairs += other.repairs;
  transfers += other.transfers;
  retries += other.retries;
  executor_crashes += other.executor_crashes;
  verifier_crashes += other.verifier_crashes;
  partitions += other.partitions;
  pauses += other.pauses;
  lies += other.lies;
  kept_apart += other.kept_apart;
  amnesias += other.amnesias;
  expiries += other.expiries;
  lost += other.lost;
  cut += other.cut;
  duplicated += other.duplicated;
  late += other.late;
  for (const auto& [name, deeds] : other.strategies) {
    strategies[name].nodes += deeds.nodes;
    strategies[name].touched += deeds.touched;
  }
  return *this;
}

}  // namespace eve::sim
