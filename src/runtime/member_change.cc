#include "runtime/member_change.h"

#include <algorithm>

#include "runtime/contact.h"
#include "runtime/newcomers.h"

namespace eve::runtime {
namespace {

std::string quote(const std::string& name) {
  return "\"" + name + "\"";
}

bool has_member_role(const NodeConfig& node) {
  return std::any_of(node.roles.begin(), node.roles.end(),
                     [](Address address) { return address.role != Role::kClient; });
}

std::vector<Address> seats(const membership::Members& members) {
  std::vector<Address> all;
  for (size_t i = 0; i < members.executors.size(); ++i) all.push_back(Address::executor(i));
  for (size_t i = 0; i < members.verifiers.size(); ++i) all.push_back(Address::verifier(i));
  return all;
}

/// Ports of its host that others use, who go on: members, and nodes that are clients alone.
Status check_ports(const ClusterConfig& cluster, const std::vector<SeatedNode>& seated,
                   const std::string& leaving, const NodeConfig& fresh) {
  std::vector<NodeConfig> others;
  for (const auto& entry : seated) {
    if (entry.node.name != leaving) others.push_back(entry.node);
  }
  for (const auto& node : cluster.nodes) {
    if (!has_member_role(node)) others.push_back(node);
  }
  for (const auto& other : others) {
    if (other.host != fresh.host) continue;
    for (const auto port : {fresh.port, fresh.status_port}) {
      const bool used =
          port == other.port || port == other.status_port || port == other.service_port;
      if (port == 0 || !used) continue;
      return Error{"port " + std::to_string(port) + " of " + fresh.host + " is used by " +
                   quote(other.name)};
    }
  }
  return {};
}

Status check_fresh(const ClusterConfig& cluster, const std::vector<SeatedNode>& seated,
                   const NodeConfig& fresh) {
  // As everybody will read it.
  if (auto read = decode_contact(encode_contact(fresh)); !read) return read.status();
  const auto taken = [&fresh](const NodeConfig& node) { return node.name == fresh.name; };
  const bool in_file = cluster.find(fresh.name) != nullptr || fresh.name == kOperatorName;
  const bool sits = std::any_of(seated.begin(), seated.end(),
                                [&](const auto& entry) { return taken(entry.node); });
  if (in_file || sits) {
    return Error{quote(fresh.name) + " is, or was, another node's name: choose a new one"};
  }
  for (const auto& entry : seated) {
    if (entry.node.key == fresh.key) {
      return Error{quote(fresh.name) + " has the same key as " + quote(entry.node.name)};
    }
  }
  return {};
}

}  // namespace

std::vector<SeatedNode> seated_nodes(const ClusterConfig& cluster,
                                     const membership::Members& members) {
  const auto joined = newcomers(cluster.model, members);
  std::vector<SeatedNode> seated;
  for (const auto seat : seats(members)) {
    const auto address = members.node_at(seat);
    const auto plays = [address](const NodeConfig& node) {
      return std::find(node.roles.begin(), node.roles.end(), address) != node.roles.end();
    };
    const bool from_beginning = address == seat;
    const auto& list = from_beginning ? cluster.nodes : joined.nodes;
    const auto found = std::find_if(list.begin(), list.end(), plays);
    NodeConfig node;
    node.name = to_string(address);
    node.roles = {address};
    if (found != list.end()) node = *found;
    const auto entry = std::find_if(seated.begin(), seated.end(), [&](const SeatedNode& known) {
      return known.node.name == node.name;
    });
    if (entry != seated.end()) {
      entry->seats.push_back(seat);
      continue;
    }
    const Epoch since(joined_in(cluster.model, node));
    seated.push_back({std::move(node), {seat}, since});
  }
  return seated;
}

Status check_changeable(const ClusterConfig& cluster, const std::string& old_name) {
  if (cluster.model.is_primary_backup()) {
    return Error{
        "the members of a primary-backup cluster stay the same: its two replicas can be replaced "
        "by making a new cluster"};
  }
  if (!cluster.operator_key) {
    return Error{
        "cluster.toml has no [operator] key: it was made by an earlier release, and its members "
        "stay the same; a backup restored with this release makes a cluster that has one"};
  }
  const auto* old = cluster.find(old_name);
  if (old != nullptr && !has_member_role(*old)) {
    return Error{quote(old_name) +
                 " has only a client role, and clients are no members: run it with its key and "
                 "cluster.toml on another machine, or use another client's"};
  }
  return {};
}

std::string client_role_of(const ClusterConfig& cluster, const std::string& name) {
  const auto* node = cluster.find(name);
  if (node == nullptr) return {};
  for (const auto address : node->roles) {
    if (address.role == Role::kClient) return to_string(address);
  }
  return {};
}

Result<wire::Change> change_for(const ClusterConfig& cluster, const membership::Members& members,
                                const std::string& old_name, const NodeConfig& fresh) {
  if (auto status = check_changeable(cluster, old_name); !status) return status.error();
  const auto seated = seated_nodes(cluster, members);
  const auto old = std::find_if(seated.begin(), seated.end(), [&](const SeatedNode& entry) {
    return entry.node.name == old_name;
  });
  if (old == seated.end() && cluster.find(old_name) == nullptr) {
    return Error{"cluster.toml has no node " + quote(old_name)};
  }
  if (old == seated.end()) {
    return Error{quote(old_name) + " is no member any more: it was replaced in epoch " +
                 std::to_string(members.epoch.value()) + " or before"};
  }
  if (auto status = check_fresh(cluster, seated, fresh); !status) return status.error();
  if (auto status = check_ports(cluster, seated, old_name, fresh); !status) return status.error();
  wire::Change change;
  change.epoch = members.epoch;
  for (const auto seat : old->seats) {
    (seat.role == Role::kExecutor ? change.executor : change.verifier) = seat.index;
  }
  change.contact = encode_contact(fresh);
  if (auto comes = newcomer(cluster.model, change); !comes) return comes.error();
  return change;
}

Result<std::string> with_joined(const std::string& text, const std::vector<NodeConfig>& nodes) {
  auto known = parse_cluster_toml(text);
  if (!known) return known.error();
  std::string more = text;
  if (!more.empty() && more.back() != '\n') more += '\n';
  for (const auto& node : nodes) {
    const auto same = [&node](const NodeConfig& other) { return other == node; };
    if (std::any_of(known->joined.begin(), known->joined.end(), same)) continue;
    more += format_joined(node);
  }
  const auto all = parse_cluster_toml(more);
  if (!all) return all.error();
  if (auto status = validate(*all); !status) return status.error();
  return more;
}

}  // namespace eve::runtime
