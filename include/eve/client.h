// The native client: calls a replicated service and checks for itself that enough replicas agree on
// every reply, so that it has to trust no single machine (paper section 2, DESIGN 2).
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>

#include "eve/bytes.h"
#include "eve/result.h"

namespace eve {

struct ClientOptions {
  /// Where NODE.key and cluster.secret are; empty: beside cluster.toml.
  std::string key_directory;
  /// How long connect() waits for the cluster to open a session.
  std::chrono::milliseconds connect_timeout{10'000};
};

/// A session with a cluster. Requests of one client are executed in the order of their calls, each
/// exactly once; many may be outstanding, and those that wait together travel together.
///
/// Thread safety: all functions, from any thread. One process at a time may use a node's name.
/// Errors: a call gets an Error when too much is waiting already (it was not executed; try later),
/// when the session was lost or the client destroyed (it may or may not have been executed; the
/// message says so), or when the replicas cannot agree on it, or on a request that was sent with it
/// (quarantined: it was not executed; a bug of the service, whose requests must give the same
/// result on every replica). While the cluster cannot be reached calls wait; they do not fail.
class Client {
 public:
  using Callback = std::function<void(Result<Bytes> reply)>;

  /// Connects as client node `node` of the cluster described by the file `cluster_file`
  /// (cluster.toml), and opens a session. Errors say what is missing or wrong, or that the cluster
  /// did not answer in time.
  static Result<std::unique_ptr<Client>> connect(const std::string& cluster_file,
                                                 const std::string& node,
                                                 const ClientOptions& options = {});
  /// Calls without a reply get an error.
  ~Client();

  /// Sends a request, up to 8 MiB; the future gets the service's reply.
  std::future<Result<Bytes>> call(Bytes request);
  /// As call(); `done` runs on the client's own thread, in the order of the calls. It must not
  /// block and must not destroy the client; it may call().
  void call(Bytes request, Callback done);
  /// Sends a request and waits for its reply. Not from a callback.
  Result<Bytes> call_and_wait(Bytes request);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve
