// Which bundle of a stream a primary may propose next (E1): the first after what is committed and
// what it has in flight itself. Keeps a bundle from being proposed twice in one view, and a
// session's bundles in order.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/ids.h"
#include "execution/session_mirror.h"
#include "execution/stream.h"
#include "wire/messages.h"

namespace eve::execution {

enum class Turn : uint8_t {
  kReady,  ///< propose it
  kEarly,  ///< something before it has not arrived
  kDone,   ///< committed or in flight
};

class ProposalOrder {
 public:
  /// `committed` must outlive this.
  explicit ProposalOrder(const SessionMirror& committed) : committed_(committed) {}

  Turn turn(const wire::Bundle& bundle) const;
  /// `bundle` is proposed in batch `number`.
  void proposed(const wire::Bundle& bundle, BatchNumber number);
  /// `batch` is committed.
  void committed(const wire::Batch& batch);
  /// Everything up to `number` is committed, with contents not seen here.
  void committed_through(BatchNumber number);
  /// A new view: nothing is in flight.
  void clear() { in_flight_.clear(); }

 private:
  struct InFlight {
    RequestNumber next;
    BatchNumber last;  // the newest batch with a bundle of this stream
  };
  const SessionMirror& committed_;
  std::unordered_map<Stream, InFlight> in_flight_;
};

}  // namespace eve::execution
