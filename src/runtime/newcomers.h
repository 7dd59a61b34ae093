// Lets those who joined later have links and count, from what the chain of epochs says of them.
#pragma once

#include <functional>

#include "membership/members.h"
#include "membership/succession.h"
#include "runtime/node_core.h"

namespace eve::runtime {

/// Who joined later and sits there, by the contacts of the changes.
struct Newcomers {
  std::vector<NodeConfig> nodes;
  Status trouble;  ///< of a contact that cannot be read; the others are there
};
Newcomers newcomers(const FaultModel& model, const membership::Members& members);

/// NodeCore::join() for each of them; the first error, after all have been tried.
Status join_members(NodeCore& core, const membership::Members& members);

/// Whether it is this node that sits where its `role` does; true without a seat. An error names the
/// one that does. Addresses do not tell: a change that was asked for twice, for two machines, gives
/// both of them the same one, and where `tls = false` nothing else proves who they are.
Status own_seat(const NodeCore& core, const membership::Members& members, Address role);

/// join_members() of whoever it is told of; what goes wrong is logged. `core` outlives it.
std::function<void(const membership::Members&)> welcome_to(NodeCore& core);

/// Checks what verifiers of an epoch have signed, all of them: who joined by then has joined `core`
/// before. So a chain of several links can be followed at once. `core` outlives it; on its thread.
membership::KeysOf keys_of(NodeCore& core);

}  // namespace eve::runtime
