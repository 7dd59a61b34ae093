#include "runtime/backup_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "durability/checkpoint_testing.h"
#include "durability/genesis_state.h"
#include "runtime/test_support.h"

namespace eve::runtime {
namespace {

using durability::BackupManifest;
using durability::CheckpointInfo;
using durability::testing::TestDisk;

const Accept kAny = [](const CheckpointInfo&) { return Status(); };

Bytes read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
void write(const std::filesystem::path& path, ByteView bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class BackupFileTest : public ::testing::Test {
 protected:
  BackupFileTest() {
    durability::testing::Writer writer;
    writer.write(0, 30, "v");
    TestDisk disk;
    const auto name =
        durability::testing::write_checkpoint(disk, writer.replica, journal::Position(9));
    EXPECT_TRUE(name.ok());
    root = writer.replica.runner.root();
    checkpoint = folder.path() / *name;
    write(checkpoint, disk.content(*name));
    manifest.secret = crypto::Secret{7};
    manifest.service = "words";
    manifest.tables = {"words"};
  }
  Result<CheckpointInfo> back_up(const Accept& accept = kAny, BackupFault* fault = nullptr) {
    return write_backup(checkpoint, target, manifest, accept, fault);
  }
  size_t files() const {
    const std::filesystem::directory_iterator all(folder.path());
    return static_cast<size_t>(std::distance(begin(all), end(all)));
  }
  void expect_refused(const std::string& why) {
    const auto opened = BackupFile::open(target);
    const auto verified = opened ? (*opened)->verify() : Result<CheckpointInfo>(opened.error());
    ASSERT_FALSE(verified.ok());
    EXPECT_NE(verified.message().find(why), std::string::npos) << verified.message();
  }

  testing::TemporaryFolder folder;
  std::filesystem::path checkpoint;
  std::filesystem::path target = folder.path() / "backup";
  BackupManifest manifest;
  crypto::Digest root;
};

TEST_F(BackupFileTest, WhatAnotherOneFinishesMeanwhileIsLeftAlone) {
  const auto draft = folder.path() / "backup.new";
  const auto second = folder.path() / "second";
  int opened = 0;
  const auto file = open_draft(draft, [&] {
    if (++opened > 2) return;
    // The other one names its file, and with that its lock is gone.
    write(draft, "whole");
    std::filesystem::rename(draft, opened == 1 ? target : second);
    if (opened == 2) write(draft, "what an interrupted one left");
  });
  ASSERT_TRUE(file.ok()) << file.message();
  EXPECT_EQ(opened, 3);
  EXPECT_EQ(read(target), "whole");
  EXPECT_EQ(read(second), "whole");
  EXPECT_EQ(read(draft), "");
  ASSERT_EQ(::write(file->get(), "mine", 4), 4);
  EXPECT_EQ(read(draft), "mine") << "what is open is what has the name";
  EXPECT_NE(open_draft(draft).message().find("is being written by another"), std::string::npos);
}

TEST_F(BackupFileTest, WhatHasItsNameAndStillTheOtherIsLeftAlone) {
  const auto draft = folder.path() / "backup.new";
  write(target, "finished");
  std::filesystem::create_hard_link(target, draft);
  const auto file = open_draft(draft);
  ASSERT_TRUE(file.ok()) << file.message();
  EXPECT_EQ(read(target), "finished");
  EXPECT_FALSE(std::filesystem::equivalent(draft, target));
}

TEST_F(BackupFileTest, ProvesItself) {
  const auto written = back_up();
  ASSERT_TRUE(written.ok()) << written.message();
  EXPECT_EQ(written->end.parts.state, root);
  const auto opened = BackupFile::open(target);
  ASSERT_TRUE(opened.ok()) << opened.message();
  EXPECT_EQ((*opened)->manifest().service, "words");
  EXPECT_EQ((*opened)->manifest().checkpoint, checkpoint.filename());
  const auto verified = (*opened)->verify();
  ASSERT_TRUE(verified.ok()) << verified.message();
  EXPECT_EQ(verified->end.token, written->end.token);
  EXPECT_EQ(files(), 2u);
  struct stat info {};
  ASSERT_EQ(::stat(target.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(BackupFileTest, NothingIsOverwritten) {
  write(target, "precious");
  const auto written = back_up();
  ASSERT_FALSE(written.ok());
  EXPECT_NE(written.message().find("is there already"), std::string::npos) << written.message();
  EXPECT_EQ(read(target), "precious");
  EXPECT_EQ(files(), 2u);
}

TEST_F(BackupFileTest, WhatAnInterruptedOneLeftIsNoObstacle) {
  write(target.string() + ".new", Bytes(100'000, 'x'));
  ASSERT_TRUE(back_up().ok());
  EXPECT_EQ(files(), 2u);
  EXPECT_TRUE((*BackupFile::open(target))->verify().ok());
}

TEST_F(BackupFileTest, ADamagedCheckpointIsNotBackedUp) {
  Bytes bytes = read(checkpoint);
  bytes[bytes.size() / 2] ^= 1;
  write(checkpoint, bytes);
  const auto written = back_up();
  ASSERT_FALSE(written.ok());
  EXPECT_NE(written.message().find("damaged"), std::string::npos) << written.message();
  EXPECT_EQ(files(), 1u);
}

TEST_F(BackupFileTest, WhatIsNotAcceptedLeavesNothing) {
  const auto written = back_up([](const CheckpointInfo&) { return Error{"it lies"}; });
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.message(), "it lies");
  EXPECT_EQ(files(), 1u);
}

TEST_F(BackupFileTest, OneThatIsGoneIsToldFromOtherTrouble) {
  auto fault = BackupFault::kOther;
  ASSERT_TRUE(back_up(kAny, &fault).ok());
  EXPECT_EQ(fault, BackupFault::kOther);
  std::filesystem::remove(checkpoint);
  EXPECT_FALSE(back_up(kAny, &fault).ok());
  EXPECT_EQ(fault, BackupFault::kNotFound);
}

TEST_F(BackupFileTest, DamageAnywhereIsFound) {
  ASSERT_TRUE(back_up().ok());
  const Bytes whole = read(target);
  for (size_t at = 0; at < whole.size(); at += 61) {
    Bytes bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    write(target, bad);
    expect_refused("");
  }
  for (const size_t size : {size_t{0}, size_t{5}, size_t{40}, whole.size() / 2, whole.size() - 1}) {
    write(target, ByteView(whole).substr(0, size));
    expect_refused("");
  }
  write(target, whole + "x");
  expect_refused("is damaged: it has");
}

TEST_F(BackupFileTest, SaysWhatItIsNot) {
  write(target, "something else altogether, and long enough");
  expect_refused("is no backup");
  ASSERT_TRUE(std::filesystem::remove(target));
  expect_refused("cannot open");
}

}  // namespace
}  // namespace eve::runtime
