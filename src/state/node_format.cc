#include "state/node_format.h"

#include <algorithm>
#include <cstring>

#include "eve/codec.h"
#include "state/object.h"
#include "state/references.h"

namespace eve::state {

namespace {

constexpr char kLeafTag = 1;
constexpr char kRootTag = 3;
constexpr char kKeyedObject = 1;
constexpr char kReferringObject = 2;
constexpr char kFreeStandingObject = 3;
constexpr size_t kLeafStart = 2 + sizeof(uint16_t);
constexpr size_t kLeafHeader = kLeafStart + sizeof(uint32_t);

template <typename T>
T read(ByteView bytes, size_t offset) {
  return *Codec<T>::decode(bytes.substr(offset, sizeof(T)));
}

/// Cuts a list of references off the front of `rest`; what remains is the value it is about.
std::optional<ByteView> cut_references(ByteView& rest) {
  if (rest.size() < sizeof(uint32_t)) return std::nullopt;
  const uint64_t size = uint64_t{read<uint32_t>(rest, 0)} * kOffsetBytes;
  rest.remove_prefix(sizeof(uint32_t));
  if (size > rest.size()) return std::nullopt;
  const ByteView references = rest.substr(0, size);
  rest.remove_prefix(size);
  if (!valid_references(references, rest.size())) return std::nullopt;
  return references;
}

char kind_of(const Leaf& leaf) {
  if (leaf.free_standing) return kFreeStandingObject;
  return leaf.references.empty() ? kKeyedObject : kReferringObject;
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
  const char kind = kind_of(leaf);
  out.reserve(out.size() + kLeafHeader + leaf.key.size() + sizeof(uint32_t) +
              leaf.references.size() + leaf.value.size());
  out.push_back(kLeafTag);
  out.push_back(kind);
  Codec<uint16_t>::encode(leaf.table, out);
  if (kind != kFreeStandingObject) {
    Codec<uint32_t>::encode(static_cast<uint32_t>(leaf.key.size()), out);
    out.append(leaf.key);
  }
  if (kind != kKeyedObject) {
    Codec<uint32_t>::encode(static_cast<uint32_t>(leaf.references.size() / kOffsetBytes), out);
    out.append(leaf.references);
  }
  out.append(leaf.value);
}

std::optional<Leaf> decode_leaf(ByteView payload) {
  if (payload.size() < kLeafHeader || payload[0] != kLeafTag) return std::nullopt;
  const char kind = payload[1];
  if (kind < kKeyedObject || kind > kFreeStandingObject) return std::nullopt;
  Leaf leaf;
  leaf.table = read<uint16_t>(payload, 2);
  leaf.free_standing = kind == kFreeStandingObject;
  ByteView rest = payload.substr(kLeafStart);
  if (!leaf.free_standing) {
    const size_t key_size = read<uint32_t>(rest, 0);
    rest.remove_prefix(sizeof(uint32_t));
    if (key_size > kMaxKeyBytes || key_size > rest.size()) return std::nullopt;
    leaf.key = rest.substr(0, key_size);
    rest.remove_prefix(key_size);
  }
  if (kind != kKeyedObject) {
    const auto references = cut_references(rest);
    if (!references || (references->empty() && !leaf.free_standing)) return std::nullopt;
    leaf.references = *references;
  }
  if (leaf.references.size() + rest.size() > kMaxValueBytes) return std::nullopt;
  leaf.value = rest;
  return leaf;
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
