// The status port: GET /status (JSON), /metrics (Prometheus) and /healthz over HTTP/1.1, and what
// backups need (node_requests.h). One request a connection.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/event_loop.h"
#include "runtime/listener.h"
#include "runtime/node_requests.h"

namespace eve::runtime {

/// What answers; all are called on the loop's thread.
struct StatusAnswers {
  std::function<std::string()> status;  ///< GET /status
  std::function<Answer()> want_checkpoint;
  std::function<Answer(std::string_view)> show_batch;
};

class StatusServer final : public EventLoop::Member {
 public:
  static Result<std::unique_ptr<StatusServer>> create(EventLoop& loop, const std::string& host,
                                                      uint16_t port, StatusAnswers answers);
  ~StatusServer() override;

  uint16_t port() const { return listener_->port(); }

  TimeUs deadline() const override;
  void tick(TimeUs now) override;

 private:
  class Connection;
  explicit StatusServer(EventLoop& loop, StatusAnswers answers);
  void accepted(asio::ip::tcp::socket socket);
  std::string answer(const std::string& method, const std::string& path) const;

  EventLoop& loop_;
  StatusAnswers answers_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::shared_ptr<Connection>> connections_;
};

}  // namespace eve::runtime
