// The format does not change by accident: tests/checkpoint holds one that an earlier build wrote.
// Today's code reads it, and writes the same bytes. Another format is another kCheckpointVersion,
// with a file of its own beside this one, which EVE_WRITE_GOLDEN=1 in the environment makes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/source_file.h"
#include "durability/checkpoint_testing.h"

namespace eve::durability {
namespace {

using testing::digester;
using testing::Replica;
using testing::TestDisk;

std::filesystem::path folder() {
  return source_file(__FILE__).parent_path() / ".." / ".." / "tests" / "checkpoint";
}

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Two versions, a leaf that is kept, free slots, and an end with a binary context.
void write(TestDisk& disk) {
  testing::Writer writer;
  writer.write(0, 4, "golden");
  auto made = testing::header();
  made.genesis.bytes.fill(0x67);
  auto file = CheckpointFile::create(disk, made, digester(), testing::small_file());
  ASSERT_TRUE(file.ok());
  const auto pieces = writer.replica.runner.start_export(100);
  for (int step = 0;; ++step) {
    const auto piece = pieces->next();
    ASSERT_TRUE(piece.has_value());
    ASSERT_TRUE((*file)->add({piece->parts.number, piece->parts.state}, piece->chunk).ok());
    for (int i = 0; step == 5 && i < 1100; ++i) writer.write(2, 1, "again");
    if (!piece->last) continue;
    ASSERT_EQ(pieces->moved(), 1u);
    const Bytes context("view\0\xff\n", 7);
    ASSERT_TRUE((*file)->end({piece->parts, piece->token, journal::Position(4711), context}).ok());
    break;
  }
  for (auto done = (*file)->go_on(); !*done; done = (*file)->go_on()) ASSERT_TRUE(done.ok());
}

TEST(CheckpointGolden, TodaysCodeWritesTheSameBytes) {
  TestDisk disk;
  write(disk);
  const std::string name = checkpoint_name(1);
  ASSERT_TRUE(disk.has(name));
  const auto path = folder() / name;
  if (std::getenv("EVE_WRITE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(folder());
    std::ofstream(path, std::ios::binary) << disk.content(name);
  }
  EXPECT_TRUE(read_file(path) == disk.content(name));
}

TEST(CheckpointGolden, TodaysCodeReadsIt) {
  const std::string name = checkpoint_name(1);
  TestDisk disk;
  disk.put_file(name, read_file(folder() / name));
  const auto info = verify_checkpoint(disk, name, digester());
  ASSERT_TRUE(info.ok()) << info.message();
  EXPECT_EQ(info->header.owner, testing::header().owner);
  EXPECT_EQ(info->header.life, journal::testing::life(7));
  EXPECT_EQ(info->header.genesis.bytes[31], 0x67);
  EXPECT_EQ(info->end.parts.number, BatchNumber(1027));
  EXPECT_EQ(info->end.position, journal::Position(4711));
  EXPECT_EQ(info->end.context, Bytes("view\0\xff\n", 7));
  Replica replica;
  auto wanted = testing::wanted();
  wanted.genesis.bytes.fill(0x67);
  const auto found = read_checkpoint(disk, wanted, replica.runner);
  ASSERT_TRUE(found.ok() && found->checkpoint);
  EXPECT_EQ(replica.runner.recompute_root(), info->end.parts.state);
}

}  // namespace
}  // namespace eve::durability
