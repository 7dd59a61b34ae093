#include "state/ordered_index.h"

#include <gtest/gtest.h>

#include <memory>

#include "state/test_support.h"

namespace eve::state {
namespace {

struct World {
  Object& object(ByteView key, bool present) {
    Object* made = Object::make(digester.keyed_hash(key), 0, key);
    objects.emplace_back(made, Object::destroy);
    if (present) set(*made, true);
    return *made;
  }
  void set(Object& object, bool present) {
    object.word = present ? Word::of(version.get()) : Word::absent(1);
  }
  std::optional<OrderedIndex::Found> first(bool last_resort) {
    return index.first(last_resort ? nullptr : &context, Cut::start(), Cut::end(), nullptr);
  }
  std::optional<OrderedIndex::Found> last(bool last_resort) {
    return index.last(last_resort ? nullptr : &context, Cut::start(), Cut::end());
  }

  const crypto::Digester& digester = testing::sha256();
  std::unique_ptr<Version, void (*)(Version*)> version{Version::make(1, ""), Version::destroy};
  std::vector<std::unique_ptr<Object, void (*)(Object*)>> objects;
  OrderedIndex index{2};
  Context context = testing::on_worker(0);
};

TEST(OrderedIndex, CutsSortAsKeysDo) {
  EXPECT_EQ(Cut::prefix_of("abcdefgh"), 0x6162636465666768u);
  EXPECT_EQ(Cut::prefix_of("abcdefghi"), Cut::prefix_of("abcdefgh"));
  EXPECT_EQ(Cut::prefix_of("\xff"), 0xff00000000000000u);
  EXPECT_EQ(Cut::prefix_of(Bytes("\0", 1)), Cut::prefix_of(""));
}

// An absent key that is about to appear may do so unseen right after it was looked at.
TEST(OrderedIndex, IsNotSureOfWhatIsJustAppearing) {
  World w;
  OrderedIndex::Node& absent = w.index.insert(0, w.object("a", false));
  OrderedIndex::Node& present = w.index.insert(0, w.object("b", true));
  OrderedIndex::Node& also_absent = w.index.insert(0, w.object("c", false));
  EXPECT_EQ(w.first(false)->node, &present);
  EXPECT_EQ(w.last(false)->node, &present);
  {
    const OrderedIndex::Appearing appearing(absent);
    EXPECT_FALSE(w.first(false));
    EXPECT_EQ(w.first(true)->node, &present);
    EXPECT_EQ(w.last(false)->node, &present);
  }
  {
    const OrderedIndex::Appearing appearing(also_absent);
    EXPECT_EQ(w.first(false)->node, &present);
    EXPECT_FALSE(w.last(false));
    EXPECT_EQ(w.last(true)->node, &present);
  }
  EXPECT_EQ(w.first(false)->node, &present);
  EXPECT_EQ(w.last(false)->node, &present);
}

TEST(OrderedIndex, KeepsOneNodeAnObjectAndForgetsAbsentOnes) {
  World w;
  const size_t empty = w.index.bytes();
  for (int i = 0; i < 500; ++i) {
    Object& object = w.object(std::to_string(i), true);
    OrderedIndex::Node& node = w.index.insert(static_cast<size_t>(i) % 2, object);
    EXPECT_EQ(&w.index.insert(0, object), &node);
  }
  const size_t full = w.index.bytes();
  EXPECT_GT(full, empty + 500 * 32);
  for (const auto& object : w.objects) {
    w.index.vanished(0, *object);
    w.index.vanished(1, *object);
    if (object->key() != "123") w.set(*object, false);
  }
  w.index.sweep();
  EXPECT_EQ(w.first(false)->node->object().key(), "123");
  EXPECT_LT(w.index.bytes(), full);
  w.set(w.first(false)->node->object(), false);
  w.index.vanished(0, *w.objects[123]);
  w.index.sweep();
  EXPECT_EQ(w.first(false)->node, nullptr);
  EXPECT_EQ(w.last(false)->node, nullptr);
}

}  // namespace
}  // namespace eve::state
