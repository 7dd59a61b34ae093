// A load generator that speaks RESP2: many connections, a fixed number of commands outstanding on
// each, one thread. Used by benchmarks and by the tests that check histories.
#pragma once

#include <cstdint>
#include <string>

#include "eve/bytes.h"
#include "eve/result.h"

namespace eve::bench {

/// What to send and what came back. Called on the load's thread only.
class LoadSource {
 public:
  virtual ~LoadSource() = default;
  /// Appends the next command of `connection` to `out`; false: this connection has no more.
  virtual bool next(size_t connection, Bytes& out) = 0;
  /// The whole reply of the oldest outstanding command of `connection`, `latency_us` after the
  /// command was written.
  virtual void reply(size_t connection, ByteView bytes, double latency_us) = 0;
  /// LoadOptions::reconnects: nobody answers what is outstanding on `connection`.
  virtual void lost(size_t /*connection*/) {}
};

struct LoadOptions {
  uint16_t port = 0;
  size_t connections = 50;
  size_t pipeline = 1;             ///< commands outstanding on each connection
  double stall_timeout_s = 30;     ///< give up when nothing comes back for so long
  std::string host = "127.0.0.1";  ///< an IPv4 address
  bool reconnects = false;         ///< a connection that breaks is lost(), and made anew
};

/// Runs until the source has no more and everything is answered, or lost. Fails if a connection
/// breaks (unless it reconnects), a
/// reply is malformed, or nothing comes back for stall_timeout_s.
Status run_load(const LoadOptions& options, LoadSource& source);

/// Appends a command as RESP.
void append_command(Bytes& out, std::initializer_list<ByteView> words);

/// Length of the first complete RESP2 reply in `bytes`; 0 if it is not complete; npos if malformed.
size_t reply_size(ByteView bytes);

}  // namespace eve::bench
