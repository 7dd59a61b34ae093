// The life of a verifier, as one table of moves.
//
//   normal(v) --asks for v+1--> changing(v+1) --valid NEW-VIEW--> starting(v+1) --commit--> normal
//       \---------------------- valid NEW-VIEW of a higher view ---^
//   recovering --NEW-VIEW above its promise, from others' VIEW-CHANGEs--> starting
#pragma once

#include <array>
#include <utility>

#include "base/check.h"

namespace eve::verification {

enum class Phase { kNormal, kChanging, kStarting, kRecovering };

inline const char* name(Phase phase) {
  constexpr std::array<const char*, 4> kNames{"normal", "changing", "starting", "recovering"};
  return kNames[static_cast<size_t>(phase)];
}

inline void move(Phase& phase, Phase to) {
  using enum Phase;
  constexpr std::array<std::pair<Phase, Phase>, 8> kMoves{{
      {kNormal, kChanging},     // asks for the next view
      {kNormal, kStarting},     // joins one that others asked for
      {kChanging, kChanging},   // the view asked for stayed silent: asks for the one after
      {kChanging, kStarting},   // joins
      {kStarting, kNormal},     // the start point is committed
      {kStarting, kChanging},   // it stayed uncommitted for too long
      {kStarting, kStarting},   // joins a later view first
      {kRecovering, kStarting}  // joins a view above what it may have promised
  }};
  for (const auto& [from, target] : kMoves) {
    if (from == phase && target == to) {
      phase = to;
      return;
    }
  }
  EVE_CHECK(false, "a verifier moved between phases that do not follow each other");
}

}  // namespace eve::verification
