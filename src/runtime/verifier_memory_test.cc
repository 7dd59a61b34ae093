#include "runtime/verifier_memory.h"

#include <gtest/gtest.h>

#include <fstream>

#include "runtime/test_support.h"
#include "verification/testing.h"

namespace eve::runtime {
namespace {

using durability::Durability;
using verification::testing::digester;
using verification::testing::kGenesis;

class VerifierMemoryTest : public ::testing::Test {
 protected:
  VerifierMemoryTest() {
    wanted.directory = folder.path() / "verifier-1";
    wanted.cluster = "a cluster";
    wanted.node = Address::verifier(1);
    options.model = FaultModel(1, 1);
    options.index = 1;
    options.genesis = kGenesis;
  }
  Result<VerifierMemory> open(Durability durability = Durability::kSync) {
    wanted.durability = durability;
    std::filesystem::create_directories(wanted.directory);
    return open_verifier_memory(wanted, options, digester());
  }
  std::filesystem::path logs() const { return wanted.directory / "verifier-1"; }
  std::vector<std::filesystem::path> segments() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(logs())) {
      if (entry.path().extension() == ".log") found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  /// A life that joins view 3 and says so.
  void join(VerifierMemory& memory) {
    std::vector<verification::Promise> promises{verification::Stands{View(3), false}};
    auto step = memory.book->take(promises);
    ASSERT_TRUE(memory.keeper->keep(std::move(step.notes), step.until).ok());
  }

  testing::TemporaryFolder folder;
  VerifierMemoryOptions wanted;
  verification::VerifierOptions options;
};

TEST_F(VerifierMemoryTest, AFirstStartKnowsNothingAndLeavesMarks) {
  const auto memory = open();
  ASSERT_TRUE(memory.ok()) << memory.message();
  EXPECT_FALSE(memory->options.recovered);
  EXPECT_FALSE(memory->options.lost_promises_at);
  EXPECT_TRUE(std::filesystem::exists(wanted.directory / "verifier-1.ran"));
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "verifier-1.verifier-1.ran"));
  EXPECT_FALSE(segments().empty());
}

TEST_F(VerifierMemoryTest, TheNextStartGoesOnFromWhatWasPromised) {
  {
    auto memory = open();
    ASSERT_TRUE(memory.ok()) << memory.message();
    join(*memory);
  }
  const auto memory = open();
  ASSERT_TRUE(memory.ok()) << memory.message();
  ASSERT_TRUE(memory->options.recovered);
  EXPECT_EQ(memory->options.recovered->promised, View(3));
}

TEST_F(VerifierMemoryTest, WithViewsOnlyItHasLostItsPromises) {
  {
    auto memory = open(Durability::kMemory);
    ASSERT_TRUE(memory.ok()) << memory.message();
    join(*memory);
  }
  const auto memory = open(Durability::kMemory);
  ASSERT_TRUE(memory.ok()) << memory.message();
  EXPECT_FALSE(memory->options.recovered);
  EXPECT_EQ(memory->options.lost_promises_at, View(3));
}

TEST_F(VerifierMemoryTest, WithoutItsFolderItMustNotRun) {
  ASSERT_TRUE(open().ok());
  std::filesystem::remove_all(wanted.directory);
  const auto memory = open();
  ASSERT_FALSE(memory.ok());
  EXPECT_NE(memory.message().find("verifier-1"), std::string::npos);
  EXPECT_NE(memory.message().find("promise"), std::string::npos) << memory.message();
  EXPECT_FALSE(open().ok()) << "nor the next time";
}

TEST_F(VerifierMemoryTest, AnothersLogIsRefusedAndLeftAlone) {
  ASSERT_TRUE(open().ok());
  wanted.cluster = "another";
  EXPECT_FALSE(open().ok());
  wanted.cluster = "a cluster";
  EXPECT_TRUE(open().ok());
}

TEST_F(VerifierMemoryTest, OneProcessAtATimeHasIt) {
  const auto memory = open();
  ASSERT_TRUE(memory.ok());
  EXPECT_FALSE(open().ok());
}

// A bit of a record that was acknowledged.
TEST_F(VerifierMemoryTest, DamageIsLossAndTheFileStays) {
  {
    auto memory = open();
    ASSERT_TRUE(memory.ok());
    for (int i = 0; i < 3; ++i) join(*memory);
  }
  const auto path = segments().back();
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(4096 + 130);
  const int byte = file.get();
  file.seekp(4096 + 130);
  file.put(static_cast<char>(byte ^ 1));
  file.close();
  const auto memory = open();
  ASSERT_TRUE(memory.ok()) << memory.message();
  EXPECT_EQ(memory->options.lost_promises_at, View(3)) << "as later notes say";
  bool kept = false;
  for (const auto& entry : std::filesystem::directory_iterator(logs())) {
    kept |= entry.path().extension() == ".damaged";
  }
  EXPECT_TRUE(kept);
}

}  // namespace
}  // namespace eve::runtime
