#include "bench/resp_load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace eve::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kReconnectMs = 50;

struct Connection {
  int fd = -1;
  bool more = true;
  Bytes out;                           ///< not written yet
  Bytes in;                            ///< not parsed yet
  std::deque<Clock::time_point> sent;  ///< one a command outstanding
};

class Load {
 public:
  Load(const LoadOptions& options, LoadSource& source) : options_(options), source_(source) {}
  ~Load() {
    for (auto& connection : connections_) {
      if (connection.fd >= 0) close(connection.fd);
    }
    if (epoll_ >= 0) close(epoll_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  Status run() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    connections_.resize(options_.connections);
    std::vector<size_t> opened;
    for (size_t i = 0; i < connections_.size(); ++i) {
      if (auto status = open(i); status.ok()) {
        opened.push_back(i);
      } else if (auto later = broke(i, status); !later) {
        return later;
      }
    }
    for (const size_t i : opened) {
      if (auto status = give_work(i); !status) return status;
    }
    while (outstanding_ > 0 || !broken_.empty()) {
      if (auto status = turn(); !status) return status;
    }
    return {};
  }

 private:
  static Status failed(const char* what) {
    return Error{std::string(what) + ": " + std::strerror(errno)};
  }

  Status open(size_t index) {
    auto& connection = connections_[index];
    connection.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    if (inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr) != 1) {
      return Error{options_.host + " is no IPv4 address"};
    }
    if (connect(connection.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      return failed("connect");
    }
    const int one = 1;
    setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) != 0) return failed("epoll_ctl");
    return {};
  }

  Status give_work(size_t index) {
    fill(index);
    const auto status = flush(index);
    return status.ok() ? status : broke(index, status);
  }

  /// `status`, or ok if another connection is to take its place.
  Status broke(size_t index, Status status) {
    if (!options_.reconnects) return status;
    auto& connection = connections_[index];
    close(connection.fd);
    outstanding_ -= connection.sent.size();
    const bool more = connection.more;
    connection = {};
    connection.more = more;
    source_.lost(index);
    if (more) broken_.push_back(index);
    return {};
  }

  Status reconnect() {
    for (auto waiting = std::exchange(broken_, {}); size_t index : waiting) {
      if (const auto status = open(index); !status) {
        if (Clock::now() - last_reply_ > std::chrono::duration<double>(options_.stall_timeout_s)) {
          return status;
        }
        if (auto again = broke(index, status); !again) return again;
      } else if (auto working = give_work(index); !working) {
        return working;
      }
    }
    return {};
  }

  void fill(size_t index) {
    auto& connection = connections_[index];
    const auto now = Clock::now();
    while (connection.more && connection.sent.size() < options_.pipeline) {
      connection.more = source_.next(index, connection.out);
      if (!connection.more) break;
      connection.sent.push_back(now);
      ++outstanding_;
    }
  }

  Status flush(size_t index) {
    auto& connection = connections_[index];
    size_t done = 0;
    while (done < connection.out.size()) {
      const ssize_t sent = send(connection.fd, connection.out.data() + done,
                                connection.out.size() - done, MSG_NOSIGNAL);
      if (sent < 0) return failed("send");
      done += static_cast<size_t>(sent);
    }
    connection.out.clear();
    return {};
  }

  Status turn() {
    epoll_event events[64];
    if (auto status = reconnect(); !status) return status;
    if (outstanding_ == 0 && broken_.empty()) return {};
    const int timeout_ms =
        broken_.empty() ? static_cast<int>(options_.stall_timeout_s * 1000) : kReconnectMs;
    const int ready = epoll_wait(epoll_, events, 64, timeout_ms);
    if (ready < 0 && errno != EINTR) return failed("epoll_wait");
    if (ready == 0 && !broken_.empty()) return {};
    if (ready == 0) {
      return Error{"no reply for " + std::to_string(options_.stall_timeout_s) + " s, " +
                   std::to_string(outstanding_) + " commands outstanding"};
    }
    for (int i = 0; i < ready; ++i) {
      const size_t index = events[i].data.u64;
      auto status = read_replies(index);
      status = status.ok() ? give_work(index) : broke(index, status);
      if (!status) return status;
    }
    return {};
  }

  Status read_replies(size_t index) {
    auto& connection = connections_[index];
    char buffer[65536];
    const ssize_t got = recv(connection.fd, buffer, sizeof buffer, 0);
    if (got < 0) return failed("recv");
    if (got == 0) return Error{"the server closed a connection"};
    connection.in.append(buffer, static_cast<size_t>(got));
    ByteView rest = connection.in;
    const auto now = Clock::now();
    while (!connection.sent.empty()) {
      const size_t size = reply_size(rest);
      if (size == std::string::npos) return Error{"malformed reply: " + Bytes(rest.substr(0, 80))};
      if (size == 0) break;
      const std::chrono::duration<double, std::micro> latency = now - connection.sent.front();
      connection.sent.pop_front();
      --outstanding_;
      last_reply_ = now;
      source_.reply(index, rest.substr(0, size), latency.count());
      rest.remove_prefix(size);
    }
    connection.in.erase(0, connection.in.size() - rest.size());
    return {};
  }

  const LoadOptions& options_;
  LoadSource& source_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  size_t outstanding_ = 0;
  std::vector<size_t> broken_;  ///< connections to be made again
  Clock::time_point last_reply_ = Clock::now();
};

/// The integer between the type byte and the line's end; nullopt if it is none.
std::optional<int64_t> line_number(ByteView line) {
  int64_t value = 0;
  const auto end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

size_t bulk_size(ByteView bytes, size_t head, int64_t length) {
  if (length < 0) return head;
  const size_t whole = head + static_cast<size_t>(length) + 2;
  return bytes.size() < whole ? 0 : whole;
}

}  // namespace

size_t reply_size(ByteView bytes) {
  const auto end = bytes.find("\r\n");
  if (end == ByteView::npos) return 0;
  const size_t head = end + 2;
  const char type = bytes[0];
  if (type == '+' || type == '-' || type == ':') return head;
  if (type != '$' && type != '*') return ByteView::npos;
  const auto length = line_number(bytes.substr(1, end - 1));
  if (!length) return ByteView::npos;
  if (type == '$') return bulk_size(bytes, head, *length);
  size_t offset = head;
  for (int64_t i = 0; i < *length; ++i) {
    const size_t size = reply_size(bytes.substr(offset));
    if (size == 0 || size == ByteView::npos) return size;
    offset += size;
  }
  return offset;
}

void append_command(Bytes& out, std::initializer_list<ByteView> words) {
  out += '*';
  out += std::to_string(words.size());
  out += "\r\n";
  for (auto word : words) {
    out += '$';
    out += std::to_string(word.size());
    out += "\r\n";
    out += word;
    out += "\r\n";
  }
}

Status run_load(const LoadOptions& options, LoadSource& source) {
  return Load(options, source).run();
}

}  // namespace eve::bench
