#include "cli/doctor_log.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "crypto/hex.h"
#include "durability/executor_notes.h"
#include "durability/keeper.h"
#include "durability/log_marks.h"
#include "durability/mark_file.h"
#include "durability/promise_notes.h"
#include "journal/format.h"
#include "journal/log_reader.h"
#include "journal/segment_file.h"

namespace eve::cli {
namespace {

using nlohmann::json;

constexpr size_t kMostStrays = 1'000'000;

/// Counts records by kind; what they hold is for the node to read.
class Counter : public journal::Visitor {
 public:
  struct Count {
    uint64_t records = 0;
    uint64_t bytes = 0;
  };
  Status record(const journal::Record& record) override {
    Count& count = kinds_[record.kind];
    count.records += 1;
    count.bytes += record.payload.size();
    if (record.kind == durability::kNotWhole) lost_ = record.payload;
    if (record.kind == durability::kRemembered) lost_.reset();
    return {};
  }
  /// What the node has lost and not made up for yet, in its words.
  const std::optional<Bytes>& lost() const { return lost_; }
  void stray(const journal::Record&) override {
    if (strays_ < kMostStrays) ++strays_;
  }
  const std::map<uint16_t, Count>& kinds() const { return kinds_; }
  uint64_t strays() const { return strays_; }

