#include "execution/repair.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "wire/codec.h"

namespace eve::execution {
namespace {

// A slow holder is waited for longer each time, up to this many times the usual patience.
constexpr TimeUs kMaxPatience = 64;
// A holder is believed for this many times the usual patience after it last sent something of use:
// a liar may say for ever that it holds what everybody else has forgotten.
constexpr TimeUs kHolderPatience = 8;

void send(std::vector<Address> to, wire::Message message, Outbox& out) {
  out.sends.push_back({std::move(to), std::make_shared<const wire::Message>(std::move(message))});
}

}  // namespace

Repair::Repair(const FaultModel& model, uint16_t self, TimeUs patience_us,
               const crypto::Digester& digester, uint16_t helpers)
    : model_(model),
      self_(self),
      patience_us_(patience_us),
      digester_(digester),
      peers_(model.executors() + helpers) {
  for (Peer& peer : peers_) peer.patience_us = patience_us;
}

void Repair::begin(BatchNumber number, const crypto::Digest& token, TimeUs now, Outbox& out) {
  EVE_CHECK(phase_ == Phase::kIdle || number > target_, "a repair turns to newer states only");
  const bool in_vain = phase_ == Phase::kAsking;
  stuck_after_us_ =
      in_vain ? std::min(2 * stuck_after_us_, kMaxPatience * patience_us_) : patience_us_;
  held_at_ = now;
  phase_ = Phase::kAsking;
  target_ = number;
  token_ = token;
  for (Peer& peer : peers_) peer = {false, false, false, 0, peer.patience_us, {}};
  ask_for_parts(now, out);
}

bool Repair::stuck(TimeUs now) const {
  if (phase_ == Phase::kIdle || holders() > 0) return false;
  size_t others = 0;
  size_t denied = 0;
  for (size_t i = 0; i < peers_.size(); ++i) {
    others += is_peer(i) ? 1 : 0;
    denied += peers_[i].denied ? 1 : 0;
  }
  return denied == others || now - held_at_ >= stuck_after_us_;
}

void Repair::ask_for_parts(TimeUs now, Outbox& out) {
  parts_asked_at_ = now;
  std::vector<Address> to;
  for (size_t i = 0; i < peers_.size(); ++i) {
    if (is_peer(i)) to.push_back(Address::executor(i));
  }
  if (!to.empty()) send(std::move(to), wire::StateRequest{target_, {}}, out);
}

bool Repair::on_reply(const wire::StateReply& reply, uint16_t peer_index, TimeUs now, Outbox& out) {
  // Answers to older questions, or after the end, are late and nothing worse.
  if (phase_ == Phase::kIdle || reply.number != target_) return true;
  Peer& peer = peers_.at(peer_index);
  if (!reply.parts) {
    peer.denied = true;
    give_up(peer_index, out);
    spread(now, out);
    return true;
  }
  const bool right =
      reply.parts->number == target_ && wire::token_of(*reply.parts, digester_) == token_;
  if (!right) {
    peer.denied = true;
    give_up(peer_index, out);
    spread(now, out);
    // Who has diverged, and does not know it yet, says in good faith what it ran.
    return reply.parts->number == target_ && reply.nodes.empty();
  }
  peer.holder = true;
  peer.denied = false;
  if (phase_ == Phase::kAsking) {
    held_at_ = now;
    stuck_after_us_ = std::max(stuck_after_us_, kHolderPatience * patience_us_);
    start_fetch(*reply.parts, out);
  } else if (!reply.nodes.empty() || peer.busy) {
    const uint64_t before = bytes_;
    supply(reply, peer_index, out);
    if (bytes_ > before) held_at_ = now;
  }
  spread(now, out);
  return true;
}

void Repair::start_fetch(const wire::TokenParts& parts, Outbox& out) {
  phase_ = Phase::kFetching;
  parts_ = parts;
  out.commands.push_back(StartFetch{parts});
  supplies_.push_back(std::nullopt);
  // The runner names anew what it wants; what it wanted for an older target is void.
  wanted_.clear();
  queue_.clear();
}

std::vector<TreeNode> Repair::release(Peer& peer) {
  std::vector<TreeNode> open;
  for (const TreeNode& node : peer.asked) {
    const auto wanted = wanted_.find(node);
    if (wanted == wanted_.end() || wanted->second) continue;
    open.push_back(node);
    wanted_.erase(wanted);
  }
  peer.asked.clear();
  peer.busy = false;
  return open;
}

void Repair::supply(const wire::StateReply& reply, uint16_t peer_index, Outbox& out) {
  Peer& peer = peers_.at(peer_index);
  wire::StateReply useful{reply.number, reply.parts, {}};
  for (const wire::StateReply::Node& node : reply.nodes) {
    if (wanted_.erase(node.id) == 0) continue;
    bytes_ += node.payload.size();
    useful.nodes.push_back(node);
  }
  std::vector<TreeNode> failed = release(peer);
  if (useful.nodes.empty()) {
    // It holds the version and sends nothing of what it was asked for.
    if (!failed.empty()) peer.holder = false;
  } else {
    peer.patience_us = patience_us_;
  }
  if (useful.nodes.empty() && failed.empty()) return;
  send_supply(peer_index, std::move(useful), std::move(failed), out);
}

void Repair::give_up(uint16_t peer_index, Outbox& out) {
  Peer& peer = peers_.at(peer_index);
  peer.holder = false;
  std::vector<TreeNode> failed = release(peer);
  if (!failed.empty()) send_supply(peer_index, {target_, std::nullopt, {}}, std::move(failed), out);
}

void Repair::send_supply(uint16_t peer, wire::StateReply reply, std::vector<TreeNode> failed,
                         Outbox& out) {
  out.commands.push_back(SupplyFetch{Address::executor(peer), std::move(reply), std::move(failed)});
  supplies_.push_back(peer);
}

std::optional<uint16_t> Repair::on_wants(const FetchWants& wants, TimeUs now, Outbox& out) {
  EVE_CHECK(!supplies_.empty(), "the runner answers each fetch command once");
  const std::optional<uint16_t> supplier = supplies_.front();
  supplies_.pop_front();
  if (phase_ == Phase::kIdle) return std::nullopt;
  runner_heard_at_ = now;
  const auto liar = wants.refused > 0 ? supplier : std::nullopt;
  if (liar) give_up(*liar, out);
  // The runner has yet to hear of a newer target, and will then name its wants anew.
  if (std::find(supplies_.begin(), supplies_.end(), std::nullopt) != supplies_.end()) return liar;
  for (const TreeNode& node : wants.nodes) {
    if (wanted_.emplace(node, true).second) queue_.push_back(node);
  }
  spread(now, out);
  return liar;
}

void Repair::spread(TimeUs now, Outbox& out) {
  if (phase_ != Phase::kFetching) return;
  for (size_t i = 0; i < peers_.size(); ++i) {
    Peer& peer = peers_[i];
    if (!is_peer(i) || !peer.holder || peer.busy) continue;
    const size_t fair = (queue_.size() + holders() - 1) / holders();
    const size_t share = std::min(fair, limits::kTransferNodesPerRequest);
    while (peer.asked.size() < share && !queue_.empty()) {
      const auto wanted = wanted_.find(queue_.front());
      queue_.pop_front();
      // It may have come, late, from a peer that was given up.
      if (wanted == wanted_.end() || !wanted->second) continue;
      wanted->second = false;
      peer.asked.push_back(wanted->first);
    }
    if (peer.asked.empty()) continue;
    peer.busy = true;
    peer.asked_at = now;
    send({Address::executor(i)}, wire::StateRequest{target_, peer.asked}, out);
  }
}

void Repair::on_fetched(BatchNumber number) {
  EVE_CHECK(!supplies_.empty(), "the runner answers each fetch command once");
  supplies_.pop_front();
  // A fetch of an older target may end just before the runner hears of the newer one.
  if (phase_ == Phase::kIdle || number != target_) return;
  stop();
}

void Repair::stop() {
  phase_ = Phase::kIdle;
  wanted_.clear();
  queue_.clear();
  for (Peer& peer : peers_) peer.asked.clear();
}

void Repair::check(TimeUs now, Outbox& out) {
  if (phase_ == Phase::kIdle) return;
  for (size_t i = 0; i < peers_.size(); ++i) {
    Peer& peer = peers_[i];
    if (!peer.busy || now - peer.asked_at < peer.patience_us) continue;
    peer.patience_us = std::min(2 * peer.patience_us, kMaxPatience * patience_us_);
    give_up(static_cast<uint16_t>(i), out);
  }
  const bool lost = wanted_.empty() && supplies_.empty() && phase_ == Phase::kFetching &&
                    now - runner_heard_at_ >= patience_us_;
  if (lost) {
    runner_heard_at_ = now;
    start_fetch(parts_, out);
  }
  if (holders() == 0 && now - parts_asked_at_ >= patience_us_) ask_for_parts(now, out);
  spread(now, out);
}

size_t Repair::holders() const {
  return static_cast<size_t>(
      std::count_if(peers_.begin(), peers_.end(), [](const Peer& peer) { return peer.holder; }));
}

std::string Repair::waiting_for() const {
  const std::string number = std::to_string(target_.value());
  if (phase_ == Phase::kAsking) return "an executor that holds state " + number;
  if (phase_ == Phase::kFetching) {
    return std::to_string(wanted_.size()) + " nodes of state " + number;
  }
  return "";
}

}  // namespace eve::execution
