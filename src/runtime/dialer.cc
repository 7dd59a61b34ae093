#include "runtime/dialer.h"

#include <algorithm>
#include <asio/connect.hpp>
#include <vector>

#include "runtime/host_limits.h"

namespace eve::runtime {

using asio::ip::tcp;

/// Lives as long as a handler that is under way; `on_connect` is taken away with the Dialer.
struct Dialer::Shared : std::enable_shared_from_this<Dialer::Shared> {
  Shared(EventLoop& event_loop, std::string peer_host, uint16_t peer_port, OnConnect callback)
      : loop(event_loop),
        resolver(event_loop.context()),
        socket(event_loop.context()),
        host(std::move(peer_host)),
        port(peer_port),
        on_connect(std::move(callback)) {}

  void dial() {
    connecting = true;
    due = loop.now() + host_limits::kConnectUs;
    std::error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (!error) return connect({tcp::endpoint(address, port)});
    resolver.async_resolve(host, std::to_string(port),
                           [self = shared_from_this()](const std::error_code& failure,
                                                       const tcp::resolver::results_type& found) {
                             if (!self->on_connect) return;
                             if (failure) return self->fail(self->loop.now());
                             std::vector<tcp::endpoint> endpoints;
                             for (const auto& entry : found) endpoints.push_back(entry.endpoint());
                             self->connect(endpoints);
                           });
  }

  void connect(const std::vector<tcp::endpoint>& endpoints) {
    // The range is copied by the operation.
    asio::async_connect(
        socket, endpoints,
        [self = shared_from_this()](const std::error_code& failure, const tcp::endpoint&) {
          if (!self->on_connect) return;
          if (failure || !self->socket.is_open()) return self->fail(self->loop.now());
          self->connecting = false;
          self->due = kNever;
          self->on_connect(std::exchange(self->socket, tcp::socket(self->loop.context())));
        });
  }

  /// Its handlers call fail().
  void give_up() {
    due = kNever;
    resolver.cancel();
    std::error_code ignored;
    socket.close(ignored);
  }

  void fail(TimeUs now) {
    connecting = false;
    std::error_code ignored;
    socket.close(ignored);
    due = now + backoff;
    backoff = std::min(backoff * 2, host_limits::kMaxBackoffUs);
  }

  EventLoop& loop;
  tcp::resolver resolver;
  tcp::socket socket;
  std::string host;
  uint16_t port;
  OnConnect on_connect;
  bool connecting = false;
  TimeUs due = 0;
  TimeUs backoff = host_limits::kMinBackoffUs;
};

Dialer::Dialer(EventLoop& loop, std::string host, uint16_t port, OnConnect on_connect)
    : shared_(std::make_shared<Shared>(loop, std::move(host), port, std::move(on_connect))) {}

Dialer::~Dialer() {
  shared_->on_connect = nullptr;
  shared_->resolver.cancel();
  std::error_code ignored;
  shared_->socket.close(ignored);
}

TimeUs Dialer::due() const {
  return shared_->due;
}

void Dialer::tick(TimeUs now) {
  if (shared_->due > now) return;
  if (shared_->connecting) {
    shared_->give_up();
  } else {
    shared_->dial();
  }
}

void Dialer::failed(TimeUs now) {
  shared_->fail(now);
}

void Dialer::succeeded() {
  shared_->backoff = host_limits::kMinBackoffUs;
}

}  // namespace eve::runtime
