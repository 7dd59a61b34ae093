// Random batches, commits and rollbacks against a model that is rebuilt from scratch.
#include <gtest/gtest.h>

#include "state/test_support.h"

namespace eve::state {
namespace {

using testing::Fixture;
using testing::Model;

class Walk {
 public:
  Walk(uint64_t seed, const crypto::Digester& digester)
      : random_(seed), digester_(digester), f_(digester), keys_(1 + random_.below(120)) {}

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) step();
  }

 private:
  void step() {
    const uint64_t committed = f_.engine.committed().value();
    const uint64_t ahead = f_.engine.last().value() - committed;
    switch (random_.below(ahead < 6 ? 8 : 3)) {
      case 0:
        f_.commit(committed + random_.below(ahead + 1));
        break;
      case 1:
        if (random_.chance(1, 2)) write_batch();
        roll_back(committed + random_.below(ahead + 1));
        break;
      case 2:
        check_old_version();
        break;
      default:
        write_batch();
        seal();
    }
  }

  void write_batch() {
    f_.begin();
    now_ = newest().objects;
    const uint64_t writes = random_.below(random_.chance(1, 5) ? 300 : 20);
    for (uint64_t i = 0; i < writes; ++i) {
      if (random_.chance(1, 10)) {
        undone_request();
      } else {
        write();
      }
    }
  }

  void undone_request() {
    const auto before = now_;
    f_.engine.mark();
    const uint64_t writes = random_.below(6);
    for (uint64_t i = 0; i < writes; ++i) write();
    if (random_.chance(1, 4)) return;
    f_.engine.undo_to_mark();
    now_ = before;
  }

  void write() {
    const auto table = static_cast<uint16_t>(random_.below(2));
    const std::string key = std::to_string(random_.below(keys_));
    const size_t worker = random_.below(8);
    const auto found = now_.find({table, key});
    ASSERT_EQ(f_.get(table, key),
              found == now_.end() ? std::nullopt : std::optional(found->second));
    if (random_.chance(2, 5)) {
      ASSERT_EQ(f_.erase(table, key, worker), now_.erase({table, key}) == 1);
    } else {
      const std::string value(random_.below(50), static_cast<char>(random_.below(256)));
      f_.put(table, key, value, worker);
      now_[{table, key}] = value;
    }
  }

  void seal() {
    versions_.push_back(newest().next(now_));
    ASSERT_EQ(f_.seal(), newest().root(digester_));
    check_newest();
  }

  void roll_back(uint64_t n) {
    f_.rollback(n);
    versions_.resize(n + 1);
    check_newest();
  }

  void check_newest() {
    ASSERT_EQ(f_.engine.root(), newest().root(digester_));
    ASSERT_EQ(f_.engine.recompute_root(), f_.engine.root());
    ASSERT_EQ(f_.engine.counts().objects, newest().objects.size());
    ASSERT_EQ(f_.engine.counts().slots, newest().slots.size());
  }

  void check_old_version() {
    const uint64_t oldest = f_.engine.oldest().value();
    const BatchNumber n(oldest + random_.below(f_.engine.last().value() - oldest + 1));
    const Model& model = versions_[n.value()];
    ASSERT_EQ(f_.engine.root_at(n), model.root(digester_));
    const auto read = testing::read_version(f_.engine, n, digester_);
    ASSERT_TRUE(read);
    ASSERT_EQ(*read, model.objects);
  }

  const Model& newest() const { return versions_.back(); }

  Random random_;
  const crypto::Digester& digester_;
  Fixture f_;
  const uint64_t keys_;
  std::vector<Model> versions_ = std::vector<Model>(1);  // by batch number
  std::map<Model::Name, std::string> now_;
};

TEST(EngineModel, RandomWalksWithSha256) {
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(seed);
    Walk(seed, testing::sha256()).run(150);
    if (HasFatalFailure()) return;
  }
}

TEST(EngineModel, RandomWalksWithXxh3) {
  for (uint64_t seed = 101; seed <= 125; ++seed) {
    SCOPED_TRACE(seed);
    Walk(seed, testing::digester(crypto::DigestAlgorithm::kXxh3)).run(150);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace eve::state
