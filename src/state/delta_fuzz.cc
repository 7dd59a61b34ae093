// libFuzzer: hostile deltas. The input's first byte chooses a state to apply them to, how they are
// cut into pieces, and whether the rest is a whole delta or only its entries: these get a header
// that fits the state, and names the root that they lead to by a plain reading, if there is one. So
// that an engine has to cope with nonsense that adds up, too.
#include <cstdint>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/scheduler.h"
#include "eve/graph.h"
#include "eve/state.h"
#include "state/delta.h"
#include "state/delta_format.h"
#include "state/table.h"
#include "state/tree.h"

namespace {

using eve::BatchNumber;
using eve::Bytes;
using eve::ByteView;
using eve::crypto::Digest;
using eve::crypto::DigestAlgorithm;
using eve::crypto::Digester;
using namespace eve::state;

struct Node {
  uint64_t id = 0;
  eve::Ref<Node> next;
  template <typename A>
  void fields(A& archive) {
    archive(id, next);
  }
};

/// Some keys, some free slots, and a list of nodes.
struct Replica {
  Replica(const Digester& digester, bool with_graph) : engine(digester, 1), state(engine) {
    for (const char* name : {"a", "b"}) engine.table(name);
    engine.table("o", TableKind::kOrdered);
    engine.table("p", TableKind::kPages);
    if (with_graph) graph.emplace(state);
  }
  void write() {
    engine.begin(BatchNumber(1));
    for (const char* key : {"u", "v", "w", "x"}) engine.table("a").put(0, key, "a value");
    for (const char* key : {"y", "z"}) engine.table("o", TableKind::kOrdered).put(0, key, key);
    eve::Context context({}, 0, nullptr);
    eve::Map<uint8_t, eve::Ref<Node>> heads(state, "b");
    eve::Ref<Node> head;
    for (uint64_t id = 0; graph && id < 3; ++id) head = graph->create(context, Node{id, head});
    if (graph) heads.put(context, 0, head);
    engine.seal(scheduler);
    engine.begin(BatchNumber(2));
    for (const char* key : {"v", "x"}) engine.table("a").erase(0, key);
    engine.seal(scheduler);
  }

  Engine engine;
  eve::State state;
  std::optional<eve::Graph> graph;
  eve::InlineScheduler scheduler;
};

/// The root that these entries lead to, read one after the other; nullopt if they cannot be read.
std::optional<Digest> root_after(const Engine& engine, ByteView delta, const Digester& digester) {
  std::vector<Bytes> leaves;
  for (uint64_t slot = 0; slot < *engine.view(engine.last()).slots(); ++slot) {
    leaves.push_back(engine.node(engine.last(), {0, slot}).value_or(Bytes()));
  }
  DeltaParser parser(digester.size());
  parser.supply(delta);
  while (const auto entry = parser.next()) {
    if (entry->slot > leaves.size()) return std::nullopt;
    if (entry->slot == leaves.size()) leaves.emplace_back();
    Bytes& leaf = leaves[entry->slot];
    if (entry->change == DeltaEntry::Change::kFree) {
      leaf.clear();
    } else if (entry->change == DeltaEntry::Change::kObject) {
      leaf = entry->leaf;
    } else {
      const Bytes payload = leaf;
      const auto before = decode_leaf(payload);
      Bytes value;
      std::string why;
      const auto after = before ? spliced(*before, *entry, value, why) : std::nullopt;
      if (!after) return std::nullopt;
      leaf.clear();
      encode_leaf(*after, leaf);
    }
  }
  if (!parser.complete()) return std::nullopt;
  std::vector<Digest> digests;
  for (const Bytes& leaf : leaves) {
    digests.push_back(leaf.empty() ? Digest() : digester.digest(leaf));
  }
  return root_of_leaves(digester, std::move(digests));
}

bool apply(Replica& to, BatchNumber n, ByteView delta, size_t piece) {
  DeltaSink sink(to.engine, n);
  for (; !delta.empty(); delta.remove_prefix(std::min(piece, delta.size()))) {
    if (!sink.supply(delta.substr(0, piece)).ok()) return false;
  }
  return sink.finish(to.scheduler).ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Digester digester(DigestAlgorithm::kXxh3, {});
  if (size == 0) return 0;
  Replica to(digester, (data[0] & 1) != 0);
  if ((data[0] & 2) != 0) to.write();
  const BatchNumber n = to.engine.last().next();
  const Digest before = to.engine.root();
  Bytes delta;
  const ByteView rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 4) == 0) {
    encode_delta_header({n, before, before}, digester.size(), delta);
    const size_t header_size = delta.size();
    delta.append(rest);
    if (const auto after = root_after(to.engine, delta, digester)) {
      Bytes header;
      encode_delta_header({n, before, *after}, digester.size(), header);
      delta.replace(0, header_size, header);
    }
  } else {
    delta = rest;
  }
  const bool applied =
      apply(to, n, delta, (data[0] & 8) != 0 ? 1 + data[0] / 16 : delta.size() + 1);
  if (applied) {
    const auto again = to.engine.delta(n);
    EVE_CHECK(again.ok() && *again == delta, "two deltas for one change");
    // With a graph references may be left to what is gone: no state, but it can be undone.
    EVE_CHECK(to.graph || to.engine.recompute_root() == to.engine.root(), "not the objects' tree");
    to.engine.rollback(n.prev(), to.scheduler);
  }
  EVE_CHECK(to.engine.root() == before && to.engine.last() == n.prev(), "not as it was before");
  EVE_CHECK(to.engine.recompute_root() == before, "the tree is not that of the objects");
  return 0;
}
