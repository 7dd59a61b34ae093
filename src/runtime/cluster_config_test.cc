#include "runtime/cluster_config.h"

#include <gtest/gtest.h>

#include <functional>

namespace eve::runtime {
namespace {

crypto::PublicKey key_number(uint8_t number) {
  crypto::PublicKey key{};
  key[0] = number;
  return key;
}

ClusterConfig sample() {
  ClusterConfig config;
  config.id = "0123456789abcdef0123456789abcdef";
  for (uint16_t i = 0; i < 3; ++i) {
    NodeConfig node;
    node.name = "node-" + std::to_string(i);
    node.host = "10.0.0." + std::to_string(i + 1);
    node.port = 7000;
    node.status_port = 7100;
    node.roles = {Address::executor(i), Address::verifier(i)};
    node.key = key_number(static_cast<uint8_t>(i + 1));
    config.nodes.push_back(node);
  }
  NodeConfig gateway;
  gateway.name = "gateway";
  gateway.host = "it's \"odd\" \\ and\ttabbed";
  gateway.service_port = 6379;
  gateway.roles = {Address::client(0)};
  gateway.key = key_number(9);
  config.nodes.push_back(gateway);
  return config;
}

/// The sample as text, with `from` replaced by `to`.
std::string edited(const std::string& from, const std::string& to) {
  auto text = format_cluster_toml(sample());
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void expect_parse_error(const std::string& text, const std::string& part) {
  const auto parsed = parse_cluster_toml(text);
  ASSERT_FALSE(parsed.ok()) << part;
  EXPECT_NE(parsed.message().find(part), std::string::npos) << parsed.message();
}

void expect_invalid(const ClusterConfig& config, const std::string& part) {
  const auto status = validate(config);
  ASSERT_FALSE(status.ok()) << part;
  EXPECT_NE(status.message().find(part), std::string::npos) << status.message();
}

TEST(ClusterConfig, FormatAndParseAreExact) {
  const auto config = sample();
  const auto text = format_cluster_toml(config);
  const auto parsed = parse_cluster_toml(text);
  ASSERT_TRUE(parsed.ok()) << parsed.message();
  EXPECT_EQ(parsed->id, config.id);
  EXPECT_EQ(parsed->model, config.model);
  EXPECT_EQ(parsed->digest, config.digest);
  EXPECT_EQ(parsed->tls, config.tls);
  EXPECT_EQ(parsed->service, config.service);
  ASSERT_EQ(parsed->nodes.size(), config.nodes.size());
  for (size_t i = 0; i < config.nodes.size(); ++i) {
    const auto& a = parsed->nodes[i];
    const auto& b = config.nodes[i];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.host, b.host);
    EXPECT_EQ(a.port, b.port);
    EXPECT_EQ(a.status_port, b.status_port);
    EXPECT_EQ(a.service_port, b.service_port);
    EXPECT_EQ(a.roles, b.roles);
    EXPECT_EQ(a.key, b.key);
  }
  EXPECT_EQ(format_cluster_toml(*parsed), text);
  EXPECT_TRUE(validate(config).ok()) << validate(config).message();
}

TEST(ClusterConfig, SaysWhatItBeginsWith) {
  auto config = sample();
  EXPECT_FALSE(parse_cluster_toml(format_cluster_toml(config))->genesis.has_value());
  config.genesis.emplace().bytes.fill(0xa7);
  const auto text = format_cluster_toml(config);
  const auto parsed = parse_cluster_toml(text);
  ASSERT_TRUE(parsed.ok()) << parsed.message();
  EXPECT_EQ(parsed->genesis, config.genesis);
  EXPECT_EQ(format_cluster_toml(*parsed), text);
  const std::string service = "service = 'kv'";
  expect_parse_error(edited(service, service + "\ngenesis = 'a7'"), "genesis must be 64 hex");
  expect_parse_error(edited(service, service + "\ngenesis = 7"), "genesis must be");
}

TEST(ClusterConfig, LooksUpNodesAndKeys) {
  const auto config = sample();
  EXPECT_EQ(config.node_of(Address::verifier(2)).name, "node-2");
  EXPECT_EQ(config.find("gateway"), &config.nodes[3]);
  EXPECT_EQ(config.find("nobody"), nullptr);
  EXPECT_EQ(config.clients(), 1);
  EXPECT_EQ(config.keys().size(), 7u);
  EXPECT_EQ(config.keys().at(Address::executor(1)), key_number(2));
}

/// One that joined in `epoch`, as executor and verifier.
NodeConfig late(uint16_t epoch) {
  NodeConfig node;
  node.name = "late-" + std::to_string(epoch);
  node.host = "10.0.0.1";  // where node-0 is
  node.port = 7000;
  node.status_port = 7100;
  const auto index = static_cast<uint16_t>(2 + epoch);
  node.roles = {Address::executor(index), Address::verifier(index)};
  node.key = key_number(static_cast<uint8_t>(20 + epoch));
  return node;
}

ClusterConfig sample_with_joined() {
  auto config = sample();
  config.operator_key = key_number(99);
  config.joined = {late(2), late(1)};
  config.joined[0].roles = {Address::verifier(4)};
  return config;
}

TEST(ClusterConfig, TheOperatorAndWhoJoinedAreExact) {
  const auto config = sample_with_joined();
  const auto text = format_cluster_toml(config);
  const auto parsed = parse_cluster_toml(text);
  ASSERT_TRUE(parsed.ok()) << parsed.message();
  EXPECT_TRUE(validate(*parsed).ok()) << validate(*parsed).message();
  EXPECT_EQ(parsed->operator_key, key_number(99));
  EXPECT_EQ(parsed->joined, config.joined);
  EXPECT_EQ(parsed->nodes, config.nodes);
  EXPECT_EQ(format_cluster_toml(*parsed), text);
  EXPECT_FALSE(parse_cluster_toml(format_cluster_toml(sample()))->operator_key.has_value())
      << "a file of an earlier release";

  EXPECT_EQ(config.clients(), 1);
  EXPECT_EQ(config.find("late-1"), &config.joined[1]);
  EXPECT_EQ(config.everybody().size(), 6u);
  const auto keys = config.keys();
  EXPECT_EQ(keys.at(Address::verifier(4)), key_number(22));
  EXPECT_EQ(keys.at(Address::client(1024)), key_number(99));
  EXPECT_EQ(joined_in(config.model, config.joined[0]), 2u);
  EXPECT_EQ(joined_in(config.model, config.joined[1]), 1u);
  EXPECT_EQ(joined_in(config.model, config.nodes[2]), 0u);
  EXPECT_EQ(joined_in(config.model, config.nodes[3]), 0u);
}

TEST(ClusterConfig, MistakesAboutMembersAreNamed) {
  const auto text = format_cluster_toml(sample_with_joined());
  const auto edit = [&text](const std::string& from, const std::string& to) {
    auto changed = text;
    const auto at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return changed.replace(at, from.size(), to);
  };
  expect_parse_error(edit("[operator]\nkey", "[operator]\nkeys"), "operator: key is missing");
  expect_parse_error(edit("[operator]\n", "[operator]\nname = 'me'\n"), "operator: name is not");
  expect_parse_error(edit("[operator]\nkey = \"6", "[operator]\nkey = \"g"), "operator: key must");
  expect_parse_error(edit("[operator]", "[[operator]]"), "operator must be a table");
  expect_parse_error(edit("verifier-4", "verifier-65536"), "joined 1: roles must be a list");
  expect_parse_error(edit("[[joined]]\nname", "[[joined]]\nnam"), "joined 1: name is missing");

  const auto with = [](const std::function<void(ClusterConfig&)>& change) {
    auto config = sample_with_joined();
    change(config);
    return config;
  };
  const std::string beyond = "of the same epoch, beyond the cluster's seats";
  expect_invalid(with([](auto& c) { c.joined[0].roles = {Address::verifier(2)}; }), beyond);
  expect_invalid(with([](auto& c) { c.joined[0].roles = {Address::client(1)}; }), beyond);
  expect_invalid(with([](auto& c) { c.joined[0].roles.push_back(Address::client(1)); }), beyond);
  expect_invalid(with([](auto& c) { c.joined[0].roles.push_back(Address::executor(3)); }), beyond);
  expect_invalid(with([](auto& c) { c.joined[0].roles = {Address::executor(3)}; }),
                 "it joined in the same epoch as");
  expect_invalid(with([](auto& c) { c.joined[0].name = "gateway"; }), "used twice");
  expect_invalid(with([](auto& c) { c.joined[0].name = "operator"; }), "the key in [operator]");
  expect_invalid(with([](auto& c) { c.nodes[3].name = "operator"; }), "the key in [operator]");
  expect_invalid(with([](auto& c) { c.joined[0].key = c.nodes[1].key; }), "same key as \"node-1\"");
  expect_invalid(with([](auto& c) { c.nodes[1].key = *c.operator_key; }), "same key");
  expect_invalid(with([](auto& c) { c.joined[0].port = 7100; }), "port and status_port");
  expect_invalid(with([](auto& c) { c.joined[0].port = 0; }), "need a port");
  auto old = sample();
  old.nodes[3].name = "operator";
  EXPECT_TRUE(validate(old).ok()) << "without [operator] the name is free";
}

TEST(ClusterConfig, ParseErrorsNameLineAndKey) {
  expect_parse_error("id = ", "line 1");
  expect_parse_error("", "id is missing");
  const std::string nobody = "id = 'i'\nu = 0\nr = 0\ndigest = 'xxh3'\nservice = 'kv'\n";
  expect_parse_error(nobody, "node is missing");
  expect_parse_error(nobody + "node = []\n", "node is missing");
  expect_parse_error(edited("u = 1", "u = \"one\""), "line 4: u must be a whole number");
  expect_parse_error(edited("u = 1", "u = -1"), "u must be a whole number from 0");
  expect_parse_error(edited("u = 1", "uu = 1"), "u is missing");
  expect_parse_error(edited("u = 1", "u = 1\nextra = 2"), "extra is not known here");
  expect_parse_error(edited("\"xxh3\"", "\"md5\""), "digest must be \"sha256\" or \"xxh3\"");
  expect_parse_error(edited("tls = true", "tls = 1"), "tls must be true or false");
  expect_parse_error(edited("port = 7000", "port = 70000"), "node 1: port must be");
  expect_parse_error(edited("port = 7000", "prot = 7000"), "node 1: prot is not known here");
  expect_parse_error(edited("\"executor-0\"", "\"executor-00\""), "roles must be a list like");
  expect_parse_error(edited("\"executor-0\"", "\"executer-0\""), "roles must be a list like");
  expect_parse_error(edited("\"executor-0\"", "7"), "roles must be a list like");
  expect_parse_error(edited("key = \"01", "key = \"zz"), "key must be 64 hexadecimal digits");
}

TEST(ClusterConfig, ValidationSaysWhatIsWrong) {
  auto config = sample();
  config.id = "short";
  expect_invalid(config, "id must be 32");

  config = sample();
  config.model = FaultModel(0, 0);
  expect_invalid(config, "u must be at least 1");
  config.model = FaultModel(1, 2);
  expect_invalid(config, "r at most u");
  config.model = FaultModel(1000, 0);
  expect_invalid(config, "too large");

  config.model = FaultModel(1, 1);
  expect_invalid(config, "digest must be");
  config.digest = crypto::DigestAlgorithm::kSha256;
  expect_invalid(config, "verifier-3 is played by no node");
  config.tls = false;
  expect_invalid(config, "tls = false");
}

TEST(ClusterConfig, ValidationOfNodes) {
  auto config = sample();
  config.nodes[1].roles = {Address::executor(1)};
  expect_invalid(config, "verifier-1 is played by no node");
  config.nodes[1].roles = {Address::executor(1), Address::verifier(0)};
  expect_invalid(config, "verifier-0 is also played");
  config.nodes[1].roles = {Address::executor(1), Address::executor(2)};
  expect_invalid(config, "one executor");

  config = sample();
  config.nodes[3].roles = {Address::client(1)};
  expect_invalid(config, "client-0 is played by no node");

  config = sample();
  config.nodes[1].name = "node-0";
  expect_invalid(config, "used twice");
  config.nodes[1].name = "Node";
  expect_invalid(config, "a name is");

  config = sample();
  config.nodes[1].key = config.nodes[0].key;
  expect_invalid(config, "same key");

  config = sample();
  config.nodes[1].port = 0;
  expect_invalid(config, "need a port");

  config = sample();
  config.nodes[1].status_port = config.nodes[1].port;
  expect_invalid(config, "port 7000");
}

ClusterConfig pair_sample() {
  ClusterConfig config = sample();
  config.model = FaultModel::primary_backup();
  config.nodes.erase(config.nodes.begin() + 2);
  for (uint16_t i = 0; i < 2; ++i) config.nodes[i].roles = {Address::executor(i)};
  return config;
}

TEST(ClusterConfig, PrimaryBackupFormatAndParseAreExact) {
  auto config = pair_sample();
  for (const auto& endpoints :
       {std::vector<std::string>{}, {"http://10.0.0.9:2379", "http://[::1]:2379"}}) {
    config.pair.endpoints = endpoints;
    config.pair.silence_ms = 250;
    const auto text = format_cluster_toml(config);
    const auto parsed = parse_cluster_toml(text);
    ASSERT_TRUE(parsed.ok()) << parsed.message() << text;
    EXPECT_TRUE(parsed->model.is_primary_backup());
    EXPECT_EQ(parsed->pair.endpoints, endpoints);
    EXPECT_EQ(parsed->pair.silence_ms, 250u);
    EXPECT_EQ(format_cluster_toml(*parsed), text);
    EXPECT_TRUE(validate(*parsed).ok()) << validate(*parsed).message();
  }
}

TEST(ClusterConfig, PrimaryBackupMistakesAreNamed) {
  const auto edit = [](const std::string& from, const std::string& to) {
    auto text = format_cluster_toml(pair_sample());
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  expect_parse_error(edit("\"primary-backup\"", "\"pair\""), "primary-backup");
  expect_parse_error(edit("u = 1", "u = 2"), "u = 1");
  expect_parse_error(edit("\"none\"", "\"raft\""), "etcd");
  expect_parse_error(edit("\"none\"", "\"etcd\""), "endpoints");
  expect_parse_error(edit("\"none\"", "\"none\"\nendpoints = [\"http://a:1\"]"), "endpoints");
  expect_parse_error(edit("silence_ms", "silent_ms"), "silent_ms");
  expect_parse_error(edited("u = 1", "u = 1\npair = 3"), "pair");
  auto config = pair_sample();
  config.pair.silence_ms = 10;
  expect_invalid(config, "silence_ms");
  config = pair_sample();
  config.pair.progress_ms = 500;
  expect_invalid(config, "progress_ms");
  config = pair_sample();
  config.operator_key = key_number(77);
  expect_invalid(config, "[operator]: the members of a primary-backup cluster stay");
  config = pair_sample();
  config.joined = {late(1)};
  expect_invalid(config, "[[joined]]: the members of a primary-backup cluster stay");
  config = pair_sample();
  config.pair.endpoints = {"etcd:2379"};
  expect_invalid(config, "http://");
}

}  // namespace
}  // namespace eve::runtime
