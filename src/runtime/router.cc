#include "runtime/router.h"

#include <algorithm>

#include "wire/codec.h"

namespace eve::runtime {
namespace {

constexpr size_t kNoNode = SIZE_MAX;

}  // namespace

Router::Router(EventLoop& loop, const ClusterConfig& cluster, size_t self, TlsContext* tls,
               const crypto::Digester& digester)
    : loop_(loop),
      cluster_(cluster),
      self_(self),
      digester_(digester),
      links_(loop, cluster, self, tls, *this) {
  for (size_t node = 0; node < cluster.nodes.size(); ++node) place(node);
}

void Router::place(size_t node) {
  for (auto address : cluster_.nodes[node].roles) {
    auto& by_index = nodes_[static_cast<size_t>(address.role)];
    if (by_index.size() <= address.index) by_index.resize(address.index + size_t{1}, kNoNode);
    by_index[address.index] = node;
  }
}

void Router::join(size_t node) {
  for (auto& by_index : nodes_) std::replace(by_index.begin(), by_index.end(), node, kNoNode);
  place(node);
  links_.join(node);
}

size_t Router::node_of(Address address) const {
  const auto& by_index = nodes_[static_cast<size_t>(address.role)];
  return address.index < by_index.size() ? by_index[address.index] : kNoNode;
}

Host* Router::find(Address address) const {
  for (const auto& hosted : hosts_) {
    if (hosted.address == address) return hosted.host;
  }
  return nullptr;
}

std::string Router::name_of(Address address) const {
  const auto node = node_of(address);
  return node == kNoNode ? std::string() : cluster_.nodes[node].name;
}

bool Router::reachable(Address address) const {
  const auto node = node_of(address);
  return node == self_ || (node != kNoNode && links_.connected(node));
}

void Router::send(Address from, std::vector<wire::Send>& sends) {
  if (rewrite_) rewrite_(from, sends);
  for (auto& send : sends) {
    SharedBytes encoded;
    for (auto to : send.to) {
      const auto node = node_of(to);
      if (node == self_) {
        local_.push_back({from, to, send.message});
      } else if (node != kNoNode && links_.connected(node)) {
        if (encoded.empty()) encoded = SharedBytes(wire::encode(*send.message));
        links_.send(node, from, to, encoded);
      }
    }
  }
  sends.clear();
}

void Router::on_frame(size_t node, const Route& route, SharedBytes payload) {
  auto* host = find(route.to);
  const auto& sender = cluster_.nodes[node].name;
  if (host == nullptr) {
    ++refused_messages_;
    links_.refusals().add(sender, "a message for a role that is not played here", loop_.now());
    return;
  }
  auto message = wire::decode(payload, digester_);
  if (!message) {
    ++refused_messages_;
    links_.refusals().add(sender, message.message(), loop_.now());
    return;
  }
  host->receive(*message, route.from, loop_.now());
}

void Router::on_link(size_t node, bool up) {
  // A host that hears of it may let another node join.
  const auto roles = cluster_.nodes[node].roles;
  for (auto peer : roles) {
    for (const auto& hosted : hosts_) hosted.host->on_link(peer, up, loop_.now());
  }
}

bool Router::drain() {
  const bool any = !local_.empty();
  while (!local_.empty()) {
    const auto next = std::move(local_.front());
    local_.pop_front();
    if (auto* host = find(next.to)) host->receive(*next.message, next.from, loop_.now());
  }
  return any;
}

TimeUs Router::deadline() const {
  auto due = kNever;
  for (const auto& hosted : hosts_) due = std::min(due, hosted.host->deadline());
  return due;
}

void Router::tick(TimeUs now) {
  for (const auto& hosted : hosts_) {
    if (hosted.host->deadline() <= now) hosted.host->tick(now);
  }
}

bool Router::idle(TimeUs now) {
  bool any = drain();
  for (const auto& hosted : hosts_) {
    if (hosted.host->idle(now)) any = true;
    // What one role made is there before the next one is asked: a bundle of the gateway's still
    // travels in the batch that the executor is about to propose.
    if (drain()) any = true;
  }
  return any;
}

}  // namespace eve::runtime
