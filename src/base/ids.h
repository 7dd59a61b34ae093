// Strong types for what would otherwise all be integers. Explicit in and out; ordered; hashed.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace eve {

template <typename Tag, typename Rep>
class StrongId {
 public:
  using Value = Rep;
  constexpr StrongId() = default;
  constexpr explicit StrongId(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  constexpr auto operator<=>(const StrongId&) const = default;
  constexpr StrongId next() const { return StrongId(static_cast<Rep>(value_ + 1)); }
  constexpr StrongId prev() const { return StrongId(static_cast<Rep>(value_ - 1)); }

 private:
  Rep value_ = 0;
};

/// Position of a batch in the history; genesis is 0, the first batch 1.
using BatchNumber = StrongId<struct BatchNumberTag, uint64_t>;
/// View v is led by executor v mod nE and verifier v mod nV.
using View = StrongId<struct ViewTag, uint64_t>;
/// One set of members (docs/membership.md); the cluster begins with 0.
using Epoch = StrongId<struct EpochTag, uint32_t>;
/// Opened by a replicated request; the batch number and index that opened it; never reused.
using SessionId = StrongId<struct SessionIdTag, uint64_t>;
/// Position of a request in its session, from 1.
using RequestNumber = StrongId<struct RequestNumberTag, uint64_t>;
/// Leaf position in the Merkle tree.
using Slot = StrongId<struct SlotTag, uint64_t>;

/// What a process plays. One process may play several.
enum class Role : uint8_t { kExecutor = 1, kVerifier = 2, kClient = 3 };

/// Who sends and who receives: a role and its index in the cluster (executor 0, verifier 2, ...).
struct Address {
  Role role = Role::kExecutor;
  uint16_t index = 0;
  constexpr auto operator<=>(const Address&) const = default;

  static constexpr Address executor(uint64_t index) {
    return {Role::kExecutor, static_cast<uint16_t>(index)};
  }
  static constexpr Address verifier(uint64_t index) {
    return {Role::kVerifier, static_cast<uint16_t>(index)};
  }
  static constexpr Address client(uint64_t index) {
    return {Role::kClient, static_cast<uint16_t>(index)};
  }
};

/// "executor-0", "verifier-3", "client-1".
std::string to_string(Address address);

/// A point in time or a duration, in microseconds. Protocol code gets it as a value.
using TimeUs = int64_t;

}  // namespace eve

template <typename Tag, typename Rep>
struct std::hash<eve::StrongId<Tag, Rep>> {
  size_t operator()(eve::StrongId<Tag, Rep> id) const { return std::hash<Rep>()(id.value()); }
};
template <>
struct std::hash<eve::Address> {
  size_t operator()(eve::Address a) const { return (static_cast<size_t>(a.role) << 16) | a.index; }
};
