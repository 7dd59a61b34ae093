// Accepts TCP connections on one port, for links, gateways and status alike.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "eve/result.h"
#include "runtime/event_loop.h"

namespace eve::runtime {

class Listener {
 public:
  using OnAccept = std::function<void(asio::ip::tcp::socket socket, const std::string& peer)>;

  /// Listens at host:port; port 0 takes a free one. Where `host` is not an address of this machine
  /// (it may be how others see it), listens on all. The loop outlives the listener.
  static Result<std::unique_ptr<Listener>> create(EventLoop& loop, const std::string& host,
                                                  uint16_t port, OnAccept on_accept);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  uint16_t port() const { return port_; }

 private:
  struct Shared;
  Listener(std::shared_ptr<Shared> shared, uint16_t port);
  std::shared_ptr<Shared> shared_;
  uint16_t port_;
};

}  // namespace eve::runtime
