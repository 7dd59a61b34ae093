// cluster.toml to ClusterConfig and back.
#include <algorithm>
#include <initializer_list>
#include <limits>
#include <optional>
#include <sstream>

#include <toml++/toml.h>

#include "runtime/cluster_config.h"

namespace eve::runtime {
namespace {

/// Reads keys of one table and keeps the first complaint. Values are asked for by name; whatever
/// was not asked for is unknown, and refused, so that a misspelt key is never silently ignored.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string where)
      : table_(table), where_(std::move(where)) {}

  std::string text(std::string_view key, std::optional<std::string> fallback = std::nullopt) {
    return get<std::string>(key, "a string", std::move(fallback));
  }
  bool boolean(std::string_view key, std::optional<bool> fallback = std::nullopt) {
    return get<bool>(key, "true or false", fallback);
  }
  uint32_t number(std::string_view key, uint32_t most,
                  std::optional<int64_t> fallback = std::nullopt) {
    const auto expected = "a whole number from 0 to " + std::to_string(most);
    const auto value = get<int64_t>(key, expected, fallback);
    if (value < 0 || value > most) complain(key, "must be " + expected);
    return static_cast<uint32_t>(std::clamp<int64_t>(value, 0, most));
  }
  uint16_t port(std::string_view key) { return static_cast<uint16_t>(number(key, 65535, 0)); }

  void complain(std::string_view key, const std::string& what) {
    if (!error_.empty()) return;
    const auto* node = table_.get(key);
    const auto line = node != nullptr ? node->source().begin.line : table_.source().begin.line;
    error_ = "line " + std::to_string(line) + ": " + where_ + std::string(key) + " " + what;
  }

  /// After everything known was asked for.
  Status finish(std::initializer_list<std::string_view> known) {
    for (const auto& [key, value] : table_) {
      if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
      std::string names;
      for (auto name : known) names.append(names.empty() ? "" : ", ").append(name);
      complain(key.str(), "is not known here; known keys are " + names);
    }
    if (error_.empty()) return {};
    return Error{error_};
  }

 private:
  template <typename T>
  T get(std::string_view key, const std::string& expected, std::optional<T> fallback) {
    const auto* node = table_.get(key);
    if (node == nullptr) {
      if (!fallback) complain(key, "is missing; it must be " + expected);
      return fallback.value_or(T());
    }
    if (auto value = node->value_exact<T>()) return *value;
    complain(key, "must be " + expected);
    return T();
  }

