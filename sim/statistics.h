// What happened in one seed, or in many.
#pragma once

#include <cstdint>

#include "sim/adversary/traitor.h"
#include "sim/sites.h"

namespace eve::sim {

struct Statistics {
  uint64_t seeds = 0;
  uint64_t virtual_us = 0;  ///< without what is in slept_us
  uint64_t slept_us = 0;    ///< long sleeps, of clients or of one node: little happens meanwhile
  uint64_t asking_us = 0;   ///< of virtual_us: until clients had made their last requests
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
  uint64_t lies = 0;
  uint64_t epochs = 0;      ///< that ended: changes of the members
  uint64_t kept_apart = 0;  ///< messages that one of two twins did not hear, or not say
  uint64_t amnesias = 0;
  uint64_t expiries = 0;  ///< hours that passed, so that sessions expired
  uint64_t accesses = 0;  ///< of requests to state
  uint64_t switches = 0;  ///< from one request to another at an access
  Sites sites;

  adversary::DeedsByName strategies;  ///< what liars did

  Statistics& operator+=(const Statistics& other);
  /// Calls visit(name, value) for each number, in the order above; sites left out.
  template <typename Visit>
  void for_each(const Visit& visit) const;
};

template <typename Visit>
void Statistics::for_each(const Visit& visit) const {
  visit("seeds", seeds);
  visit("virtual_us", virtual_us);
  visit("slept_us", slept_us);
  visit("asking_us", asking_us);
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
  visit("lies", lies);
  visit("epochs", epochs);
  visit("kept_apart", kept_apart);
  visit("amnesias", amnesias);
  visit("expiries", expiries);
  visit("accesses", accesses);
  visit("switches", switches);
}

inline Statistics& Statistics::operator+=(const Statistics& other) {
  seeds += other.seeds;
  virtual_us += other.virtual_us;
  slept_us += other.slept_us;
  asking_us += other.asking_us;
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
  lies += other.lies;
  epochs += other.epochs;
  kept_apart += other.kept_apart;
  amnesias += other.amnesias;
  expiries += other.expiries;
  for (const auto& [name, deeds] : other.strategies) {
    strategies[name].nodes += deeds.nodes;
    strategies[name].touched += deeds.touched;
  }
  accesses += other.accesses;
  switches += other.switches;
  sites += other.sites;
  return *this;
}

}  // namespace eve::sim
