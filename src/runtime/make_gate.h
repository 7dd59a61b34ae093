// A node's gates, one for each role that it plays (member_gate.h).
#pragma once

#include <filesystem>
#include <memory>

#include "runtime/member_gate.h"
#include "runtime/node_core.h"

namespace eve::runtime {

/// `node`: the role's address, for ever. `genesis`: the token of batch 0; clients need none.
/// `directory`: where the chain is kept, DIRECTORY/ROLE.chain; empty: nowhere.
Result<std::unique_ptr<MemberGate>> make_gate(NodeCore& core, Address node,
                                              const crypto::Digest& genesis,
                                              const std::filesystem::path& directory);

}  // namespace eve::runtime
