// What `doctor` finds in a node's data directory, without changing anything. What it knows of is a
// list of inspectors (doctor_report.cc): each looks at the files that are its own, and what nobody
// looked at is listed.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "journal/disk.h"

namespace eve::cli {

/// In the order of how much they are worth saying: the worst part is the whole's.
enum class Health {
  kSound,    ///< all that can be checked is as it should be
  kUnknown,  ///< it cannot be said: something could not be looked at
  kDamaged,  ///< something that should be there is lost or unreadable
};

const char* name_of(Health health);
/// 0 sound, 1 damaged, 2 it cannot be said.
int exit_status(Health health);

/// Looks at `disk`'s files; `where` is its directory's name, `machine_start` names this start of
/// the machine (runtime/node_log.h). An object:
///   directory, health, findings: what a person should know, worst first
///   logs: [{name, cluster, node, opened, records, begin, end, settled, tail, cut_bytes, damage,
///           kinds: [{kind, name, records, bytes}], segments: [{file, bytes, state}], ...}]
///   checkpoints: [{file, bytes, state, number, token, state_root, position, unused...}]
///   other_files: [{file, bytes}], used_bytes, free_bytes
nlohmann::json inspect_directory(journal::Disk& disk, const std::string& where,
                                 const std::string& machine_start);

Health health_of(const nlohmann::json& report);
/// For a person.
std::string to_text(const nlohmann::json& report);

}  // namespace eve::cli