  const toml::table& table_;
  std::string where_;
  std::string error_;
};

std::optional<Address> parse_role(std::string_view text) {
  for (auto role : {Role::kExecutor, Role::kVerifier, Role::kClient}) {
    auto prefix = to_string(Address{role, 0});
    prefix.pop_back();
    if (!text.starts_with(prefix)) continue;
    const auto digits = text.substr(prefix.size());
    if (digits.empty() || digits.size() > 5) return std::nullopt;
    if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    if (digits.size() > 1 && digits[0] == '0') return std::nullopt;
    const int index = std::stoi(std::string(digits));
    if (index > std::numeric_limits<uint16_t>::max()) return std::nullopt;
    return Address{role, static_cast<uint16_t>(index)};
  }
  return std::nullopt;
}

void read_roles(const toml::table& table, TableReader& reader, NodeConfig& node) {
  const std::string expected = "must be a list like [\"executor-0\", \"verifier-0\"]";
  const auto* roles = table.get_as<toml::array>("roles");
  if (roles == nullptr) return reader.complain("roles", expected);
  for (const auto& item : *roles) {
    const auto text = item.value_exact<std::string>();
    const auto role = text ? parse_role(*text) : std::nullopt;
    if (!role) return reader.complain("roles", expected);
    node.roles.push_back(*role);
  }
}

Result<NodeConfig> read_node(const toml::table& table, const std::string& which) {
  NodeConfig node;
  TableReader reader(table, which + ": ");
  node.name = reader.text("name");
  node.host = reader.text("host");
  node.port = reader.port("port");
  node.status_port = reader.port("status_port");
  node.service_port = reader.port("service_port");
  read_roles(table, reader, node);
  if (auto key = crypto::public_key_from_hex(reader.text("key")); key) {
    node.key = *key;
  } else {
    reader.complain("key", "must be 64 hexadecimal digits: a public key that `init` made");
  }
  if (auto status =
          reader.finish({"name", "host", "port", "status_port", "service_port", "roles", "key"});
      !status) {
    return Error{status.message()};
  }
  return node;
}

void read_pair(const toml::table& table, TableReader& reader, PairConfig& pair) {
  const auto arbiter = reader.text("arbiter", "none");
  pair.silence_ms = reader.number("silence_ms", 1'000'000'000, pair.silence_ms);
  pair.progress_ms = reader.number("progress_ms", 1'000'000'000, pair.progress_ms);
  if (arbiter != "none" && arbiter != "etcd") {
    reader.complain("arbiter", "must be \"none\" or \"etcd\"");
  }
  const std::string expected = "must be a list like [\"http://10.0.0.9:2379\"]";
  if (const auto* node = table.get("endpoints"); node != nullptr) {
    const auto* list = node->as_array();
    if (list == nullptr) return reader.complain("endpoints", expected);
    for (const auto& item : *list) {
      const auto url = item.value_exact<std::string>();
      if (!url) return reader.complain("endpoints", expected);
      pair.endpoints.push_back(*url);
    }
  }
  if ((arbiter == "etcd") == pair.endpoints.empty()) {
    reader.complain("endpoints", arbiter == "etcd" ? "is missing; it " + expected
                                                   : "are for arbiter = \"etcd\"");
  }
}

void read_genesis(const toml::table& table, TableReader& reader, ClusterConfig& config) {
  if (!table.contains("genesis")) return;
  const auto root = crypto::public_key_from_hex(reader.text("genesis"));
  if (!root)
    return reader.complain("genesis", "must be 64 hexadecimal digits that `restore` wrote");
  config.genesis = crypto::Digest{*root};
}

/// The model, and [pair] where that is "primary-backup".
Status read_model(const toml::table& table, TableReader& reader, ClusterConfig& config) {
  const auto u = reader.number("u", 1'000);
  const auto r = reader.number("r", 1'000);
  config.model = FaultModel(u, r);
  const auto* pair = table.get_as<toml::table>("pair");
  const auto name = reader.text("config", "");
  if (name != "primary-backup") {
    if (!name.empty()) reader.complain("config", "must be \"primary-backup\", or absent");
    if (table.contains("pair")) reader.complain("pair", "is for config = \"primary-backup\"");
    return {};
  }
  config.model = FaultModel::primary_backup();
  if (u != 1 || r != 0) reader.complain("config", "\"primary-backup\" goes with u = 1, r = 0");
  if (pair == nullptr) {
    if (table.contains("pair")) reader.complain("pair", "must be a table, [pair]");
    return {};
  }
  TableReader pair_reader(*pair, "pair: ");
  read_pair(*pair, pair_reader, config.pair);
  return pair_reader.finish({"arbiter", "endpoints", "silence_ms", "progress_ms"});
}

Status read_operator(const toml::table& table, ClusterConfig& config) {
  if (!table.contains("operator")) return {};
  const auto* section = table.get_as<toml::table>("operator");
  if (section == nullptr) return Error{"operator must be a table, [operator]"};
  TableReader reader(*section, "operator: ");
  const auto key = crypto::public_key_from_hex(reader.text("key"));
  if (!key) reader.complain("key", "must be 64 hexadecimal digits: a public key that `init` made");
  if (auto status = reader.finish({"key"}); !status) return status;
  config.operator_key = *key;
  return {};
}

/// The [[node]] or [[joined]] tables.
Status read_nodes(const toml::table& table, const std::string& name,
                  std::vector<NodeConfig>& nodes) {
  const auto* list = table.get_as<toml::array>(name);
  if (list == nullptr) return Error{name + " must be a list of [[" + name + "]] tables"};
  for (size_t i = 0; i < list->size(); ++i) {
    const auto* entry = list->get_as<toml::table>(i);
    if (entry == nullptr) return Error{name + " must be a list of [[" + name + "]] tables"};
    auto node = read_node(*entry, name + " " + std::to_string(i + 1));
    if (!node) return node.status();
    nodes.push_back(std::move(*node));
  }
  return {};
}

Result<ClusterConfig> read_cluster_table(const toml::table& table) {
  ClusterConfig config;
  TableReader reader(table, "");
  config.id = reader.text("id");
  auto model_status = read_model(table, reader, config);
  const auto digest = reader.text("digest");
  if (digest == "sha256") {
    config.digest = crypto::DigestAlgorithm::kSha256;
  } else if (digest != "xxh3") {
    reader.complain("digest", "must be \"sha256\" or \"xxh3\"");
  }
  config.tls = reader.boolean("tls", true);
  config.service = reader.text("service");
  read_genesis(table, reader, config);
  const auto* nodes = table.get_as<toml::array>("node");
  if (nodes == nullptr || nodes->empty()) {
    reader.complain("node", "is missing: each node is a [[node]] table");
  }
  const auto status = reader.finish({"id", "config", "u", "r", "digest", "tls", "service",
                                     "genesis", "pair", "operator", "node", "joined"});
  if (!status) return Error{status.message()};
  if (!model_status) return Error{model_status.message()};
  if (auto read = read_operator(table, config); !read) return Error{read.message()};
  if (auto read = read_nodes(table, "node", config.nodes); !read) return Error{read.message()};
  if (table.contains("joined")) {
    if (auto read = read_nodes(table, "joined", config.joined); !read) return Error{read.message()};
  }
  return config;
}

/// A TOML basic string; hosts are the only values that are not plain names.
std::string quoted(std::string_view text) {
  std::ostringstream out;
  out << toml::value<std::string>(std::string(text));
  return out.str();
}

void format_pair(const PairConfig& pair, std::string& out) {
  out += "\n[pair]\narbiter = ";
  out += pair.endpoints.empty() ? "\"none\"\n" : "\"etcd\"\nendpoints = [";
  for (size_t i = 0; i < pair.endpoints.size(); ++i) {
    out += (i == 0 ? "" : ", ") + quoted(pair.endpoints[i]);
  }
  if (!pair.endpoints.empty()) out += "]\n";
  out += "silence_ms = " + std::to_string(pair.silence_ms) + "\n";
  out += "progress_ms = " + std::to_string(pair.progress_ms) + "\n";
}

void format_node(const char* table, const NodeConfig& node, std::string& out) {
  out += "\n[[" + std::string(table) + "]]\nname = " + quoted(node.name) +
         "\nhost = " + quoted(node.host) + "\n";
  const auto port = [&out](const char* key, uint16_t value) {
    if (value != 0) out += std::string(key) + " = " + std::to_string(value) + "\n";
  };
  port("port", node.port);
  port("status_port", node.status_port);
  port("service_port", node.service_port);
  out += "roles = [";
  for (size_t i = 0; i < node.roles.size(); ++i) {
    out += (i == 0 ? "\"" : ", \"") + to_string(node.roles[i]) + "\"";
  }
  out += "]\nkey = \"" + crypto::to_hex(node.key) + "\"\n";
}

}  // namespace

Result<ClusterConfig> parse_cluster_toml(std::string_view text) {
  try {
    const auto table = toml::parse(text);
    return read_cluster_table(table);
  } catch (const toml::parse_error& error) {
    return Error{"line " + std::to_string(error.source().begin.line) + ": " +
                 std::string(error.description())};
  }
}

std::string format_joined(const NodeConfig& node) {
  std::string out;
  format_node("joined", node, out);
  return out;
}

std::string format_cluster_toml(const ClusterConfig& config) {
  const bool sha = config.digest == crypto::DigestAlgorithm::kSha256;
  std::string out =
      "# An Eve cluster: the same file on every node. Holds no secrets.\n"
      "# u: failures it stays live under; r: lies it stays safe under.\n";
  out += "id = " + quoted(config.id) + "\n";
  if (config.model.is_primary_backup()) out += "config = \"primary-backup\"\n";
  out += "u = " + std::to_string(config.model.u()) + "\n";
  out += "r = " + std::to_string(config.model.r()) + "\n";
  out += std::string("digest = ") + (sha ? "\"sha256\"" : "\"xxh3\"") + "\n";
  out += std::string("tls = ") + (config.tls ? "true" : "false") + "\n";
  out += "service = " + quoted(config.service) + "\n";
  if (config.genesis) out += "genesis = \"" + config.genesis->hex() + "\"\n";
  if (config.model.is_primary_backup()) format_pair(config.pair, out);
  if (config.operator_key) {
    out += "\n[operator]\nkey = \"" + crypto::to_hex(*config.operator_key) + "\"\n";
  }
  for (const auto& node : config.nodes) format_node("node", node, out);
  for (const auto& node : config.joined) format_node("joined", node, out);
  return out;
}

}  // namespace eve::runtime
