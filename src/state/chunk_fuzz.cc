// libFuzzer: hostile chunks of a state. The input's first byte chooses between a root that the
// chunk cannot have, and one made for it, as far as its leaves can be made to fit: so that an
// importer has to cope with authentic nonsense too; and between a state with a graph and one
// without.
#include <cstdint>

#include "base/check.h"
#include "base/scheduler.h"
#include "state/chunk_format.h"
#include "state/import.h"
#include "state/table.h"
#include "state/tree.h"

namespace {

using eve::Bytes;
using eve::ByteView;
using eve::crypto::Digest;
using eve::crypto::DigestAlgorithm;
using eve::crypto::Digester;
using namespace eve::state;

/// A root that fits: leaves in turn from the input, each behind its size.
struct Nonsense {
  Nonsense(ByteView bytes, const Digester& digester) {
    while (!bytes.empty() && digests.size() < kFanout) {
      const size_t size = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      const ByteView payload = bytes.substr(0, size);
      bytes.remove_prefix(payload.size());
      digests.push_back(digester.digest(payload));
      chunk.push_back(kLeafNode);
      for (const size_t byte : {payload.size(), size_t{0}, size_t{0}, size_t{0}}) {
        chunk.push_back(static_cast<char>(byte));
      }
      chunk.append(payload);
    }
    Bytes head(1, kChunkTag);
    head.push_back(static_cast<char>(digests.size()));
    head.append(7, '\0');
    if (digests.size() > 1) head.push_back(kInnerNode);
    chunk.insert(0, head);
  }
  std::vector<Digest> digests;
  Bytes chunk;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Digester digester(DigestAlgorithm::kXxh3, {});
  static eve::InlineScheduler scheduler;
  if (size == 0) return 0;
  const ByteView bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Engine engine(digester, 1);
  engine.table("a");
  engine.table("b");
  if (data[0] % 4 >= 2) engine.table("eve.graph", TableKind::kGraph);
  const Digest empty = engine.root();
  if (data[0] % 2 == 0) {
    constexpr uint64_t kMostSlots = 1 << 16;
    EVE_CHECK(!decode_chunk(bytes, {digester, {}, kMostSlots}).ok(), "a chunk of no root");
    Importer importer(engine, empty, kMostSlots);
    (void)importer.supply(bytes);
  } else {
    const Nonsense nonsense(bytes, digester);
    const Digest root = root_of_leaves(digester, nonsense.digests);
    Importer importer(engine, root);
    const bool taken = importer.supply(nonsense.chunk).ok();
    EVE_CHECK(taken == importer.complete(), "a whole state was taken in part");
    const bool whole = taken && importer.finish(eve::BatchNumber(1), scheduler).ok();
    // Not always: references may name slots that nothing can be behind.
    if (whole) {
      EVE_CHECK(engine.root() == root && engine.recompute_root() == root, "not that state");
      return 0;
    }
  }
  EVE_CHECK(engine.root() == empty && engine.counts().slots == 0, "the engine is not empty");
  return 0;
}
