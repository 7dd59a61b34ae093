// The native client: calls a replicated service and checks reply quorums itself (DESIGN 2, 6.3).
#pragma once

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>

#include "eve/bytes.h"
#include "eve/result.h"

namespace eve {

/// A session with a cluster. Thread-safe; any number of calls may be outstanding. Requests are
/// executed in the order of submission.
class Client {
 public:
  /// Reads cluster.toml, and NODE.key (and cluster.secret) beside it, where `node` is a node of the
  /// cluster that plays a client; opens a session. Fails if a file is missing or wrong, or if no
  /// quorum answers within `timeout_ms`.
  static Result<std::unique_ptr<Client>> connect(const std::filesystem::path& cluster_toml,
                                                 const std::string& node, int timeout_ms = 10'000);
  /// Outstanding calls fail.
  ~Client();

  /// Sends `request` (at most 8 MiB) and gives its reply once r+1 executors vouch for it. An error
  /// says whether the request was not sent, or may have been executed ("outcome unknown").
  std::future<Result<Bytes>> call(Bytes request);

  /// As above; `done` runs on the client's own thread and must not block.
  void call(Bytes request, std::function<void(Result<Bytes>)> done);

  /// Blocking convenience: call(request).get().
  Result<Bytes> call_and_wait(Bytes request);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve
