// For the tests of this room: threads, a plain model of an engine, and a walk over served nodes.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/scheduler.h"
#include "crypto/digest.h"
#include "eve/state.h"
#include "state/engine.h"
#include "state/node_format.h"
#include "state/tree.h"

namespace eve::state::testing {

inline const crypto::Digester& digester(crypto::DigestAlgorithm algorithm) {
  static const crypto::Digester sha(crypto::DigestAlgorithm::kSha256, {7});
  static const crypto::Digester xxh(crypto::DigestAlgorithm::kXxh3, {7});
  return algorithm == crypto::DigestAlgorithm::kSha256 ? sha : xxh;
}
inline const crypto::Digester& sha256() {
  return digester(crypto::DigestAlgorithm::kSha256);
}

/// Real threads, started anew for every run.
class ThreadScheduler final : public Scheduler {
 public:
  explicit ThreadScheduler(size_t workers) : workers_(workers) {}
  size_t workers() const override { return workers_; }
  void run(size_t count, uint64_t /*grain_ns*/,
           const std::function<void(size_t, size_t)>& task) override {
    std::atomic<size_t> next{0};
    std::vector<std::thread> threads;
    for (size_t worker = 0; worker < workers_; ++worker) {
      threads.emplace_back([&, worker] {
        for (size_t i = next++; i < count; i = next++) task(worker, i);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

 private:
  const size_t workers_;
};

inline Context on_worker(size_t worker) {
  return Context({}, worker, nullptr);
}

/// An engine with its state and two maps.
struct Fixture {
  explicit Fixture(const crypto::Digester& used = sha256(), size_t workers = 8,
                   const HistoryLimits& limits = {})
      : engine(used, workers, limits), state(engine), a(state, "a"), b(state, "b") {}

  ByteMap& map(uint16_t table) { return table == 0 ? a : b; }
  void put(uint16_t table, ByteView key, ByteView value, size_t worker = 0) {
    Context context = on_worker(worker);
    map(table).put(context, key, value);
  }
  bool erase(uint16_t table, ByteView key, size_t worker = 0) {
    Context context = on_worker(worker);
    return map(table).erase(context, key);
  }
  std::optional<Bytes> get(uint16_t table, ByteView key) {
    Context context = on_worker(0);
    const auto found = map(table).get(context, key);
    return found ? std::optional<Bytes>(*found) : std::nullopt;
  }
  uint64_t size(uint16_t table) {
    Context context = on_worker(0);
    return map(table).size(context);
  }
  void begin() { engine.begin(engine.last().next()); }
  crypto::Digest seal() { return engine.seal(scheduler); }
  void rollback(uint64_t n) { engine.rollback(BatchNumber(n), scheduler); }
  void commit(uint64_t n) { engine.commit(BatchNumber(n)); }

  Engine engine;
  State state;
  ByteMap a;
  ByteMap b;
  InlineScheduler scheduler;
};

/// What an engine has to be, computed the slow way from DESIGN 5.3.
struct Model {
  using Name = std::pair<uint16_t, std::string>;

  /// The model after a batch that leaves these objects.
  Model next(const std::map<Name, std::string>& after) const {
    Model result{after, slots};
    std::map<Name, bool> placed;
    for (auto& slot : result.slots) {
      if (slot && after.count(*slot) == 0) slot.reset();
      if (slot) placed[*slot] = true;
    }
    for (const auto& [name, value] : after) {
      if (placed[name]) continue;
      size_t slot = 0;
      while (slot < result.slots.size() && result.slots[slot]) ++slot;
      if (slot == result.slots.size()) result.slots.emplace_back();
      result.slots[slot] = name;
    }
    return result;
  }
  crypto::Digest root(const crypto::Digester& used) const {
    std::vector<crypto::Digest> leaves;
    for (const auto& slot : slots) {
      leaves.emplace_back();
      if (!slot) continue;
      Bytes payload;
      encode_leaf({slot->first, slot->second, objects.at(*slot)}, payload);
      leaves.back() = used.digest(payload);
    }
    return root_of_leaves(used, std::move(leaves));
  }

  std::map<Name, std::string> objects;
  std::vector<std::optional<Name>> slots;
};

/// Every object of version `n`, read through node() from the root record down with each payload
/// checked against its parent; nullopt if anything does not fit.
inline std::optional<std::map<Model::Name, std::string>> read_version(
    const Engine& engine, BatchNumber n, const crypto::Digester& used) {
  std::map<Model::Name, std::string> result;
  uint64_t slots = 0;
  std::vector<std::pair<TreeNode, crypto::Digest>> open{
      {{TreeNode::kRootLevel, 0}, engine.root_at(n).value_or(crypto::Digest())}};
  while (!open.empty()) {
    const auto [id, digest] = open.back();
    open.pop_back();
    const auto payload = engine.node(n, id);
    if (id.level == 0 && digest == crypto::Digest()) {
      if (payload) return std::nullopt;
      continue;
    }
    if (!payload || used.digest(*payload) != digest) return std::nullopt;
    if (id.level == TreeNode::kRootLevel) {
      const auto record = decode_root(*payload, used.size());
      slots = record->slots;
      if (slots > 0) open.push_back({{top_level(slots), 0}, record->top});
    } else if (id.level == 0) {
      const auto leaf = decode_leaf(*payload);
      result[{leaf->table, Bytes(leaf->key)}] = Bytes(leaf->value);
    } else {
      const uint64_t children = child_count(slots, id);
      const auto digests = decode_inner(*payload, children, used.size());
      if (!digests) return std::nullopt;
      for (uint64_t i = 0; i < children; ++i) {
        open.push_back({{static_cast<uint8_t>(id.level - 1), id.index * kFanout + i},
                        digest_from(digests->substr(i * used.size(), used.size()))});
      }
    }
  }
  return result;
}

}  // namespace eve::state::testing
