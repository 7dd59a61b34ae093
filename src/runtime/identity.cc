#include "runtime/identity.h"

#include "runtime/files.h"
#include "runtime/node.h"

namespace eve::runtime {
namespace {

constexpr const char* kConfigFile = "cluster.toml";
constexpr const char* kSecretFile = "cluster.secret";

std::filesystem::path key_file(const std::filesystem::path& directory, const std::string& node) {
  return directory / (node + ".key");
}

/// A secret has the size and the text form of a public key.
static_assert(sizeof(crypto::Secret) == sizeof(crypto::PublicKey));

Result<crypto::SigningKey> read_key(const std::filesystem::path& directory,
                                    const NodeConfig& node) {
  const auto file = key_file(directory, node.name);
  auto pem = read_secret_file(file);
  if (!pem) return pem.error();
  auto key = crypto::SigningKey::from_pem(*pem);
  if (!key) return Error{file.string() + ": " + key.message()};
  if (key->public_key() != node.key) {
    return Error{file.string() + ": is not the key that cluster.toml names for \"" + node.name +
                 "\": the files are of different clusters"};
  }
  return key;
}

Status refuse_existing(const std::filesystem::path& directory, const ClusterConfig& config) {
  std::vector<std::filesystem::path> files = {directory / kConfigFile, directory / kSecretFile};
  for (const auto& node : config.nodes) files.push_back(key_file(directory, node.name));
  if (config.operator_key) files.push_back(key_file(directory, std::string(kOperatorName)));
  for (const auto& file : files) {
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored)) {
      return Error{file.string() + ": is there already; choose another folder"};
    }
  }
  return {};
}

/// Files that are made together: all of them, or none.
class NewFiles {
 public:
  NewFiles() = default;
  NewFiles(const NewFiles&) = delete;
  NewFiles& operator=(const NewFiles&) = delete;
  ~NewFiles() {
    std::error_code ignored;
    for (const auto& file : made_) {
      if (!status_) std::filesystem::remove(file, ignored);
    }
  }
  /// After an error nothing more is made.
  void create(const std::filesystem::path& file, ByteView bytes, Access access) {
    if (!status_) return;
    status_ = create_file(file, bytes, access);
    if (status_) made_.push_back(file);
  }
  const Status& status() const { return status_; }

 private:
  Status status_;
  std::vector<std::filesystem::path> made_;
};

}  // namespace

Result<crypto::Secret> read_cluster_secret(const std::filesystem::path& directory) {
  const auto file = directory / kSecretFile;
  auto text = read_secret_file(file);
  if (!text) return text.error();
  while (!text->empty() && text->back() == '\n') text->pop_back();
  auto secret = crypto::public_key_from_hex(*text);
  if (!secret) return Error{file.string() + ": must hold 64 hexadecimal digits; copy it again"};
  return *secret;
}

Result<Identity> read_identity(const std::filesystem::path& directory, const NodeConfig& node) {
  auto key = read_key(directory, node);
  if (!key) return key.error();
  auto secret = read_cluster_secret(directory);
  if (!secret) return secret.error();
  return Identity{std::move(*key), *secret};
}

std::unique_ptr<crypto::Authenticator> make_authenticator(const ClusterConfig& cluster,
                                                          crypto::SigningKey key) {
  if (!cluster.model.byzantine()) return std::make_unique<crypto::NoAuthenticator>();
  return std::make_unique<crypto::Ed25519Authenticator>(cluster.id, std::move(key), cluster.keys());
}

std::string draw_cluster_id() {
  return crypto::to_hex(crypto::random_secret()).substr(0, 32);
}

Status write_cluster(const std::filesystem::path& directory, ClusterConfig config,
                     const crypto::Secret& secret) {
  std::vector<crypto::SigningKey> keys;
  for (auto& node : config.nodes) {
    keys.push_back(crypto::SigningKey::generate());
    node.key = keys.back().public_key();
  }
  const auto operators = crypto::SigningKey::generate();
  if (!config.model.is_primary_backup()) config.operator_key = operators.public_key();
  if (config.id.empty()) config.id = draw_cluster_id();
  if (auto status = validate(config); !status) return status;

  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return Error{directory.string() + ": cannot make it: " + failed.message()};
  if (auto status = refuse_existing(directory, config); !status) return status;

  NewFiles files;
  files.create(directory / kSecretFile, crypto::to_hex(secret) + "\n", Access::kOwner);
  for (size_t i = 0; i < keys.size(); ++i) {
    files.create(key_file(directory, config.nodes[i].name), keys[i].to_pem(), Access::kOwner);
  }
  if (config.operator_key) {
    const auto file = key_file(directory, std::string(kOperatorName));
    files.create(file, operators.to_pem(), Access::kOwner);
  }
  // Last: where there is a cluster.toml, the rest is there too.
  files.create(directory / kConfigFile, format_cluster_toml(config), Access::kEveryone);
  return files.status();
}

Result<ClusterConfig> read_cluster(const std::filesystem::path& file) {
  auto text = read_file(file);
  if (!text) return text.error();
  auto config = parse_cluster_toml(*text);
  if (!config) return Error{file.string() + ": " + config.message()};
  if (auto status = validate(*config); !status) {
    return Error{file.string() + ": " + status.message()};
  }
  return config;
}

}  // namespace eve::runtime
