// Checkpoints (durability/checkpoint_format.h), as `doctor` looks at them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/doctor_log.h"

namespace eve::cli {

/// Reads every checkpoint among `files` from front to back: all sums, numbers and totals. What its
/// digests say only the cluster can tell. [{file, bytes, state, cluster, node, number, token,
/// state_root, position}], those that could not be read without what they are of.
nlohmann::json inspect_checkpoints(journal::Disk& disk, const std::vector<std::string>& files,
                                   Inspected& out);
/// Whether a start would find a checkpoint that goes with the log; adds to `checkpoints` what each
/// is good for. `logs`: what inspect_log() gave.
void match_with_log(const nlohmann::json& logs, nlohmann::json& checkpoints, Inspected& out);
/// Lines for a person.
std::string checkpoints_to_text(const nlohmann::json& checkpoints);

}  // namespace eve::cli
