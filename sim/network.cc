#include "sim/network.h"

#include <algorithm>

namespace eve::sim {
namespace {

constexpr uint64_t kMille = 1000;
constexpr uint64_t kLongestTail = 50;
/// An old message comes again after this long at most.
constexpr uint64_t kOldestReplayUs = 2'000'000;

}  // namespace

Network::Network(const NetworkPlan& plan, size_t nodes, uint64_t seed)
    : plan_(plan), nodes_(nodes), random_(seed), links_(nodes * nodes), cut_(nodes * nodes, false) {
  const auto spread = static_cast<uint64_t>(plan.most_delay_us - plan.least_delay_us + 1);
  for (Link& link : links_) {
    // Most links are fast, a few slow: the smaller of two draws.
    const uint64_t draw = std::min(random_.below(spread), random_.below(spread));
    link.usual_us = plan.least_delay_us + static_cast<TimeUs>(draw);
  }
}

Network::Delivery Network::send(size_t from, size_t to, size_t bytes, TimeUs now) {
  Delivery delivery;
  if (cut_[from * nodes_ + to]) {
    ++counts_.cut;
    return delivery;
  }
  if (random_.chance(plan_.loss_per_mille, kMille)) {
    ++counts_.lost;
    return delivery;
  }
  Link& link = this->link(from, to);
  delivery.at[delivery.copies++] = arrival(link, bytes, now);
  if (random_.chance(plan_.duplicate_per_mille, kMille)) {
    ++counts_.duplicated;
    delivery.at[delivery.copies++] = arrival(link, bytes, now);
  }
  if (random_.chance(plan_.replay_per_mille, kMille)) {
    ++counts_.replayed;
    delivery.at[delivery.copies++] =
        delivery.at[0] + static_cast<TimeUs>(random_.below(kOldestReplayUs));
  }
  return delivery;
}

TimeUs Network::arrival(Link& link, size_t bytes, TimeUs now) {
  const auto usual = static_cast<uint64_t>(link.usual_us);
  uint64_t delay = usual / 2 + random_.below(usual + 1);
  if (random_.chance(plan_.tail_per_mille, kMille)) {
    ++counts_.late;
    delay += usual * random_.below(kLongestTail);
  }
  TimeUs at = departure(link, bytes, now) + static_cast<TimeUs>(delay);
  if (plan_.reorder) {
    if (at < link.last_arrival) ++counts_.overtaken;
  } else {
    at = std::max(at, link.last_arrival);
  }
  link.last_arrival = std::max(link.last_arrival, at);
  return at;
}

/// When the last byte has left: after those before it, and not while the link is clogged.
TimeUs Network::departure(Link& link, size_t bytes, TimeUs now) {
  TimeUs start = now;
  if (link.clogged_until > start) {
    ++counts_.clogged;
    start = link.clogged_until;
  }
  if (plan_.bytes_per_ms == 0) return start;
  if (link.free_at > start) ++counts_.slowed;
  link.free_at =
      std::max(start, link.free_at) + static_cast<TimeUs>(bytes * kMille / plan_.bytes_per_ms);
  return link.free_at;
}

void Network::calm() {
  heal();
  for (Link& link : links_) {
    link.clogged_until = 0;
    link.free_at = 0;
  }
  plan_.tail_per_mille = 0;
  plan_.loss_per_mille = 0;
  plan_.duplicate_per_mille = 0;
  plan_.replay_per_mille = 0;
  plan_.bytes_per_ms = 0;
  plan_.reorder = false;
}

}  // namespace eve::sim
