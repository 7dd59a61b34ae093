// One log (src/journal), as `doctor` looks at it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/doctor_report.h"
#include "journal/disk.h"

namespace eve::cli {

/// A part of a report, and the files that it is about.
struct Inspected {
  Health health = Health::kSound;
  std::vector<std::string> findings;
  std::vector<std::string> files;
};

/// The names of the logs that have a file among `files`, in any state.
std::vector<std::string> logs_among(const std::vector<std::string>& files);
/// Reads log `name`, and the marks beside it, as a node would at its start.
nlohmann::json inspect_log(journal::Disk& disk, const std::string& name,
                           const std::vector<std::string>& files, const std::string& machine_start,
                           Inspected& out);
/// Lines for a person.
std::string log_to_text(const nlohmann::json& log);

/// "run of a batch", or "kind 7" where no kind of that number is known for logs of this name.
std::string record_kind(const std::string& log, uint16_t kind);

}  // namespace eve::cli
