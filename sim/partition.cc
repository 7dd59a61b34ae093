#include "sim/partition.h"

#include <numeric>
#include <utility>

namespace eve::sim {
namespace {

/// Few links: half-open ones are the exception in a network that works.
constexpr uint64_t kHalfOpenPerMille = 150;

std::vector<bool> sides(size_t nodes, Random& random) {
  std::vector<bool> side(nodes);
  for (size_t i = 0; i < nodes; ++i) side[i] = random.chance(1, 2);
  return side;
}

/// Cuts what `cut(from, to)` says.
template <typename Cut>
std::vector<bool> links(size_t nodes, const Cut& cut) {
  std::vector<bool> out(nodes * nodes, false);
  for (size_t from = 0; from < nodes; ++from) {
    for (size_t to = 0; to < nodes; ++to) {
      if (from != to) out[from * nodes + to] = cut(from, to);
    }
  }
  return out;
}

std::vector<bool> ring(size_t nodes, Random& random) {
  std::vector<size_t> place(nodes);
  std::iota(place.begin(), place.end(), size_t{0});
  for (size_t i = nodes; i > 1; --i) std::swap(place[i - 1], place[random.below(i)]);
  return links(nodes, [&](size_t from, size_t to) {
    const size_t apart = (place[from] + nodes - place[to]) % nodes;
    return apart != 1 && apart != nodes - 1;
  });
}

}  // namespace

std::vector<bool> cut_links(Partition kind, size_t servers, size_t nodes, Random& random) {
  switch (kind) {
    case Partition::kLone: {
      const size_t lone = random.below(servers);
      return links(nodes, [lone](size_t from, size_t to) { return from == lone || to == lone; });
    }
    case Partition::kHalf: {
      const auto side = sides(nodes, random);
      return links(nodes, [&](size_t from, size_t to) { return side[from] != side[to]; });
    }
    case Partition::kBridge: {
      const auto side = sides(nodes, random);
      const size_t bridge = random.below(servers);
      return links(nodes, [&](size_t from, size_t to) {
        return side[from] != side[to] && from != bridge && to != bridge;
      });
    }
    case Partition::kRing:
      return ring(nodes, random);
    case Partition::kOneWay: {
      const auto side = sides(nodes, random);
      return links(nodes, [&](size_t from, size_t to) { return side[from] && !side[to]; });
    }
    case Partition::kHalfOpen:
      return links(nodes, [&](size_t, size_t) { return random.chance(kHalfOpenPerMille, 1000); });
  }
  return {};
}

}  // namespace eve::sim
