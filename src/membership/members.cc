#include "membership/members.h"

#include "base/check.h"

namespace eve::membership {

namespace {

/// The seats of `role`; null for clients, who have none.
template <typename AnyMembers>
auto* seats_of(AnyMembers& members, Role role) {
  if (role == Role::kExecutor) return &members.executors;
  if (role == Role::kVerifier) return &members.verifiers;
  return static_cast<decltype(&members.executors)>(nullptr);
}

uint16_t number_of(const Seat& seat, size_t index, size_t seats) {
  if (seat.since == Epoch()) return static_cast<uint16_t>(index);
  return static_cast<uint16_t>(seats + seat.since.value() - 1);
}

}  // namespace

Members Members::first(const FaultModel& model) {
  Members members;
  members.executors.resize(model.executors());
  members.verifiers.resize(model.verifiers());
  return members;
}

std::optional<Members> Members::after(const wire::Change& change) const {
  if (change.epoch != epoch) return std::nullopt;
  if (change.executor && *change.executor >= executors.size()) return std::nullopt;
  if (change.verifier && *change.verifier >= verifiers.size()) return std::nullopt;
  Members next = *this;
  next.epoch = epoch.next();
  const Seat seat{next.epoch, change.contact};
  if (change.executor) next.executors[*change.executor] = seat;
  if (change.verifier) next.verifiers[*change.verifier] = seat;
  return next;
}

Address Members::node_at(Address seat) const {
  const auto* seats = seats_of(*this, seat.role);
  if (seats == nullptr) return seat;
  EVE_CHECK(seat.index < seats->size(), "there is such a seat");
  return {seat.role, number_of((*seats)[seat.index], seat.index, seats->size())};
}

std::optional<Address> Members::seat_of(Address node) const {
  const auto* seats = seats_of(*this, node.role);
  if (seats == nullptr) return node;
  for (size_t i = 0; i < seats->size(); ++i) {
    if (number_of((*seats)[i], i, seats->size()) == node.index) {
      return Address{node.role, static_cast<uint16_t>(i)};
    }
  }
  return std::nullopt;
}

}  // namespace eve::membership
