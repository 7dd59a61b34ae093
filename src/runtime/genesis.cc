#include "runtime/genesis.h"

#include <utility>

#include "durability/genesis_state.h"
#include "runtime/posix_disk.h"
#include "wire/codec.h"

namespace eve::runtime {

crypto::Digest genesis_of(const ClusterConfig& cluster, const crypto::Digester& digester,
                          const execution::MakeService& make_service) {
  if (cluster.genesis) return wire::genesis_token(*cluster.genesis, digester);
  InlineScheduler scheduler;
  const execution::Runner runner(digester, scheduler, make_service, [] { return TimeUs{0}; });
  return wire::genesis_token(runner.empty_root(), digester);
}

std::filesystem::path genesis_directory(const std::filesystem::path& directory) {
  return directory / "genesis";
}

// Never the empty state instead: u+1 executors that begin with it would agree on its tokens.
Begin begin_of(const ClusterConfig& cluster, const std::filesystem::path& directory) {
  if (!cluster.genesis) return nullptr;
  return [root = *cluster.genesis,
          folder = genesis_directory(directory)](execution::Runner& runner) -> Status {
    const auto explain = [&](const std::string& why) {
      return Error{
          why + ". This cluster was restored from a backup and " +
          "begins with the state in the folder \"genesis\": copy that again from another machine"};
    };
    auto disk = PosixDisk::look_at(folder);
    if (!disk) return explain(disk.message());
    if (auto status = durability::import_genesis(**disk, root, runner); !status) {
      return explain((folder / status.message()).string());
    }
    return {};
  };
}

}  // namespace eve::runtime
