#include "state/chunk_format.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "eve/codec.h"

namespace eve::state {

namespace {

using crypto::Digest;

/// Reads a chunk's nodes in order, hashing from the leaves up. The first thing that is wrong ends
/// it: everything then returns nullopt.
class Reader {
 public:
  Reader(ByteView bytes, const ChunkRules& rules) : rest_(bytes), rules_(rules) {}

  bool header();
  std::optional<Digest> node(TreeNode id);
  bool at_end() const { return rest_.empty(); }
  const std::string& why() const { return why_; }
  Chunk& chunk() { return chunk_; }

 private:
  std::optional<ByteView> take(size_t size);
  template <typename T>
  std::optional<T> integer();
  std::optional<Digest> leaf(uint64_t slot);
  std::optional<Digest> inner(TreeNode id);
  std::optional<Digest> digest(TreeNode id, bool kept);
  std::nullopt_t wrong(std::string why);

  ByteView rest_;
  const ChunkRules& rules_;
  Chunk chunk_;
  std::string why_;
};

std::nullopt_t Reader::wrong(std::string why) {
  if (why_.empty()) why_ = std::move(why);
  return std::nullopt;
}

std::optional<ByteView> Reader::take(size_t size) {
  if (size > rest_.size()) return wrong("it is cut off");
  const ByteView taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

template <typename T>
std::optional<T> Reader::integer() {
  const auto bytes = take(sizeof(T));
  if (!bytes) return std::nullopt;
  return Codec<T>::decode(*bytes);
}

bool Reader::header() {
  const auto tag = take(1);
  if (!tag || tag->front() != kChunkTag) {
    wrong("it is no chunk of a state");
    return false;
  }
  const auto slots = integer<uint64_t>();
  if (!slots) return false;
  if (*slots > rules_.max_slots) {
    wrong("it claims more slots than a state may have");
    return false;
  }
  chunk_.slots = *slots;
  return true;
}

std::optional<Digest> Reader::node(TreeNode id) {
  const auto tag = take(1);
  if (!tag) return std::nullopt;
  switch (tag->front()) {
    case kFreeNode:
      if (id.level != 0) return wrong("a free slot stands where an inner node belongs");
      chunk_.free.add({id.index, id.index + 1});
      return Digest();
    case kLeafNode:
      if (id.level != 0) return wrong("a leaf stands where an inner node belongs");
      return leaf(id.index);
    case kInnerNode:
      if (id.level == 0) return wrong("an inner node stands where a leaf belongs");
      return inner(id);
    case kElsewhereNode:
      return digest(id, false);
    case kKeptNode:
      return digest(id, true);
    default:
      return wrong("a node is of no known kind");
  }
}

std::optional<Digest> Reader::leaf(uint64_t slot) {
  const auto size = integer<uint32_t>();
  if (!size) return std::nullopt;
  const auto payload = take(*size);
  if (!payload) return std::nullopt;
  const auto decoded = decode_leaf(*payload);
  if (!decoded) return wrong("a leaf is malformed");
  if (rules_.leaf_check != nullptr && !rules_.leaf_check(*decoded)) {
    return wrong("a leaf is none that this state can have");
  }
  const Digest digest = rules_.digester.digest(*payload);
  chunk_.leaves.push_back({slot, digest, *payload});
  return digest;
}

std::optional<Digest> Reader::inner(TreeNode id) {
  const uint64_t children = child_count(chunk_.slots, id);
  Bytes digests;
  for (uint64_t i = 0; i < children; ++i) {
    const auto child = node({static_cast<uint8_t>(id.level - 1), id.index * kFanout + i});
    if (!child) return std::nullopt;
    digests.append(child->view().substr(0, rules_.digester.size()));
  }
  Bytes payload;
  encode_inner(digests, payload);
  return rules_.digester.digest(payload);
}

std::optional<Digest> Reader::digest(TreeNode id, bool kept) {
  const auto bytes = take(rules_.digester.size());
  if (!bytes) return std::nullopt;
  const Digest digest = digest_from(*bytes);
  if (kept) chunk_.kept.emplace_back(id, digest);
  return digest;
}

}  // namespace

Result<Chunk> decode_chunk(ByteView bytes, const ChunkRules& rules) {
  const auto refuse = [](const std::string& why) {
    return Error{"the chunk is refused: " + why + "; ask another source"};
  };
  if (bytes.size() > kMaxChunkBytes) return refuse("it is too large");
  Reader reader(bytes, rules);
  if (!reader.header()) return refuse(reader.why());
  RootRecord record{reader.chunk().slots, {}};
  if (record.slots > 0) {
    const auto top = reader.node({top_level(record.slots), 0});
    if (!top) return refuse(reader.why());
    record.top = *top;
  }
  if (!reader.at_end()) return refuse("bytes follow its end");
  const Bytes payload = encode_root(record, rules.digester.size());
  if (rules.digester.digest(payload) != rules.root) return refuse("it is not of this root");
  return std::move(reader.chunk());
}

SlotRange slots_below(uint64_t slots, TreeNode id) {
  uint64_t width = 1;
  for (uint8_t level = 0; level < id.level; ++level) width *= kFanout;
  return {std::min(slots, id.index * width), std::min(slots, (id.index + 1) * width)};
}

}  // namespace eve::state
