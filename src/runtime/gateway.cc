#include "runtime/gateway.h"

#include "runtime/host_limits.h"
#include "runtime/log.h"

namespace eve::runtime {

Gateway::Gateway(EventLoop& loop, FrontEndFactory& factory, std::function<void()> on_open)
    : loop_(loop), factory_(factory), on_open_(std::move(on_open)) {
  stats_.started_us = loop.now();
}

Gateway::~Gateway() {
  for (auto& [id, connection] : connections_) connection->drop();
}

Result<std::unique_ptr<Gateway>> Gateway::create(EventLoop& loop, const std::string& host,
                                                 uint16_t port, FrontEndFactory& factory,
                                                 std::function<void()> on_open) {
  std::unique_ptr<Gateway> gateway(new Gateway(loop, factory, std::move(on_open)));
  auto listener = Listener::create(
      loop, host, port,
      [raw = gateway.get()](asio::ip::tcp::socket socket, const std::string& peer) {
        raw->accepted(std::move(socket), peer);
      });
  if (!listener) return listener.error();
  gateway->listener_ = std::move(*listener);
  gateway->stats_.port = gateway->listener_->port();
  return gateway;
}

void Gateway::accepted(asio::ip::tcp::socket socket, const std::string& peer) {
  if (connections_.size() >= host_limits::kMaxGatewayConnections) {
    ++stats_.connections_refused;
    return;
  }
  const auto id = next_id_++;
  Owner& owner = *this;
  auto connection = std::make_shared<GatewayConnection>(std::move(socket), id, owner);
  connections_.emplace(id, connection);
  ++stats_.connections_total;
  stats_.connections = connections_.size();
  log(LogLevel::kDebug, "client_connected", {{"peer", peer}, {"connection", id}});
  connection->start(factory_.make(id, peer, stats_));
}

bool Gateway::submit(uint64_t connection, Bytes request) {
  return client_ != nullptr && client_->submit(std::move(request), connection);
}

void Gateway::on_completion(const client::Completion& completion) {
  const auto found = connections_.find(completion.ticket);
  if (found == connections_.end()) return;
  // The connection may be dropped on the way.
  const auto connection = found->second;
  const Outcome outcome = completion.executed      ? Outcome::kExecuted
                          : completion.quarantined ? Outcome::kQuarantined
                                                   : Outcome::kUnknown;
  connection->on_reply(outcome, completion.reply);
}

void Gateway::wants_flush(GatewayConnection& connection) {
  dirty_.push_back(connection.shared_from_this());
}

void Gateway::flush() {
  // Flushing may drop connections, which asks for a flush once more.
  while (!dirty_.empty()) {
    flushing_.swap(dirty_);
    for (const auto& connection : flushing_) {
      connection->flush();
      if (connection->closed()) connections_.erase(connection->id());
    }
    flushing_.clear();
  }
  stats_.connections = connections_.size();
}

}  // namespace eve::runtime
