// The functions of test_support.h: of the test program, not of the library.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "runtime/test_support.h"

namespace eve::runtime::testing {

TemporaryFolder::TemporaryFolder() {
  auto name = (std::filesystem::temp_directory_path() / "eve-runtime-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "cannot make " << name;
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<uint16_t> free_ports(size_t count) {
  std::vector<int> sockets;
  std::vector<uint16_t> ports;
  for (size_t i = 0; i < count; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd, generic, size) != 0 || ::getsockname(fd, generic, &size) != 0) {
      ADD_FAILURE() << "no free port";
    }
    sockets.push_back(fd);
    ports.push_back(ntohs(address.sin_port));
  }
  for (int fd : sockets) ::close(fd);
  return ports;
}

ClusterConfig local_cluster(FaultModel model, bool tls, bool service_port) {
  const auto ports = free_ports(2 * model.verifiers() + 2);
  size_t next = 0;
  ClusterConfig config;
  config.model = model;
  config.tls = tls;
  config.service = "counter";
  if (model.byzantine()) config.digest = crypto::DigestAlgorithm::kSha256;
  for (uint16_t i = 0; i < model.verifiers(); ++i) {
    NodeConfig node;
    node.name = "node-" + std::to_string(i);
    node.host = "127.0.0.1";
    node.port = ports[next++];
    node.status_port = ports[next++];
    if (i < model.executors()) node.roles.push_back(Address::executor(i));
    node.roles.push_back(Address::verifier(i));
    config.nodes.push_back(node);
  }
  NodeConfig gateway;
  gateway.name = "gateway";
  gateway.host = "127.0.0.1";
  gateway.roles = {Address::client(0)};
  if (service_port) gateway.service_port = ports[next++];
  gateway.status_port = ports[next++];
  config.nodes.push_back(gateway);
  NodeConfig native;
  native.name = "client";
  native.host = "127.0.0.1";
  native.roles = {Address::client(1)};
  config.nodes.push_back(native);
  return config;
}

bool eventually(const std::function<bool()>& condition, int seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace eve::runtime::testing
