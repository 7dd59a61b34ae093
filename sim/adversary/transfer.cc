// What a lying executor answers those who fetch its state.
#include <algorithm>
#include <map>
#include <utility>

#include "sim/adversary/catalogue.h"
#include "sim/adversary/forge.h"

namespace eve::sim::adversary {
namespace {

using wire::StateReply;

std::optional<StateReply> bad_node(const StateReply& truth, Turn& turn) {
  StateReply reply = truth;
  for (auto& node : reply.nodes) {
    if (turn.random.chance(1, 2)) continue;
    Bytes payload(node.payload.view());
    if (payload.empty()) {
      payload = "lie";
    } else {
      payload[turn.random.below(payload.size())] ^= 1;
    }
    node.payload = SharedBytes(std::move(payload));
  }
  return reply;
}

std::optional<StateReply> bad_parts(const StateReply& truth, Turn& turn) {
  StateReply reply = truth;
  if (!reply.parts) return reply;
  if (turn.random.chance(1, 2)) {
    reply.parts->state = turn.made_up(reply.number.value());
  } else {
    reply.parts->number = reply.parts->number.next();
  }
  return reply;
}

/// Nodes as they were in the version that somebody else was sent.
class OtherVersion final : public OnSending<StateReply> {
 public:
  explicit OtherVersion(Random&) {}

 private:
  void sending(const StateReply& body, const Utterance& truth, Turn& turn) override {
    StateReply reply = body;
    for (auto& node : reply.nodes) {
      const auto [known, first] = kept_.emplace(node.id, node.payload);
      if (!first) std::swap(known->second, node.payload);
    }
    constexpr size_t kKept = 512;
    if (kept_.size() > kKept) kept_.erase(kept_.begin());
    turn.say(truth.to, std::move(reply), truth.delay_us);
  }
  std::map<TreeNode, SharedBytes> kept_;
};

std::optional<StateReply> truncated(const StateReply& truth, Turn&) {
  StateReply reply = truth;
  reply.nodes.resize(reply.nodes.size() / 2);
  return reply;
}

/// More and more, and what nobody asked for.
void endless(const Utterance& truth, Turn& turn) {
  const auto* body = std::get_if<StateReply>(truth.message.get());
  turn.pass(truth);
  if (body == nullptr) return;
  StateReply more = *body;
  if (!more.nodes.empty()) more.nodes.resize(2 * more.nodes.size(), more.nodes.front());
  more.nodes.push_back({TreeNode{3, turn.random.below(1000)}, SharedBytes(Bytes("more"))});
  constexpr size_t kTimes = 8;
  for (size_t i = 0; i < kTimes; ++i) turn.say(truth.to, more);
}

std::optional<StateReply> withheld(const StateReply& truth, Turn&) {
  StateReply reply = truth;
  reply.nodes.clear();
  return reply;
}

std::optional<StateReply> silent(const StateReply&, Turn&) {
  return std::nullopt;
}

std::optional<StateReply> denied(const StateReply& truth, Turn&) {
  StateReply reply = truth;
  reply.parts.reset();
  reply.nodes.clear();
  return reply;
}

/// Says that it holds the state, sends the first nodes, and no more of that state.
class DiesMidway final : public OnSending<StateReply> {
 public:
  explicit DiesMidway(Random& random) : replies_(1 + random.below(3)) {}

 private:
  void sending(const StateReply& body, const Utterance& truth, Turn& turn) override {
    if (body.number != number_) sent_ = 0;
    number_ = body.number;
    if (sent_++ < replies_) turn.pass(truth);
  }
  uint64_t replies_;
  uint64_t sent_ = 0;
  BatchNumber number_;
};

void questions(Turn& turn) {
  wire::StateRequest request;
  const uint64_t number = turn.me.known.number().value();
  request.number = BatchNumber(number - std::min(number, turn.random.below(80)));
  constexpr size_t kNodes = 16;
  for (size_t i = turn.random.below(kNodes); i > 0; --i) {
    request.nodes.push_back({static_cast<uint8_t>(turn.random.below(4)), turn.random.below(64)});
  }
  for (int i = 0; i < 4; ++i) turn.say(turn.executors(), request);
}

/// Answers to questions that nobody asked.
void unasked(Turn& turn) {
  StateReply reply;
  reply.number = turn.me.known.number();
  const auto known = turn.me.known.tokens().find(reply.number);
  if (known != turn.me.known.tokens().end()) reply.parts = known->second.parts;
  reply.nodes.push_back({TreeNode{0, 0}, SharedBytes(Bytes("unasked"))});
  turn.say(turn.executors(), reply);
}

}  // namespace

std::vector<Entry> transfer_strategies() {
  const std::vector<Role> who = {Role::kExecutor};
  using All = ToAll<StateReply>;
  std::vector<Entry> entries = {
      {"bad-node", "state nodes with a bit flipped", who, make<All>(bad_node)},
      {"bad-parts", "parts that are not the token's", who, make<All>(bad_parts)},
      {"other-version", "nodes of another version", who, make<OtherVersion>()},
      {"truncated-state", "half of the nodes asked for", who, make<All>(truncated)},
      {"endless-state", "nodes without end, and unasked", who, make<ToAny>(endless)},
      {"withheld-state", "says that it holds the state, sends nothing of it", who,
       make<All>(withheld)},
      {"silent-source", "answers no question about state", who, make<All>(silent)},
      {"denied-state", "denies the state that it holds", who, make<All>(denied)},
      {"dies-midway", "stops after the first answers", who, make<DiesMidway>()},
      {"question-flood", "asks for state all the time", who, make<Now>(questions)},
      {"unasked-state", "answers questions that nobody asked", who, make<Now>(unasked)},
  };
  for (Entry& entry : entries) entry.occasion = Occasion::kTransfer;
  return entries;
}

}  // namespace eve::sim::adversary
