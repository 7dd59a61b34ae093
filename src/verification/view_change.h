// VIEW-CHANGEs as they are collected (V6, V7): for each verifier the one of the highest view. A
// VIEW-CHANGE is checked when it could complete a quorum, and once.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "verification/certificate.h"
#include "wire/messages.h"

namespace eve::verification {

class ViewChanges {
 public:
  ViewChanges(const FaultModel& model, const Notary& notary) : model_(model), notary_(notary) {}

  /// Keeps `change` if it asks for more than the sender's last one, which it replaces.
  void add(const wire::ViewChange& change);
  void add_own(const wire::ViewChange& change);

  /// The highest view that u+r+1 verifiers ask for, or have gone beyond; `floor` if that is lower.
  View asked_by_quorum(View floor);
  /// u+r+1 or more valid VIEW-CHANGEs for exactly `view`; empty if there are fewer.
  std::vector<wire::ViewChange> proof(View view);
  /// Every view that somebody asks for.
  std::set<View> views() const;
  /// How many ask for `view` or a later one, checked or not.
  size_t asking(View view) const;

  /// `view` was joined: what asks for it or less is forgotten.
  void joined(View view);
  /// Who sent an invalid VIEW-CHANGE may try again.
  void forgive() { barred_.clear(); }
  /// Whose VIEW-CHANGEs were refused since the last call.
  std::vector<uint16_t> take_refused() { return std::exchange(refused_, {}); }

 private:
  struct Entry {
    wire::ViewChange change;
    bool checked = false;
  };
  void check_from(View view);

  FaultModel model_;
  const Notary& notary_;
  std::map<uint16_t, Entry> entries_;
  std::set<uint16_t> barred_;  ///< sent an invalid one: a flood costs one check until forgiven
  std::vector<uint16_t> refused_;
};

}  // namespace eve::verification
