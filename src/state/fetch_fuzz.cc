// libFuzzer: a source that serves authentic nonsense. The input is leaves, each behind its size;
// the tree over them is right, so that every payload hashes to what was asked for, whatever is in
// it. The first byte may have the root record claim another number of slots.
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "base/scheduler.h"
#include "state/engine.h"
#include "state/node_format.h"
#include "state/table.h"

namespace {

using eve::Bytes;
using eve::ByteView;
using eve::TreeNode;
using eve::crypto::Digest;
using eve::crypto::DigestAlgorithm;
using eve::crypto::Digester;
using namespace eve::state;

struct Source {
  Source(ByteView bytes, uint64_t more_slots, const Digester& digester) {
    while (!bytes.empty() && leaves.size() < kFanout) {
      const size_t size = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      leaves.emplace_back(bytes.substr(0, size));
      bytes.remove_prefix(leaves.back().size());
    }
    Bytes digests;
    for (const Bytes& leaf : leaves) {
      digests.append(digester.digest(leaf).view().substr(0, digester.size()));
    }
    encode_inner(digests, inner);
    RootRecord record{leaves.size() + more_slots, {}};
    if (leaves.size() == 1) record.top = digester.digest(leaves[0]);
    if (leaves.size() > 1) record.top = digester.digest(inner);
    root = encode_root(record, digester.size());
  }
  ByteView payload(TreeNode id) const {
    if (id.level == TreeNode::kRootLevel) return root;
    if (id.level == 0 && id.index < leaves.size()) return leaves[id.index];
    return inner;
  }

  std::vector<Bytes> leaves;
  Bytes inner;
  Bytes root;
};

void write_some(Engine& engine, eve::InlineScheduler& scheduler) {
  engine.begin(eve::BatchNumber(1));
  for (const char* key : {"x", "y", "z"}) engine.table("a").put(0, key, "value");
  engine.seal(scheduler);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Digester digester(DigestAlgorithm::kXxh3, {});
  static eve::InlineScheduler scheduler;
  if (size == 0) return 0;
  Engine engine(digester, 1);
  engine.table("a");
  engine.table("b", TableKind::kOrdered);
  engine.table("p", TableKind::kPages);
  if (data[0] & 1) engine.table("eve.graph", TableKind::kGraph);
  if (data[0] & 2) write_some(engine, scheduler);
  const Digest before = engine.root();
  const ByteView bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Source source(bytes, data[0] >> 5, digester);
  Fetch fetch(engine, digester.digest(source.root));
  for (int turn = 0; turn < 64 && !fetch.complete(); ++turn) {
    for (const TreeNode id : fetch.wants(8)) (void)fetch.supply(id, source.payload(id));
  }
  const bool installed = fetch.complete() && fetch.install(eve::BatchNumber(9), scheduler).ok();
  EVE_CHECK(engine.root() == (installed ? digester.digest(source.root) : before),
            "neither the old state nor the new one");
  EVE_CHECK(engine.recompute_root() == engine.root(), "the tree is not that of the objects");
  return 0;
}
