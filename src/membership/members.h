// Who sits where in an epoch (docs/membership.md). A node's address is for ever: the seat that it
// takes, if it sat there from the beginning; else it is named after the epoch that it joined in.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "eve/bytes.h"
#include "wire/membership.h"

namespace eve::membership {

struct Seat {
  Epoch since;    ///< the first epoch of who sits there
  Bytes contact;  ///< as in the change; of epoch 0 what the cluster's configuration says
  bool operator==(const Seat&) const = default;
};

/// A value.
struct Members {
  Epoch epoch;
  std::vector<Seat> executors;
  std::vector<Seat> verifiers;
  bool operator==(const Members&) const = default;

  /// Of epoch 0, without contacts.
  static Members first(const FaultModel& model);
  /// Those of the next epoch; nullopt if the change is not one of this epoch, or names seats that
  /// there are not.
  std::optional<Members> after(const wire::Change& change) const;

  /// The node that sits there. Clients are their own.
  Address node_at(Address seat) const;
  /// Where this node sits, if it does.
  std::optional<Address> seat_of(Address node) const;
};

}  // namespace eve::membership
