#include "runtime/chain_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "membership/testing.h"
#include "runtime/files.h"
#include "runtime/test_support.h"

namespace eve::runtime {
namespace {

using membership::testing::digester;

std::vector<wire::Link> two_links() {
  auto chain = membership::testing::first(FaultModel(1, 0));
  std::vector<wire::Link> links;
  for (uint16_t i = 0; i < 2; ++i) {
    const auto evidence = membership::testing::evidence({chain.epoch(), i, std::nullopt, "node"},
                                                        10 * (i + uint64_t{1}));
    links.push_back(membership::testing::link(chain.present().members, {0, 1}, evidence));
    EXPECT_TRUE(chain.extend(links.back()));
  }
  return links;
}

TEST(ChainFile, WhatWasWrittenIsRead) {
  const testing::TemporaryFolder folder;
  const ChainFile file(folder.path() / "executor-0.chain");
  auto none = file.read(digester());
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->empty());

  ASSERT_TRUE(file.write(two_links(), digester()));
  const auto links = file.read(digester());
  ASSERT_TRUE(links.ok()) << links.message();
  ASSERT_EQ(links->size(), 2u);
  auto chain = membership::testing::first(FaultModel(1, 0));
  for (const wire::Link& link : *links) EXPECT_TRUE(chain.extend(link));
  EXPECT_EQ(chain.epoch(), Epoch(2));
  EXPECT_EQ(format_chain(*links, digester()), *read_file(folder.path() / "executor-0.chain"));
}

TEST(ChainFile, WithoutAFileNothingIsKept) {
  const ChainFile file({});
  EXPECT_TRUE(file.write(two_links(), digester()));
  EXPECT_TRUE(file.read(digester())->empty());
}

TEST(ChainFile, DamageAnywhereIsFoundAndTheErrorSaysWhatToDo) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "executor-0.chain";
  const ChainFile file(path);
  const Bytes good = format_chain(two_links(), digester());
  for (size_t at = 0; at < good.size(); at += 7) {
    Bytes bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    ASSERT_FALSE(parse_chain(bad, digester()).ok()) << "byte " << at;
  }
  for (size_t size = 0; size < good.size(); ++size) {
    const auto links = parse_chain(ByteView(good).substr(0, size), digester());
    // Only between two links is there an end; replacing the file as a whole leaves none there.
    if (links.ok()) {
      EXPECT_LT(links->size(), 2u) << size;
    }
  }
  ASSERT_TRUE(replace_file(path, ByteView(good).substr(0, good.size() - 1)));
  const auto read = file.read(digester());
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.message().find("executor-0.chain"), std::string::npos);
  EXPECT_NE(read.message().find("copy that of another member"), std::string::npos);
}

}  // namespace
}  // namespace eve::runtime
