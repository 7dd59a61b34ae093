#include <gtest/gtest.h>

#include <algorithm>

#include "eve/codec.h"
#include "state/chunk_format.h"
#include "state/export.h"
#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::Fixture;
using testing::sha256;

Bytes le(uint64_t value, size_t size) {
  Bytes bytes;
  Codec<uint64_t>::encode(value, bytes);
  return bytes.substr(0, size);
}

Bytes leaf_payload(ByteView key, ByteView value, uint16_t table = 0) {
  Bytes payload;
  encode_leaf({table, key, value}, payload);
  return payload;
}

Bytes leaf_node(ByteView payload) {
  return "\x01" + le(payload.size(), 4) + Bytes(payload);
}

Bytes chunk_of(uint64_t slots, ByteView node) {
  return "\x05" + le(slots, 8) + Bytes(node);
}

/// The root of a state with these leaf payloads; an empty one is a free slot.
crypto::Digest root_of(const std::vector<Bytes>& payloads) {
  std::vector<crypto::Digest> digests;
  for (const Bytes& payload : payloads) {
    digests.push_back(payload.empty() ? crypto::Digest() : sha256().digest(payload));
  }
  return root_of_leaves(sha256(), std::move(digests));
}

std::string refusal(ByteView bytes, const crypto::Digest& root, uint64_t max_slots = kMaxSlots) {
  const auto chunk = decode_chunk(
      bytes, {sha256(), root, max_slots, [](const Leaf& leaf) { return leaf.table < 2; }});
  return chunk.ok() ? "" : chunk.message();
}

/// Whether the refusal says `why`.
void expect_refused(ByteView bytes, const crypto::Digest& root, ByteView why) {
  EXPECT_NE(refusal(bytes, root).find(why), std::string::npos) << refusal(bytes, root);
}

const Bytes kFree("\0", 1);

TEST(Chunk, IsWhatTheHeaderSays) {
  const Bytes a = leaf_payload("a", "1");
  const Bytes b = leaf_payload("b", "2", 1);
  const crypto::Digest root = root_of({a, "", b});
  const Bytes digest_a(sha256().digest(a).view());
  const Bytes digest_b(sha256().digest(b).view());

  const Bytes bytes = chunk_of(3, "\x02" + leaf_node(a) + kFree + leaf_node(b));
  const auto whole = decode_chunk(bytes, {sha256(), root, 3});
  ASSERT_TRUE(whole.ok()) << whole.message();
  EXPECT_EQ(whole->slots, 3u);
  ASSERT_EQ(whole->leaves.size(), 2u);
  EXPECT_EQ(whole->leaves[0].slot, 0u);
  EXPECT_EQ(whole->leaves[0].payload, a);
  EXPECT_EQ(whole->leaves[1].slot, 2u);
  EXPECT_EQ(whole->leaves[1].digest, sha256().digest(b));
  EXPECT_EQ(whole->free.ranges(), (std::vector<SlotRange>{{1, 2}}));
  EXPECT_TRUE(whole->kept.empty());

  const Bytes cut = chunk_of(3, "\x02\x03" + digest_a + kFree + "\x04" + digest_b);
  const auto partly = decode_chunk(cut, {sha256(), root, 3});
  ASSERT_TRUE(partly.ok()) << partly.message();
  EXPECT_TRUE(partly->leaves.empty());
  ASSERT_EQ(partly->kept.size(), 1u);
  EXPECT_EQ(partly->kept[0].first, (TreeNode{0, 2}));
  EXPECT_EQ(partly->kept[0].second, sha256().digest(b));

  EXPECT_EQ(refusal(chunk_of(0, ""), root_of({})), "");
  EXPECT_EQ(refusal(chunk_of(1, kFree), root_of({""})), "");
}

TEST(Chunk, IsRefusedWithTheReason) {
  const Bytes a = leaf_payload("a", "1");
  const crypto::Digest one = root_of({a});
  const crypto::Digest two = root_of({a, ""});
  EXPECT_EQ(refusal(chunk_of(1, leaf_node(a)), one), "");
  EXPECT_EQ(refusal(chunk_of(2, "\x02" + leaf_node(a) + kFree), two), "");

  expect_refused("", one, "cut off");
  expect_refused("\x05", one, "cut off");
  expect_refused("\x03" + le(1, 8), one, "no chunk");
  expect_refused(chunk_of(1, ""), one, "cut off");
  expect_refused(chunk_of(1, "\x01\xff\xff\xff\xff"), one, "cut off");
  expect_refused(chunk_of(1, leaf_node(a)) + "x", one, "follow");
  expect_refused(chunk_of(0, kFree), root_of({}), "follow");
  expect_refused(chunk_of(1, "\x05"), one, "no known kind");
  expect_refused(chunk_of(1, "\x02" + leaf_node(a)), one, "where a leaf belongs");
  expect_refused(chunk_of(2, leaf_node(a)), two, "where an inner node belongs");
  expect_refused(chunk_of(2, kFree), two, "where an inner node belongs");
  expect_refused(chunk_of(1, leaf_node("nonsense")), one, "malformed");
  expect_refused(chunk_of(1, leaf_node(leaf_payload("a", "1", 2))), one, "can have");
  expect_refused(chunk_of(1, leaf_node(leaf_payload("a", "2"))), one, "not of this root");
  expect_refused(chunk_of(1, leaf_node(a)), two, "not of this root");
  expect_refused(chunk_of(kMaxSlots + 1, kFree), one, "more slots");
  expect_refused(chunk_of(~uint64_t{0}, kFree), one, "more slots");
  EXPECT_NE(refusal(chunk_of(2, "\x02" + leaf_node(a) + kFree), two, 1), "");
  expect_refused(Bytes(kMaxChunkBytes + 1, '\x05'), one, "too large");
  // The largest tree there is, opened as far as nothing follows.
  expect_refused(chunk_of(kMaxSlots, Bytes(200, '\x02')), one, "where a leaf belongs");
}

