// For the tests of object graphs: nodes, an engine with a graph, and state transfer between two.
#pragma once

#include <string>
#include <vector>

#include "eve/graph.h"
#include "state/table.h"
#include "state/test_support.h"

namespace eve::state::testing {

struct Node {
  uint64_t id = 0;
  std::string text;
  std::vector<Ref<Node>> next;
  bool operator==(const Node&) const = default;
  template <typename A>
  void fields(A& archive) {
    archive(id, text, next);
  }
};

struct World {
  explicit World(const crypto::Digester& used = sha256(), size_t workers = 8)
      : engine(used, workers),
        state(engine),
        graph(state),
        root(state, "root"),
        links(state, "links") {}

  void begin() { engine.begin(engine.last().next()); }
  crypto::Digest seal() { return engine.seal(scheduler); }
  void rollback(uint64_t n) { engine.rollback(BatchNumber(n), scheduler); }
  uint16_t graph_table() { return engine.table("eve.graph", TableKind::kGraph).number(); }
  uint64_t objects() {
    Context context = on_worker(0);
    return graph.size(context);
  }
  /// Becomes what `source` is, and goes on from the same batch.
  bool fetch_from(const World& source) {
    Fetch fetch(engine, source.engine.root());
    while (!fetch.complete()) {
      for (const TreeNode id : fetch.wants(64)) {
        const auto payload = source.engine.node(source.engine.last(), id);
        if (!payload || !fetch.supply(id, *payload)) return false;
      }
    }
    return fetch.install(source.engine.last(), scheduler).ok();
  }

  Engine engine;
  State state;
  Graph graph;
  Cell<Ref<Node>> root;
  Map<std::string, Ref<Node>> links;
  InlineScheduler scheduler;
};

}  // namespace eve::state::testing
