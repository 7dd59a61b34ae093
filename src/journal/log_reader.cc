#include "journal/log_reader.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/ids.h"
#include "journal/segment_file.h"

namespace eve::journal {
namespace {

// 1. scan_names: which files there are. 2. scan_headers: which of them say what they are.
// 3. find_line: from the newest back, each names the one that it continues: `line_`. A gap makes
// everything after it `astray_`. 4. read_line: group by group, until the chain ends. 5. judge_end:
// why it ends there. 6. find_what_left: what was set aside and not replaced. 7. sweep: what can
// still be read after damage. 8. plan: what resume() does.
class Reading {
 public:
  Reading(Disk& disk, const LogOptions& options, Visitor& visitor)
      : disk_(disk), options_(options), visitor_(visitor) {}

  Result<Recovery> run() {
    if (auto status = scan_names(); !status) return status.error();
    if (auto status = scan_headers(); !status) return status.error();
    if (!good_.empty()) {
      find_line();
      if (auto status = read_line(); !status) return status.error();
    } else {
      for (const auto& [serial, what] : bad_) astray_.push_back(serial);
    }
    for (const auto& [serial, what] : bad_) {
      if (replaced_.count(serial) == 0) damaged(serial, 0, what);
    }
    find_what_left();
    if (!out_.damage.empty()) {
      if (auto status = sweep(); !status) return status.error();
    }
    plan();
    return std::move(out_);
  }

 private:
  /// Where the reading stands: what the next group must be, and where.
  struct Place {
    uint64_t serial = 0;
    uint64_t offset = 0;
    uint64_t group = 1;
    Position position{1};
    Sum chain{};
  };

  Status scan_names();
  Status scan_headers();
  Status scan_header(uint64_t serial);
  void find_line();
  void find_what_left();
  Status read_line();
  Status read_segment(size_t index);
  Status visit(const Found& found);
  void settle(uint64_t group);
  Status judge_end(const Found& found);
  Status sweep();
  Status sweep_segment(uint64_t serial, uint64_t from);
  void plan();

  std::string name(uint64_t serial) const { return segment_name(options_.name, serial); }
  /// Nothing is known of the log: it is neither whole nor damaged.
  Error refused(const std::string& why) const {
    return Error{"log " + options_.name + " cannot be read now: " + why};
  }
  void damaged(uint64_t serial, uint64_t offset, std::string what) {
    out_.damage.push_back({name(serial), offset, std::move(what)});
  }
  Expected expected() const { return {out_.life, at_.serial, at_.group, at_.position, at_.chain}; }

  Disk& disk_;
  const LogOptions& options_;
  Visitor& visitor_;
  Recovery out_;

  std::vector<uint64_t> serials_;  // segments by name, ascending
  std::map<uint64_t, SegmentHeader> good_;
  std::map<uint64_t, std::string> bad_;  // and why
  std::vector<uint64_t> line_;           // oldest first
  std::vector<uint64_t> astray_;         // after a gap, or unreadable
  std::map<uint64_t, bool> replaced_;    // to be set aside?

