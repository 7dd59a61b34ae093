// Every quorum of the protocol, in one place (DESIGN 2). Nobody else counts.
//
// u: failures of any kind the service stays live under. r <= u: lies it stays safe under.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/check.h"

namespace eve {

/// The sizes that follow from (u, r). Immutable value.
class FaultModel {
 public:
  constexpr FaultModel(uint32_t u, uint32_t r) : FaultModel(u, r, 2 * u + 1, 2 * u + r + 1) {}
  /// The synchronous configuration (docs/primary-backup.md): two executors that survive one crash,
  /// and no verifier.
  static constexpr FaultModel primary_backup() { return {1, 0, 2, 0}; }

  constexpr uint32_t u() const { return u_; }
  constexpr uint32_t r() const { return r_; }
  constexpr uint32_t executors() const { return executors_; }
  constexpr uint32_t verifiers() const { return verifiers_; }
  constexpr bool is_primary_backup() const { return verifiers_ == 0; }
  /// Whether messages can lie at all, so that signatures and strong digests are worth their cost.
  constexpr bool byzantine() const { return r_ > 0; }

  /// Matching tokens from executors that make a token certificate.
  constexpr uint32_t token_certificate() const { return u_ + 1; }
  /// Verifiers for: prepared, committed, a view change, asking for the next view.
  constexpr uint32_t agreement() const { return u_ + r_ + 1; }
  /// Matching statements of which one is from a node that does not lie: an executor accepts a
  /// verdict, a client accepts a reply, a verifier joins a PREPARE or knows of a batch.
  constexpr uint32_t vouched() const { return r_ + 1; }
  /// Executors whose suspicion of the primary a verifier acts on.
  constexpr uint32_t suspicion() const { return u_ + 1; }

  /// Verifiers that let everybody know (reliable broadcast): r+1 of them do not lie, and r+1 is
  /// what others believe.
  constexpr uint32_t broadcast() const { return 2 * r_ + 1; }
  /// Views that a bundle makes fail before it is quarantined (K): every executor has been primary
  /// and every verifier has led, in every combination if their numbers share no factor.
  constexpr uint32_t poisonous() const { return executors() * verifiers(); }

  constexpr bool operator==(const FaultModel&) const = default;

 private:
  constexpr FaultModel(uint32_t u, uint32_t r, uint32_t executors, uint32_t verifiers)
      : u_(u), r_(r), executors_(executors), verifiers_(verifiers) {}

  uint32_t u_;
  uint32_t r_;
  uint32_t executors_;
  uint32_t verifiers_;
};

/// Votes for values, one a voter; the first counts. `Value` needs operator==. The distinct values
/// are at most as many as the voters. Not thread-safe.
template <typename Value>
class Ballot {
 public:
  /// False if `voter` has voted before (its first vote stands).
  bool add(uint16_t voter, const Value& value) { return votes_.emplace(voter, value).second; }

  bool has(uint16_t voter) const { return votes_.contains(voter); }
  size_t voters() const { return votes_.size(); }
  size_t count(const Value& value) const {
    size_t matching = 0;
    for (const auto& [voter, vote] : votes_) matching += vote == value ? 1 : 0;
    return matching;
  }
  /// The value that at least `quorum` voters gave, if there is one.
  std::optional<Value> reached(size_t quorum) const {
    for (const auto& [voter, vote] : votes_) {
      if (count(vote) >= quorum) return vote;
    }
    return std::nullopt;
  }
  /// Votes of the most popular value.
  size_t best() const {
    size_t most = 0;
    for (const auto& [voter, vote] : votes_) most = std::max(most, count(vote));
    return most;
  }
  const std::map<uint16_t, Value>& votes() const { return votes_; }

 private:
  std::map<uint16_t, Value> votes_;
};

}  // namespace eve
