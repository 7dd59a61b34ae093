#include "runtime/http_get.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string_view>

namespace eve::runtime {
namespace {

using Clock = std::chrono::steady_clock;

/// A status is some kilobytes; what a liar sends is parsed, and takes much more room then.
constexpr size_t kMaxBody = 4u << 20;
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

/// Until the end of the whole exchange: who sends a byte now and then holds nobody.
Status wait_until(Clock::time_point end, int fd, short events) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  pollfd waiting{fd, events, 0};
  const bool ready = left > 0 && poll(&waiting, 1, static_cast<int>(left)) == 1;
  return ready ? Status{} : Status{Error{"timed out"}};
}

Status connect_until(Clock::time_point end, int fd, const addrinfo& address) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) != 0 && errno != EINPROGRESS) {
    return Error{std::strerror(errno)};
  }
  if (auto status = wait_until(end, fd, POLLOUT); !status) return status;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return Error{std::strerror(error)};
  return {};
}

Result<std::string> exchange(Clock::time_point end, int fd, const std::string& request) {
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return Error{std::strerror(errno)};
  }
  std::string answer;
  char buffer[16384];
  for (;;) {
    if (auto status = wait_until(end, fd, POLLIN); !status) return Error{status.message()};
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
  const auto end = Clock::now() + std::chrono::milliseconds(timeout_ms);
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
  if (auto status = connect_until(end, socket_.fd, *found); !status) {
    return Error{status.message()};
  }
  auto answer = exchange(
      end, socket_.fd,
      method + (" " + path) + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
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
