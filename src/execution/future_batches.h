// Batches that arrive before the view that they belong to has started here (E2). Links do not order
// a primary's batches after the verifiers' verdicts, so these are common after a view change.
//
// Each executor leads exactly one of the next nE views, so one room a sender is enough, and a
// sender that lies about its view or its batches fills only its own.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "wire/messages.h"

namespace eve::execution {

class FutureBatches {
 public:
  explicit FutureBatches(size_t executors);

  /// Keeps `batch`, of its view's primary `sender`, if there is room. False: the view is too far
  /// ahead. Precondition: batch->view > current.
  bool add(uint16_t sender, wire::BatchPtr batch, View current);
  /// The batches of `view`, in the order of their arrival; forgets them and those of older views.
  std::vector<wire::BatchPtr> take(View view);

 private:
  struct Kept {
    View view;
    size_t bytes = 0;
    std::vector<wire::BatchPtr> batches;
  };
  std::vector<Kept> kept_;  // by sender
};

}  // namespace eve::execution
