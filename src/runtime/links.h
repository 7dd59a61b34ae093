// The links of a node: one TCP connection with every node that it exchanges messages with.
//
// Who dials: of two nodes the one that joined later, else the one that comes later in cluster.toml;
// a node without a port always dials (roster.h). Executors talk to everybody, verifiers to
// executors and verifiers, clients to executors. A connection is trusted when TLS has proved the
// peer's key, or, where the operator chose tls = false, when its hello names a node; frames from
// roles that this node does not play are dropped and counted.
//
// Guarantees: nothing that a peer sends stops the process; what cannot be sent at once is queued up
// to limits::kMaxLinkQueueBytes, beyond which the link is closed; frames to a peer without a
// connection are dropped. Delivery is in order within one connection and not certain. Each link has
// a queue of its own and is written without waiting, so a peer that reads slowly, or never, costs
// memory up to that limit and delays nobody else; a protocol whose messages are repeated needs no
// finer choice of what to drop. Connections that have not said who they are have limited places
// (waiting_room.h), and strangers cannot keep peers out. Of a peer there is one link, the newest;
// of the operator one for each command that runs, host_limits::kMaxOperatorLinks at most.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/cluster_config.h"
#include "runtime/dialer.h"
#include "runtime/event_loop.h"
#include "runtime/listener.h"
#include "runtime/peer_addresses.h"
#include "runtime/peer_connection.h"
#include "runtime/refusal_log.h"
#include "runtime/tls.h"
#include "runtime/waiting_room.h"

namespace eve::runtime {

class Links final : public EventLoop::Member, private PeerConnection::Owner {
 public:
  /// Told on the loop's thread.
  class Sink {
   public:
    virtual ~Sink() = default;
    /// `route.from` is a role of node number `node`; `payload` is the message's bytes.
    virtual void on_frame(size_t node, const Route& route, SharedBytes payload) = 0;
    virtual void on_link(size_t node, bool up) = 0;
  };

  /// `self`: this node's position in cluster.nodes, which may grow. `tls` null: plain. All outlive
  /// the links.
  Links(EventLoop& loop, const ClusterConfig& cluster, size_t self, TlsContext* tls, Sink& sink);
  ~Links() override;

  /// Binds the node's port, if it has one.
  Status listen();

  /// Node number `node` is new in cluster.nodes, or is another one now: an old link with it ends.
  /// May be called while the sink is told.
  void join(size_t node);

  /// This node is none of the cluster's: all links end, and there will be no others.
  void withdraw(const std::string& reason);

  bool connected(size_t node) const;
  /// Queues a frame for node number `node`; dropped if there is no connection.
  void send(size_t node, Address from, Address to, const SharedBytes& payload);

  struct LinkStatus {
    std::string peer;
    bool connected = false;
    size_t queued_bytes = 0;
  };
  /// One for each node that this one talks to; the operator only while it is there.
  std::vector<LinkStatus> status() const;
  uint64_t refused_frames() const { return refused_frames_; }
  uint64_t refused_connections() const { return refused_connections_; }
  /// What this node refused, by sender; hosts add what their state machines refuse.
  RefusalLog& refusals() { return refusals_; }
  const RefusalLog& refusals() const { return refusals_; }

  TimeUs deadline() const override;
  void tick(TimeUs now) override;
  void flush() override;

 private:
  using ConnectionPtr = std::shared_ptr<PeerConnection>;
  struct Peer {
    size_t node = 0;
    std::unique_ptr<Dialer> dialer;  ///< null: the peer dials
    ConnectionPtr connection;        ///< null or open
    /// The operator's only: of its other commands, open, the oldest first. What is said to it goes
    /// to all of them.
    std::vector<ConnectionPtr> others;
  };

  /// A connection whose peer is not known yet, or, if this node dialed, not proved yet.
  struct Pending {
    ConnectionPtr connection;
    Peer* dialed = nullptr;
    std::string address;           ///< of the host that has connected
    WaitingRoom::Guest guest = 0;  ///< 0: this node dialed
  };

  Status on_hello(PeerConnection& connection, const LinkHello& hello,
                  const crypto::PublicKey* key) override;
  void on_frame(PeerConnection& connection, SharedBytes body) override;
  void on_closed(PeerConnection& connection, const std::string& reason,
                 PeerConnection::Fault fault) override;

  void add_operator(Peer& peer, ConnectionPtr fresh);
  void end_links(Peer& peer, const std::string& reason);
  void dialed(Peer& peer, asio::ip::tcp::socket socket);
  void accepted(asio::ip::tcp::socket socket, const std::string& from);
  void make_room(const WaitingRoom::Leaver& leaver);
  void begin(asio::ip::tcp::socket socket, Peer* dialed_peer, const std::string& address,
             WaitingRoom::Guest guest);
  Peer* find_peer(size_t node);
  Status identify(const LinkHello& hello, const crypto::PublicKey* key, Peer*& peer);
  const std::string* proved_name(const Pending& entry) const;
  std::vector<crypto::PublicKey> expected_keys(const Peer* dialed_peer) const;

  EventLoop& loop_;
  const ClusterConfig& cluster_;
  size_t self_;
  TlsContext* tls_;
  Sink& sink_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<Peer*> by_node_;  ///< by position in cluster.nodes; null: no link
  std::vector<Pending> pending_;
  PeerAddresses addresses_;  ///< of those that are to dial this node
  WaitingRoom waiting_room_;
  WaitingRoom::Guest last_guest_ = 0;
  RefusalLog refusals_;
  std::string withdrawn_;  ///< why; empty: it is not
  uint64_t refused_frames_ = 0;
  uint64_t refused_connections_ = 0;
};

}  // namespace eve::runtime
