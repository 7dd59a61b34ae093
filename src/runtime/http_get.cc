#include "runtime/http_get.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

namespace eve::runtime {
namespace {

constexpr size_t kMaxBody = 16u << 20;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

Error foreign() {
  return Error{"not an answer of a node's status port"};
}

struct Socket {
  explicit Socket(int descriptor) : fd(descriptor) {}
  ~Socket() {
    if (fd >= 0) close(fd);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd;
};

Status connect_within(int fd, const addrinfo& address, int timeout_ms) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) != 0 && errno != EINPROGRESS) {
    return Error{std::strerror(errno)};
  }
  pollfd waiting{fd, POLLOUT, 0};
  if (poll(&waiting, 1, timeout_ms) != 1) return Error{"timed out"};
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return Error{std::strerror(error)};
  return {};
}

Result<std::string> exchange(int fd, const std::string& request, int timeout_ms) {
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return Error{std::strerror(errno)};
  }
  std::string answer;
  char buffer[16384];
  for (;;) {
    pollfd waiting{fd, POLLIN, 0};
    if (poll(&waiting, 1, timeout_ms) != 1) return Error{"timed out"};
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got == 0) return answer;
    if (got < 0) return Error{std::strerror(errno)};
    answer.append(buffer, static_cast<size_t>(got));
    if (answer.size() > kMaxBody) return Error{"the answer is too long"};
  }
}

/// The whole answer, which has a head.
Result<std::string> ask(const char* method, const std::string& host, uint16_t port,
                        const std::string& path, int timeout_ms) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found)) {
    return Error{gai_strerror(error)};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  const Socket socket_(
      socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, found->ai_protocol));
  if (socket_.fd < 0) return Error{std::strerror(errno)};
  if (auto status = connect_within(socket_.fd, *found, timeout_ms); !status) {
    return Error{status.message()};
  }
  auto answer = exchange(
      socket_.fd,
      method + (" " + path) + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n",
      timeout_ms);
  if (answer && answer->find(kHeadEnd) == std::string::npos) return foreign();
  return answer;
}

bool is_fine(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 200");
}

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find(kHeadEnd) + kHeadEnd.size());
}

}  // namespace

Result<std::string> http_get(const std::string& host, uint16_t port, const std::string& path,
                             int timeout_ms) {
  const auto answer = ask("GET", host, port, path, timeout_ms);
  if (!answer) return answer;
  return is_fine(*answer) ? Result<std::string>(body_of(*answer)) : foreign();
}

Result<std::string> http_post(const std::string& host, uint16_t port, const std::string& path,
                              int timeout_ms) {
  const auto answer = ask("POST", host, port, path, timeout_ms);
  if (!answer) return answer;
  if (!is_fine(*answer)) return Error{body_of(*answer)};
  return body_of(*answer);
}

}  // namespace eve::runtime
