#include "runtime/newcomers.h"

#include <algorithm>
#include <map>

#include "membership/epoch_keys.h"
#include "runtime/contact.h"
#include "runtime/log.h"

namespace eve::runtime {

namespace {

/// It had all these roles; others have taken the rest of its seats since.
bool is_known(const NodeConfig& known, const NodeConfig& node) {
  const auto has = [&known](Address role) {
    return std::find(known.roles.begin(), known.roles.end(), role) != known.roles.end();
  };
  return known.name == node.name && known.host == node.host && known.port == node.port &&
         known.status_port == node.status_port && known.key == node.key &&
         std::all_of(node.roles.begin(), node.roles.end(), has);
}

}  // namespace

Newcomers newcomers(const FaultModel& model, const membership::Members& members) {
  std::map<Epoch, wire::Change> changes;  // one node an epoch
  const auto seated = [&changes](const std::vector<membership::Seat>& seats, auto place) {
    for (uint16_t i = 0; i < seats.size(); ++i) {
      if (seats[i].since == Epoch()) continue;
      auto& change = changes[seats[i].since];
      change.epoch = Epoch(seats[i].since.value() - 1);
      change.contact = seats[i].contact;
      change.*place = i;
    }
  };
  seated(members.executors, &wire::Change::executor);
  seated(members.verifiers, &wire::Change::verifier);
  Newcomers found;
  for (const auto& [since, change] : changes) {
    auto node = newcomer(model, change);
    if (node) {
      found.nodes.push_back(std::move(*node));
    } else if (found.trouble.ok()) {
      found.trouble =
          Error{"who joined in epoch " + std::to_string(since.value()) + ": " + node.message()};
    }
  }
  return found;
}

Status join_members(NodeCore& core, const membership::Members& members) {
  const auto found = newcomers(core.cluster().model, members);
  auto trouble = found.trouble;
  for (const auto& node : found.nodes) {
    const auto& all = core.cluster().nodes;
    const auto same = [&node](const NodeConfig& known) { return is_known(known, node); };
    if (std::any_of(all.begin(), all.end(), same)) continue;
    auto status = core.join(node);
    if (!status && trouble.ok()) trouble = std::move(status);
  }
  return trouble;
}

Status own_seat(const NodeCore& core, const membership::Members& members, Address role) {
  const auto seat = members.seat_of(role);
  if (!seat) return {};
  const auto& seats = role.role == Role::kExecutor ? members.executors : members.verifiers;
  if (seats[seat->index].since == Epoch()) return {};
  const auto found = newcomers(core.cluster().model, members);
  for (const auto& node : found.nodes) {
    if (std::find(node.roles.begin(), node.roles.end(), role) == node.roles.end()) continue;
    // Where it listens may change; who it is does not.
    if (node.name == core.node().name && node.key == core.node().key) return {};
    return Error{"another node took this seat: \"" + node.name + "\" at " + node.host + ":" +
                 std::to_string(node.port) + " joined in epoch " +
                 std::to_string(seats[seat->index].since.value()) +
                 ", and it has another name or key; stop this one"};
  }
  return Error{"who has this seat cannot be read: " + found.trouble.message()};
}

std::function<void(const membership::Members&)> welcome_to(NodeCore& core) {
  const auto told = std::make_shared<std::string>();
  return [&core, told](const membership::Members& members) {
    // Who cannot join does not sign either: a quorum of the others does.
    const auto status = join_members(core, members);
    if (status || *told == status.message()) return;
    *told = status.message();
    log(LogLevel::kWarn, "member_without_link",
        {{"node", core.node().name}, {"reason", status.message()}});
  };
}

membership::KeysOf keys_of(NodeCore& core) {
  return [&core, welcome = welcome_to(core)](const membership::Members& members) {
    welcome(members);
    return std::make_unique<membership::EpochKeys>(core.authenticator(), members);
  };
}

}  // namespace eve::runtime
