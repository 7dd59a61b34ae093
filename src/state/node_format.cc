#include "state/node_format.h"

#include <algorithm>
#include <cstring>

#include "eve/codec.h"
#include "state/object.h"

namespace eve::state {

namespace {

constexpr char kLeafTag = 1;
constexpr char kRootTag = 3;
constexpr char kKeyedObject = 1;
constexpr size_t kLeafHeader = 2 + sizeof(uint16_t) + sizeof(uint32_t);

template <typename T>
T read(ByteView bytes, size_t offset) {
  return *Codec<T>::decode(bytes.substr(offset, sizeof(T)));
}

}  // namespace

uint64_t level_size(uint64_t slots, uint8_t level) {
  for (uint8_t i = 0; i < level; ++i) slots = (slots + kFanout - 1) / kFanout;
  return slots;
}

uint8_t top_level(uint64_t slots) {
  uint8_t level = 0;
  while (level_size(slots, level) > 1) ++level;
  return level;
}

uint64_t child_count(uint64_t slots, TreeNode id) {
  const uint64_t below = level_size(slots, static_cast<uint8_t>(id.level - 1));
  return std::min(kFanout, below - id.index * kFanout);
}

void encode_leaf(const Leaf& leaf, Bytes& out) {
  out.reserve(out.size() + kLeafHeader + leaf.key.size() + leaf.value.size());
  out.push_back(kLeafTag);
  out.push_back(kKeyedObject);
  Codec<uint16_t>::encode(leaf.table, out);
  Codec<uint32_t>::encode(static_cast<uint32_t>(leaf.key.size()), out);
  out.append(leaf.key);
  out.append(leaf.value);
}

std::optional<Leaf> decode_leaf(ByteView payload) {
  if (payload.size() < kLeafHeader) return std::nullopt;
  if (payload[0] != kLeafTag || payload[1] != kKeyedObject) return std::nullopt;
  const auto table = read<uint16_t>(payload, 2);
  const size_t key_size = read<uint32_t>(payload, 4);
  const ByteView rest = payload.substr(kLeafHeader);
  if (key_size > kMaxKeyBytes || key_size > rest.size()) return std::nullopt;
  if (rest.size() - key_size > kMaxValueBytes) return std::nullopt;
  return Leaf{table, rest.substr(0, key_size), rest.substr(key_size)};
}

void encode_inner(ByteView digests, Bytes& out) {
  out.push_back(kInnerTag);
  out.append(digests);
}

std::optional<ByteView> decode_inner(ByteView payload, uint64_t children, size_t digest_size) {
  if (payload.size() != 1 + children * digest_size || payload[0] != kInnerTag) return std::nullopt;
  return payload.substr(1);
}

Bytes encode_root(const RootRecord& root, size_t digest_size) {
  Bytes out;
  out.push_back(kRootTag);
  Codec<uint64_t>::encode(root.slots, out);
  out.append(root.top.view().substr(0, digest_size));
  return out;
}

std::optional<RootRecord> decode_root(ByteView payload, size_t digest_size) {
  if (payload.size() != 1 + sizeof(uint64_t) + digest_size) return std::nullopt;
  if (payload[0] != kRootTag) return std::nullopt;
  const RootRecord root{read<uint64_t>(payload, 1), digest_from(payload.substr(9))};
  if (root.slots > kMaxSlots) return std::nullopt;
  return root;
}

crypto::Digest digest_from(ByteView bytes) {
  crypto::Digest digest;
  std::memcpy(digest.bytes.data(), bytes.data(), std::min(bytes.size(), digest.bytes.size()));
  return digest;
}

}  // namespace eve::state
