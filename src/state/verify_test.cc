// A violation that is planted stops the process.
#include "state/verify.h"

#include <gtest/gtest.h>

#include <memory>

#include "state/table.h"
#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::Fixture;

struct FreeObject {
  void operator()(Object* object) const { Object::destroy(object); }
};
struct FreeVersion {
  void operator()(Version* version) const { Version::destroy(version); }
};

/// An undo log with two workers, an object and a version from before the batch.
struct Lists {
  Lists() : undo(2) {
    undo.add_table();
    undo.open();
  }
  void note(size_t worker, Word before) { undo.note(worker, {object.get(), before, false}, 0); }

  std::unique_ptr<Object, FreeObject> object{Object::make(1, 0, "key")};
  std::unique_ptr<Version, FreeVersion> old{Version::make(0, "old")};
  UndoLog undo;
};

TEST(VerifyDeathTest, AnObjectHasOneFirstEntry) {
  Lists lists;
  lists.note(0, Word::of(lists.old.get()));
  lists.undo.mark();
  const std::unique_ptr<Version, FreeVersion> later(Version::make(lists.undo.stamp() - 1, "later"));
  lists.note(1, Word::of(later.get()));
  EXPECT_EQ(verify_first_entries(lists.undo).size(), 1u);
  lists.note(1, Word::of(lists.old.get()));
  EXPECT_DEATH(verify_first_entries(lists.undo), "two first entries");
}

TEST(VerifyDeathTest, AnObjectHasOneEntrySinceTheMark) {
  Lists lists;
  lists.undo.mark();
  lists.note(0, Word::of(lists.old.get()));
  verify_marked(lists.undo);
  lists.note(1, Word::of(lists.old.get()));
  EXPECT_DEATH(verify_marked(lists.undo), "two entries");
}

TEST(VerifyDeathTest, AVersionIsRetiredOnceAndNotPutBack) {
  Lists lists;
  lists.undo.retire(*lists.object, lists.old.get());
  EXPECT_EQ(verify_retired(lists.undo).size(), 1u);
  lists.note(0, Word::of(lists.old.get()));
  EXPECT_DEATH(verify_retired(lists.undo), "may be put back");
  lists.undo.retire(*lists.object, lists.old.get());
  EXPECT_DEATH(verify_retired(lists.undo), "retired twice");
}

#ifdef EVE_VERIFY
/// An engine with one object, in the second batch; `replace` puts another version behind the undo
/// list's back.
struct Planted : Fixture {
  Planted() {
    begin();
    put(0, "key", "value");
    seal();
    begin();
    object = engine.table("a").object("key").object;
  }
  void replace(Version* version) { engine.table("a").restore(*object, Word::of(version)); }
  Object* object = nullptr;
};

TEST(VerifyDeathTest, UndoListsSayWhatTheTreeSays) {
  EXPECT_DEATH(
      {
        Planted f;
        f.replace(Version::make(0, "forged"));
        f.put(0, "key", "new");
        f.seal();
      },
      "differ in what was there");
  EXPECT_DEATH(
      {
        Planted f;
        f.replace(Version::make(0, "forged"));
        f.put(0, "key", "new");
        f.rollback(1);
      },
      "differ in what was there");
  EXPECT_DEATH(
      {
        Planted f;
        f.engine.table("a").restore(*f.object, Word::absent(0));
        f.put(0, "key", "new");
        f.seal();
      },
      "differ in who was there");
}

TEST(VerifyDeathTest, RetiredVersionsAreOutOfReach) {
  EXPECT_DEATH(
      {
        Planted f;
        f.put(0, "key", "retired");
        Version* retired = f.object->load().version();
        f.put(0, "key", "new");
        f.replace(retired);
        f.seal();
      },
      "can still be reached");
}

TEST(Verify, WhatIsFreedIsPoisoned) {
  Recycler recycler(1, Recycler::Mode::kKeep);
  Version* version = Version::make(1, "0123456789");
  const auto* bytes = reinterpret_cast<const unsigned char*>(version->bytes().data());
  EXPECT_EQ(bytes[0], '0');
  Version::destroy(version, &recycler);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(bytes[i], kPoison);
  Object* object = Object::make(1, 0, "key");
  Object::destroy(object, &recycler);
  EXPECT_EQ(*reinterpret_cast<const unsigned char*>(object), kPoison);
}
#endif

}  // namespace
}  // namespace eve::state
