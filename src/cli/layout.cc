#include "cli/layout.h"

#include <algorithm>

#include "cli/free_port.h"

namespace eve::cli {
namespace {

runtime::ClusterConfig empty_config(FaultModel model, const std::string& service) {
  runtime::ClusterConfig config;
  config.model = model;
  config.digest =
      model.byzantine() ? crypto::DigestAlgorithm::kSha256 : crypto::DigestAlgorithm::kXxh3;
  config.tls = model.byzantine();
  config.service = service;
  return config;
}

runtime::NodeConfig local_node(std::string name, std::vector<Address> roles, PortSource& ports) {
  runtime::NodeConfig node;
  node.name = std::move(name);
  node.host = "127.0.0.1";
  node.port = ports.next();
  node.status_port = ports.next();
  node.roles = std::move(roles);
  return node;
}

void add_split(runtime::ClusterConfig& config, PortSource& ports) {
  for (uint16_t i = 0; i < config.model.executors(); ++i) {
    config.nodes.push_back(
        local_node(to_string(Address::executor(i)), {Address::executor(i)}, ports));
  }
  for (uint16_t i = 0; i < config.model.verifiers(); ++i) {
    config.nodes.push_back(
        local_node(to_string(Address::verifier(i)), {Address::verifier(i)}, ports));
  }
}

/// Nodes where executor i and verifier i share one.
size_t joint_nodes(FaultModel model) {
  return std::max(model.executors(), model.verifiers());
}

std::vector<Address> joint_roles(FaultModel model, uint16_t i) {
  std::vector<Address> roles;
  if (i < model.executors()) roles.push_back(Address::executor(i));
  if (i < model.verifiers()) roles.push_back(Address::verifier(i));
  return roles;
}

}  // namespace

Result<FaultModel> fault_model(const std::string& config, uint32_t u) {
  if (u < 1 || u > 10) return Error{"--u must be between 1 and 10"};
  if (config == "bft") return FaultModel(u, u);
  if (config == "crash") return FaultModel(u, 0);
  if (config == "primary-backup") {
    if (u != 1) return Error{"--config primary-backup has two executors: --u is 1"};
    return FaultModel::primary_backup();
  }
  return Error{"unknown configuration \"" + config + "\": use bft, crash or primary-backup"};
}

Result<runtime::ClusterConfig> local_layout(FaultModel model, Layout layout, LocalPorts wanted,
                                            const std::string& service) {
  auto config = empty_config(model, service);
  PortSource ports;
  if (layout == Layout::kSplit) {
    add_split(config, ports);
  } else {
    for (uint16_t i = 0; i < joint_nodes(model); ++i) {
      config.nodes.push_back(local_node("node-" + std::to_string(i), joint_roles(model, i), ports));
    }
  }
  uint16_t client_index = 0;
  if (wanted.service_port != 0) {
    auto gateway = local_node("gateway", {Address::client(client_index++)}, ports);
    gateway.port = 0;
    gateway.service_port = wanted.service_port;
    config.nodes.push_back(std::move(gateway));
  }
  auto native = local_node("client", {Address::client(client_index)}, ports);
  native.port = 0;
  native.status_port = 0;
  config.nodes.push_back(std::move(native));
  if (!ports.ok()) return Error{"no free ports on 127.0.0.1"};
  return config;
}

Result<runtime::ClusterConfig> host_layout(FaultModel model, const std::vector<std::string>& hosts,
                                           HostPorts ports, const std::string& service) {
  if (hosts.size() != joint_nodes(model)) {
    return Error{"this configuration has " + std::to_string(model.executors()) + " executors and " +
                 std::to_string(model.verifiers()) + " verifiers: give " +
                 std::to_string(joint_nodes(model)) + " hosts (--host, once each), not " +
                 std::to_string(hosts.size())};
  }
  auto config = empty_config(model, service);
  for (uint16_t i = 0; i < hosts.size(); ++i) {
    runtime::NodeConfig node;
    node.name = "node-" + std::to_string(i);
    node.host = hosts[i];
    // Several nodes on one host get consecutive ports.
    const auto shift =
        static_cast<uint16_t>(std::count(hosts.begin(), hosts.begin() + i, hosts[i]));
    node.port = static_cast<uint16_t>(ports.port + shift);
    node.status_port = static_cast<uint16_t>(ports.status_port + shift);
    node.roles = joint_roles(model, i);
    if (ports.service_port != 0) {
      node.service_port = static_cast<uint16_t>(ports.service_port + shift);
      node.roles.push_back(Address::client(i));
    }
    config.nodes.push_back(std::move(node));
  }
  runtime::NodeConfig native;
  native.name = "client";
  native.roles = {Address::client(ports.service_port != 0 ? hosts.size() : 0)};
  native.host = hosts.front();
  config.nodes.push_back(std::move(native));
  return config;
}

}  // namespace eve::cli
