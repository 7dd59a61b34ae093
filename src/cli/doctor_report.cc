#include "cli/doctor_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/doctor_checkpoints.h"
#include "cli/doctor_log.h"

namespace eve::cli {
namespace {

using nlohmann::json;

/// What is built up while inspectors look at the files.
struct Draft {
  json report;
  Health health = Health::kSound;
  std::vector<std::string> findings;
  std::set<std::string> left;  ///< files that nobody has looked at
  std::string machine_start;

  /// `what` goes before the findings: whose they are.
  void add(const std::string& what, const Inspected& part) {
    health = std::max(health, part.health);
    for (const auto& finding : part.findings) findings.push_back(what + ": " + finding);
    for (const auto& file : part.files) left.erase(file);
  }
};

using Files = std::vector<std::string>;
using Inspector = void (*)(journal::Disk& disk, const Files& files, Draft& draft);

void inspect_logs(journal::Disk& disk, const Files& files, Draft& draft) {
  draft.report["logs"] = json::array();
  for (const std::string& name : logs_among(files)) {
    Inspected part;
    draft.report["logs"].push_back(inspect_log(disk, name, files, draft.machine_start, part));
    draft.add("log " + name, part);
  }
}

/// After the logs.
void inspect_checkpoint_files(journal::Disk& disk, const Files& files, Draft& draft) {
  Inspected part;
  draft.report["checkpoints"] = inspect_checkpoints(disk, files, part);
  match_with_log(draft.report["logs"], draft.report["checkpoints"], part);
  draft.add("checkpoints", part);
}

/// Comes last.
void list_others(journal::Disk& disk, const Files&, Draft& draft) {
  draft.report["other_files"] = json::array();
  for (const std::string& file : draft.left) {
    const auto opened = disk.open(file);
    const auto size = opened ? (*opened)->size() : Result<uint64_t>(opened.error());
    draft.report["other_files"].push_back({{"file", file}, {"bytes", size ? json(*size) : json()}});
  }
}

/// Another kind of file is another line here.
constexpr Inspector kInspectors[] = {inspect_logs, inspect_checkpoint_files, list_others};

void add_space(journal::Disk& disk, const Files& files, Draft& draft) {
  uint64_t used = 0;
  for (const std::string& file : files) {
    const auto opened = disk.open(file);
    const auto size = opened ? (*opened)->size() : Result<uint64_t>(0);
    if (size) used += *size;
  }
  draft.report["used_bytes"] = used;
  const auto free = disk.free_bytes();
  draft.report["free_bytes"] = free ? json(*free) : json();
}

}  // namespace

const char* name_of(Health health) {
  switch (health) {
    case Health::kSound:
      return "sound";
    case Health::kDamaged:
      return "damaged";
    case Health::kUnknown:
      break;
  }
  return "unknown";
}

int exit_status(Health health) {
  switch (health) {
    case Health::kSound:
      return 0;
    case Health::kDamaged:
      return 1;
    case Health::kUnknown:
      break;
  }
  return 2;
}

json inspect_directory(journal::Disk& disk, const std::string& where,
                       const std::string& machine_start) {
  Draft draft;
  draft.machine_start = machine_start;
  draft.report = {{"directory", where}};
  auto files = disk.list();
  if (!files) {
    draft.report["health"] = name_of(Health::kUnknown);
    draft.report["findings"] = {files.message()};
    return draft.report;
  }
  std::sort(files->begin(), files->end());
  draft.left = {files->begin(), files->end()};
  for (const Inspector inspect : kInspectors) inspect(disk, *files, draft);
  add_space(disk, *files, draft);
  if (draft.report["logs"].empty() && draft.report["checkpoints"].empty() &&
      draft.health == Health::kSound) {
    draft.health = Health::kUnknown;
    draft.findings.push_back("no node has left a log here: is it the right directory?");
  }
  draft.report["health"] = name_of(draft.health);
  draft.report["findings"] = draft.findings;
  return draft.report;
}

Health health_of(const json& report) {
  for (const Health health : {Health::kSound, Health::kDamaged}) {
    if (report["health"] == name_of(health)) return health;
  }
  return Health::kUnknown;
}

std::string to_text(const json& report) {
  std::string text =
      report["directory"].get<std::string>() + ": " + report["health"].get<std::string>() + "\n";
  for (const auto& finding : report["findings"]) {
    text += "  ! " + finding.get<std::string>() + "\n";
  }
  for (const auto& log : report.value("logs", json::array())) text += log_to_text(log);
  text += checkpoints_to_text(report.value("checkpoints", json::array()));
  const auto others = report.value("other_files", json::array());
  if (!others.empty()) text += "other files\n";
  for (const auto& other : others) {
    text += "  " + other["file"].get<std::string>() + ": " + other["bytes"].dump() + " bytes\n";
  }
  if (report.contains("used_bytes")) {
    text += report["used_bytes"].dump() + " bytes in use, " + report["free_bytes"].dump() +
            " bytes free\n";
  }
  return text;
}

}  // namespace eve::cli
