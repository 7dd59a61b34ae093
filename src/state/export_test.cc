#include "state/export.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "state/chunk_format.h"
#include "state/import.h"
#include "state/table.h"
#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::Fixture;
using testing::sha256;
using testing::ThreadScheduler;

constexpr HistoryLimits kSmall{2, size_t{1} << 20, 4, size_t{4} << 20};

void put_many(Fixture& f, uint64_t count, size_t value_bytes = 10) {
  f.begin();
  for (uint64_t i = 0; i < count; ++i) {
    f.put(i % 2, std::to_string(i), Bytes(value_bytes, static_cast<char>('a' + i % 26)));
  }
  f.seal();
}

void write_randomly(Fixture& f, Random& random, uint64_t writes, uint64_t keys) {
  f.begin();
  for (uint64_t i = 0; i < writes; ++i) {
    const auto table = static_cast<uint16_t>(random.below(2));
    const std::string key = std::to_string(random.below(keys));
    if (random.chance(2, 5)) {
      f.erase(table, key);
    } else {
      f.put(table, key, std::to_string(random.next()));
    }
  }
  f.seal();
}

std::vector<ExportedChunk> all_chunks(Fixture& f, size_t chunk_bytes = 1 << 20) {
  Exporter exporter(f.engine, f.engine.last(), chunk_bytes);
  std::vector<ExportedChunk> chunks;
  while (auto chunk = exporter.next()) chunks.push_back(std::move(*chunk));
  return chunks;
}

