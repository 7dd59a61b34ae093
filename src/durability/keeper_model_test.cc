// Random lives of a keeper against a list of what it was given: errors at any call, processes that
// die, machines that do. D1 to D4.
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "durability/keeper.h"
#include "journal/testing_disk.h"

namespace eve::durability {
namespace {

using journal::Position;
using journal::testing::TestDisk;
using Until = Keeper::Until;

class RandomLife {
 public:
  explicit RandomLife(uint64_t seed) : random_(seed), disk_(seed + 1) {
    options_.log = journal::testing::small_options();
    options_.log.segment_bytes = (2 + random_.below(10)) * journal::kBlockBytes;
    options_.life = journal::testing::life(7);
    if (random_.chance(1, 3)) options_.durability = Durability::kAsync;
    options_.machine_start = "boot-0";
  }
  void run(int steps) {
    reopen();
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
    disk_.permits = nullptr;
    end();
    reopen();
  }
  uint64_t mended() const { return mended_; }
  uint64_t not_whole() const { return not_whole_; }

 private:
  bool async() const { return options_.durability == Durability::kAsync; }
  void step() {
    disk_.permits = nullptr;
    if (random_.chance(1, 3)) {
      const uint64_t odds = 2 + random_.below(10);
      disk_.permits = [this, odds](const std::string&) { return !random_.chance(1, odds); };
    }
    switch (random_.below(8)) {
      case 0:
        end();
        reopen();
        break;
      case 1:
        (void)keeper_->settle();
        break;
      case 2:
        cut();
        break;
      default:
        keep();
    }
    bool fatal = false;
    if (!keeper_->state().ok() && random_.chance(2, 3)) {
      if (keeper_->mend(fatal).ok()) {
        ++mended_;
        durable_ = given_;
      }
      EXPECT_FALSE(fatal);
    }
    EXPECT_EQ(keeper_->end(), Position(next_));
  }
  void keep() {
    std::vector<Note> notes;
    for (uint64_t i = 0; i <= random_.below(3); ++i) {
      notes.push_back({1, random_.next() % 1000, Bytes(random_.below(9000), 'y')});
      at_[next_++] = notes.back();
    }
    given_ = next_;
    const auto until = random_.chance(1, 3) ? Until::kLater : Until::kDurable;
    if (keeper_->keep(notes, until).ok() && until == Until::kDurable) durable_ = given_;
  }
  void cut() {
    const uint64_t before = cut_ + random_.below(durable_ - cut_ + 1);
    (void)keeper_->cut(Position(before));
    cut_ = before;
  }
  void end() {
    if (random_.chance(1, 6) && keeper_->close().ok()) durable_ = given_;
    keeper_.reset();
    machine_stopped_ = false;
    if (random_.chance(1, 2)) stop_machine();
  }
  void stop_machine() {
    machine_stopped_ = true;
    disk_.crash();
    options_.machine_start = "boot-" + std::to_string(++machine_);
  }
  /// What is in the log from begin on: all that was durable, and a prefix of the rest.
  struct Check : NoteVisitor {
    explicit Check(RandomLife& of) : life(of) {}
    Status note(Position position, uint16_t, uint64_t number, ByteView payload) override {
      const auto found = life.at_.find(position.value());
      EXPECT_TRUE(found != life.at_.end());
      if (found == life.at_.end()) return Error{"never given"};
      EXPECT_EQ(found->second.number, number);
      EXPECT_EQ(found->second.payload, payload);
      EXPECT_EQ(found, last ? life.at_.upper_bound(last->value()) : found) << "a gap";
      last = position;
      return {};
    }
    RandomLife& life;
    std::optional<Position> last;
  };
  void reopen() {
    for (;;) {
      Check check(*this);
      Found found;
      auto opened = Keeper::open(disk_, options_, check, found);
      if (!opened) {  // its marks and segments are made anew
        disk_.permits = nullptr;
        if (random_.chance(1, 2)) stop_machine();
        continue;
      }
      keeper_ = std::move(*opened);
      const uint64_t end = check.last ? check.last->value() + 1 : found.begin.value();
      const bool may_lack = async() && machine_stopped_;
      if (!found.whole) ++not_whole_;
      EXPECT_TRUE(found.whole || may_lack || lacked_) << found.trouble;
      lacked_ = !found.whole;
      EXPECT_LE(found.begin.value(), std::max<uint64_t>(cut_, 1));
      EXPECT_LE(end, given_);
      const uint64_t least = found.whole ? durable_ : 0;
      EXPECT_GE(keeper_->end().value(), least);
      next_ = keeper_->end().value();
      EXPECT_GE(next_, end);
      at_.erase(at_.lower_bound(end), at_.end());
      given_ = durable_ = next_;
      cut_ = std::min(cut_, end);
      if (lacked_ && random_.chance(1, 2)) {
        ++next_;
        given_ = next_;
        if (keeper_->keep({{kRemembered, 0, {}}}, Until::kDurable).ok()) durable_ = given_;
        lacked_ = false;
      }
      return;
    }
  }

  Random random_;
  TestDisk disk_;
  KeeperOptions options_;
  std::unique_ptr<Keeper> keeper_;
  std::map<uint64_t, Note> at_;  ///< by position
  uint64_t next_ = 1;
  uint64_t given_ = 1;    ///< positions below it were given
  uint64_t durable_ = 1;  ///< and acknowledged
  uint64_t cut_ = 1;
  uint64_t machine_ = 0;
  bool machine_stopped_ = false;
  bool lacked_ = false;
  uint64_t mended_ = 0;
  uint64_t not_whole_ = 0;
};

TEST(KeeperModel, RandomLives) {
  uint64_t mended = 0;
  uint64_t not_whole = 0;
  for (uint64_t seed = 1; seed <= 400 && !::testing::Test::HasFailure(); ++seed) {
    RandomLife life(seed);
    life.run(60);
    mended += life.mended();
    not_whole += life.not_whole();
    EXPECT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
  }
  EXPECT_GT(mended, 500u);
  EXPECT_GT(not_whole, 50u);
}

}  // namespace
}  // namespace eve::durability
