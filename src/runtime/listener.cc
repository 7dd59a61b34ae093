#include "runtime/listener.h"

#include <asio/steady_timer.hpp>
#include <chrono>

#include "runtime/log.h"
#include "runtime/peer_addresses.h"

namespace eve::runtime {

using asio::ip::tcp;

/// Lives as long as a handler that is under way; `on_accept` is taken away with the Listener.
struct Listener::Shared : std::enable_shared_from_this<Listener::Shared> {
  Shared(EventLoop& loop, OnAccept callback)
      : acceptor(loop.context()), pause(loop.context()), on_accept(std::move(callback)) {}

  void accept() {
    acceptor.async_accept([self = shared_from_this()](std::error_code error, tcp::socket socket) {
      if (!self->on_accept) return;
      if (error) return self->accept_later(error);
      std::error_code gone;
      const auto peer = socket.remote_endpoint(gone);
      if (!gone) {
        self->on_accept(std::move(socket),
                        address_text(peer.address()) + ":" + std::to_string(peer.port()));
      }
      if (self->on_accept) self->accept();
    });
  }

  /// Out of descriptors, most likely: trying again at once would only burn the processor.
  void accept_later(const std::error_code& error) {
    log(LogLevel::kWarn, "accept_failed", {{"error", error.message()}});
    pause.expires_after(std::chrono::milliseconds(100));
    pause.async_wait([self = shared_from_this()](const std::error_code& cancelled) {
      if (!cancelled && self->on_accept) self->accept();
    });
  }

  tcp::acceptor acceptor;
  asio::steady_timer pause;
  OnAccept on_accept;
};

namespace {

std::error_code open_at(tcp::acceptor& acceptor, const tcp::endpoint& endpoint) {
  std::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  std::error_code ignored;
  if (error) acceptor.close(ignored);
  return error;
}

tcp::endpoint resolve(EventLoop& loop, const std::string& host, uint16_t port) {
  std::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (!error) return {address, port};
  tcp::resolver resolver(loop.context());
  const auto found = resolver.resolve(host, std::to_string(port), error);
  if (!error && !found.empty()) return found.begin()->endpoint();
  return {tcp::v4(), port};
}

}  // namespace

Listener::Listener(std::shared_ptr<Shared> shared, uint16_t port)
    : shared_(std::move(shared)), port_(port) {}

Listener::~Listener() {
  shared_->on_accept = nullptr;
  std::error_code ignored;
  shared_->acceptor.close(ignored);
  shared_->pause.cancel();
}

Result<std::unique_ptr<Listener>> Listener::create(EventLoop& loop, const std::string& host,
                                                   uint16_t port, OnAccept on_accept) {
  auto shared = std::make_shared<Shared>(loop, std::move(on_accept));
  auto error = open_at(shared->acceptor, resolve(loop, host, port));
  if (error == std::errc::address_not_available) {
    error = open_at(shared->acceptor, {tcp::v4(), port});
  }
  if (error) {
    return Error{"cannot listen at " + host + ":" + std::to_string(port) + ": " + error.message()};
  }
  const auto bound = shared->acceptor.local_endpoint(error).port();
  shared->accept();
  return std::unique_ptr<Listener>(new Listener(std::move(shared), bound));
}

}  // namespace eve::runtime
