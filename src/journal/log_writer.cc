#include "journal/log_writer.h"

#include <algorithm>

#include "base/limits.h"
#include "journal/log_reader.h"
#include "journal/segment_file.h"

namespace eve::journal {

LogWriter::LogWriter(Disk& disk, const LogOptions& options)
    : disk_(disk),
      options_(options),
      reserve_(disk, reserve_name(options.name), options.reserve_bytes) {}

Status LogWriter::refuse(Status why) {
  if (failure_.ok() && !why.ok()) {
    failure_ = Error{"log " + options_.name + ": " + why.message() +
                         "; nothing more is written until the log has been read again",
                     why.kind()};
  }
  return failure_;
}

// Of what is not a sync: a failed one is final.
template <typename Attempt>
auto LogWriter::with_reserve(Attempt attempt) {
  auto result = attempt();
  if (result.kind() != ErrorKind::kNoSpace || !reserve_.held()) return result;
  if (!reserve_.give_up().ok()) return result;
  return attempt();
}

// ---- Beginning ----

Result<std::unique_ptr<LogWriter>> LogWriter::create(Disk& disk, const LogOptions& options,
                                                     const Life& life,
                                                     const std::vector<NewRecord>& first) {
  if (auto status = check_options(options); !status) return status.error();
  std::unique_ptr<LogWriter> log(new LogWriter(disk, options));
  if (auto status = clear_way(disk, options, log->serial_); !status) {
    return status.error();
  }
  (void)log->reserve_.hold();  // check_space() says what came of it
  log->life_ = life;
  if (auto status = log->begin_segment({}, nullptr, first); !status) {
    return status.error();
  }
  return log;
}

Status LogWriter::clear_way(Disk& disk, const LogOptions& options, uint64_t& highest_serial) {
  const auto names = disk.list();
  if (!names) return names.status();
  for (const std::string& file : *names) {
    const auto parsed = parse_name(options.name, file);
    if (!parsed) continue;
    highest_serial = std::max(highest_serial, parsed->serial);
    if (parsed->kind == FileKind::kSegment) {
      return Error{file + ": there is such a log already; read it instead of making another"};
    }
    if (parsed->kind != FileKind::kUnfinished) continue;
    if (auto status = disk.remove(file); !status) return status;
  }
  return {};
}

Result<std::unique_ptr<LogWriter>> LogWriter::resume(Disk& disk, const LogOptions& options,
                                                     const Recovery& recovery,
                                                     const std::vector<NewRecord>& first) {
  if (auto status = check_options(options); !status) return status.error();
  if (recovery.copy.file.empty()) {
    return Error{"log " + options.name + ": nothing of it is readable; set it aside, make another"};
  }
  if (!recovery.damage.empty() && first.empty()) {
    return Error{"log " + options.name + ": " + recovery.damage[0].file + " is damaged (" +
                 recovery.damage[0].what + "), and that must be put on record"};
  }
  // The names that were read may be in the cache only, and the new segment builds upon them.
  if (auto status = disk.sync_names(); !status) return status.error();
  std::unique_ptr<LogWriter> log(new LogWriter(disk, options));
  log->life_ = recovery.life;
  log->opened_ = recovery.opened + 1;
  log->serial_ = recovery.highest_serial;
  for (const auto& [serial, position] : recovery.segments) {
    log->segments_.push_back({serial, position});
  }
  log->chain_ = recovery.copy.chain;
  log->next_group_ = recovery.copy.group;
  log->end_ = recovery.copy.first;
  (void)log->reserve_.hold();
  if (auto status = log->begin_segment({}, &recovery, first); !status) {
    return status.error();
  }
  if (auto status = log->retire(recovery); !status) return status.error();
  return log;
}

// The file gets its name only when all that it must hold is durable: a segment whose header is not
// readable is always damaged.
Status LogWriter::begin_segment(SegmentHeader header, const Recovery* copy_from,
                                const std::vector<NewRecord>& first) {
  header.owner = options_.owner;
  header.log = options_.name;
  header.life = life_;
  header.serial = ++serial_;
  header.after = segments_.empty() ? 0 : segments_.back().serial;
  header.opened = opened_;
  header.first_group = next_group_;
  header.first = end_;
  header.chain = chain_;
  header.settled = (copy_from ? copy_from->next_group : next_group_) + (first.empty() ? 0 : 1);
  header.keeps_replaced = copy_from && !copy_from->set_aside.empty();
  const std::string name = segment_name(options_.name, serial_);
  const std::string unfinished = name + kUnfinishedSuffix;
  auto created = with_reserve([&] { return disk_.create(unfinished); });
  if (!created) return created.status();
  file_ = std::move(*created);
  if (copy_from) remove_unfinished(copy_from->unfinished);
  segments_.push_back({serial_, header.first});
  auto status = fill_segment(header, copy_from, first);
  if (status.ok()) status = file_->sync();
  if (status.ok()) status = with_reserve([&] { return disk_.rename(unfinished, name); });
  if (status.ok()) status = disk_.sync_names();
  if (!status) return status;
  auto opened = disk_.open(name);
  if (!opened) return opened.status();
  file_ = std::move(*opened);
  settled_ = said_settled_ = next_group_;
  durable_end_ = end_;
  return {};
}

// Where attempts fail again and again they must not keep the room that each of them took. Not
// before there is a later one, for good: its name tells which serials have been used. What is not
// removed now will be by the next attempt or process.
void LogWriter::remove_unfinished(const std::vector<std::string>& files) {
  if (files.empty() || !disk_.sync_names()) return;
  for (const std::string& file : files) (void)disk_.remove(file);
  (void)disk_.sync_names();  // not before that is there room
}

Status LogWriter::fill_segment(const SegmentHeader& header, const Recovery* copy_from,
                               const std::vector<NewRecord>& first) {
  if (auto status = write_all(0, encode(header)); !status) return status;
  offset_ = extended_ = kBlockBytes;
  if (copy_from) {
    if (auto status = copy_groups(*copy_from); !status) return status;
  }
  if (first.empty()) return {};
  Group group;
  group.bytes.resize(kGroupHeaderBytes);
  group.header.first = end_;
  size_t payloads = 0;
  for (const NewRecord& record : first) payloads += record.payload.size();
  if (payloads > limits::kMaxJournalRecordBytes) return Error{"its first records are too large"};
  for (const NewRecord& record : first) {
    append_record(group.bytes, record.kind, record.number, record.payload);
    group.header.records += 1;
  }
  end_ = Position(end_.value() + group.header.records);
  return write_group(std::move(group), header.first_group);
}

Status LogWriter::copy_groups(const Recovery& recovery) {
  if (recovery.copy.group == recovery.next_group) return {};
  auto file = disk_.open(recovery.copy.file);
  if (!file) return file.status();
  SegmentFile source(std::move(*file));
  const auto parsed = parse_name(options_.name, recovery.copy.file);
  const uint64_t first_group = next_group_;
  Expected expected{life_, parsed ? parsed->serial : 0, recovery.copy.group, recovery.copy.first,
                    recovery.copy.chain};
  uint64_t offset = recovery.copy.offset;
  while (expected.group < recovery.next_group) {
    const Found found = source.expect(offset, expected);
    if (found.kind != Found::Kind::kGroup) {
      const bool medium = found.kind == Found::Kind::kUnreadable;
      return Error{recovery.copy.file + ": was readable a moment ago: " + found.what,
                   medium ? ErrorKind::kMedium : ErrorKind::kOther};
    }
    Group group;
    group.header.records = found.header.records;
    group.header.first = end_;
    group.bytes.resize(kGroupHeaderBytes);
    group.bytes.append(found.body);
    offset += group_bytes(found.header);
    expected.group += 1;
    expected.first = Position(expected.first.value() + found.header.records);
    expected.chain = found.chain;
    end_ = expected.first;
    if (auto status = write_group(std::move(group), first_group); !status) return status;
  }
  return {};
}

Status LogWriter::retire(const Recovery& recovery) {
  for (const std::string& file : recovery.set_aside) {
    if (auto status = disk_.rename(file, file + kDamagedSuffix); !status) return status;
  }
  for (const std::string& file : recovery.surplus) {
    if (auto status = disk_.remove(file); !status) return status;
  }
  if (recovery.set_aside.empty() && recovery.surplus.empty()) return {};
  return disk_.sync_names();
}

Result<std::vector<std::string>> list_segments(const Disk& disk, const std::string& log) {
  auto names = disk.list();
  if (!names) return names.error();
  std::erase_if(*names, [&](const std::string& file) {
    const auto parsed = parse_name(log, file);
    return !parsed || parsed->kind != FileKind::kSegment;
  });
  std::sort(names->begin(), names->end());
  return names;
}

// The newest one first: what is left if it ends half-way is older than what is set aside.
Status set_aside_log(Disk& disk, const std::string& log) {
  const auto segments = list_segments(disk, log);
  if (!segments) return segments.status();
  for (auto file = segments->rbegin(); file != segments->rend(); ++file) {
    if (auto status = disk.rename(*file, *file + kDamagedSuffix); !status) return status;
  }
  return disk.sync_names();
}

// ---- Appending ----

Result<Position> LogWriter::append(uint16_t kind, uint64_t number, ByteView payload) {
  if (!failure_) return failure_.error();
  if (closed_) return Error{"log " + options_.name + ": it is closed"};
  if (payload.size() > limits::kMaxJournalRecordBytes) {
    return Error{"log " + options_.name + ": a record of " + std::to_string(payload.size()) +
                 " bytes; split it"};
  }
  if (buffered_bytes_ + payload.size() > limits::kMaxJournalBufferBytes) {
    return Error{"log " + options_.name + ": too much is buffered; flush first"};
  }
  Group& group = open_group();
  append_record(group.bytes, kind, number, payload);
  group.header.records += 1;
  buffered_bytes_ += kRecordHeaderBytes + payload.size();
  const Position position = end_;
  end_ = end_.next();
  return position;
}

LogWriter::Group& LogWriter::open_group() {
  if (pending_.empty() || pending_.back().bytes.size() >= kGroupBytes) {
    pending_.emplace_back();
    pending_.back().bytes.reserve(kBlockBytes);
    pending_.back().bytes.resize(kGroupHeaderBytes);
    pending_.back().header.first = end_;
  }
  return pending_.back();
}

Status LogWriter::flush() {
  if (!failure_) return failure_;
  if (!pending_.empty()) {
    if (auto status = refuse(write_pending(true)); !status) return status;
  }
  return unsynced_ ? refuse(sync()) : Status();
}

Status LogWriter::write() {
  if (!failure_) return failure_;
  return pending_.empty() ? Status() : refuse(write_pending(false));
}

Status LogWriter::write_pending(bool to_be_synced) {
  uint64_t bytes = 0;
  for (const Group& group : pending_) bytes += round_up_to_block(group.bytes.size());
  if (offset_ > kBlockBytes && offset_ + bytes > options_.segment_bytes) {
    if (auto status = roll(); !status) return status;
  }
  // Only a sync has to make a new size durable.
  if (to_be_synced) {
    if (auto status = extend(bytes); !status) return status;
  }
  for (Group& group : pending_) {
    if (auto status = write_group(std::move(group), settled_); !status) return status;
  }
  pending_.clear();
  buffered_bytes_ = 0;
  unsynced_ = true;
  return {};
}

// Zeroes are as good as nothing to a reader. Not worth twice the bytes where flushes are large.
Status LogWriter::extend(uint64_t bytes) {
  constexpr uint64_t kFlushes = 16;  // at least so many for one extension
  const bool small = bytes <= options_.extend_bytes / kFlushes;
  if (!small || offset_ + bytes <= extended_) return {};
  const auto free = disk_.free_bytes();
  if (!free.ok() || *free < 2 * options_.extend_bytes) return {};
  const uint64_t end =
      std::min(offset_ + options_.extend_bytes, std::max(options_.segment_bytes, offset_ + bytes));
  if (auto status = write_all(offset_, Bytes(end - offset_, '\0')); !status) return status;
  extended_ = end;
  return {};
}

Status LogWriter::sync() {
  if (auto status = file_->sync(); !status) return status;
  unsynced_ = false;
  said_settled_ = settled_;
  settled_ = next_group_;
  durable_end_ = pending_.empty() ? end_ : pending_.front().header.first;
  return {};
}

Status LogWriter::roll() {
  if (unsynced_) {
    if (auto status = sync(); !status) return status;
  }
  const Position buffered_end = end_;
  end_ = durable_end_;
  auto status = begin_segment({}, nullptr, {});
  end_ = buffered_end;
  return status;
}

Status LogWriter::settle() {
  if (!failure_) return failure_;
  if (auto status = flush(); !status) return status;
  if (said_settled_ == settled_) return {};
  return refuse(mark(false));
}

Status LogWriter::close() {
  if (!failure_) return failure_;
  if (closed_) return {};
  if (auto status = flush(); !status) return status;
  closed_ = true;
  return refuse(mark(true));
}

Status LogWriter::mark(bool closes) {
  Group group;
  group.bytes.resize(kGroupHeaderBytes);
  group.header.first = end_;
  group.header.closes = closes;
  if (auto status = write_group(std::move(group), settled_); !status) return status;
  if (auto status = file_->sync(); !status) return status;
  settled_ = said_settled_ = next_group_;
  return {};
}

Status LogWriter::write_group(Group group, uint64_t settled) {
  GroupHeader& header = group.header;
  header.life = life_;
  header.serial = segments_.back().serial;
  header.offset = offset_;
  header.group = next_group_;
  header.settled = settled;
  header.body_bytes = static_cast<uint32_t>(group.bytes.size() - kGroupHeaderBytes);
  header.chain = chain_;
  header.body = checksum(ByteView(group.bytes).substr(kGroupHeaderBytes));
  // The header's own piece holds its checksum.
  header.zero_pieces = count_zero_pieces(
      ByteView(group.bytes).substr(std::min<uint64_t>(kPieceBytes, group.bytes.size())));
  const Bytes encoded = encode(header);
  group.bytes.replace(0, kGroupHeaderBytes, encoded);
  group.bytes.resize(round_up_to_block(group.bytes.size()), '\0');
  if (auto status = write_all(offset_, group.bytes); !status) return status;
  offset_ += group.bytes.size();
  chain_ = chain_of(encoded);
  next_group_ += 1;
  return {};
}

// A write that fails for want of room may be tried again at the same place: it is not acknowledged,
// and no sync has failed.
Status LogWriter::write_all(uint64_t offset, ByteView bytes) {
  const auto status = with_reserve([&] { return file_->write(offset, bytes); });
  if (status.ok()) written_bytes_ += bytes.size();
  return status;
}

// ---- Room ----

// One after the other: a crash must not leave a gap.
Status LogWriter::cut(Position before) {
  if (!failure_) return failure_;
  while (segments_.size() > 1 && segments_[1].first <= before) {
    const std::string name = segment_name(options_.name, segments_.front().serial);
    if (auto status = disk_.remove(name); !status) return refuse(status);
    if (auto status = disk_.sync_names(); !status) return refuse(status);
    segments_.erase(segments_.begin());
  }
  return {};
}

Result<Space> LogWriter::check_space() {
  const auto free = disk_.free_bytes();
  if (!free) return free.error();
  if (options_.reserve_bytes > 0 && !reserve_.held()) {
    if (*free < options_.reserve_bytes + options_.low_bytes || !reserve_.hold().ok()) {
      return Space::kReserveUsed;
    }
  }
  return *free < options_.low_bytes ? Space::kLow : Space::kEnough;
}

}  // namespace eve::journal
