// For tests of this room: what a verifier might promise.
#pragma once

#include <vector>

#include "durability/promise_notes.h"
#include "verification/testing.h"

namespace eve::durability::testing {

inline const FaultModel kModel(1, 1);

inline wire::NewView new_view(uint64_t view, const wire::Certificate& held) {
  std::vector<wire::ViewChange> proof;
  for (const uint16_t peer : {1, 2, 3}) {
    proof.push_back(verification::testing::Signer(kModel, peer).change(view, held));
  }
  const auto leader = static_cast<uint16_t>(view % kModel.verifiers());
  return verification::testing::Signer(kModel, leader).new_view(view, proof);
}

inline wire::Certificate certificate(uint64_t view, uint64_t number) {
  return verification::testing::make_certificate(
      kModel, {0, 1, 2}, view, number, verification::testing::digest(std::to_string(number)),
      verification::testing::digest("before"));
}

inline wire::Prepare prepare(uint64_t view, uint64_t number) {
  return verification::testing::Signer(kModel, 0).prepare(
      view, number, verification::testing::digest(std::to_string(number)),
      verification::testing::digest("before"));
}

inline verification::Learnt learnt(uint64_t view, uint64_t number) {
  const auto token = verification::testing::digest(std::to_string(number));
  return {{wire::VerdictKind::kCommit, View(view), BatchNumber(number), token, {}},
          {View(view), BatchNumber(number), token}};
}

/// A life with each kind of promise in it: at its end view 2 is joined, has started, and 3 is asked
/// for.
inline std::vector<verification::Promise> a_life() {
  using verification::testing::digest;
  const auto begins = new_view(2, certificate(0, 3));
  return {verification::Stands{View(0), false},
          prepare(0, 1),
          certificate(0, 1),
          learnt(0, 1),
          verification::Blamed{digest("poison"), 2},
          verification::testing::Signer(kModel, 0).change(1, certificate(0, 1)),
          begins,
          prepare(2, 3),
          certificate(2, 3),
          learnt(2, 3),
          verification::Started{
              {wire::VerdictKind::kRollback, View(2), BatchNumber(3), digest("3"), {}}},
          prepare(2, 4),
          certificate(2, 4),
          prepare(2, 5),
          verification::Blamed{digest("poison"), 3},
          verification::testing::Signer(kModel, 0).change(3, certificate(2, 4))};
}

inline verification::Promises all_of(const std::vector<verification::Promise>& promises) {
  verification::Promises all(verification::testing::kGenesis);
  for (const auto& promise : promises) EXPECT_TRUE(all.apply(promise));
  return all;
}

/// What tells two of them apart.
inline Bytes bytes_of(const verification::Promises& all) {
  const Note note = note_of(all);
  return std::to_string(note.number) + ':' + note.payload;
}

}  // namespace eve::durability::testing
