// A redis-server of our own on loopback, the baseline of `eve bench kv`.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>

#include "eve/result.h"

namespace eve::bench {

class RedisServer {
 public:
  /// Starts redis-server (Debian's package) without persistence and waits until it listens.
  static Result<std::unique_ptr<RedisServer>> start(uint16_t port);
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }

 private:
  RedisServer(uint16_t port, pid_t pid) : port_(port), pid_(pid) {}
  uint16_t port_;
  pid_t pid_;
};

}  // namespace eve::bench
