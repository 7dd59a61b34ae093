#include "runtime/links.h"

#include <algorithm>
#include <cstring>

#include "runtime/host_limits.h"
#include "runtime/log.h"
#include "runtime/roster.h"

namespace eve::runtime {
namespace {

bool roles_talk(Role a, Role b) {
  if (a == Role::kExecutor || b == Role::kExecutor) return true;
  return a == Role::kVerifier && b == Role::kVerifier;
}

bool nodes_talk(const NodeConfig& a, const NodeConfig& b) {
  for (auto mine : a.roles) {
    for (auto theirs : b.roles) {
      if (roles_talk(mine.role, theirs.role)) return true;
    }
  }
  return false;
}

uint64_t secret_seed() {
  const auto random = crypto::random_secret();
  uint64_t seed = 0;
  std::memcpy(&seed, random.data(), sizeof seed);
  return seed;
}

}  // namespace

Links::Links(EventLoop& loop, const ClusterConfig& cluster, size_t self, TlsContext* tls,
             Sink& sink)
    : loop_(loop),
      cluster_(cluster),
      self_(self),
      tls_(tls),
      sink_(sink),
      addresses_(loop, {}),
      waiting_room_(secret_seed()),
      refusals_(cluster.nodes[self].name) {
  for (size_t node = 0; node < cluster.nodes.size(); ++node) join(node);
}

void Links::join(size_t node) {
  const auto& config = cluster_.nodes[node];
  if (by_node_.size() <= node) by_node_.resize(node + 1, nullptr);
  refusals_.add_peer(config.name);
  if (by_node_[node] != nullptr) end_links(*by_node_[node], "it is another node now");
  if (!withdrawn_.empty()) return;
  if (node == self_ || !nodes_talk(cluster_.nodes[self_], config)) return;
  if (by_node_[node] == nullptr) {
    by_node_[node] = peers_.emplace_back(std::make_unique<Peer>()).get();
    by_node_[node]->node = node;
  }
  auto& peer = *by_node_[node];
  if (!dials(cluster_, self_, node)) {
    // The operator comes from wherever it is.
    if (!config.host.empty()) addresses_.add(config.host);
    return;
  }
  peer.dialer = std::make_unique<Dialer>(
      loop_, config.host, config.port,
      [this, &peer](asio::ip::tcp::socket socket) { dialed(peer, std::move(socket)); });
}

/// The peer stays, and nobody dials it.
void Links::end_links(Peer& peer, const std::string& reason) {
  const auto pending = pending_;
  for (const auto& entry : pending) {
    if (entry.dialed == &peer) entry.connection->close(reason);
  }
  for (const auto& other : std::exchange(peer.others, {})) other->close(reason);
  if (const auto connection = peer.connection) connection->close(reason);
  peer.dialer = nullptr;
}

void Links::withdraw(const std::string& reason) {
  if (!withdrawn_.empty()) return;
  withdrawn_ = reason;
  for (auto& peer : peers_) end_links(*peer, reason);
}

/// Commands of one operator do not know of each other: were there one link, each would take it from
/// the other again and again, and neither would come to its end. One that died without a word is
/// the oldest at some time.
void Links::add_operator(Peer& peer, ConnectionPtr fresh) {
  if (peer.others.size() + 2 > host_limits::kMaxOperatorLinks) {
    const auto oldest = peer.others.front();
    oldest->close("replaced by a newer connection");
  }
  peer.others.push_back(std::move(peer.connection));
  peer.connection = std::move(fresh);
}

Links::~Links() {
  // Closing calls on_closed, which must not tell a sink that may be half gone.
  for (auto& pending : std::exchange(pending_, {})) pending.connection->close("shutting down");
  for (auto& peer : peers_) {
    for (const auto& other : std::exchange(peer->others, {})) other->close("shutting down");
    if (auto connection = std::exchange(peer->connection, nullptr)) {
      connection->close("shutting down");
    }
  }
}

Status Links::listen() {
  const auto& own = cluster_.nodes[self_];
  if (own.port == 0) return {};
  auto listener = Listener::create(loop_, own.host, own.port,
                                   [this](asio::ip::tcp::socket socket, const std::string& from) {
                                     accepted(std::move(socket), from);
                                   });
  if (!listener) return listener.error();
  listener_ = std::move(*listener);
  return {};
}

// ---- Connections -------------------------------------------------------------------------------

void Links::dialed(Peer& peer, asio::ip::tcp::socket socket) {
  begin(std::move(socket), &peer, cluster_.nodes[peer.node].host, 0);
}

void Links::accepted(asio::ip::tcp::socket socket, const std::string& from) {
  const auto address = from.substr(0, from.rfind(':'));
  const auto guest = ++last_guest_;
  const auto leaver = waiting_room_.arrive(guest, address, addresses_.contains(address));
  if (leaver) make_room(*leaver);
  begin(std::move(socket), nullptr, address, guest);
}

void Links::make_room(const WaitingRoom::Leaver& leaver) {
  const auto entry = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& pending) {
    return pending.guest == leaver.guest;
  });
  const auto connection = entry->connection;
  // A peer that was about to say who it is, and one whose own address did not take too much, are
  // not to blame for the flood of others.
  const bool to_blame = leaver.own_address_full && proved_name(*entry) == nullptr;
  const auto fault = to_blame ? PeerConnection::Fault::kPeer : PeerConnection::Fault::kNone;
  connection->close("made room for another connection without having said who it is", fault);
}

