// The same commands to this server and to a real redis-server: replies must be equal, byte for
// byte. Skipped where no redis-server is installed.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "services/kv/command_source.h"
#include "services/kv/test_support.h"

namespace eve::kv {
namespace {

using test::CommandSource;
using test::resp;

/// Where the reply that starts at `at` ends; npos: not all of it is there.
size_t end_of_reply(const Bytes& bytes, size_t at) {
  const size_t line = bytes.find("\r\n", at);
  if (line == Bytes::npos) return Bytes::npos;
  const char type = bytes[at];
  const size_t body = line + 2;
  if (ByteView("+-:_,#(").find(type) != ByteView::npos) return body;
  const int64_t count = std::stoll(bytes.substr(at + 1, line - at - 1));
  if (type == '$' || type == '=') {
    const size_t end = count < 0 ? body : body + static_cast<size_t>(count) + 2;
    return end <= bytes.size() ? end : Bytes::npos;
  }
  size_t end = body;
  for (int64_t i = 0; i < (type == '%' ? 2 * count : count) && end != Bytes::npos; ++i) {
    end = end_of_reply(bytes, end);
  }
  return end;
}

std::vector<Bytes> lines_of(const Bytes& text) {
  std::istringstream stream(text);
  std::vector<Bytes> lines;
  for (Bytes line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Large integers are moments and times to live: the two servers' clocks were not read at once.
bool same_but_for_clocks(const Bytes& left, const Bytes& right) {
  constexpr int64_t kLarge = 900;
  constexpr int64_t kClose = 2000;
  const std::vector<Bytes> lefts = lines_of(left);
  const std::vector<Bytes> rights = lines_of(right);
  if (lefts.size() != rights.size()) return false;
  for (size_t i = 0; i < lefts.size(); ++i) {
    if (lefts[i] == rights[i]) continue;
    if (lefts[i][0] != ':' || rights[i][0] != ':') return false;
    const int64_t a = std::stoll(lefts[i].substr(1));
    const int64_t b = std::stoll(rights[i].substr(1));
    if (std::min(a, b) < kLarge || std::abs(a - b) > kClose) return false;
  }
  return true;
}

/// A redis-server of our own on a free loopback port, and one connection to it.
class RealRedis {
 public:
  RealRedis() {
    port_ = free_port();
    child_ = fork();
    if (child_ == 0) {
      const std::string port = std::to_string(port_);
      execlp("redis-server", "redis-server", "--port", port.c_str(), "--bind", "127.0.0.1",
             "--save", "", "--appendonly", "no", "--databases", "1", "--logfile", "/dev/null",
             nullptr);
      _exit(127);
    }
    for (int i = 0; i < 200 && !connected_; ++i) {
      if (waitpid(child_, nullptr, WNOHANG) == child_) {
        child_ = -1;
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      connect_once();
    }
  }
  ~RealRedis() {
    if (socket_ >= 0) close(socket_);
    if (child_ <= 0) return;
    kill(child_, SIGTERM);
    waitpid(child_, nullptr, 0);
  }
  RealRedis(const RealRedis&) = delete;
  RealRedis& operator=(const RealRedis&) = delete;

  bool connected() const { return connected_; }

  /// Sends `bytes` and reads `replies` replies.
  Bytes talk(ByteView bytes, size_t replies) {
    EXPECT_EQ(write(socket_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    Bytes received;
    size_t end = 0;
    while (replies > 0) {
      const size_t next = end_of_reply(received, end);
      if (next != Bytes::npos) {
        end = next;
        --replies;
        continue;
      }
      pollfd ready{socket_, POLLIN, 0};
      if (poll(&ready, 1, 5000) != 1) return received + "<timeout>";
      char buffer[65536];
      const ssize_t got = read(socket_, buffer, sizeof buffer);
      if (got <= 0) return received + "<closed>";
      received.append(buffer, static_cast<size_t>(got));
    }
    return received;
  }

 private:
  static sockaddr_in loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  static uint16_t free_port() {
    const int probe = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    bind(probe, reinterpret_cast<sockaddr*>(&address), size);
    getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
    close(probe);
    return ntohs(address.sin_port);
  }
  void connect_once() {
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = loopback(port_);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    if (connected_) return;
    close(socket_);
    socket_ = -1;
  }

  uint16_t port_ = 0;
  pid_t child_ = -1;
  int socket_ = -1;
  bool connected_ = false;
};

class DifferentialTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!redis_.connected()) GTEST_SKIP() << "no redis-server is installed";
  }

  void compare(ByteView bytes, size_t replies = 1) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    client_.host.time_us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    const Bytes expected = redis_.talk(bytes, replies);
    const Bytes ours = client_.talk(bytes);
    if (same_but_for_clocks(ours, expected)) return;
    ASSERT_EQ(lines_of(ours), lines_of(expected)) << "for " << bytes;
  }

  RealRedis redis_;
  test::Replica replica_;
  /// The first connection to a redis-server has this number.
  test::Client client_{replica_, 3};
};

TEST_F(DifferentialTest, RandomCommandsAnswerAsRedisDoes) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    CommandSource source(seed);
    compare(resp({"RESET"}) + resp({"FLUSHALL"}) + resp({"HELLO", seed % 2 == 0 ? "3" : "2"}), 3);
    for (int i = 0; i < 4000; ++i) {
      compare(resp(source.next()));
      if (HasFatalFailure()) return;
    }
    compare(resp({"RESET"}));
  }
}

TEST_F(DifferentialTest, PipelinesAnswerAsRedisDoes) {
  CommandSource source(77);
  for (int i = 0; i < 300; ++i) {
    Bytes pipeline;
    for (int j = 0; j < 20; ++j) pipeline += resp(source.next());
    compare(pipeline, 20);
    if (HasFatalFailure()) return;
  }
}

TEST_F(DifferentialTest, EveryErrorTextIsRedis) {
  const Bytes lines = R"(foo a b
foo
get
client
client foo
client setname
client setname "a b"
client no-evict foo
client reply foo
select 1
select a
select 99999999999999
select -1
auth x
auth default x
auth foo x
auth a b c
hello 4
hello a
hello 2 foo
hello 3 setname "a b"
hello 3 setname
hello 3 auth foo x
flushall foo
flushall async sync
flushall async
config foo
config
command foo
command list foo
command info foo
command docs foo
config get save
config get appendonly
config get nothing
scan x
scan 0 count 0
scan 0 count x
scan 0 foo
scan 0 match
scan 99999999999999999999
scan -1
scan " 1"
copy a a
copy a b db 1
copy a b db x
mset a
mset a b c
msetnx a b c
expire a 1 foo
expire a 1 nx xx
expire a 1 gt lt
setrange a 536870912 x
exec
discard
watch
ping a b
client list foo
client list id 77
'it\'s' x
get "\x61\n"
""
hello 3
get nokey
client getname
config get save
reset)";
  for (const Bytes& line : lines_of(lines)) compare(line + "\r\n");
  compare("foo '" + Bytes(200, 'q') + "' r\r\n");
  compare(Bytes(200, 'z') + " a\r\n");
}

TEST_F(DifferentialTest, GlobsMatchAsRedisDoes) {
  Random random(5);
  const ByteView alphabet = "ab*?[]^-\\c";
  std::vector<Bytes> keys;
  for (int i = 0; i < 60; ++i) {
    Bytes key;
    for (uint64_t n = random.below(6); n > 0; --n) key += alphabet[random.below(alphabet.size())];
    keys.push_back(key);
    compare(resp({"SET", key, "x"}));
  }
  const auto sorted = [](const Bytes& reply) {
    std::vector<Bytes> lines = lines_of(reply);
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  for (int i = 0; i < 3000; ++i) {
    Bytes pattern;
    for (uint64_t n = random.below(8); n > 0; --n) {
      pattern += alphabet[random.below(alphabet.size())];
    }
    const Bytes request = resp({"KEYS", pattern});
    ASSERT_EQ(sorted(client_.talk(request)), sorted(redis_.talk(request, 1))) << pattern;
  }
}

}  // namespace
}  // namespace eve::kv
