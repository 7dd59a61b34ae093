// Carries messages between roles: to another node encoded, once for all receivers; to a role of the
// same node as it is, through a queue, so that no state machine is entered while it is at work.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <vector>

#include "crypto/digest.h"
#include "runtime/cluster_config.h"
#include "runtime/event_loop.h"
#include "runtime/host.h"
#include "runtime/links.h"
#include "wire/messages.h"

namespace eve::runtime {

/// Sees what a role of this node is about to send, and may change it: for test programs that lie.
using Rewrite = std::function<void(Address from, std::vector<wire::Send>& sends)>;

class Router final : public EventLoop::Member, private Links::Sink {
 public:
  /// `self`: this node's position in cluster.nodes, which may grow. All outlive the router.
  Router(EventLoop& loop, const ClusterConfig& cluster, size_t self, TlsContext* tls,
         const crypto::Digester& digester);

  /// A role that this node plays. idle() goes through them in this order: those that make work for
  /// others first.
  void add(Address address, Host& host) { hosts_.push_back({address, &host}); }

  /// Node number `node` is new in cluster.nodes, or is another one now.
  void join(size_t node);

  void set_rewrite(Rewrite rewrite) { rewrite_ = std::move(rewrite); }

  /// Takes the sends out of `sends`, which keeps its memory.
  void send(Address from, std::vector<wire::Send>& sends);
  /// Sends an already encoded message's worth of frames right away: see ExecutionStage.
  void flush_links() { links_.flush(); }

  /// The node that plays `address`; "" if none does.
  std::string name_of(Address address) const;
  /// Whether a message to `address` would have a way now.
  bool reachable(Address address) const;
  Links& links() { return links_; }
  const Links& links() const { return links_; }
  /// Frames whose message was malformed or for a role that is not played here.
  uint64_t refused_messages() const { return refused_messages_; }

  TimeUs deadline() const override;
  void tick(TimeUs now) override;
  bool idle(TimeUs now) override;

 private:
  struct Hosted {
    Address address;
    Host* host;
  };
  struct Local {
    Address from;
    Address to;
    wire::MessagePtr message;
  };

  void on_frame(size_t node, const Route& route, SharedBytes payload) override;
  void on_link(size_t node, bool up) override;
  Host* find(Address address) const;
  size_t node_of(Address address) const;
  void place(size_t node);
  /// Delivers what the node's roles sent each other. True if there was anything.
  bool drain();

  EventLoop& loop_;
  const ClusterConfig& cluster_;
  size_t self_;
  const crypto::Digester& digester_;
  std::vector<Hosted> hosts_;
  std::array<std::vector<size_t>, 4> nodes_;  ///< by role and index: position in cluster.nodes
  std::deque<Local> local_;
  uint64_t refused_messages_ = 0;
  Rewrite rewrite_;
  Links links_;
};

}  // namespace eve::runtime
