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

TEST(Identity, TheOperatorsKeyIsDrawnAndKept) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_cluster(folder.path(), local_cluster(FaultModel(1, 1), true, false)).ok());
  EXPECT_EQ(mode_of(folder.path() / "operator.key"), 0600u);
  const auto config = *read_cluster(folder.path() / "cluster.toml");
  ASSERT_TRUE(config.operator_key.has_value());
  NodeConfig operators;
  operators.name = kOperatorName;
  operators.key = *config.operator_key;
  EXPECT_TRUE(read_identity(folder.path(), operators).ok());
  for (const auto& node : config.nodes) EXPECT_NE(node.key, *config.operator_key);

  std::filesystem::remove(folder.path() / "cluster.toml");
  for (const auto& node : config.nodes)
    std::filesystem::remove(folder.path() / (node.name + ".key"));
  std::filesystem::remove(folder.path() / "cluster.secret");
  const auto again = write_cluster(folder.path(), local_cluster(FaultModel(1, 1), true, false));
  ASSERT_FALSE(again.ok()) << "the key of another cluster";
  EXPECT_NE(again.message().find("operator.key"), std::string::npos) << again.message();
}

TEST(Identity, APairHasNoOperator) {
  TemporaryFolder folder;
  auto pair = local_cluster(FaultModel(1, 0), true, false);
  pair.model = FaultModel::primary_backup();
  pair.nodes.erase(pair.nodes.begin() + 2);
  for (uint16_t i = 0; i < 2; ++i) pair.nodes[i].roles = {Address::executor(i)};
  ASSERT_TRUE(write_cluster(folder.path(), pair).ok());
  EXPECT_FALSE(read_cluster(folder.path() / "cluster.toml")->operator_key.has_value());
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "operator.key"));
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

TEST(Identity, AClusterThatCannotBeWrittenLeavesNothing) {
  TemporaryFolder folder;
  // Not there for who asks, and in the way of who makes it.
  std::filesystem::create_symlink("nowhere", folder.path() / "cluster.toml");
  const auto config = local_cluster(FaultModel(1, 0), true, false);
  EXPECT_FALSE(write_cluster(folder.path(), config).ok());
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    EXPECT_EQ(entry.path().filename(), "cluster.toml");
    ++files;
  }
  EXPECT_EQ(files, 1u);
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

TEST(PromiseFile, AnEarlierBuildsFileSaysThatItHasRun) {
  TemporaryFolder folder;
  EXPECT_FALSE(*has_started(folder.path(), to_string(Address::verifier(0))));
  ASSERT_TRUE(replace_file(folder.path() / "verifier-0.view", "17\n").ok());
  EXPECT_TRUE(*has_started(folder.path(), to_string(Address::verifier(0))));
  EXPECT_FALSE(*has_started(folder.path(), to_string(Address::verifier(1))));
}

TEST(PromiseFile, MarksRolesThatRan) {
  TemporaryFolder folder;
  const auto node = folder.path() / "node";
  EXPECT_FALSE(*mark_started(node, to_string(Address::executor(0))));
  EXPECT_TRUE(*mark_started(node, to_string(Address::executor(0))));
  EXPECT_FALSE(*mark_started(node, to_string(Address::executor(1))));
  EXPECT_FALSE(*has_started(folder.path() / "other", to_string(Address::executor(0))));
}

TEST(PromiseFile, ADeletedFolderIsNoFirstStart) {
  TemporaryFolder folder;
  const auto node = folder.path() / "node";
  EXPECT_FALSE(*mark_started(node, to_string(Address::verifier(0))));
  std::filesystem::remove_all(node);
  EXPECT_TRUE(*has_started(node, to_string(Address::verifier(0))));
  EXPECT_TRUE(*mark_started(node, to_string(Address::verifier(0))));
  std::filesystem::remove(folder.path() / "node.verifier-0.ran");
  EXPECT_TRUE(*has_started(node, to_string(Address::verifier(0))));  // each mark is enough
  EXPECT_FALSE(*has_started(node, to_string(Address::verifier(1))));
}

}  // namespace
}  // namespace eve::runtime
