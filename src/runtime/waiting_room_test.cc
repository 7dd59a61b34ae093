#include "runtime/waiting_room.h"

#include <gtest/gtest.h>

#include <set>

#include "runtime/host_limits.h"

namespace eve::runtime {
namespace {

constexpr size_t kPerAddress = host_limits::kMaxPendingPerAddress;
constexpr size_t kStrangers = host_limits::kMaxPendingStrangers;

std::string stranger(uint64_t number) {
  return "198.51.100." + std::to_string(number % 100);
}

/// A room, and what Links does with it.
struct Door {
  explicit Door(uint64_t seed) : room(seed) {}

  /// Who left for it; 0: nobody.
  WaitingRoom::Guest arrive(const std::string& address, bool named) {
    const auto leaver = room.arrive(++last, address, named);
    inside.insert(last);
    if (!leaver) return 0;
    EXPECT_NE(leaver->guest, last);
    EXPECT_EQ(inside.erase(leaver->guest), 1u);
    blamed += leaver->own_address_full ? 1 : 0;
    room.leave(leaver->guest);
    return leaver->guest;
  }

  WaitingRoom room;
  WaitingRoom::Guest last = 0;
  std::set<WaitingRoom::Guest> inside;
  size_t blamed = 0;
};

TEST(WaitingRoom, HasPlacesByAddressAndForStrangersInAll) {
  Door door(1);
  for (size_t i = 0; i < 3 * kPerAddress; ++i) door.arrive("198.51.100.1", false);
  EXPECT_EQ(door.room.size(), kPerAddress);
  EXPECT_EQ(door.blamed, 2 * kPerAddress);
  for (size_t i = 0; i < 10 * kStrangers; ++i) door.arrive(stranger(i), false);
  EXPECT_EQ(door.room.size(), kStrangers);
}

TEST(WaitingRoom, StrangersTakeNoPlaceOfANamedAddress) {
  Door door(1);
  for (size_t i = 0; i < kPerAddress; ++i) EXPECT_EQ(door.arrive("192.0.2.1", true), 0u);
  for (size_t i = 0; i < 20'000; ++i) door.arrive(stranger(i), false);
  for (WaitingRoom::Guest peer = 1; peer <= kPerAddress; ++peer) {
    EXPECT_TRUE(door.inside.contains(peer)) << peer;
  }
  // Nor does a peer that floods from its own address.
  for (size_t i = 0; i < 1'000; ++i) door.arrive("192.0.2.2", true);
  EXPECT_EQ(door.room.size(), kStrangers + 2 * kPerAddress);
}

TEST(WaitingRoom, TheYoungerHalfIsLeftAlone) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Door door(seed);
    for (size_t i = 0; i < kStrangers; ++i) door.arrive(stranger(i), false);
    door.arrive(stranger(0), false);
    const auto peer = door.last;
    for (size_t i = 0; i < kStrangers / 2 - 1; ++i) door.arrive(stranger(i), false);
    EXPECT_TRUE(door.inside.contains(peer));
  }
}

TEST(WaitingRoom, WhoLeavesMakesRoom) {
  Door door(3);
  for (size_t i = 0; i < kStrangers; ++i) door.arrive(stranger(i), false);
  door.room.leave(7);
  door.room.leave(7);
  EXPECT_EQ(door.room.size(), kStrangers - 1);
  EXPECT_EQ(door.arrive(stranger(1), false), 0u);
  EXPECT_NE(door.arrive(stranger(2), false), 0u);
}

/// How many of `tries` handshakes get through that last as long as `during` strangers take to
/// arrive, `burst` at a time. All come from one address, the peer too.
size_t through(int tries, size_t during, size_t burst) {
  Door door(42);
  Random random(7);
  const auto flood = [&](size_t strangers) {
    for (size_t i = 0; i < strangers; ++i) {
      door.arrive("127.0.0.1", true);
      // Nobody waits for ever (kHandshakeUs).
      while (*door.inside.begin() + 30 * during < door.last) {
        door.room.leave(*door.inside.begin());
        door.inside.erase(door.inside.begin());
      }
    }
  };
  flood(20 * during);
  size_t done = 0;
  for (int i = 0; i < tries; ++i) {
    door.arrive("127.0.0.1", true);
    const auto peer = door.last;
    flood(during / burst * burst + (random.chance(during % burst, burst) ? burst : 0));
    done += door.inside.erase(peer);
    door.room.leave(peer);
  }
  return done;
}

TEST(WaitingRoom, UnderAFloodFromItsOwnAddressAPeerHasAChance) {
  EXPECT_EQ(through(200, kPerAddress / 2 - 1, 1), 200u);
  // Five times what has a place, one by one and in bursts that fill all places at once: that some
  // get through is what makes trying again worth while.
  EXPECT_GT(through(400, 5 * kPerAddress, 1), 2u);
  EXPECT_GT(through(400, 5 * kPerAddress, 2 * kPerAddress), 2u);
}

}  // namespace
}  // namespace eve::runtime
