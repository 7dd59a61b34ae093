#include "runtime/status_server.h"

#include <algorithm>
#include <asio/write.hpp>

#include "runtime/host_limits.h"
#include "runtime/http.h"
#include "runtime/metrics.h"

namespace eve::runtime {

using asio::ip::tcp;

namespace {

constexpr std::string_view kBatch = "/batch/";

std::string json(int status, const std::string& body) {
  return http_response(status, "application/json", body);
}

}  // namespace

/// Reads one request, writes one response.
class StatusServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, StatusServer& server, TimeUs now)
      : socket_(std::move(socket)), server_(server), started_(now) {}

  TimeUs deadline() const { return started_ + host_limits::kStatusUs; }
  bool closed() const { return !socket_.is_open(); }
  void close() {
    std::error_code ignored;
    socket_.close(ignored);
  }

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](const std::error_code& error, size_t size) {
                              if (self->closed()) return;
                              if (error) return self->close();
                              self->received_.append(self->buffer_.data(), size);
                              self->answer();
                            });
  }

 private:
  void answer() {
    const auto request = parse_http_request(received_);
    if (!request) return respond(http_response(400, "text/plain", request.message() + "\n"));
    if (!*request) return read();
    respond(server_.answer((*request)->method, (*request)->path));
  }

  void respond(std::string response) {
    response_ = std::move(response);
    asio::async_write(socket_, asio::buffer(response_),
                      [self = shared_from_this()](const std::error_code&, size_t) {
                        if (self->closed()) return;
                        std::error_code ignored;
                        self->socket_.shutdown(tcp::socket::shutdown_send, ignored);
                        self->close();
                      });
  }

  tcp::socket socket_;
  StatusServer& server_;
  TimeUs started_;
  std::array<char, 2048> buffer_;
  std::string received_;
  std::string response_;
};

StatusServer::StatusServer(EventLoop& loop, StatusAnswers answers)
    : loop_(loop), answers_(std::move(answers)) {}

StatusServer::~StatusServer() {
  for (auto& connection : connections_) connection->close();
}

Result<std::unique_ptr<StatusServer>> StatusServer::create(EventLoop& loop, const std::string& host,
                                                           uint16_t port, StatusAnswers answers) {
  std::unique_ptr<StatusServer> server(new StatusServer(loop, std::move(answers)));
  auto listener = Listener::create(loop, host, port,
                                   [raw = server.get()](tcp::socket socket, const std::string&) {
                                     raw->accepted(std::move(socket));
                                   });
  if (!listener) return listener.error();
  server->listener_ = std::move(*listener);
  return server;
}

void StatusServer::accepted(tcp::socket socket) {
  std::erase_if(connections_, [](const auto& connection) { return connection->closed(); });
  if (connections_.size() >= host_limits::kMaxStatusConnections) return;
  connections_.push_back(std::make_shared<Connection>(std::move(socket), *this, loop_.now()));
  connections_.back()->read();
}

std::string StatusServer::answer(const std::string& method, const std::string& path) const {
  if (method == "GET" && path == "/status") {
    return json(200, answers_.status());
  }
  if (method == "GET" && path == "/metrics") {
    return http_response(200, "text/plain; version=0.0.4", metrics_text(answers_.status()));
  }
  if (method == "GET" && path == "/healthz") return http_response(200, "text/plain", "ok\n");
  if (method == "POST" && path == "/checkpoint") {
    const auto answer = answers_.want_checkpoint();
    return json(answer.status, answer.body);
  }
  if (method == "GET" && path.starts_with(kBatch)) {
    const auto answer = answers_.show_batch(std::string_view(path).substr(kBatch.size()));
    return json(answer.status, answer.body);
  }
  return http_response(404, "text/plain",
                       "there is GET /status, /metrics, /healthz and /batch/NUMBER, and POST "
                       "/checkpoint\n");
}

TimeUs StatusServer::deadline() const {
  auto due = kNever;
  for (const auto& connection : connections_) due = std::min(due, connection->deadline());
  return due;
}

void StatusServer::tick(TimeUs now) {
  std::erase_if(connections_, [now](const auto& connection) {
    if (connection->deadline() > now) return connection->closed();
    connection->close();
    return true;
  });
}

}  // namespace eve::runtime
