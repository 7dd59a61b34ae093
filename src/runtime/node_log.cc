#include "runtime/node_log.h"

#include <cstring>
#include <fstream>

#include "crypto/digest.h"

namespace eve::runtime {

std::string machine_start() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  if (std::getline(file, id) && !id.empty()) return id;
  const auto random = crypto::random_secret();
  return {reinterpret_cast<const char*>(random.data()), random.size()};
}

durability::KeeperOptions node_log(const std::string& name, const std::string& cluster_id,
                                   Address role) {
  durability::KeeperOptions options;
  options.log.name = name;
  options.log.owner = {cluster_id, to_string(role)};
  options.machine_start = machine_start();
  const auto random = crypto::random_secret();
  static_assert(sizeof random >= sizeof options.life);
  std::memcpy(&options.life, random.data(), sizeof options.life);
  return options;
}

}  // namespace eve::runtime
