#include "runtime/identity.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>

#include "runtime/files.h"
#include "runtime/node.h"
#include "runtime/promise_file.h"
#include "runtime/test_support.h"

namespace eve::runtime {
namespace {

using testing::local_cluster;
using testing::TemporaryFolder;

mode_t mode_of(const std::filesystem::path& file) {
  struct stat info {};
  EXPECT_EQ(::stat(file.c_str(), &info), 0) << file;
  return info.st_mode & 0777;
}

TEST(Identity, WritesAClusterThatReadsBack) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_cluster(folder.path(), local_cluster(FaultModel(1, 0), true, false)).ok());
  EXPECT_EQ(mode_of(folder.path() / "cluster.secret"), 0600u);
  EXPECT_EQ(mode_of(folder.path() / "node-0.key"), 0600u);

  const auto config = read_cluster(folder.path() / "cluster.toml");
  ASSERT_TRUE(config.ok()) << config.message();
  std::set<crypto::Secret> secrets;
  for (const auto& node : config->nodes) {
    const auto identity = read_identity(folder.path(), node);
    ASSERT_TRUE(identity.ok()) << identity.message();
    EXPECT_EQ(identity->key.public_key(), node.key);
    secrets.insert(identity->secret);
  }
  EXPECT_EQ(secrets.size(), 1u);
}

TEST(Identity, DoesNotOverwrite) {
  TemporaryFolder folder;
  const auto config = local_cluster(FaultModel(1, 0), true, false);
  ASSERT_TRUE(write_cluster(folder.path(), config).ok());
  const auto before = read_file(folder.path() / "node-1.key");
  const auto again = write_cluster(folder.path(), config);
  ASSERT_FALSE(again.ok());
  EXPECT_NE(again.message().find("is there already"), std::string::npos) << again.message();
  EXPECT_EQ(*read_file(folder.path() / "node-1.key"), *before);
}

TEST(Identity, RefusesOpenAndForeignKeys) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_cluster(folder.path(), local_cluster(FaultModel(1, 0), true, false)).ok());
  auto config = *read_cluster(folder.path() / "cluster.toml");

  ::chmod((folder.path() / "node-0.key").c_str(), 0644);
  const auto open = read_identity(folder.path(), config.nodes[0]);
  ASSERT_FALSE(open.ok());
  EXPECT_NE(open.message().find("chmod 600"), std::string::npos) << open.message();

  config.nodes[1].key = config.nodes[2].key;
  const auto foreign = read_identity(folder.path(), config.nodes[1]);
  ASSERT_FALSE(foreign.ok());
  EXPECT_NE(foreign.message().find("is not the key"), std::string::npos) << foreign.message();

  std::filesystem::remove(folder.path() / "cluster.secret");
  EXPECT_FALSE(read_identity(folder.path(), config.nodes[2]).ok());
}

TEST(Identity, ReadClusterNamesTheFile) {
  TemporaryFolder folder;
  const auto missing = read_cluster(folder.path() / "cluster.toml");
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.message().find("cluster.toml"), std::string::npos);
}

TEST(PromiseFile, RemembersViews) {
  TemporaryFolder folder;
  const auto state = folder.path() / "node-0";
  auto first = PromiseFile::open(state, Address::verifier(0));
  ASSERT_TRUE(first.ok()) << first.message();
  EXPECT_FALSE(first->found().has_value());
  // Even one that never promised more than view 0 has lost its votes when it comes back.
  EXPECT_EQ(PromiseFile::open(state, Address::verifier(0))->found(), View(0));
  ASSERT_TRUE(first->write(View(17)).ok());
  EXPECT_EQ(PromiseFile::open(state, Address::verifier(0))->found(), View(17));
  EXPECT_FALSE(PromiseFile::open(state, Address::verifier(1))->found().has_value());
}

TEST(PromiseFile, RefusesWhatItCannotRead) {
  TemporaryFolder folder;
  const auto file = folder.path() / "verifier-0.view";
  const auto nul = Bytes("17\0\n", 4);
  for (const auto& text :
       {Bytes(), Bytes("17"), Bytes("x\n"), Bytes("-1\n"), Bytes("+1\n"), Bytes(" 1\n"),
        Bytes("017\n"), Bytes("17\n\n"), Bytes("17 \n"), Bytes("1e3\n"), nul,
        Bytes("99999999999999999999\n"), Bytes("18446744073709551615\n"),
        Bytes("281474976710657\n"), Bytes(5'000'000, '1')}) {
    ASSERT_TRUE(replace_file(file, text).ok());
    const auto opened = PromiseFile::open(folder.path(), Address::verifier(0));
    ASSERT_FALSE(opened.ok()) << text.substr(0, 40);
    EXPECT_NE(opened.message().find(file.string()), std::string::npos) << opened.message();
    // It stays as it is: whoever mends it sees what was there.
    if (text.size() > 100) continue;  // beyond what is read of any file
    EXPECT_EQ(read_file(file).value(), text);
  }
  ASSERT_TRUE(replace_file(file, "281474976710656\n").ok());
  EXPECT_EQ(PromiseFile::open(folder.path(), Address::verifier(0))->found(), View(kMaxPromise));
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  EXPECT_FALSE(PromiseFile::open(folder.path(), Address::verifier(0)).ok());
}

TEST(PromiseFile, MarksExecutorsThatRan) {
  TemporaryFolder folder;
  EXPECT_FALSE(*mark_started(folder.path(), Address::executor(0)));
  EXPECT_TRUE(*mark_started(folder.path(), Address::executor(0)));
  EXPECT_FALSE(*mark_started(folder.path(), Address::executor(1)));
}

}  // namespace
}  // namespace eve::runtime