/// The name in cluster.toml of who this node has dialed, or who has proved a key; null: a stranger
/// so far.
const std::string* Links::proved_name(const Pending& entry) const {
  if (entry.dialed != nullptr) return &cluster_.nodes[entry.dialed->node].name;
  const auto* key = entry.connection->peer_key();
  for (const auto& node : cluster_.nodes) {
    if (key != nullptr && node.key == *key) return &node.name;
  }
  return nullptr;
}

std::vector<crypto::PublicKey> Links::expected_keys(const Peer* dialed_peer) const {
  std::vector<crypto::PublicKey> keys;
  for (const auto& peer : peers_) {
    if (dialed_peer != nullptr && peer.get() != dialed_peer) continue;
    // Of an accepted connection: only those that are to dial.
    if (dialed_peer == nullptr && peer->dialer) continue;
    keys.push_back(cluster_.nodes[peer->node].key);
  }
  return keys;
}

void Links::begin(asio::ip::tcp::socket socket, Peer* dialed_peer, const std::string& address,
                  WaitingRoom::Guest guest) {
  std::unique_ptr<TlsSession> session;
  if (tls_ != nullptr) {
    const auto side = dialed_peer != nullptr ? TlsSide::kDialed : TlsSide::kAccepted;
    session = tls_->session(side, expected_keys(dialed_peer));
  }
  const LinkHello own{cluster_.id, cluster_.nodes[self_].name};
  PeerConnection::Owner& owner = *this;
  auto connection = std::make_shared<PeerConnection>(std::move(socket), std::move(session), own,
                                                     owner, loop_.now());
  pending_.push_back({connection, dialed_peer, address, guest});
  connection->start();
}

Links::Peer* Links::find_peer(size_t node) {
  return by_node_[node];
}

Status Links::identify(const LinkHello& hello, const crypto::PublicKey* key, Peer*& peer) {
  if (hello.cluster_id != cluster_.id) {
    return Error{"the peer belongs to another cluster, " + hello.cluster_id};
  }
  const auto* config = cluster_.find(hello.node);
  if (config == nullptr) return Error{"cluster.toml knows no node \"" + hello.node + "\""};
  if (key != nullptr && *key != config->key) {
    return Error{"the peer's key is not that of \"" + hello.node + "\""};
  }
  peer = find_peer(static_cast<size_t>(config - cluster_.nodes.data()));
  if (peer == nullptr) return Error{"\"" + hello.node + "\" and this node do not talk"};
  return {};
}

Status Links::on_hello(PeerConnection& connection, const LinkHello& hello,
                       const crypto::PublicKey* key) {
  Peer* peer = nullptr;
  if (!withdrawn_.empty()) return Error{withdrawn_};
  if (auto status = identify(hello, key, peer); !status) return status;
  const auto pending = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& entry) {
    return entry.connection.get() == &connection;
  });
  auto* dialed_peer = pending->dialed;
  if (dialed_peer != nullptr && dialed_peer != peer) {
    return Error{"\"" + hello.node + "\" answers at the address of \"" +
                 cluster_.nodes[dialed_peer->node].name + "\""};
  }
  if (dialed_peer == nullptr && peer->dialer) {
    return Error{"\"" + hello.node +
                 "\" dials although it should be dialed: do the nodes have "
                 "the same cluster.toml?"};
  }
  auto fresh = pending->connection;
  waiting_room_.leave(pending->guest);
  pending_.erase(pending);
  const bool one_of_several = is_operator(cluster_.nodes[peer->node]) && peer->connection;
  if (one_of_several) {
    add_operator(*peer, std::move(fresh));
  } else {
    // The peer knows that the old connection is dead; here it may not have shown yet.
    if (peer->connection) peer->connection->close("replaced by a newer connection");
    peer->connection = std::move(fresh);
  }
  if (peer->dialer) peer->dialer->succeeded();
  log(LogLevel::kInfo, "link_up", {{"node", cluster_.nodes[self_].name}, {"peer", hello.node}});
  if (!one_of_several) sink_.on_link(peer->node, true);
  return {};
}