template <typename T>
void shuffle(std::vector<T>& items, Random& random) {
  for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

void expect_same(Fixture& x, Fixture& y) {
  ASSERT_EQ(x.engine.root(), y.engine.root());
  EXPECT_EQ(x.engine.recompute_root(), x.engine.root());
  EXPECT_EQ(x.engine.counts().objects, y.engine.counts().objects);
  EXPECT_EQ(x.engine.counts().slots, y.engine.counts().slots);
  // And they go on alike: slots, the free ones too, are the same.
  for (uint64_t i = 0; i < 3; ++i) {
    Random same(i);
    Random same_again(i);
    write_randomly(x, same, 60, 100);
    write_randomly(y, same_again, 60, 100);
    ASSERT_EQ(x.engine.root(), y.engine.root());
  }
  x.rollback(x.engine.last().value() - 2);
  y.rollback(y.engine.last().value() - 2);
  EXPECT_EQ(x.engine.root(), y.engine.root());
  EXPECT_EQ(x.engine.recompute_root(), y.engine.root());
}

/// Nothing is there, and batches run as in an engine that is new.
void expect_empty(Fixture& f) {
  EXPECT_EQ(f.engine.counts().objects, 0u);
  EXPECT_EQ(f.engine.counts().slots, 0u);
  EXPECT_EQ(f.engine.recompute_root(), f.engine.root());
  Fixture fresh;
  put_many(f, 40);
  put_many(fresh, 40);
  EXPECT_EQ(f.engine.root(), fresh.engine.root());
}

void round_trip(Fixture& source, const crypto::Digester& digester, size_t chunk_bytes,
                Scheduler& scheduler, Random& random) {
  auto chunks = all_chunks(source, chunk_bytes);
  uint64_t slots = 0;
  for (const ExportedChunk& chunk : chunks) {
    EXPECT_EQ(chunk.number, source.engine.last());
    slots += chunk.slots.end - chunk.slots.first;
  }
  EXPECT_EQ(slots, source.engine.counts().slots);  // each leaf once
  shuffle(chunks, random);
  for (size_t i = chunks.size() / 3; i > 0; --i) chunks.push_back(chunks[random.below(i)]);

  Fixture target(digester);
  Importer importer(target.engine, source.engine.root());
  EXPECT_FALSE(importer.complete());
  EXPECT_FALSE(importer.missing(1).empty());
  for (const ExportedChunk& chunk : chunks) {
    const Status taken = importer.supply(chunk.bytes);
    ASSERT_TRUE(taken.ok()) << taken.message();
  }
  EXPECT_TRUE(importer.complete());
  EXPECT_TRUE(importer.missing(1).empty());
  const BatchNumber n(77);
  const Status finished = importer.finish(n, scheduler);
  ASSERT_TRUE(finished.ok()) << finished.message();
  EXPECT_EQ(target.engine.last(), n);
  EXPECT_EQ(target.engine.committed(), n);
  EXPECT_EQ(target.engine.oldest(), n);
  expect_same(target, source);
}

TEST(Export, OfEverySizeIsImportedAsItWas) {
  Random random(1);
  InlineScheduler alone;
  ThreadScheduler threads(4);
  for (const auto algorithm : {crypto::DigestAlgorithm::kSha256, crypto::DigestAlgorithm::kXxh3}) {
    const crypto::Digester& digester = testing::digester(algorithm);
    for (const uint64_t size : {0u, 1u, 2u, 15u, 16u, 17u, 255u, 256u, 257u, 5000u}) {
      for (const size_t chunk_bytes : {size_t{1}, size_t{700}, size_t{9'000}, size_t{1} << 20}) {
        if (size == 5000 && chunk_bytes < 700) continue;
        SCOPED_TRACE(std::to_string(size) + " leaves, chunks of " + std::to_string(chunk_bytes));
        Fixture source(digester);
        put_many(source, size);
        round_trip(
            source, digester, chunk_bytes,
            size % 2 == 0 ? static_cast<Scheduler&>(alone) : static_cast<Scheduler&>(threads),
            random);
      }
    }
  }
}

TEST(Export, WithHolesAndBigValuesIsImportedAsItWas) {
  ThreadScheduler threads(4);
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Fixture source;
    for (int i = 0; i < 6; ++i) write_randomly(source, random, 200, 50 + random.below(500));
    source.begin();
    for (uint64_t i = random.below(4); i > 0; --i) {
      source.put(0, std::to_string(i), Bytes(random.below(200'000), 'x'));
    }
    source.seal();
    round_trip(source, sha256(), size_t{1} << random.below(18), threads, random);
  }
}

TEST(Export, ChunksAreAlignedSubtreesWithinTheLimit) {
  Fixture f;
  put_many(f, 3000, 50);
  f.begin();
  f.put(0, "100", Bytes(30'000, 'x'));
  f.seal();
  const size_t limit = 20'000;
  size_t big = 0;
  uint64_t next = 0;
  for (const ExportedChunk& chunk : all_chunks(f, limit)) {
    EXPECT_EQ(chunk.slots.first, next);
    next = chunk.slots.end;
    const uint64_t width = chunk.slots.end - chunk.slots.first;
    if (next < 3000) {
      EXPECT_TRUE(width == 1 || width == 16 || width == 256) << width;
      EXPECT_EQ(chunk.slots.first % width, 0u);
    }
    if (chunk.bytes.size() > limit + 3 * 16 * 33) {
      EXPECT_EQ(width, 1u);
      ++big;
    }
  }
  EXPECT_EQ(next, 3000u);
  EXPECT_EQ(big, 1u);
  // Two sources cut alike, and a chunk asked for by its first slot is the same one.
  Exporter exporter(f.engine, f.engine.last(), limit);
  for (const ExportedChunk& chunk : all_chunks(f, limit)) {
    EXPECT_EQ(exporter.chunk(chunk.slots.first)->bytes, chunk.bytes);
  }
  EXPECT_FALSE(exporter.chunk(3000));
}

TEST(Import, AsksForWhatIsMissing) {
  Random random(3);
  Fixture source;
  put_many(source, 2000);
  Exporter exporter(source.engine, source.engine.last(), 2000);
  Fixture target;
  Importer importer(target.engine, *exporter.root());
  // Most of a first source's chunks are lost.
  size_t lost = 0;
  while (const auto chunk = exporter.next()) {
    if (random.chance(1, 4)) {
      ASSERT_TRUE(importer.supply(chunk->bytes).ok());
    } else {
      ++lost;
    }
  }
  EXPECT_FALSE(importer.finish(BatchNumber(1), target.scheduler).ok());
  size_t asked = 0;
  while (!importer.complete()) {
    for (const SlotRange& range : importer.missing(3)) {
      ASSERT_TRUE(importer.supply(exporter.chunk(range.first)->bytes).ok());
      ++asked;
    }
  }
  EXPECT_GT(lost, 50u);
  EXPECT_EQ(asked, lost);
  ASSERT_TRUE(importer.finish(BatchNumber(1), target.scheduler).ok());
  expect_same(target, source);
}

TEST(Import, RefusesBadChunksAndGoesOn) {
  Random random(4);
  Fixture source;
  put_many(source, 300);
  Fixture other;
  put_many(other, 301);
  Fixture target;
  Importer importer(target.engine, source.engine.root());
  EXPECT_FALSE(importer.supply(all_chunks(other)[0].bytes).ok());
  EXPECT_FALSE(importer.supply("").ok());
  for (const ExportedChunk& chunk : all_chunks(source, 3000)) {
    for (int i = 0; i < 20; ++i) {
      Bytes bad = chunk.bytes;
      bad[random.below(bad.size())] ^= 16;
      EXPECT_FALSE(importer.supply(bad).ok());
      EXPECT_FALSE(importer.supply(ByteView(chunk.bytes).substr(0, random.below(bad.size()))).ok());
    }
    EXPECT_TRUE(importer.supply(chunk.bytes).ok());
  }
  ASSERT_TRUE(importer.finish(BatchNumber(1), target.scheduler).ok());
  expect_same(target, source);
}

// Each byte of each chunk, each way: whatever is let in, the state that comes out is the right one.
TEST(Import, OfFlippedBytesIsHarmless) {
  Fixture source;
  put_many(source, 40);
  const auto chunks = all_chunks(source, 500);
  ASSERT_GT(chunks.size(), 2u);
  Fixture target;
  Importer importer(target.engine, source.engine.root());
  for (int round = 0; round < 2; ++round) {  // before the chunks have come, and after
    for (const ExportedChunk& chunk : chunks) {
      for (size_t at = 0; at < chunk.bytes.size(); ++at) {
        Bytes bad = chunk.bytes;
        bad[at] ^= static_cast<char>(1 + at % 255);
        (void)importer.supply(bad);
      }
      if (round == 0) {
        EXPECT_FALSE(importer.complete());
      }
    }
    for (const ExportedChunk& chunk : chunks) ASSERT_TRUE(importer.supply(chunk.bytes).ok());
  }
  ASSERT_TRUE(importer.finish(BatchNumber(1), target.scheduler).ok());
  expect_same(target, source);
}

TEST(Import, GivenUpLeavesTheEngineEmptyAndUsable) {
  Fixture source;
  put_many(source, 500);
  const auto chunks = all_chunks(source, 2000);
  Fixture target;
  for (size_t taken = 0; taken < chunks.size(); taken += 3) {
    Importer importer(target.engine, source.engine.root());
    for (size_t i = 0; i < taken; ++i) ASSERT_TRUE(importer.supply(chunks[i].bytes).ok());
  }
  EXPECT_EQ(target.engine.last(), BatchNumber(0));
  for (uint64_t i = 0; i < 500; ++i) {
    EXPECT_EQ(target.engine.table(i % 2 == 0 ? "a" : "b").find(std::to_string(i)), nullptr);
  }
  {
    Importer importer(target.engine, source.engine.root());
    for (const ExportedChunk& chunk : chunks) ASSERT_TRUE(importer.supply(chunk.bytes).ok());
  }  // complete, but never finished
  expect_empty(target);
  target.rollback(0);
  Importer importer(target.engine, source.engine.root());
  for (const ExportedChunk& chunk : chunks) ASSERT_TRUE(importer.supply(chunk.bytes).ok());
  ASSERT_TRUE(importer.finish(BatchNumber(1), target.scheduler).ok());
  expect_same(target, source);
}

/// A chunk of a tree of two leaves: each in full, or its digest behind a tag.
struct TwoLeaves {
  TwoLeaves(ByteView first_key, ByteView second_key) {
    encode_leaf({0, first_key, "v"}, payloads[0]);
    encode_leaf({0, second_key, "v"}, payloads[1]);
  }
  crypto::Digest root() const {
    return root_of_leaves(sha256(), {sha256().digest(payloads[0]), sha256().digest(payloads[1])});
  }
  Bytes chunk(char first_tag, char second_tag) const {
    Bytes bytes("\x05\x02\0\0\0\0\0\0\0\x02", 10);
    for (const auto& [tag, payload] :
         {std::pair(first_tag, payloads[0]), {second_tag, payloads[1]}}) {
      bytes.push_back(tag);
      if (tag == kLeafNode) {
        bytes.push_back(static_cast<char>(payload.size()));
        bytes += Bytes(3, '\0') + payload;
      } else {
        bytes += sha256().digest(payload).view();
      }
    }
    return bytes;
  }
  std::array<Bytes, 2> payloads;
};

// A key that has changed its slot between two versions is nowhere else any more.
TEST(Import, FollowsAKeyFromSlotToSlot) {
  const TwoLeaves first("k", "y");
  const TwoLeaves second("x", "k");
  const TwoLeaves third("k", "z");
  Fixture target;
  Importer importer(target.engine, first.root());
  ASSERT_TRUE(importer.supply(first.chunk(kLeafNode, kLeafNode)).ok());
  importer.retarget(second.root());
  ASSERT_TRUE(importer.supply(second.chunk(kElsewhereNode, kLeafNode)).ok());
  EXPECT_EQ(importer.missing(9), (std::vector<SlotRange>{{0, 1}}));
  importer.retarget(third.root());
  ASSERT_TRUE(importer.supply(third.chunk(kKeptNode, kLeafNode)).ok());
  EXPECT_EQ(importer.missing(9), (std::vector<SlotRange>{{0, 1}}));  // it was kept once, not now
  ASSERT_TRUE(importer.supply(third.chunk(kLeafNode, kElsewhereNode)).ok());
  importer.retarget(first.root());
  ASSERT_TRUE(importer.supply(first.chunk(kKeptNode, kLeafNode)).ok());
  ASSERT_TRUE(importer.finish(BatchNumber(1), target.scheduler).ok());
  EXPECT_EQ(target.engine.root(), first.root());
  EXPECT_EQ(target.engine.recompute_root(), first.root());
}

// One key in two slots: every chunk is authentic, but they are no state.
TEST(Import, OfCertifiedNonsenseFails) {
  const TwoLeaves nonsense("k", "k");
  const Bytes chunk = nonsense.chunk(kLeafNode, kLeafNode);
  Fixture target;
  {
    Importer importer(target.engine, nonsense.root());
    const Status taken = importer.supply(chunk);
    EXPECT_NE(taken.message().find("slot 0"), std::string::npos) << taken.message();
    EXPECT_FALSE(importer.complete());
    EXPECT_FALSE(importer.supply(chunk).ok());
  }
  expect_empty(target);
}

TEST(Export, OfAVersionKeptWhileBatchesCommit) {
  Random random(5);
  Fixture source(sha256(), 8, HistoryLimits{2, size_t{1} << 20, 1000, size_t{1} << 30});
  put_many(source, 1000);
  source.commit(1);
  const auto root = source.engine.root();
  Exporter exporter(source.engine, BatchNumber(1), 4000);
  Fixture target;
  Importer importer(target.engine, root);
  while (const auto chunk = exporter.next()) {
    EXPECT_EQ(chunk->number, BatchNumber(1));
    ASSERT_TRUE(importer.supply(chunk->bytes).ok());
    write_randomly(source, random, 50, 1500);
    source.commit(source.engine.last().value());
  }
  EXPECT_EQ(exporter.moved(), 0u);
  ASSERT_TRUE(importer.finish(BatchNumber(1), target.scheduler).ok());
  EXPECT_EQ(target.engine.root(), root);
  EXPECT_EQ(target.engine.recompute_root(), root);
}

/// Carries an export whose pin is moved again and again; `lost` of a hundred chunks do not arrive.
void export_while_moving(uint64_t seed, uint64_t lost, size_t chunk_bytes) {
  Random random(seed);
  Fixture source(sha256(), 8, kSmall);
  put_many(source, 1200);
  source.commit(1);
  Exporter exporter(source.engine, BatchNumber(1), chunk_bytes);
  Fixture target;
  Importer importer(target.engine, *exporter.root());
  BatchNumber number = exporter.number();
  int batches = 40;
  const auto take = [&](const ExportedChunk& chunk) {
    if (chunk.number != number) {
      number = chunk.number;
      importer.retarget(*exporter.root());
      EXPECT_FALSE(importer.complete());
    }
    const Status taken = importer.supply(chunk.bytes);
    ASSERT_TRUE(taken.ok()) << taken.message();
  };
  while ((!importer.complete() || number != exporter.number()) &&
         !::testing::Test::HasFatalFailure()) {
    if (batches > 0 && random.chance(1, 8)) {
      --batches;
      write_randomly(source, random, 10, 1300);
      source.commit(source.engine.last().value());
    }
    if (const auto chunk = exporter.next()) {
      if (!random.chance(lost, 100)) take(*chunk);
      continue;
    }
    const auto missing = importer.missing(1);
    if (!missing.empty()) take(*exporter.chunk(missing[0].first));
  }
  EXPECT_GT(exporter.moved(), 0u);
  ASSERT_TRUE(importer.finish(number, target.scheduler).ok());
  EXPECT_EQ(target.engine.root(), source.engine.root_at(number));
  EXPECT_EQ(target.engine.recompute_root(), target.engine.root());
}

TEST(Export, GoesOnWithANewerVersionWhenItsPinIsMoved) {
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(seed);
    export_while_moving(seed, 0, 2000);
    export_while_moving(seed, 30, 1000);
  }
}

TEST(Export, SendsOnlyWhatDiffersAfterAMove) {
  Fixture source(testing::digester(crypto::DigestAlgorithm::kXxh3), 8, kSmall);
  put_many(source, 5000, 100);
  source.commit(1);
  Exporter exporter(source.engine, BatchNumber(1), 10'000);
  Fixture target(testing::digester(crypto::DigestAlgorithm::kXxh3));
  Importer importer(target.engine, *exporter.root());
  size_t first = 0;
  while (const auto chunk = exporter.next()) {
    ASSERT_TRUE(importer.supply(chunk->bytes).ok());
    first += chunk->bytes.size();
  }
  for (int i = 0; i < 5; ++i) {
    source.begin();
    source.put(0, "4242", std::to_string(i));
    source.erase(1, "7");
    source.seal();
    source.commit(source.engine.last().value());
  }
  ASSERT_EQ(exporter.moved(), 1u);
  EXPECT_EQ(exporter.number(), BatchNumber(6));
  importer.retarget(*exporter.root());
  size_t second = 0;
  size_t leaves = 0;
  while (const auto chunk = exporter.next()) {
    const auto read = decode_chunk(
        chunk->bytes, {testing::digester(crypto::DigestAlgorithm::kXxh3), *exporter.root()});
    ASSERT_TRUE(read.ok());
    leaves += read->leaves.size();
    ASSERT_TRUE(importer.supply(chunk->bytes).ok());
    second += chunk->bytes.size();
  }
  EXPECT_EQ(leaves, 1u);
  EXPECT_LT(second, first / 100);
  ASSERT_TRUE(importer.finish(BatchNumber(6), target.scheduler).ok());
  expect_same(target, source);
}

// What the exporter believes to be there counts only if it is.
TEST(Import, ChecksWhatItIsSaidToHold) {
  Fixture source(sha256(), 8, kSmall);
  put_many(source, 100);
  source.commit(1);
  Exporter exporter(source.engine, BatchNumber(1));
  while (exporter.next()) continue;  // none of it arrives
  for (int i = 0; i < 5; ++i) {
    source.begin();
    source.put(0, "0", std::to_string(i));
    source.seal();
    source.commit(source.engine.last().value());
  }
  Fixture target;
  Importer importer(target.engine, *exporter.root());
  while (const auto chunk = exporter.next()) ASSERT_TRUE(importer.supply(chunk->bytes).ok());
  EXPECT_FALSE(importer.complete());
  EXPECT_FALSE(importer.finish(BatchNumber(6), target.scheduler).ok());
  ASSERT_TRUE(importer.supply(exporter.chunk(0)->bytes).ok());
  ASSERT_TRUE(importer.finish(BatchNumber(6), target.scheduler).ok());
  expect_same(target, source);
}

TEST(Export, EndsWithItsPin) {
  Fixture source;
  put_many(source, 10);
  EXPECT_TRUE(Exporter(source.engine, BatchNumber(2)).ended());
  Exporter exporter(source.engine, BatchNumber(1));
  EXPECT_FALSE(exporter.ended());
  EXPECT_TRUE(exporter.chunk(0));
  source.rollback(0);
  EXPECT_TRUE(exporter.ended());
  EXPECT_FALSE(exporter.next());
  EXPECT_FALSE(exporter.chunk(0));
  EXPECT_FALSE(exporter.root());
}

TEST(Import, EndsPinsAndTakesOverBatchNumbers) {
  Fixture source;
  put_many(source, 10);
  Fixture target;
  target.begin();
  target.seal();
  const auto pin = target.engine.pin(BatchNumber(1));
  Importer importer(target.engine, source.engine.root());
  for (const ExportedChunk& chunk : all_chunks(source)) {
    ASSERT_TRUE(importer.supply(chunk.bytes).ok());
  }
  EXPECT_FALSE(pin->ended());
  ASSERT_TRUE(importer.finish(BatchNumber(9), target.scheduler).ok());
  EXPECT_TRUE(pin->ended());
  EXPECT_FALSE(target.engine.root_at(BatchNumber(1)));
  EXPECT_EQ(target.engine.root_at(BatchNumber(9)), source.engine.root());
}

TEST(ImportDeathTest, NeedsAnEmptyEngine) {
  Fixture f;
  put_many(f, 1);
  EXPECT_DEATH(Importer(f.engine, f.engine.root()), "empty engine");
}

}  // namespace
}  // namespace eve::state
