#include "execution/transfer.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"

namespace eve::execution {
namespace {

/// Nodes under way: one request's worth is answered while another travels.
constexpr size_t kMaxAsked = 2 * limits::kTransferNodesPerRequest;

}  // namespace

wire::StateReply serve_state(const state::Engine& engine, const History& history,
                             const wire::StateRequest& request) {
  wire::StateReply reply;
  reply.number = request.number;
  const bool newest = request.number == BatchNumber() && request.nodes.empty();
  const BatchNumber number = newest ? engine.committed() : request.number;
  const History::Entry* version = history.find(number);
  if (version == nullptr || !engine.root_at(number)) return reply;
  reply.parts = version->parts;
  size_t bytes = 0;
  for (TreeNode id : request.nodes) {
    if (reply.nodes.size() == limits::kTransferNodesPerRequest) break;
    std::optional<Bytes> payload = engine.node(request.number, id);
    if (!payload) continue;
    bytes += payload->size();
    if (!reply.nodes.empty() && bytes > limits::kTransferChunkBytes) break;
    reply.nodes.push_back({id, SharedBytes(std::move(*payload))});
  }
  return reply;
}

StateFetch::StateFetch(state::Engine& engine, const wire::TokenParts& target)
    : engine_(engine),
      target_(target),
      fetch_(std::make_unique<state::Fetch>(engine, target.state)) {}

void StateFetch::retarget(const wire::TokenParts& target) {
  target_ = target;
  fetch_->retarget(target.state);
  asked_.clear();
}

uint32_t StateFetch::supply(const SupplyFetch& supply) {
  uint32_t refused = 0;
  for (const wire::StateReply::Node& node : supply.reply.nodes) {
    if (!fetch_->supply(node.id, node.payload.view())) ++refused;
    asked_.erase(node.id);
  }
  for (TreeNode id : supply.failed) {
    fetch_->again(id);
    asked_.erase(id);
  }
  return refused;
}

std::vector<TreeNode> StateFetch::wants() {
  if (asked_.size() >= kMaxAsked) return {};
  std::vector<TreeNode> nodes =
      fetch_->wants(std::min(limits::kTransferNodesPerRequest, kMaxAsked - asked_.size()));
  asked_.insert(nodes.begin(), nodes.end());
  return nodes;
}

bool StateFetch::install(Scheduler& scheduler) {
  if (!fetch_->complete()) return false;
  const Status installed = fetch_->install(target_.number, scheduler);
  if (installed.ok()) return true;
  // What was kept from before does not fit the target: all of it is asked for anew.
  fetch_ = std::make_unique<state::Fetch>(engine_, target_.state);
  asked_.clear();
  EVE_CHECK(!fetch_->complete(), "a state of the agreed root is here, yet does not add up to it");
  return false;
}

}  // namespace eve::execution
