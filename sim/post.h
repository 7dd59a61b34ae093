// Carries messages between hosts: through the codec (the gate that untrusted bytes pass), the
// network, and the trace.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/quorum.h"
#include "crypto/digest.h"
#include "sim/adversary/traitor.h"
#include "sim/event_queue.h"
#include "sim/listener.h"
#include "sim/network.h"
#include "sim/trace.h"
#include "wire/messages.h"

namespace eve::sim {

/// Numbers every address of the cluster: executors, then verifiers, then clients.
class Roster {
 public:
  Roster(FaultModel model, size_t clients)
      : Roster(model.executors(), model.verifiers(), clients) {}
  Roster(size_t executors, size_t verifiers, size_t clients)
      : executors_(executors), verifiers_(verifiers), clients_(clients) {}
  size_t size() const { return executors_ + verifiers_ + clients_; }
  bool contains(Address address) const;
  std::vector<Address> addresses() const;
  /// Precondition: contains(address).
  size_t number(Address address) const;

 private:
  size_t executors_;
  size_t verifiers_;
  size_t clients_;
};

class Post {
 public:
  using Receiver = std::function<void(const wire::MessagePtr& message, Address from, Address to)>;

  Post(const Roster& roster, EventQueue& queue, Network& network, Trace& trace,
       const crypto::Digester& digester, Receiver receiver)
      : roster_(roster),
        queue_(queue),
        network_(network),
        trace_(trace),
        digester_(digester),
        receiver_(std::move(receiver)) {}

  void send(Address from, const std::vector<wire::Send>& sends);

  /// Hears all that nodes send; outlives this.
  void add_listener(Listener& listener) { listeners_.push_back(&listener); }

  /// Decides in the network's place what becomes of a message.
  using Carrier =
      std::function<Network::Delivery(const wire::MessagePtr& message, Address from, Address to)>;
  void set_carrier(Carrier carrier) { carrier_ = std::move(carrier); }
  /// Sends what the node's own code did not say, as it is.
  void slip_in(Address from, const wire::Send& send) {
    dispatch(from, {send.to, send.message, 0, {}});
  }

  /// From now on this node's messages pass through a traitor, who also hears what it is sent.
  void set_liar(Address node, std::unique_ptr<adversary::Traitor> traitor);
  /// Everybody tells the truth again.
  void end_lies() { lying_ = false; }
  /// For a while nobody lies of his own accord, only when spoken to.
  void rest_lies(bool resting);
  bool lies(Address node) const { return lying_ && traitors_.contains(node); }
  adversary::DeedsByName deeds() const;

  uint64_t delivered() const { return delivered_; }

 private:
  struct Parcel {
    wire::MessagePtr message;
    uint64_t hash;
    Address from;
  };
  void dispatch(Address from, const adversary::Utterance& utterance);
  void say(Address from, std::vector<adversary::Utterance> utterances);
  void tick(Address liar);
  void deliver(const Parcel& parcel, Address to);

  const Roster& roster_;
  EventQueue& queue_;
  Network& network_;
  Trace& trace_;
  const crypto::Digester& digester_;
  Receiver receiver_;
  std::vector<Listener*> listeners_;
  Carrier carrier_;  ///< null: the network
  std::map<Address, std::unique_ptr<adversary::Traitor>> traitors_;
  bool lying_ = true;
  bool resting_ = false;
  uint64_t delivered_ = 0;
};

}  // namespace eve::sim
