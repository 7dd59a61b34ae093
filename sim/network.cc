#include "sim/network.h"

#include <algorithm>

namespace eve::sim {
namespace {

constexpr uint64_t kMille = 1000;
constexpr uint64_t kLongestTail = 50;

}  // namespace

Network::Network(const NetworkPlan& plan, size_t nodes, uint64_t seed)
    : plan_(plan), nodes_(nodes), random_(seed), links_(nodes * nodes), apart_(nodes, false) {
  const auto spread = static_cast<uint64_t>(plan.most_delay_us - plan.least_delay_us + 1);
  for (Link& link : links_) {
    // Most links are fast, a few slow: the smaller of two draws.
    const uint64_t draw = std::min(random_.below(spread), random_.below(spread));
    link.usual_us = plan.least_delay_us + static_cast<TimeUs>(draw);
  }
}

Network::Delivery Network::send(size_t from, size_t to, TimeUs now) {
  Delivery delivery;
  if (apart_[from] != apart_[to]) {
    ++counts_.cut;
    return delivery;
  }
  if (random_.chance(plan_.loss_per_mille, kMille)) {
    ++counts_.lost;
    return delivery;
  }
  Link& link = links_[from * nodes_ + to];
  delivery.at[delivery.copies++] = arrival(link, now);
  if (random_.chance(plan_.duplicate_per_mille, kMille)) {
    ++counts_.duplicated;
    delivery.at[delivery.copies++] = arrival(link, now);
  }
  return delivery;
}

TimeUs Network::arrival(Link& link, TimeUs now) {
  const auto usual = static_cast<uint64_t>(link.usual_us);
  uint64_t delay = usual / 2 + random_.below(usual + 1);
  if (random_.chance(plan_.tail_per_mille, kMille)) {
    ++counts_.late;
    delay += usual * random_.below(kLongestTail);
  }
  TimeUs at = now + static_cast<TimeUs>(delay);
  if (!plan_.reorder) at = std::max(at, link.last_arrival);
  link.last_arrival = std::max(link.last_arrival, at);
  return at;
}

void Network::calm() {
  heal();
  plan_.tail_per_mille = 0;
  plan_.loss_per_mille = 0;
  plan_.duplicate_per_mille = 0;
  plan_.reorder = false;
}

}  // namespace eve::sim