void Links::on_closed(PeerConnection& connection, const std::string& reason,
                      PeerConnection::Fault fault) {
  const auto& own = cluster_.nodes[self_].name;
  for (auto& peer : peers_) {
    const auto is_it = [&](const ConnectionPtr& other) { return other.get() == &connection; };
    // The caller still works with the connection and holds it.
    if (is_it(peer->connection)) {
      peer->connection = nullptr;
      if (!peer->others.empty()) {
        peer->connection = std::move(peer->others.back());
        peer->others.pop_back();
      }
    } else if (std::erase_if(peer->others, is_it) == 0) {
      continue;
    }
    if (peer->dialer) peer->dialer->failed(loop_.now());
    const auto& name = cluster_.nodes[peer->node].name;
    log(LogLevel::kInfo, "link_down", {{"node", own}, {"peer", name}, {"reason", reason}});
    if (fault == PeerConnection::Fault::kPeer) refusals_.add(name, reason, loop_.now());
    if (!peer->connection) sink_.on_link(peer->node, false);
    return;
  }
  for (auto it = pending_.begin(); it != pending_.end(); ++it) {
    if (it->connection.get() != &connection) continue;
    if (it->dialed != nullptr) it->dialed->dialer->failed(loop_.now());
    const auto* name = proved_name(*it);
    const auto peer = name != nullptr ? *name : it->address;
    log(LogLevel::kInfo, "link_refused", {{"node", own}, {"peer", peer}, {"reason", reason}});
    if (fault == PeerConnection::Fault::kPeer) refusals_.add(peer, reason, loop_.now());
    ++refused_connections_;
    waiting_room_.leave(it->guest);
    pending_.erase(it);
    return;
  }
}

// ---- Frames ------------------------------------------------------------------------------------

void Links::on_frame(PeerConnection& connection, SharedBytes body) {
  const auto is_it = [&](const ConnectionPtr& other) { return other.get() == &connection; };
  const auto peer = std::find_if(peers_.begin(), peers_.end(), [&](const auto& entry) {
    return is_it(entry->connection) ||
           std::any_of(entry->others.begin(), entry->others.end(), is_it);
  });
  if (peer == peers_.end()) return;
  const auto route = parse_route(body.view());
  const auto& theirs = cluster_.nodes[(*peer)->node].roles;
  if (!route || std::find(theirs.begin(), theirs.end(), route->from) == theirs.end()) {
    ++refused_frames_;
    refusals_.add(cluster_.nodes[(*peer)->node].name, "a frame in the name of another's role",
                  loop_.now());
    return;
  }
  sink_.on_frame((*peer)->node, *route, body.slice(kRouteBytes, body.size() - kRouteBytes));
}

bool Links::connected(size_t node) const {
  return node < by_node_.size() && by_node_[node] != nullptr &&
         by_node_[node]->connection != nullptr;
}

void Links::send(size_t node, Address from, Address to, const SharedBytes& payload) {
  if (!connected(node)) return;
  // Keeps the connection alive: a full queue closes it.
  const auto connection = by_node_[node]->connection;
  const auto header = make_header(from, to, payload.size());
  if (!by_node_[node]->others.empty()) {
    const auto others = by_node_[node]->others;
    for (const auto& other : others) other->send(header, payload);
  }
  connection->send(header, payload);
}

// ---- Turns -------------------------------------------------------------------------------------

TimeUs Links::deadline() const {
  auto due = addresses_.due();
  for (const auto& peer : peers_) {
    if (peer->dialer) due = std::min(due, peer->dialer->due());
  }
  for (const auto& entry : pending_) {
    due = std::min(due, entry.connection->started() + host_limits::kHandshakeUs);
  }
  return due;
}

void Links::tick(TimeUs now) {
  addresses_.tick(now);
  for (auto& peer : peers_) {
    if (peer->dialer) peer->dialer->tick(now);
  }
  // Closing takes entries out.
  const auto pending = pending_;
  for (const auto& entry : pending) {
    if (entry.connection->started() + host_limits::kHandshakeUs <= now) {
      // A peer may be slow, or stopped, and no more than that.
      const auto fault = proved_name(entry) == nullptr ? PeerConnection::Fault::kPeer
                                                       : PeerConnection::Fault::kNone;
      entry.connection->close("the handshake took too long", fault);
    }
  }
}

void Links::flush() {
  // A link that breaks is told to the sink: there may be more of them afterwards.
  for (size_t i = 0; i < peers_.size(); ++i) {
    if (const auto connection = peers_[i]->connection) connection->flush();
    if (peers_[i]->others.empty()) continue;
    const auto others = peers_[i]->others;
    for (const auto& other : others) other->flush();
  }
}

std::vector<Links::LinkStatus> Links::status() const {
  std::vector<LinkStatus> all;
  for (const auto& peer : peers_) {
    if (!peer->connection && is_operator(cluster_.nodes[peer->node])) continue;
    all.push_back({cluster_.nodes[peer->node].name, peer->connection != nullptr,
                   peer->connection ? peer->connection->queued_bytes() : 0});
  }
  return all;
}

}  // namespace eve::runtime
