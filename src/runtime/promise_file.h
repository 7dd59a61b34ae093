// What a role must remember of having run before: the mark DIRECTORY/NODE/ROLE.ran beside its log,
// and DIRECTORY/NODE.ROLE.ran beside the node's key. A person who deletes the node's own folder
// takes its memory away and leaves its identity: then the role has to know. Of a later epoch E it
// is ROLE.eE.ran: what was said in an epoch is of that epoch (docs/membership.md, M12).
#pragma once

#include <filesystem>
#include <string>

#include "base/ids.h"
#include "eve/result.h"

namespace eve::runtime {

/// What the marks of a role in an epoch are called: "verifier-1", and in epoch 3 "verifier-1.e3".
std::string name_in(Address node, Epoch epoch);

/// True if `role`, such as "verifier-1", has run with this directory (DIRECTORY/NODE) before.
Result<bool> has_started(const std::filesystem::path& directory, const std::string& role);
/// Likewise; and leaves the marks that it has, durably.
Result<bool> mark_started(const std::filesystem::path& directory, const std::string& role);

/// The last epoch of which there is a mark; the first one if there is none.
Result<Epoch> last_started(const std::filesystem::path& directory, Address node);

}  // namespace eve::runtime
