// For the tests of this room: a gateway that remembers, a replica without a network, and both
// together as a server that answers at once.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/scheduler.h"
#include "crypto/digest.h"
#include "services/kv/connection.h"
#include "services/kv/service.h"
#include "state/engine.h"

namespace eve::kv::test {

/// A gateway whose requests wait until the test answers them.
class FakeHost final : public runtime::FrontEnd::Host {
 public:
  bool submit(Bytes request) override {
    if (overloaded) return false;
    submitted.push_back(std::move(request));
    return true;
  }
  void send(ByteView bytes) override { sent.append(bytes); }
  void close() override { ++closes; }
  int64_t now_us() const override { return time_us; }
  std::vector<std::string> low_disks() override { return low; }

  Bytes take_sent() { return std::exchange(sent, Bytes()); }

  std::deque<Bytes> submitted;
  Bytes sent;
  int closes = 0;
  bool overloaded = false;
  std::vector<std::string> low;
  int64_t time_us = 1'700'000'000'000'000;
};

/// The service over a real state, a batch a request unless the test says otherwise.
class Replica {
 public:
  Replica() : digester_(crypto::DigestAlgorithm::kXxh3, {}), engine_(digester_, 1) {
    service_ = make_service(state_);
  }

  /// One request in a batch of its own.
  Bytes run(ByteView request, int64_t time_us) {
    engine_.begin(BatchNumber(++batch_));
    Context context({batch_, 0, time_us, batch_ * 7919}, 0, nullptr);
    Bytes reply;
    service_->execute(context, request, reply);
    engine_.seal(scheduler_);
    engine_.commit(BatchNumber(batch_));
    return reply;
  }

  Footprint footprint(ByteView request) const {
    Footprint footprint;
    service_->footprint(request, footprint);
    return footprint;
  }
  crypto::Digest root() const { return engine_.root(); }
  uint64_t objects() const { return engine_.counts().objects; }

 private:
  crypto::Digester digester_;
  InlineScheduler scheduler_;
  state::Engine engine_;
  State state_{engine_};
  std::unique_ptr<Service> service_;
  uint64_t batch_ = 0;
};

/// One client of a server that answers every request at once.
class Client {
 public:
  Client(Replica& replica, uint64_t id = 1)
      : replica_(replica), connection_(id, "127.0.0.1:1234", stats) {}

  /// What comes back for `bytes`.
  Bytes talk(ByteView bytes) {
    connection_.on_bytes(host, bytes);
    while (!host.submitted.empty()) {
      const Bytes request = std::move(host.submitted.front());
      host.submitted.pop_front();
      if (on_request) on_request(request);
      host.time_us += 1;
      connection_.on_reply(host, runtime::Outcome::kExecuted, replica_.run(request, host.time_us));
    }
    return host.take_sent();
  }

  FakeHost host;
  runtime::GatewayStats stats;
  std::function<void(const Bytes&)> on_request;

 private:
  Replica& replica_;
  Connection connection_;
};

/// `args` as a client library sends them.
inline Bytes resp(const std::vector<Bytes>& args) {
  Bytes bytes = "*" + std::to_string(args.size()) + "\r\n";
  for (const Bytes& arg : args) {
    bytes += "$" + std::to_string(arg.size()) + "\r\n" + arg + "\r\n";
  }
  return bytes;
}

/// Plays a transcript and gives back what really happened, to be compared with it. Lines that start
/// with "> " are inline commands, "2> " those of a second client; "+ N ms" lets time pass; other
/// lines are replies, without their line ends.
inline Bytes play(const Bytes& script) {
  Replica replica;
  Client first(replica, 1);
  Client second(replica, 2);
  std::istringstream lines(script);
  Bytes happened;
  for (Bytes line; std::getline(lines, line);) {
    if (line.starts_with("+ ")) {
      const int64_t us = std::stoll(line.substr(2)) * 1000;
      first.host.time_us += us;
      second.host.time_us += us;
    }
    const bool command = line.starts_with("> ") || line.starts_with("2> ");
    if (command || line.starts_with('#') || line.starts_with("+ ")) happened += line + "\n";
    if (!command) continue;
    Client& client = line[0] == '>' ? first : second;
    Bytes reply = client.talk(line.substr(line.find('>') + 2) + "\r\n");
    std::erase(reply, '\r');
    happened += reply;
  }
  return happened;
}

}  // namespace eve::kv::test