 private:
  std::map<uint16_t, Count> kinds_;
  uint64_t strays_ = 0;
  std::optional<Bytes> lost_;
};

/// By what the log is called.
struct KindName {
  const char* log;
  uint16_t kind;
  const char* name;
};
template <typename Kind>
constexpr KindName named(const char* log, Kind kind, const char* name) {
  return {log, static_cast<uint16_t>(kind), name};
}
using durability::ExecutorNote;
using durability::PromiseNote;
constexpr const char* kExecutors = "commands";
constexpr const char* kVerifiers = "promises";
constexpr KindName kKindNames[] = {
    named(kExecutors, ExecutorNote::kBegan, "beginning"),
    named(kExecutors, ExecutorNote::kView, "view entered"),
    named(kExecutors, ExecutorNote::kPiece, "piece of a large difference"),
    named(kExecutors, ExecutorNote::kRun, "batch run"),
    named(kExecutors, ExecutorNote::kCommit, "commit"),
    named(kExecutors, ExecutorNote::kRollback, "rollback"),
    named(kExecutors, ExecutorNote::kFetch, "fetch of a state"),
    named(kExecutors, ExecutorNote::kSupply, "part of a fetched state"),
    named(kExecutors, ExecutorNote::kEpoch, "epoch entered"),
    named(kVerifiers, PromiseNote::kStands, "view"),
    named(kVerifiers, PromiseNote::kAsked, "view asked for"),
    named(kVerifiers, PromiseNote::kJoined, "view joined"),
    named(kVerifiers, PromiseNote::kPrepared, "vote to prepare"),
    named(kVerifiers, PromiseNote::kCertified, "certificate"),
    named(kVerifiers, PromiseNote::kLearnt, "commit learnt"),
    named(kVerifiers, PromiseNote::kStarted, "start point committed"),
    named(kVerifiers, PromiseNote::kBlamed, "bundle blamed"),
    named(kVerifiers, PromiseNote::kAll, "all promises so far"),
};

struct Named {
  std::string log;
  journal::FileName name;
};

/// Any log's file: the log's name is what stands before the last dash.
std::optional<Named> parse(const std::string& file) {
  const size_t dash = file.rfind('-');
  if (dash == std::string::npos || dash == 0) return std::nullopt;
  const std::string log = file.substr(0, dash);
  const auto name = journal::parse_name(log, file);
  if (!name) return std::nullopt;
  return Named{log, *name};
}

uint64_t size_of(journal::Disk& disk, const std::string& file) {
  const auto opened = disk.open(file);
  if (!opened) return 0;
  const auto size = (*opened)->size();
  return size ? *size : 0;
}

/// The reader wants to know whose log it is; a tool asks the first header that says so.
std::optional<journal::Owner> owner_of(journal::Disk& disk, const std::vector<std::string>& files,
                                       Inspected& out) {
  for (const std::string& file : files) {
    const auto opened = journal::open_patiently(disk, file);
    const auto block = opened ? journal::read_patiently(**opened, 0, journal::kBlockBytes)
                              : Result<Bytes>(opened.error());
    if (!block && block.kind() != ErrorKind::kMedium) {
      out.health = Health::kUnknown;
      out.findings.push_back("it cannot be said whether it is sound: " + block.message());
      return std::nullopt;
    }
    if (!block) continue;
    journal::BadHeader why;
    if (const auto header = journal::decode_segment_header(*block, &why)) return header->owner;
    if (!why.newer) continue;
    out.health = Health::kUnknown;
    out.findings.push_back(file + " has format " + std::to_string(why.version) +
                           ", this release knows " + std::to_string(journal::kFormatVersion) +
                           ": ask the doctor of the release that wrote it");
    return std::nullopt;
  }
  out.health = Health::kDamaged;
  out.findings.push_back(
      "no segment has a readable header: a node that starts here sets all aside"
      " and begins as one that has lost its memory");
  return std::nullopt;
}

const char* name_of(journal::Tail tail) {
  switch (tail) {
    case journal::Tail::kClosed:
      return "closed";
    case journal::Tail::kTorn:
      return "torn";
    case journal::Tail::kOpen:
      break;
  }
  return "open";
}

const char* meaning_of(const std::string& tail) {
  if (tail == "closed") return "the node ended in order";
  if (tail == "torn") return "a crash interrupted the last write; it was not acknowledged";
  return "the node ended without closing it";
}

void add_recovery(const std::string& name, const journal::Recovery& recovery,
                  const Counter& counter, json& log, Inspected& out) {
  const ByteView life(reinterpret_cast<const char*>(recovery.life.data()), recovery.life.size());
  log["life"] = crypto::to_hex(life);
  log["opened"] = recovery.opened;
  log["begin"] = recovery.begin.value();
  log["end"] = recovery.end.value();
  log["settled"] = recovery.settled.value();
  log["tail"] = name_of(recovery.tail);
  log["cut_bytes"] = recovery.cut_bytes;
  log["records"] = recovery.end.value() - recovery.begin.value();
  for (const auto& [kind, count] : counter.kinds()) {
    log["kinds"].push_back({{"kind", kind},
                            {"name", record_kind(name, kind)},
                            {"records", count.records},
                            {"bytes", count.bytes}});
  }
  for (const auto& damage : recovery.damage) {
    log["damage"].push_back(
        {{"file", damage.file}, {"offset", damage.offset}, {"what", damage.what}});
    out.findings.push_back(damage.file + " is damaged at byte " + std::to_string(damage.offset) +
                           ": " + damage.what);
  }
  if (counter.lost()) {
    out.findings.push_back(
        "the node has lost something of its memory and not made up for it yet: "
        "it knows, and is one that restarted without memory (" +
        *counter.lost() + ")");
  }
  if (recovery.damage.empty()) return;
  out.health = Health::kDamaged;
  log["known_end"] = recovery.known_end.value();
  log["strays"] = counter.strays();
  out.findings.push_back(
      "records from " + std::to_string(recovery.end.value()) +
      " on are lost: the node sets damaged files aside when it starts, and makes up for what is"
      " missing from its peers; copy the directory first if you want to look into it");
}

/// What the log cannot tell of itself: it was not synced when the machine stopped, or one before it
/// could not be read.
void add_marks(journal::Disk& disk, const std::string& name, const journal::Recovery& recovery,
               const std::string& machine_start, Inspected& out) {
  const auto lost = durability::read_mark(disk, durability::lost_mark(name));
  const auto start = durability::read_mark(disk, durability::start_mark(name));
  if (!lost || !start) {
    out.health = std::max(out.health, Health::kUnknown);
    out.findings.push_back("it cannot be said whether it is sound: " +
                           (lost ? start.message() : lost.message()));
    return;
  }
  if (!recovery.damage.empty()) return;  // that is what a node says of it, and it was said
  const auto why = durability::why_not_whole(recovery, *lost, *start, machine_start, true);
  if (why.empty()) return;
  out.health = Health::kDamaged;
  out.findings.push_back(why +
                         ". The node begins as one that has lost something of its memory, "
                         "and makes up for it from its peers");
}

void add_files(journal::Disk& disk, const std::vector<std::string>& files,
               const std::set<std::string>& bad, json& log, Inspected& out) {
  for (const std::string& file : files) {
    const auto named = parse(file);
    const auto kind = named->name.kind;
    std::string state = bad.count(file) > 0 ? "to be set aside" : "in use";
    if (kind == journal::FileKind::kUnfinished) state = "unfinished";
    if (kind == journal::FileKind::kDamaged) state = "set aside";
    log["segments"].push_back({{"file", file}, {"bytes", size_of(disk, file)}, {"state", state}});
    if (kind == journal::FileKind::kDamaged) {
      out.findings.push_back(file +
                             " was set aside earlier: look at it, then remove it; no node"
                             " reads it any more");
    }
  }
}

}  // namespace

std::string record_kind(const std::string& log, uint16_t kind) {
  if (kind == durability::kNotWhole) return "note of a loss";
  if (kind == durability::kRemembered) return "end of a loss";
  for (const auto& known : kKindNames) {
    if (log.rfind(known.log, 0) == 0 && kind == known.kind) {
      return known.name;
    }
  }
  return "kind " + std::to_string(kind);
}

std::vector<std::string> logs_among(const std::vector<std::string>& files) {
  std::set<std::string> logs;
  for (const std::string& file : files) {
    if (const auto named = parse(file)) logs.insert(named->log);
  }
  return {logs.begin(), logs.end()};
}

json inspect_log(journal::Disk& disk, const std::string& name,
                 const std::vector<std::string>& files, const std::string& machine_start,
                 Inspected& out) {
  json log = {{"name", name},
              {"kinds", json::array()},
              {"damage", json::array()},
              {"segments", json::array()}};
  std::vector<std::string> own;
  std::vector<std::string> segments;
  for (const std::string& file : files) {
    const auto parsed = journal::parse_name(name, file);
    if (!parsed) continue;
    own.push_back(file);
    if (parsed->kind == journal::FileKind::kSegment) segments.push_back(file);
  }
  std::sort(own.begin(), own.end());
  std::sort(segments.begin(), segments.end());
  std::set<std::string> bad;
  const auto owner = segments.empty() ? std::nullopt : owner_of(disk, segments, out);
  if (owner) {
    log["cluster"] = owner->cluster;
    log["node"] = owner->node;
    journal::LogOptions options;
    options.name = name;
    options.owner = *owner;
    Counter counter;
    const auto recovery = journal::read_log(disk, options, counter);
    if (recovery) {
      add_recovery(name, *recovery, counter, log, out);
      add_marks(disk, name, *recovery, machine_start, out);
      bad = {recovery->set_aside.begin(), recovery->set_aside.end()};
    } else {
      out.health = Health::kUnknown;
      out.findings.push_back("it cannot be said whether it is sound: " + recovery.message());
    }
  } else if (segments.empty()) {
    out.health = Health::kDamaged;
    out.findings.push_back("there was a log, and all that is left of it is not in use");
  }
  add_files(disk, own, bad, log, out);
  const std::string reserve = journal::reserve_name(name);
  if (std::find(files.begin(), files.end(), reserve) != files.end()) {
    own.push_back(reserve);
    log["reserve_bytes"] = size_of(disk, reserve);
  } else {
    log["reserve_bytes"] = 0;
  }
  out.files = std::move(own);
  return log;
}

std::string log_to_text(const json& log) {
  std::string text = "log " + log["name"].get<std::string>();
  if (log.contains("node")) {
    text +=
        " of " + log["node"].get<std::string>() + ", cluster " + log["cluster"].get<std::string>();
  }
  text += "\n";
  if (log.contains("end")) {
    const auto begin = log["begin"].get<uint64_t>();
    const auto end = log["end"].get<uint64_t>();
    const auto tail = log["tail"].get<std::string>();
    text += "  opened " + log["opened"].dump() + " times; ";
    text += begin == end ? "no records"
                         : "records " + std::to_string(begin) + " to " + std::to_string(end - 1) +
                               ", surely durable below " + log["settled"].dump();
    text += "; " + tail + ": " + meaning_of(tail);
    if (log["cut_bytes"] != 0) text += " (" + log["cut_bytes"].dump() + " bytes)";
    text += "\n";
  }
  for (const auto& kind : log["kinds"]) {
    text += "  " + kind["records"].dump() + " x " + kind["name"].get<std::string>() + ", " +
            kind["bytes"].dump() + " bytes\n";
  }
  for (const auto& segment : log["segments"]) {
    text += "  " + segment["file"].get<std::string>() + ": " + segment["bytes"].dump() +
            " bytes, " + segment["state"].get<std::string>() + "\n";
  }
  if (log["reserve_bytes"] != 0) {
    text += "  " + log["reserve_bytes"].dump() + " bytes held in reserve for a full disk\n";
  }
  return text;
}

}  // namespace eve::cli