  std::optional<SegmentFile> file_;  // of at_.serial
  Place at_;
  uint64_t settled_ = 1;             // groups below it were acknowledged
  std::vector<Place> unsettled_;     // where groups from settled_ on begin
  bool closed_ = false;              // the last group is the mark of an orderly end
  std::optional<Place> damaged_at_;  // in line_
};

Status Reading::scan_names() {
  const auto names = disk_.list();
  if (!names) return names.error();
  for (const std::string& file : *names) {
    const auto parsed = parse_name(options_.name, file);
    if (!parsed) continue;
    out_.highest_serial = std::max(out_.highest_serial, parsed->serial);
    if (parsed->kind == FileKind::kSegment) serials_.push_back(parsed->serial);
    if (parsed->kind == FileKind::kUnfinished) out_.unfinished.push_back(file);
    if (parsed->kind == FileKind::kDamaged) out_.kept.push_back(file);
  }
  std::sort(serials_.begin(), serials_.end());
  out_.empty = serials_.empty();
  return {};
}

Status Reading::scan_headers() {
  for (const uint64_t serial : serials_) {
    if (auto status = scan_header(serial); !status) return status;
  }
  if (good_.empty()) return {};
  out_.life = good_.rbegin()->second.life;
  for (auto it = good_.begin(); it != good_.end();) {
    if (it->second.life == out_.life) {
      ++it;
    } else {
      bad_.emplace(it->first, "a segment of an earlier log");
      it = good_.erase(it);
    }
  }
  return {};
}

Status Reading::scan_header(uint64_t serial) {
  auto file = open_patiently(disk_, name(serial));
  const auto block = file ? read_patiently(**file, 0, kBlockBytes) : Result<Bytes>(file.error());
  if (!block && block.kind() != ErrorKind::kMedium) return refused(block.message());
  if (!block) {
    bad_.emplace(serial, block.message());
    return {};
  }
  BadHeader why;
  const auto header = decode_segment_header(*block, &why);
  if (why.newer) {
    return Error{name(serial) + ": its format is version " + std::to_string(why.version) +
                 ", this release reads " + std::to_string(kFormatVersion) +
                 "; start the release that wrote it"};
  }
  if (!header) {
    bad_.emplace(serial, "its header is not readable");
  } else if (header->owner != options_.owner) {
    return Error{name(serial) + ": belongs to " + header->owner.node + " of cluster " +
                 header->owner.cluster + ", not to " + options_.owner.node + " of cluster " +
                 options_.owner.cluster + "; give each node its own directory"};
  } else if (header->serial != serial || header->log != options_.name) {
    bad_.emplace(serial, "it is " + segment_name(header->log, header->serial) + " by its header");
  } else {
    good_.emplace(serial, *header);
  }
  return {};
}

void Reading::find_line() {
  uint64_t serial = good_.rbegin()->first;
  for (;;) {
    line_.push_back(serial);
    const SegmentHeader& header = good_.at(serial);
    out_.opened = std::max(out_.opened, header.opened);
    auto other = std::upper_bound(serials_.begin(), serials_.end(), header.after);
    for (; *other != serial; ++other) replaced_[*other] = header.keeps_replaced;
    if (header.after == 0) break;
    if (good_.count(header.after) > 0) {
      serial = header.after;
      continue;
    }
    // Segments are removed oldest first: if an older one is left, this one was not removed.
    const auto older = good_.lower_bound(header.after);
    if (serials_.front() > header.after) break;
    if (bad_.count(header.after) == 0) damaged(header.after, 0, "it is missing");
    astray_.insert(astray_.end(), line_.begin(), line_.end());
    line_.clear();
    if (older == good_.begin()) break;
    serial = std::prev(older)->first;
  }
  std::reverse(line_.begin(), line_.end());
  for (const auto& [bad, what] : bad_) {
    if (replaced_.count(bad) == 0) astray_.push_back(bad);
  }
  std::sort(astray_.begin(), astray_.end());
}

// Whoever sets a part of a log aside goes on with a newer segment, and makes that one first.
void Reading::find_what_left() {
  if (serials_.empty()) return;
  for (const std::string& file : out_.kept) {
    const auto parsed = parse_name(options_.name, file);
    if (!parsed || parsed->serial <= serials_.back()) continue;
    out_.damage.push_back({file, 0, "it is set aside, and the log ends before it"});
  }
}

Status Reading::read_line() {
  if (!line_.empty()) {
    const auto status = visitor_.begins(out_.life, good_.at(line_.front()).first);
    if (!status) return status;
  }
  for (size_t i = 0; i < line_.size() && !damaged_at_; ++i) {
    if (auto status = read_segment(i); !status) return status;
  }
  return {};
}

Status Reading::read_segment(size_t index) {
  const SegmentHeader& header = good_.at(line_[index]);
  if (index == 0) {
    at_ = {0, 0, header.first_group, header.first, header.chain};
    out_.begin = header.first;
  }
  const SegmentHeader* next = index + 1 < line_.size() ? &good_.at(line_[index + 1]) : nullptr;
  const bool fits = header.first_group == at_.group && header.first == at_.position &&
                    header.chain == at_.chain && (!next || header.settled <= next->first_group);
  auto file = open_patiently(disk_, name(header.serial));
  if (!file && file.kind() != ErrorKind::kMedium) return refused(file.message());
  if (!fits || !file) {
    damaged_at_ = {header.serial, 0, at_.group, at_.position, at_.chain};
    damaged(header.serial, 0, fits ? file.message() : "it does not fit the segments beside it");
    return {};
  }
  at_.serial = header.serial;
  at_.offset = kBlockBytes;
  settle(header.settled);
  file_.emplace(std::move(*file));
  closed_ = false;
  while (!next || at_.group != next->first_group) {
    const Found found = file_->expect(at_.offset, expected());
    if (found.kind == Found::Kind::kGroup) {
      if (auto status = visit(found); !status) return status;
    } else if (found.kind == Found::Kind::kRefused) {
      return refused(found.what);
    } else if (next) {
      damaged_at_ = at_;
      damaged(at_.serial, at_.offset, found.what.empty() ? "it ends too early" : found.what);
      return {};
    } else {
      return judge_end(found);
    }
  }
  return {};
}

Status Reading::visit(const Found& found) {
  settle(found.header.settled);
  if (at_.group >= settled_) unsettled_.push_back(at_);
  Record record;
  record.position = at_.position;
  Status status;
  for_each_record(found.body, found.header.records,
                  [&](uint16_t kind, uint64_t number, ByteView payload) {
                    record.kind = kind;
                    record.number = number;
                    record.payload = payload;
                    status = visitor_.record(record);
                    record.position = record.position.next();
                    return status.ok();
                  });
  closed_ = found.header.closes;
  at_.position = record.position;
  at_.chain = found.chain;
  at_.group += 1;
  at_.offset += group_bytes(found.header);
  return status;
}

void Reading::settle(uint64_t group) {
  if (group <= settled_) return;
  settled_ = group;
  std::erase_if(unsettled_, [&](const Place& place) { return place.group < settled_; });
}

// The chain ends at at_, in the last segment. A flush that a crash interrupted leaves pieces that
// were never written; damage leaves wrong ones, or later groups that say that this one was durable.
Status Reading::judge_end(const Found& found) {
  const auto size = file_->size();
  if (!size && size.kind() != ErrorKind::kMedium) return refused(size.message());
  std::string what;
  if (found.kind == Found::Kind::kWrong || found.kind == Found::Kind::kUnreadable) {
    what = found.what;
  } else if (!size) {
    what = size.message();
  } else if (settled_ > at_.group) {
    what = "it ends too early";
  }
  bool torn = found.kind == Found::Kind::kPartial;
  uint64_t written_end = at_.offset;
  for (uint64_t offset = at_.offset; what.empty() && offset < *size; offset += kBlockBytes) {
    const Found later = file_->any(offset, out_.life, at_.serial);
    if (later.kind == Found::Kind::kRefused) return refused(later.what);
    if (later.kind != Found::Kind::kNothing) {
      torn = true;
      written_end = std::min(offset + kBlockBytes, *size);
    }
    if (later.kind == Found::Kind::kUnreadable) what = later.what;
    if (later.header.settled > at_.group) what = "a group is lost that had been acknowledged";
    settle(std::min(later.header.settled, at_.group));
  }
  if (!what.empty()) {
    damaged_at_ = at_;
    damaged(at_.serial, at_.offset, what);
  } else if (torn) {
    out_.tail = Tail::kTorn;
    out_.cut_bytes = written_end - at_.offset;
  } else {
    out_.tail = closed_ ? Tail::kClosed : Tail::kOpen;
  }
  return {};
}

Status Reading::sweep() {
  out_.known_end = at_.position;
  if (damaged_at_) {
    const uint64_t from = std::max(damaged_at_->offset, kBlockBytes);
    if (auto status = sweep_segment(damaged_at_->serial, from); !status) return status;
    for (const uint64_t serial : line_) {
      if (serial <= damaged_at_->serial) continue;
      if (auto status = sweep_segment(serial, kBlockBytes); !status) return status;
    }
  }
  for (const uint64_t serial : astray_) {
    if (auto status = sweep_segment(serial, kBlockBytes); !status) return status;
  }
  return {};
}

Status Reading::sweep_segment(uint64_t serial, uint64_t from) {
  auto file = open_patiently(disk_, name(serial));
  const auto size = file ? (*file)->size() : Result<uint64_t>(file.error());
  if (!size && size.kind() != ErrorKind::kMedium) return refused(size.message());
  if (!size) return {};
  SegmentFile segment(std::move(*file));
  for (uint64_t offset = from; offset < *size;) {
    const Found found = segment.any(offset, out_.life, serial);
    if (found.kind == Found::Kind::kRefused) return refused(found.what);
    offset += kBlockBytes;
    if (found.header.group == 0) continue;
    Record record;
    record.position = found.header.first;
    const Position end(found.header.first.value() + found.header.records);
    out_.known_end = std::max(out_.known_end, end);
    if (found.kind != Found::Kind::kGroup) continue;
    for_each_record(found.body, found.header.records,
                    [&](uint16_t kind, uint64_t number, ByteView payload) {
                      record.kind = kind;
                      record.number = number;
                      record.payload = payload;
                      visitor_.stray(record);
                      record.position = record.position.next();
                      return true;
                    });
    offset += group_bytes(found.header) - kBlockBytes;
  }
  return {};
}

// What is not certain to have been acknowledged is written again, into the new segment: it may be
// in the disk's cache only, after a sync that failed. So is what is good in a damaged segment,
// before that is set aside.
void Reading::plan() {
  out_.end = at_.position;
  out_.next_group = at_.group;
  const Place& first = unsettled_.empty() ? at_ : unsettled_.front();
  out_.settled = first.position;
  out_.copy = {"", first.offset, first.group, first.position, first.chain};
  uint64_t source = first.serial;
  if (damaged_at_ && damaged_at_->offset > kBlockBytes) {
    source = damaged_at_->serial;
    const SegmentHeader& header = good_.at(source);
    out_.copy = {"", kBlockBytes, header.first_group, header.first, header.chain};
  }
  out_.copy.file = source == 0 ? "" : name(source);
  for (const uint64_t serial : line_) {
    const SegmentHeader& header = good_.at(serial);
    const bool after_damage = damaged_at_ && serial >= damaged_at_->serial;
    if (after_damage) {
      out_.set_aside.push_back(name(serial));
    } else if (header.first_group >= out_.copy.group) {
      out_.surplus.push_back(name(serial));
    } else {
      out_.segments.push_back({serial, header.first});
    }
  }
  for (const uint64_t serial : astray_) out_.set_aside.push_back(name(serial));
  for (const auto& [serial, asked] : replaced_) {
    const bool keep = asked || !out_.damage.empty();
    (keep ? out_.set_aside : out_.surplus).push_back(name(serial));
  }
}

}  // namespace

Status check_options(const LogOptions& options) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool sound = !options.name.empty() && options.name.size() <= kMaxOwnerBytes &&
                     std::all_of(options.name.begin(), options.name.end(), plain) &&
                     options.owner.cluster.size() <= kMaxOwnerBytes &&
                     options.owner.node.size() <= kMaxOwnerBytes;
  if (!sound) return Error{"a log's name is letters and digits, its owner's parts are short"};
  return {};
}

Result<Recovery> read_log(Disk& disk, const LogOptions& options, Visitor& visitor) {
  if (auto status = check_options(options); !status) return status.error();
  return Reading(disk, options, visitor).run();
}

}  // namespace eve::journal
