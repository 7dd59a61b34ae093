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
  Found run(size_t notes = 0, bool anew = false,
            const durability::Note& note = durability::note_of(execution::RollbackTo{
                BatchNumber()})) {
    ExecutionStage stage(
        loop_, digester_, 1, [](State&) { return std::make_unique<NoService>(); }, [] {});
    const auto genesis = wire::genesis_token(stage.empty_root(), digester_);
    auto memory = open_pair_memory(wanted(), 1, genesis, digester_, stage, anew);
    EXPECT_TRUE(memory.ok()) << memory.message();
    if (!memory) return {};
    const Found found{memory->life, memory->recovered.has_value()};
    for (size_t i = 0; i < notes; ++i) {
      const auto kept = memory->keeper->keep({note}, durability::Keeper::Until::kDurable);
      EXPECT_TRUE(kept.ok());
    }
    return found;
  }
  Status try_to_begin(bool anew) {
    ExecutionStage stage(
        loop_, digester_, 1, [](State&) { return std::make_unique<NoService>(); }, [] {});
    const auto genesis = wire::genesis_token(stage.empty_root(), digester_);
    return open_pair_memory(wanted(), 1, genesis, digester_, stage, anew).status();
  }
  std::vector<fs::path> segments() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(logs())) {
      if (entry.path().extension() == ".log") found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  /// Fails after the newest file: the next one's new name is a folder's. Then a start as any other.
  void expect_another_life_when_setting_aside_ends_amid_it(bool anew, uint64_t life) {
    const auto files = segments();
    ASSERT_GE(files.size(), 2u);
    const fs::path in_the_way = files[files.size() - 2].string() + ".damaged";
    fs::create_directory(in_the_way);
    EXPECT_FALSE(try_to_begin(anew).ok());
    fs::remove(in_the_way);
    const auto left = segments();
    EXPECT_FALSE(left.empty());
    EXPECT_LT(left.back(), files.back());
    EXPECT_TRUE(fs::exists(logs() / "commands.lost")) << "what is left is marked";
    const auto next = run(1);
    EXPECT_NE(next.life, life);
    EXPECT_FALSE(next.recovered);
    EXPECT_EQ(run().life, next.life);
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
  ASSERT_FALSE(segments().empty());
  std::fstream file(segments().front(), std::ios::in | std::ios::out | std::ios::binary);
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

TEST_F(PairMemoryTest, StartingOverThatEndsAmidItIsAnotherLife) {
  const auto first = run(3);
  run(3);
  expect_another_life_when_setting_aside_ends_amid_it(true, first.life);
}

// What cannot be followed is in the newest file: without that the rest could be.
TEST_F(PairMemoryTest, SettingAsideWhatCannotBeFollowedThatEndsAmidItIsAnotherLife) {
  const auto first = run(3);
  run(3);
  run(1, false, durability::note_of(execution::CommitBatches{BatchNumber(5)}));
  expect_another_life_when_setting_aside_ends_amid_it(false, first.life);
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
