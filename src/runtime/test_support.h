// For this room's tests: clusters on loopback in a folder that goes away, and loops that run on
// threads.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "runtime/cluster_config.h"

namespace eve::runtime::testing {

/// A new folder, removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// `count` free ports on 127.0.0.1, different from each other.
std::vector<uint16_t> free_ports(size_t count);

/// Executors and verifiers of `model` on joint nodes node-0, ..., a gateway (client 0, without
/// service_port unless `service_port`), and a native client (client 1). Without keys and id.
ClusterConfig local_cluster(FaultModel model, bool tls, bool service_port);

/// Waits until `condition`, at most `seconds`; returns whether it came true.
bool eventually(const std::function<bool()>& condition, int seconds = 20);

}  // namespace eve::runtime::testing
