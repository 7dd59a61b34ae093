// Connections that have been accepted and have not said who they are: how many may wait, and which
// of them makes room when there are more.
//
// Who waits costs memory and a descriptor, so places are counted; and whoever floods the places
// must not keep a peer that reconnects from the short time T that a handshake takes. Two things
// see to that:
//
//   1. An address that cluster.toml names has places of its own. All others together cannot touch
//      them, whatever they do.
//   2. Of those that compete for N places the youngest half is left alone. Of the older half goes
//      the one with the highest product of its draw (between 0 and 1, made once, on arrival) and
//      of how many have come to compete after it.
//
// What 2 is for: strangers at a peer's own address (all of a cluster on loopback, machines behind
// one router), and peers at addresses that cluster.toml does not name (NAT). Let L strangers arrive
// in a second. While L * T < N / 2, a peer is through before it leaves the younger half. Beyond,
// who draws 1 / k stays k times as long as others do, so the places hold some that stay long, more
// that stay for less, and a peer's chance is about N / (2 L T), less a logarithm of the flood:
// within that the best that can be had, as only N / T handshakes a second have a place. It tries
// again every kMaxBackoffUs at least, so a flood ten times larger makes it wait ten times longer.
// Age is counted in arrivals, and nobody outside knows the draws: neither bursts nor timing help.
//
// Chances of one handshake, simulated, T = 150 ms, N = 256:
//
//   strangers a second     800   1,000   2,000   5,000   20,000
//   the oldest goes       100%    100%       0       0        0
//   anybody goes           62%     56%     31%      4%        0
//   here                  100%     22%     10%      3%     0.5%
//
// The first row was the rule before this one: no chance beyond L * T = N. The second sinks as
// exp(-L T / N). To refuse newcomers instead is worst: who holds the places and renews them in time
// is alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"

namespace eve::runtime {

/// One thread.
class WaitingRoom {
 public:
  /// `seed` decides the draws: nobody else may know it.
  explicit WaitingRoom(uint64_t seed) : random_(seed) {}

  using Guest = uint64_t;
  struct Leaver {
    Guest guest = 0;
    /// Its own address has more than its share; otherwise it suffers from others.
    bool own_address_full = false;
  };
  /// `guest`, another one each time, waits from now on. `named`: cluster.toml names its address.
  /// Returns who must go: close it, and leave(it). Never `guest` itself.
  std::optional<Leaver> arrive(Guest guest, const std::string& address, bool named);
  /// It has said who it is, or is gone. Nothing, if it does not wait.
  void leave(Guest guest);

  size_t size() const { return waiting_.size(); }

 private:
  static constexpr uint64_t kDraws = uint64_t{1} << 32;

  struct Waiting {
    Guest guest;
    std::string address;
    bool named;
    double draw;
    /// How many have come since, itself included: from its address; all strangers.
    double later_of_address = 0;
    double later_strangers = 0;
  };
  using Count = double Waiting::*;
  /// One has come to those that `competes`: counts it; if they are more than `places`, who goes.
  template <typename Competes>
  std::optional<Guest> one_too_many(size_t places, Count later, Competes competes);

  std::vector<Waiting> waiting_;  ///< in order of arrival
  Random random_;
};

}  // namespace eve::runtime
