// What a service's own wire protocol (RESP, PostgreSQL) looks like to the gateway: bytes in,
// requests and bytes out. Pure: sockets and sessions belong to the host.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "eve/bytes.h"

namespace eve::runtime {

/// What became of a request.
enum class Outcome : uint8_t {
  kExecuted,
  kUnknown,      ///< it may or may not have been executed
  kQuarantined,  ///< it was not: replicas cannot agree on it, or on one that travelled with it
};

/// One client connection of a gateway. Used by the gateway's thread only.
class FrontEnd {
 public:
  /// What a connection may do in answer to an event; implemented by the gateway.
  class Host {
   public:
    virtual ~Host() = default;
    /// Submits a request; its reply comes to on_reply, in order of submission. False: the gateway
    /// is overloaded; answer the client with an error.
    virtual bool submit(Bytes request) = 0;
    /// Queues bytes for the client.
    virtual void send(ByteView bytes) = 0;
    /// Closes after what was sent has left.
    virtual void close() = 0;
    virtual int64_t now_us() const = 0;
    /// Nodes because of whose disks commands that change data must be refused now: they are full,
    /// nearly so, or fail. None: all is well.
    virtual std::vector<std::string> low_disks() { return {}; }
  };

  virtual ~FrontEnd() = default;
  virtual void on_bytes(Host& host, ByteView bytes) = 0;
  /// `reply` is empty unless the request was executed.
  virtual void on_reply(Host& host, Outcome outcome, ByteView reply) = 0;
};

/// Numbers that a front end may show (INFO); kept by the gateway.
struct GatewayStats {
  uint64_t connections = 0;
  uint64_t connections_total = 0;
  uint64_t connections_refused = 0;
  uint64_t requests = 0;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  int64_t started_us = 0;
  uint16_t port = 0;
};

/// Makes the front end of a new connection. Called on the gateway's thread.
class FrontEndFactory {
 public:
  virtual ~FrontEndFactory() = default;
  virtual std::unique_ptr<FrontEnd> make(uint64_t connection_id, const std::string& peer,
                                         const GatewayStats& stats) = 0;
};

}  // namespace eve::runtime
