// What a service's own wire protocol (RESP, PostgreSQL) looks like to the gateway: bytes in,
// requests and bytes out. Pure: sockets and sessions belong to the host.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "eve/bytes.h"

namespace eve::runtime {

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
  };

  virtual ~FrontEnd() = default;
  virtual void on_bytes(Host& host, ByteView bytes) = 0;
  /// `executed` false: the request's outcome is unknown.
  virtual void on_reply(Host& host, bool executed, ByteView reply) = 0;
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
