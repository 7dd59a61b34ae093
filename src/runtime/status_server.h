// The status port: GET /status (JSON), /metrics (Prometheus) and /healthz over HTTP/1.1. One
// request a connection.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/event_loop.h"
#include "runtime/listener.h"

namespace eve::runtime {

class StatusServer final : public EventLoop::Member {
 public:
  /// `status` makes the answer to GET /status; called on the loop's thread.
  static Result<std::unique_ptr<StatusServer>> create(EventLoop& loop, const std::string& host,
                                                      uint16_t port,
                                                      std::function<std::string()> status);
  ~StatusServer() override;

  uint16_t port() const { return listener_->port(); }

  TimeUs deadline() const override;
  void tick(TimeUs now) override;

 private:
  class Connection;
  explicit StatusServer(EventLoop& loop, std::function<std::string()> status);
  void accepted(asio::ip::tcp::socket socket);
  std::string answer(const std::string& method, const std::string& path) const;

  EventLoop& loop_;
  std::function<std::string()> status_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::shared_ptr<Connection>> connections_;
};

}  // namespace eve::runtime
