// `doctor`: checks what a node has on its disk while it does not run.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/doctor_report.h"
#include "runtime/node_log.h"
#include "runtime/posix_disk.h"

namespace eve::cli {
namespace {

using nlohmann::json;

constexpr size_t kMostFolders = 256;  ///< of one directory
constexpr int kDeepest = 3;           ///< DIR/NAME/ROLE, and one that holds several of DIR

struct DoctorOptions {
  std::vector<std::string> directories;
  bool as_json = false;
};

json look_at(const std::filesystem::path& directory) {
  auto disk = runtime::PosixDisk::look_at(directory);
  if (disk) return inspect_directory(**disk, directory.string(), runtime::machine_start());
  return {{"directory", directory.string()},
          {"health", name_of(Health::kUnknown)},
          {"findings", {disk.message()}}};
}

bool holds_a_log(const json& report) {
  const auto holds = [&](const char* what) {
    return report.contains(what) && !report[what].empty();
  };
  return holds("logs") || holds("checkpoints");
}

std::vector<std::filesystem::path> folders_in(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> folders;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    if (entry.is_directory(ignored) && !entry.is_symlink(ignored)) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  folders.resize(std::min(folders.size(), kMostFolders));
  return folders;
}

/// The folders in it, and in those: of each that nodes write in, or that cannot be looked at.
void look_below(const std::filesystem::path& directory, int levels, json& reports) {
  if (levels == 0) return;
  for (const auto& folder : folders_in(directory)) {
    auto report = look_at(folder);
    const bool locked = !report.contains("logs");
    if (locked || holds_a_log(report)) reports.push_back(std::move(report));
    look_below(folder, levels - 1, reports);
  }
}

/// The directory, and what is below it: a role's folder, a node's, that of `dev` or of several
/// nodes can be named.
void look_into(const std::filesystem::path& directory, json& reports) {
  auto own = look_at(directory);
  json inside = json::array();
  look_below(directory, kDeepest, inside);
  if (holds_a_log(own) || inside.empty()) reports.push_back(std::move(own));
  for (auto& report : inside) reports.push_back(std::move(report));
}

int run_doctor(const DoctorOptions& options) {
  json reports = json::array();
  for (const auto& directory : options.directories) look_into(directory, reports);
  Health worst = Health::kSound;
  for (const auto& report : reports) worst = std::max(worst, health_of(report));
  if (options.as_json) {
    const json all = {{"health", name_of(worst)}, {"directories", reports}};
    std::printf("%s\n", all.dump(2).c_str());
  } else {
    for (const auto& report : reports) std::printf("%s", to_text(report).c_str());
  }
  return exit_status(worst);
}

}  // namespace

void add_doctor(CLI::App& app, const Program& /*program*/, Action& action) {
  auto options = std::make_shared<DoctorOptions>();
  auto* command = app.add_subcommand(
      "doctor",
      "Check what a stopped node has on its disk, changing nothing; exit status 0 sound, 1 damage, "
      "2 it cannot be said");
  command
      ->add_option("DIRECTORY", options->directories,
                   "A node's data directory, or a folder of several")
      ->required();
  command->add_flag("--json", options->as_json, "All that was found, as JSON");
  command->callback([&action, options] { action = [options] { return run_doctor(*options); }; });
}

}  // namespace eve::cli
