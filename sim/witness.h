// Counts the paths of the protocol that show in what nodes send.
#pragma once

#include <map>
#include <set>
#include <tuple>

#include "sim/listener.h"
#include "sim/trace.h"

namespace eve::sim {

class Witness final : public Listener {
 public:
  explicit Witness(Trace& trace) : trace_(trace) {}
  void sent(Address from, const wire::Send& send) override;

 private:
  /// Sent before: the same kind of message by the same node for the same (view, number).
  bool again(Address from, const wire::Message& message, View view, BatchNumber number);

  Trace& trace_;
  std::set<std::tuple<Address, size_t, View, BatchNumber>> said_;
};

}  // namespace eve::sim
