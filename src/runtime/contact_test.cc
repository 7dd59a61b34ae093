#include "runtime/contact.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace eve::runtime {
namespace {

const FaultModel kModel(1, 1);

NodeConfig sample() {
  NodeConfig node;
  node.name = "node-9";
  node.host = "replica-9.example.org";
  node.port = 7100;
  node.status_port = 7200;
  for (uint8_t i = 0; i < 32; ++i) node.key[i] = static_cast<uint8_t>(200 + i);
  return node;
}

void expect_refused(const NodeConfig& node, const std::string& part) {
  const auto read = decode_contact(encode_contact(node));
  ASSERT_FALSE(read.ok()) << part;
  EXPECT_NE(read.message().find(part), std::string::npos) << read.message();
}

TEST(Contact, IsReadAsItWasWritten) {
  auto node = sample();
  const auto read = decode_contact(encode_contact(node));
  ASSERT_TRUE(read.ok()) << read.message();
  EXPECT_EQ(*read, node);
  node.status_port = 0;
  node.host = std::string(255, 'h');
  node.name = std::string(32, 'n');
  const auto bytes = encode_contact(node);
  EXPECT_EQ(*decode_contact(bytes), node);
  EXPECT_LT(bytes.size(), limits::kMaxContactBytes);
}

TEST(Contact, RefusesWhatIsNone) {
  const auto bytes = encode_contact(sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_contact(bytes.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(decode_contact(bytes + "x").ok());
  auto format = bytes;
  format[0] = 2;
  EXPECT_NE(decode_contact(format).message().find("does not know"), Bytes::npos);
  const auto with = [](auto change) {
    auto node = sample();
    change(node);
    return node;
  };
  expect_refused(with([](auto& n) { n.name = ""; }), "whose name is none");
  expect_refused(with([](auto& n) { n.name = "Node"; }), "whose name is none");
  expect_refused(with([](auto& n) { n.name = std::string(33, 'n'); }), "too long");
  expect_refused(with([](auto& n) { n.host = ""; }), "has no host");
  expect_refused(with([](auto& n) { n.host = "a b"; }), "has no host");
  expect_refused(with([](auto& n) { n.host = "a\n[operator]"; }), "has no host");
  expect_refused(with([](auto& n) { n.host = "\xff"; }), "has no host");
  expect_refused(with([](auto& n) { n.host = std::string(256, 'h'); }), "too long");
  expect_refused(with([](auto& n) { n.port = 0; }), "has no port");
  expect_refused(with([](auto& n) { n.port = n.status_port; }), "the same one");
}

TEST(Contact, WhoComesIsNamedByTheEpochThatBegins) {
  const auto contact = encode_contact(sample());
  const auto both = newcomer(kModel, {Epoch(0), 1, 3, contact});
  ASSERT_TRUE(both.ok()) << both.message();
  EXPECT_EQ(both->roles, (std::vector{Address::executor(3), Address::verifier(4)}));
  EXPECT_EQ(joined_in(kModel, *both), 1u);
  const auto one = newcomer(kModel, {Epoch(6), std::nullopt, 0, contact});
  ASSERT_TRUE(one.ok()) << one.message();
  EXPECT_EQ(one->roles, std::vector{Address::verifier(10)});
  EXPECT_EQ(joined_in(kModel, *one), 7u);
  EXPECT_EQ(one->key, sample().key);
  EXPECT_FALSE(newcomer(kModel, {Epoch(0), 1, 3, "n1"}).ok());
  EXPECT_TRUE(newcomer(kModel, {Epoch(65'531), 1, std::nullopt, contact}).ok());
  const auto far = newcomer(kModel, {Epoch(65'533), 1, std::nullopt, contact});
  ASSERT_FALSE(far.ok());
  EXPECT_NE(far.message().find("more members"), std::string::npos) << far.message();
}

}  // namespace
}  // namespace eve::runtime
