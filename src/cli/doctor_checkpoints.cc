#include "cli/doctor_checkpoints.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "crypto/hex.h"
#include "durability/checkpoint_reader.h"

namespace eve::cli {
namespace {

using durability::CheckpointFault;
using durability::CheckpointInfo;
using durability::CheckpointReader;
using nlohmann::json;

constexpr const char* kLog = "commands";     ///< goes with checkpoints
constexpr const char* kGenesis = "genesis";  ///< owns what a restored cluster begins with

uint64_t size_of(journal::Disk& disk, const std::string& file) {
  const auto opened = disk.open(file);
  const auto size = opened ? (*opened)->size() : Result<uint64_t>(opened.error());
  return size ? *size : 0;
}

/// To its end.
Result<CheckpointInfo> read_all(journal::Disk& disk, const std::string& file,
                                CheckpointFault& fault) {
  auto reader = CheckpointReader::open(disk, file, &fault);
  if (!reader) return reader.error();
  for (;;) {
    const auto frame = (*reader)->next();
    if (!frame) {
      fault = (*reader)->fault();
      return frame.error();
    }
    if (!*frame) return (*reader)->info();
  }
}

void inspect_whole(journal::Disk& disk, const std::string& file, json& entry, Inspected& out) {
  CheckpointFault fault = CheckpointFault::kDamaged;
  const auto info = read_all(disk, file, fault);
  if (!info) {
    const bool lost = fault == CheckpointFault::kDamaged || fault == CheckpointFault::kUnreadable;
    entry["state"] = lost ? "damaged" : "unknown";
    out.health = std::max(out.health, lost ? Health::kDamaged : Health::kUnknown);
    out.findings.push_back(info.message());
    return;
  }
  entry["state"] = "whole";
  entry["cluster"] = info->header.owner.cluster;
  entry["node"] = info->header.owner.node;
  const auto& life = info->header.life;
  entry["life"] = crypto::to_hex(ByteView(reinterpret_cast<const char*>(life.data()), life.size()));
  entry["number"] = info->end.parts.number.value();
  entry["token"] = info->end.token.hex();
  entry["state_root"] = info->end.parts.state.hex();
  entry["position"] = info->end.position.value();
}

bool is_of_another(const json& checkpoint, const json& log) {
  return checkpoint["node"] != log.value("node", "") ||
         checkpoint["cluster"] != log.value("cluster", "");
}

/// Empty, or why a start would try an older one.
std::string why_unused(const json& checkpoint, const json& log) {
  if (checkpoint["life"] != log["life"]) return "it is of a log that is gone";
  if (checkpoint["position"].get<uint64_t>() < log["begin"].get<uint64_t>()) {
    return "the log was cut beyond it";
  }
  return {};
}

/// Where there are checkpoints, there was a log.
void match_without_log(const json& checkpoints, Inspected& out) {
  const bool nodes = std::any_of(checkpoints.begin(), checkpoints.end(), [](const json& each) {
    return each["state"] == "whole" && each["node"] != kGenesis;
  });
  if (!nodes) return;
  out.health = Health::kDamaged;
  out.findings.push_back(
      "there is no log that goes on from them: the node uses none, and begins as one that has lost "
      "its memory");
}

}  // namespace

json inspect_checkpoints(journal::Disk& disk, const std::vector<std::string>& files,
                         Inspected& out) {
  json found = json::array();
  for (const std::string& file : files) {
    const auto name = durability::parse_checkpoint_name(file);
    if (!name) continue;
    out.files.push_back(file);
    json entry = {{"file", file}, {"bytes", size_of(disk, file)}};
    if (name->kind == journal::FileKind::kSegment) inspect_whole(disk, file, entry, out);
    if (name->kind == journal::FileKind::kUnfinished) entry["state"] = "unfinished";
    if (name->kind == journal::FileKind::kDamaged) {
      entry["state"] = "set aside";
      out.findings.push_back(file +
                             " was set aside earlier: look at it, then remove it; no node"
                             " reads it any more");
    }
    found.push_back(std::move(entry));
  }
  return found;
}

void match_with_log(const json& logs, json& checkpoints, Inspected& out) {
  const auto log =
      std::find_if(logs.begin(), logs.end(), [](const json& each) { return each["name"] == kLog; });
  if (log == logs.end()) return match_without_log(checkpoints, out);
  if (!log->contains("end")) return;  // nothing can be read of it, and that was said
  const auto end = (*log)["end"].get<uint64_t>();
  const json* used = nullptr;
  // The newest first, as at a start.
  for (auto each = checkpoints.rbegin(); each != checkpoints.rend(); ++each) {
    if ((*each)["state"] != "whole") continue;
    const auto file = (*each)["file"].get<std::string>();
    if (used == nullptr && is_of_another(*each, *log)) {
      (*each)["unused"] = "it is of another node than the log";
      out.health = Health::kDamaged;
      out.findings.push_back(file + " is of another node than the log: the node does not start " +
                             "beside it");
      return;
    }
    const std::string why = why_unused(*each, *log);
    if (why.empty() && used == nullptr) used = &*each;
    if (why.empty()) continue;
    (*each)["unused"] = why;
    out.findings.push_back(file + " is not used: " + why);
  }
  const auto begin = (*log)["begin"].get<uint64_t>();
  if (used != nullptr && (*used)["position"].get<uint64_t>() > end) {
    out.health = Health::kDamaged;
    out.findings.push_back("the log ends with record " + std::to_string(end - 1) + ", before " +
                           (*used)["file"].get<std::string>() +
                           " was taken: the node sets the log aside and begins " +
                           "as one that has lost its memory, and fetches the state from its peers");
  }
  if (used != nullptr || begin <= 1) return;
  out.health = Health::kDamaged;
  out.findings.push_back("the log begins with record " + std::to_string(begin) +
                         ", and no checkpoint goes before it: the node begins as one that has lost "
                         "its memory, and fetches the state from its peers");
}

std::string checkpoints_to_text(const json& checkpoints) {
  std::string text;
  for (const json& checkpoint : checkpoints) {
    text += "checkpoint " + checkpoint["file"].get<std::string>() + ": " +
            checkpoint["bytes"].dump() + " bytes, " + checkpoint["state"].get<std::string>();
    if (checkpoint.contains("number")) {
      text += ", of batch " + checkpoint["number"].dump() + "; the log is needed from record " +
              checkpoint["position"].dump() + " on";
    }
    text += "\n";
  }
  return text;
}

}  // namespace eve::cli
