// P13: the life of a state is its log's, as long as that is whole.
#include "runtime/pair_memory.h"

#include <gtest/gtest.h>

#include <fstream>

#include "durability/executor_notes.h"
#include "runtime/test_support.h"
#include "wire/codec.h"

namespace eve::runtime {
namespace {

namespace fs = std::filesystem;

class NoService final : public Service {
 public:
  void footprint(ByteView, Footprint&) const override {}
  void execute(Context&, ByteView, Bytes&) override {}
};

class PairMemoryTest : public ::testing::Test {
 protected:
  /// What one process finds; `notes` more are in its log when it ends.
  struct Found {
    uint64_t life = 0;
    bool recovered = false;
  };
  Found run(size_t notes = 0, bool anew = false) {
    ExecutionStage stage(
        loop_, digester_, 1, [](State&) { return std::make_unique<NoService>(); }, [] {});
    const auto genesis = wire::genesis_token(stage.empty_root(), digester_);
    auto memory = open_pair_memory(wanted(), 1, genesis, digester_, stage, anew);
    EXPECT_TRUE(memory.ok()) << memory.message();
    if (!memory) return {};
    const Found found{memory->life, memory->recovered.has_value()};
    for (size_t i = 0; i < notes; ++i) {
      const auto kept =
          memory->keeper->keep({durability::note_of(execution::RollbackTo{BatchNumber()})},
                               durability::Keeper::Until::kDurable);
      EXPECT_TRUE(kept.ok());
    }
    return found;
  }
  ExecutorMemoryOptions wanted() const {
    return {folder_.path() / "node", "cluster", durability::Durability::kSync};
  }
  fs::path logs() const { return wanted().directory / "executor-1"; }

  testing::TemporaryFolder folder_;
  EventLoop loop_;
  crypto::Digester digester_{crypto::DigestAlgorithm::kXxh3, crypto::Secret{7}};
};

TEST_F(PairMemoryTest, ALogThatIsWholeKeepsItsLife) {
  const auto first = run(3);
  EXPECT_NE(first.life, 0u);
  EXPECT_FALSE(first.recovered);
  for (int i = 0; i < 3; ++i) {
    const auto next = run(2);
    EXPECT_EQ(next.life, first.life);
    EXPECT_TRUE(next.recovered);
  }
}

TEST_F(PairMemoryTest, ALogThatIsGoneIsAnotherLife) {
  const auto first = run(3);
  fs::remove_all(logs());
  const auto second = run(3);
  EXPECT_NE(second.life, first.life);
  EXPECT_FALSE(second.recovered);
  const auto third = run();
  EXPECT_EQ(third.life, second.life) << "which is kept in its turn";
  EXPECT_TRUE(third.recovered);
}

TEST_F(PairMemoryTest, ADamagedLogIsAnotherLife) {
  const auto first = run(3);
  run(3);  // in a second segment: the first is behind the tail
  std::vector<fs::path> segments;
  for (const auto& entry : fs::directory_iterator(logs())) {
    if (entry.path().extension() == ".log") segments.push_back(entry.path());
  }
  ASSERT_FALSE(segments.empty());
  std::sort(segments.begin(), segments.end());
  std::fstream file(segments.front(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096 + 20);
  file.write("damage", 6);
  file.close();
  const auto next = run(1);
  EXPECT_NE(next.life, first.life);
  EXPECT_FALSE(next.recovered);
  EXPECT_EQ(run().life, next.life);
}

TEST_F(PairMemoryTest, StartingOverIsAnotherLife) {
  const auto first = run(3);
  const auto anew = run(1, true);
  EXPECT_NE(anew.life, first.life);
  EXPECT_FALSE(anew.recovered);
  EXPECT_EQ(run().life, anew.life);
}

TEST_F(PairMemoryTest, AnOlderCopyOfTheFolderIsAnotherLife) {
  const auto first = run(3);
  const auto copy = folder_.path() / "copy";
  fs::copy(wanted().directory, copy, fs::copy_options::recursive);
  EXPECT_EQ(run(3).life, first.life);
  EXPECT_EQ(run(3).life, first.life);
  fs::remove_all(wanted().directory);
  fs::copy(copy, wanted().directory, fs::copy_options::recursive);
  const auto restored = run(1);
  EXPECT_NE(restored.life, first.life);
  EXPECT_FALSE(restored.recovered);
  EXPECT_EQ(run().life, restored.life);
}

TEST_F(PairMemoryTest, AWitnessThatCannotBeReadStopsTheStart) {
  run(1);
  std::ofstream(folder_.path() / "node.executor-1.life") << "nonsense\n";
  ExecutionStage stage(
      loop_, digester_, 1, [](State&) { return std::make_unique<NoService>(); }, [] {});
  const auto genesis = wire::genesis_token(stage.empty_root(), digester_);
  const auto memory = open_pair_memory(wanted(), 1, genesis, digester_, stage, false);
  ASSERT_FALSE(memory.ok());
  EXPECT_NE(memory.message().find("node.executor-1.life"), std::string::npos);
}

}  // namespace
}  // namespace eve::runtime