// Free slots that alternate, and kept digests, are the most that few bytes can ask memory for.
TEST(Chunk, RunsOfFreeSlotsCostNothing) {
  const uint64_t slots = 65'536;
  Bytes node = kFree;
  for (int level = 0; level < 4; ++level) {
    Bytes above(1, kInnerNode);
    for (int i = 0; i < 16; ++i) above += node;
    node = above;
  }
  std::vector<Bytes> payloads(slots);
  const auto chunk = decode_chunk(chunk_of(slots, node), {sha256(), root_of(payloads)});
  ASSERT_TRUE(chunk.ok()) << chunk.message();
  EXPECT_EQ(chunk->free.ranges(), (std::vector<SlotRange>{{0, slots}}));
}

TEST(Chunk, WithAnyByteFlippedIsRefusedOrSaysNoMore) {
  Fixture f;
  f.begin();
  for (int i = 0; i < 20; ++i) f.put(0, "key" + std::to_string(i), "value");
  f.seal();
  f.begin();
  f.erase(0, "key3");
  const crypto::Digest root = f.seal();
  Exporter exporter(f.engine, BatchNumber(2), 60);
  const ChunkRules rules{sha256(), root, kMaxSlots};
  while (const auto cut = exporter.next()) {
    const auto whole = decode_chunk(cut->bytes, rules);
    ASSERT_TRUE(whole.ok()) << whole.message();
    for (size_t at = 0; at < cut->bytes.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        Bytes flipped = cut->bytes;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
        const auto chunk = decode_chunk(flipped, rules);
        if (!chunk.ok()) continue;
        // Only which of two kinds of digest it is; and kept digests are checked by who keeps.
        EXPECT_EQ(chunk->leaves.size(), whole->leaves.size());
        EXPECT_EQ(chunk->free.ranges(), whole->free.ranges());
      }
    }
  }
}

TEST(Chunk, OfRandomBytesIsNoTrouble) {
  Random random(11);
  for (int i = 0; i < 20'000; ++i) {
    // Mostly bytes that mean something.
    Bytes bytes = chunk_of(random.below(600), "");
    for (uint64_t n = random.below(120); n > 0; --n) {
      bytes.push_back(static_cast<char>(random.chance(7, 8) ? random.below(6) : random.next()));
    }
    EXPECT_FALSE(decode_chunk(bytes, {sha256(), {}, kMaxSlots}).ok());
    EXPECT_FALSE(decode_chunk(bytes.substr(random.below(9)), {sha256(), {}, kMaxSlots}).ok());
  }
}

TEST(SlotRanges, AreASet) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    SlotRanges ranges;
    std::vector<bool> model(100);
    for (int i = 0; i < 200; ++i) {
      const uint64_t first = random.below(100);
      const uint64_t end = first + random.below(101 - first) / (1 + random.below(8));
      const bool add = random.chance(1, 2);
      if (add) {
        ranges.add({first, end});
      } else {
        ranges.remove({first, end});
      }
      std::fill(model.begin() + static_cast<std::ptrdiff_t>(first),
                model.begin() + static_cast<std::ptrdiff_t>(end), add);
      ASSERT_EQ(ranges.count(),
                static_cast<uint64_t>(std::count(model.begin(), model.end(), true)));
      for (uint64_t slot = 0; slot < 100; ++slot) ASSERT_EQ(ranges.contains(slot), model[slot]);
      const uint64_t a = random.below(100);
      const uint64_t b = a + random.below(101 - a);
      ASSERT_EQ(
          ranges.contains(SlotRange{a, b}),
          std::all_of(model.begin() + static_cast<std::ptrdiff_t>(a),
                      model.begin() + static_cast<std::ptrdiff_t>(b), [](bool x) { return x; }));
      const auto missing = ranges.missing(90, 1000);
      SlotRanges complement;
      for (const SlotRange& range : missing) complement.add(range);
      for (uint64_t slot = 0; slot < 100; ++slot) {
        ASSERT_EQ(complement.contains(slot), slot < 90 && !model[slot]);
      }
      ASSERT_EQ(complement.ranges(), missing);  // maximal, and in order
      ASSERT_EQ(ranges.missing(90, 1).size(), missing.empty() ? 0u : 1u);
    }
  }
}

}  // namespace
}  // namespace eve::state
