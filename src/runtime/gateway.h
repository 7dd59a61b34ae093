// A gateway: the clients' TCP connections of one service, each with a FrontEnd, all sharing one
// session with the cluster.
//
// Guarantees: replies of a connection come in the order of its requests; a reply for a connection
// that has closed is dropped; a client that does not read, or asks for too much, is first no longer
// read from and then disconnected, and never makes others wait.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "runtime/client_host.h"
#include "runtime/front_end.h"
#include "runtime/gateway_connection.h"
#include "runtime/listener.h"

namespace eve::runtime {

class Gateway final : public EventLoop::Member,
                      public ClientHost::Sink,
                      private GatewayConnection::Owner {
 public:
  /// Listens at once. `factory` outlives the gateway. `on_open` is called when requests can run.
  static Result<std::unique_ptr<Gateway>> create(EventLoop& loop, const std::string& host,
                                                 uint16_t port, FrontEndFactory& factory,
                                                 std::function<void()> on_open);
  ~Gateway() override;

  /// Where requests go; before the loop runs.
  void connect(ClientHost& client) { client_ = &client; }
  const GatewayStats& stats() const { return stats_; }

  void flush() override;

 private:
  Gateway(EventLoop& loop, FrontEndFactory& factory, std::function<void()> on_open);

  void on_open() override { on_open_(); }
  void on_completion(const client::Completion& completion) override;
  bool submit(uint64_t connection, Bytes request) override;
  void wants_flush(GatewayConnection& connection) override;
  GatewayStats& counters() override { return stats_; }
  TimeUs now() override { return loop_.now(); }
  std::vector<std::string> low_disks() override { return client_->low_disks(loop_.now()); }

  void accepted(asio::ip::tcp::socket socket, const std::string& peer);

  EventLoop& loop_;
  FrontEndFactory& factory_;
  std::function<void()> on_open_;
  ClientHost* client_ = nullptr;
  std::unique_ptr<Listener> listener_;
  GatewayStats stats_;
  uint64_t next_id_ = 1;
  /// By connection id, which is also the ticket of its requests: completions come in the order of
  /// submission, so nothing else is needed to tell whose they are.
  std::unordered_map<uint64_t, std::shared_ptr<GatewayConnection>> connections_;
  std::vector<std::shared_ptr<GatewayConnection>> dirty_;
  std::vector<std::shared_ptr<GatewayConnection>> flushing_;
};

}  // namespace eve::runtime
