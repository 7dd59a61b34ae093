#include "eve/pages.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <atomic>
#include <thread>
#include <vector>

#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::on_worker;
using testing::sha256;
using testing::ThreadScheduler;

constexpr size_t kSize = 1024;

struct World {
  World() : engine(sha256(), 8), state(engine), pages(state, "pages", kSize) {}
  void begin() { engine.begin(engine.last().next()); }
  void seal() { engine.seal(scheduler); }

  Engine engine;
  State state;
  Pages pages;
  InlineScheduler scheduler;
  Context context = on_worker(0);
};

bool is_aligned(ByteView page) {
  return reinterpret_cast<uintptr_t>(page.data()) % 16 == 0;
}

TEST(Pages, ReadAsZeroesUntilTheyAreWritten) {
  World w;
  const ByteView page = w.pages.read(w.context, Pages::kMaxPages - 1);
  EXPECT_EQ(page, Bytes(kSize, '\0'));
  EXPECT_TRUE(is_aligned(page));
  EXPECT_EQ(w.pages.read(w.context, 0).data(), page.data());
  EXPECT_EQ(w.pages.count(w.context), 0u);
}

TEST(Pages, AreReadInPlace) {
  World w;
  w.begin();
  for (uint64_t i = 0; i < 50; ++i) w.pages.write(w.context, i, Bytes(kSize, static_cast<char>(i)));
  w.pages.patch(w.context, 7, 0, "x");
  for (uint64_t i = 0; i < 50; ++i) {
    const ByteView page = w.pages.read(w.context, i);
    EXPECT_TRUE(is_aligned(page));
    EXPECT_EQ(page.data(), w.pages.read(w.context, i).data());
  }
  // What was read stays as it was, whoever writes.
  const ByteView before = w.pages.read(w.context, 3);
  w.pages.patch(w.context, 3, 10, "other");
  w.pages.write(w.context, 3, Bytes(kSize, 'n'));
  EXPECT_EQ(before, Bytes(kSize, '\3'));
  EXPECT_EQ(w.pages.read(w.context, 3), Bytes(kSize, 'n'));
  w.seal();
}

TEST(Pages, AreAlignedAfterATransferAndARollback) {
  World w;
  w.begin();
  for (uint64_t i = 0; i < 40; ++i) w.pages.write(w.context, i, Bytes(kSize, static_cast<char>(i)));
  w.seal();
  World other;
  Fetch fetch(other.engine, w.engine.root());
  while (!fetch.complete()) {
    for (const TreeNode id : fetch.wants(64)) {
      ASSERT_TRUE(fetch.supply(id, *w.engine.node(BatchNumber(1), id)));
    }
  }
  ASSERT_TRUE(fetch.install(BatchNumber(1), other.scheduler).ok());
  other.begin();
  other.pages.write(other.context, 5, Bytes(kSize, 'x'));
  other.seal();
  other.engine.rollback(BatchNumber(1), other.scheduler);
  for (uint64_t i = 0; i < 40; ++i) {
    EXPECT_TRUE(is_aligned(other.pages.read(other.context, i)));
    EXPECT_EQ(other.pages.read(other.context, i), Bytes(kSize, static_cast<char>(i)));
  }
}

TEST(Pages, AreCutOffWhenTheirNumberShrinks) {
  World w;
  const Bytes full(kSize, 'f');
  w.begin();
  w.pages.resize(w.context, 10);
  for (uint64_t i = 0; i < 12; ++i) w.pages.write(w.context, i, full);
  w.pages.resize(w.context, 4);
  EXPECT_EQ(w.pages.count(w.context), 4u);
  EXPECT_EQ(w.pages.read(w.context, 3), full);
  EXPECT_EQ(w.pages.read(w.context, 4), Bytes(kSize, '\0'));
  EXPECT_EQ(w.pages.read(w.context, 9), Bytes(kSize, '\0'));
  EXPECT_EQ(w.pages.read(w.context, 10), full);  // was beyond the end before
  // By far more than there are: done by what is there.
  w.pages.resize(w.context, Pages::kMaxPages);
  w.pages.resize(w.context, 1);
  w.seal();
  EXPECT_EQ(w.engine.counts().objects, 2u);
  EXPECT_EQ(w.pages.read(w.context, 0), full);
}

TEST(Pages, RefuseOtherSizes) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Engine engine(sha256(), 1);
  State state(engine);
  EXPECT_THROW(Pages(state, "a", 256), std::invalid_argument);
  EXPECT_THROW(Pages(state, "b", 1000), std::invalid_argument);
  EXPECT_THROW(Pages(state, "c", 131072), std::invalid_argument);
  World w;
  w.begin();
  EXPECT_THROW(w.pages.write(w.context, 0, "short"), std::invalid_argument);
  EXPECT_THROW(w.pages.patch(w.context, 0, kSize - 1, "ab"), std::out_of_range);
  EXPECT_THROW(w.pages.patch(w.context, 0, SIZE_MAX, "ab"), std::out_of_range);
  EXPECT_THROW(w.pages.read(w.context, Pages::kMaxPages), std::out_of_range);
  EXPECT_THROW(w.pages.resize(w.context, Pages::kMaxPages + 1), std::out_of_range);
}

TEST(Pages, DoAsAVectorDoes) {
  EXPECT_TRUE(rc::check([] {
    World w;
    std::vector<Bytes> model(8, Bytes(kSize, '\0'));
    w.begin();
    const int operations = *rc::gen::inRange(0, 200);
    for (int i = 0; i < operations; ++i) {
      const auto index = *rc::gen::inRange<uint64_t>(0, model.size());
      const auto fill = *rc::gen::arbitrary<char>();
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
          model[index].assign(kSize, fill);
          w.pages.write(w.context, index, model[index]);
          break;
        case 1:
        case 2: {
          const auto offset = *rc::gen::inRange<size_t>(0, kSize + 1);
          const Bytes bytes(*rc::gen::inRange<size_t>(0, kSize - offset + 1), fill);
          model[index].replace(offset, bytes.size(), bytes);
          w.pages.patch(w.context, index, offset, bytes);
          break;
        }
        default:
          w.seal();
          w.begin();
      }
    }
    for (size_t index = 0; index < model.size(); ++index) {
      RC_ASSERT(w.pages.read(w.context, index) == model[index]);
    }
  }));
}

// Eight workers patch bytes of their own in one page that was never written: all of it lands.
TEST(Pages, PatchesOfOnePageAllLand) {
  World w;
  ThreadScheduler scheduler(8);
  constexpr size_t kEach = kSize / 8;
  std::atomic<size_t> arrived{0};
  w.begin();
  scheduler.run(8, 1000, [&](size_t worker, size_t index) {
    Context context = on_worker(worker);
    Bytes own(kEach, '\0');
    ++arrived;
    while (arrived < 8) std::this_thread::yield();
    for (size_t i = 0; i < 8 * kEach; ++i) {
      const size_t at = i % kEach;
      own[at] = static_cast<char>(i / kEach + index + 1);
      w.pages.patch(context, 42, index * kEach + at, ByteView(own).substr(at, 1));
      ASSERT_EQ(w.pages.read(context, 42).substr(index * kEach, kEach), own);
    }
  });
  const ByteView page = w.pages.read(w.context, 42);
  for (size_t i = 0; i < kSize; ++i) EXPECT_EQ(page[i], static_cast<char>(8 + i / kEach));
  w.seal();
  EXPECT_EQ(w.engine.counts().objects, 1u);
  EXPECT_EQ(w.engine.recompute_root(), w.engine.root());
}

}  // namespace
}  // namespace eve::state
