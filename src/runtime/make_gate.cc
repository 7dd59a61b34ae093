#include "runtime/make_gate.h"

#include "runtime/newcomers.h"

namespace eve::runtime {

Result<std::unique_ptr<MemberGate>> make_gate(NodeCore& core, Address node,
                                              const crypto::Digest& genesis,
                                              const std::filesystem::path& directory) {
  MemberGateOptions options{core.cluster().model, node, genesis, ChainFile({}), {}};
  if (!directory.empty()) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return Error{directory.string() + ": cannot make it: " + error.message()};
    options.chain = ChainFile(directory / (to_string(node) + ".chain"));
  }
  for (const NodeConfig& known : core.cluster().nodes) {
    if (joined_in(core.cluster().model, known) == 0) continue;
    options.later.insert(options.later.end(), known.roles.begin(), known.roles.end());
  }
  return MemberGate::create(core.router(), core.authenticator(), core.digester(), options,
                            welcome_to(core));
}

}  // namespace eve::runtime
