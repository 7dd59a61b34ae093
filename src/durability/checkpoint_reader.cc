#include "durability/checkpoint_reader.h"

#include <algorithm>
#include <utility>

#include "journal/segment_file.h"
#include "state/import.h"
#include "wire/codec.h"

namespace eve::durability {

using journal::Disk;
using Frame = CheckpointReader::Frame;

namespace {

CheckpointFault fault_of(ErrorKind kind) {
  return kind == ErrorKind::kMedium ? CheckpointFault::kUnreadable : CheckpointFault::kRefused;
}

}  // namespace

// ---- CheckpointReader ----

CheckpointReader::CheckpointReader(std::string name, std::unique_ptr<journal::File> file)
    : file_(std::move(file)) {
  info_.name = std::move(name);
}

Error CheckpointReader::damaged(const std::string& what) {
  fault_ = CheckpointFault::kDamaged;
  return Error{info_.name + " is damaged: " + what};
}

Result<Bytes> CheckpointReader::read(uint64_t offset, uint64_t size) {
  auto bytes = journal::read_patiently(*file_, offset, size);
  if (!bytes) {
    fault_ = fault_of(bytes.kind());
    return Error{info_.name + " cannot be read: " + bytes.message()};
  }
  if (bytes->size() != size) return damaged("it is cut off");
  return bytes;
}

Result<std::unique_ptr<CheckpointReader>> CheckpointReader::open(Disk& disk,
                                                                 const std::string& name,
                                                                 CheckpointFault* fault) {
  auto file = journal::open_patiently(disk, name);
  if (!file) {
    if (fault != nullptr) *fault = fault_of(file.kind());
    return Error{name + " cannot be opened: " + file.message()};
  }
  std::unique_ptr<CheckpointReader> reader(new CheckpointReader(name, std::move(*file)));
  const Status status = reader->read_ends();
  if (status.ok()) return reader;
  if (fault != nullptr) *fault = reader->fault_;
  return Error{status.message()};
}

Status CheckpointReader::read_ends() {
  const auto size = file_->size();
  if (!size) {
    fault_ = fault_of(size.kind());
    return size.status();
  }
  info_.file_bytes = *size;
  if (*size < kCheckpointHeaderBytes + kFooterBytes) return damaged("it is cut off");
  const auto head = read(0, kCheckpointHeaderBytes);
  if (!head) return head.status();
  journal::BadHeader why;
  const auto header = decode_checkpoint_header(*head, &why);
  if (!header && why.newer) {
    fault_ = CheckpointFault::kNewer;
    return Error{info_.name + " is of version " + std::to_string(why.version) +
                 " of the format, this release reads " + std::to_string(kCheckpointVersion) +
                 "; start the release that wrote it"};
  }
  if (!header) return damaged("its header is not what was written");
  info_.header = *header;
  file_id_ = file_id(*head);
  const auto last = read(*size - kFooterBytes, kFooterBytes);
  if (!last) return last.status();
  const auto footer = decode_footer(*last, file_id_);
  if (!footer) return damaged("it does not end as a whole one does");
  return read_end(*footer);
}

Status CheckpointReader::read_end(const CheckpointFooter& footer) {
  if (footer.frames == 0 || footer.end_offset < kCheckpointHeaderBytes) {
    return damaged("its footer is wrong");
  }
  const auto frame = read_frame(footer.end_offset, footer.frames - 1);
  if (!frame) return frame.status();
  const auto end =
      frame->kind == FrameKind::kEnd ? decode_end(frame->body) : std::optional<CheckpointEnd>();
  const uint64_t after = footer.end_offset + kFrameHeadBytes + frame->body.size() + kFooterBytes;
  if (!end || after != info_.file_bytes) return damaged("its end is wrong");
  info_.end = *end;
  info_.frames = footer.frames;
  end_offset_ = footer.end_offset;
  return {};
}

Result<Frame> CheckpointReader::read_frame(uint64_t offset, uint64_t index) {
  const uint64_t most = info_.file_bytes - kFooterBytes;
  const auto at = [&] { return " at " + std::to_string(offset); };
  if (offset > most || most - offset < kFrameHeadBytes) return damaged("it is cut off" + at());
  const auto bytes = read(offset, kFrameHeadBytes);
  if (!bytes) return bytes.error();
  const auto head = decode_frame_head(*bytes, file_id_);
  if (!head || head->index != index) {
    return damaged("there is no frame " + std::to_string(index) + at());
  }
  if (head->length > most - offset - kFrameHeadBytes) return damaged("it is cut off" + at());
  auto body = read(offset + kFrameHeadBytes, head->length);
  if (!body) return body.error();
  if (journal::checksum(*body) != head->body) return damaged("a wrong sum" + at());
  return Frame{head->kind, std::move(*body)};
}

Result<std::optional<Frame>> CheckpointReader::next() {
  if (ended_) return std::optional<Frame>();
  auto frame = read_frame(offset_, index_);
  if (!frame) return frame.error();
  if (auto status = follow(*frame); !status) return Error{status.message()};
  offset_ += kFrameHeadBytes + frame->body.size();
  ++index_;
  if (ended_) return std::optional<Frame>();
  return std::optional<Frame>(std::move(*frame));
}

/// Whether `frame` may come here.
Status CheckpointReader::follow(const Frame& frame) {
  if (frame.kind == FrameKind::kVersion) {
    const auto version = decode_version(frame.body);
    if (!version || (version_ && version->number <= version_->number)) {
      return damaged("a version is wrong");
    }
    version_ = version;
    return {};
  }
  if (!version_) return damaged("it does not begin with a version");
  if (frame.kind == FrameKind::kChunk) {
    ++chunks_;
    chunk_bytes_ += frame.body.size();
    return {};
  }
  const wire::TokenParts& parts = info_.end.parts;
  if (offset_ != end_offset_ || index_ + 1 != info_.frames || chunks_ != info_.end.chunks ||
      chunk_bytes_ != info_.end.chunk_bytes) {
    return damaged("chunks are missing");
  }
  if (version_->number != parts.number || version_->root != parts.state) {
    return damaged("its end is of another version");
  }
  ended_ = true;
  return {};
}

// ---- Checking ----

Status CheckedChunks::take(const Frame& frame) {
  if (frame.kind == FrameKind::kChunk) return take_chunk(frame.body);
  const auto version = decode_version(frame.body);
  if (!version) return Error{"a version is malformed"};
  root_ = version->root;
  slots_.reset();
  covered_.clear();
  return {};
}

Status CheckedChunks::take_chunk(ByteView bytes) {
  const auto chunk = state::decode_chunk(bytes, {digester_, root_});
  if (!chunk) return chunk.status();
  if (!slots_) held_.remove({chunk->slots, state::kMaxSlots});
  slots_ = chunk->slots;
  for (const auto& leaf : chunk->leaves) {
    held_.add({leaf.slot, leaf.slot + 1});
    covered_.add({leaf.slot, leaf.slot + 1});
  }
  held_.add(chunk->free);
  covered_.add(chunk->free);
  for (const auto& [id, digest] : chunk->kept) {
    const auto range = state::slots_below(chunk->slots, id);
    if (!held_.contains(range)) return Error{"it is said to hold what it never held"};
    covered_.add(range);
  }
  return {};
}

Status CheckedChunks::whole() const {
  if (slots_ && (*slots_ == 0 || covered_.contains(state::SlotRange{0, *slots_}))) return {};
  return Error{"parts of the state are missing"};
}

Result<CheckpointVerifier> CheckpointVerifier::open(Disk& disk, const std::string& name,
                                                    const crypto::Digester& digester,
                                                    CheckpointFault* fault) {
  auto reader = CheckpointReader::open(disk, name, fault);
  if (!reader) return reader.error();
  return CheckpointVerifier(std::move(*reader), digester);
}

Result<bool> CheckpointVerifier::step() {
  auto frame = reader_->next();
  if (!frame) return frame.error();
  const auto damaged = [&](const std::string& what) {
    return Error{info().name + " is damaged: " + what};
  };
  if (*frame) {
    if (auto status = chunks_.take(**frame); !status) return damaged(status.message());
    return false;
  }
  if (wire::token_of(info().end.parts, *digester_) != info().end.token) {
    return damaged("its token is not that of its parts");
  }
  if (auto status = chunks_.whole(); !status) return damaged(status.message());
  return true;
}

Result<CheckpointInfo> inspect_checkpoint(Disk& disk, const std::string& name,
                                          CheckpointFault* fault) {
  auto reader = CheckpointReader::open(disk, name, fault);
  if (!reader) return reader.error();
  return (*reader)->info();
}

Result<CheckpointInfo> verify_checkpoint(Disk& disk, const std::string& name,
                                         const crypto::Digester& digester, CheckpointFault* fault) {
  auto verifier = CheckpointVerifier::open(disk, name, digester, fault);
  if (!verifier) return verifier.error();
  for (;;) {
    const auto done = verifier->step();
    if (!done) {
      if (fault != nullptr) *fault = verifier->fault();
      return done.error();
    }
    if (*done) return verifier->info();
  }
}

Result<CheckpointInfo> import_checkpoint(Disk& disk, const std::string& name,
                                         execution::Runner& runner, CheckpointFault* fault) {
  auto reader = CheckpointReader::open(disk, name, fault);
  if (!reader) return reader.error();
  const CheckpointInfo& info = (*reader)->info();
  const auto refuse = [&](CheckpointFault why, const std::string& what) {
    if (fault != nullptr) *fault = why;
    return Error{what};
  };
  const auto damaged = [&](const std::string& what) {
    return refuse(CheckpointFault::kDamaged, name + " is damaged: " + what);
  };
  const auto importer = runner.start_import(info.end.parts.state);
  for (;;) {
    const auto frame = (*reader)->next();
    if (!frame) return refuse((*reader)->fault(), frame.message());
    if (!*frame) break;
    if ((*frame)->kind == FrameKind::kVersion) {
      importer->retarget(decode_version((*frame)->body)->root);
    } else if (auto status = importer->supply((*frame)->body); !status) {
      return damaged(status.message());
    }
  }
  if (runner.token_of(info.end.parts) != info.end.token) {
    return damaged("its token is not that of its parts");
  }
  if (auto status = runner.finish_import(*importer, info.end.parts); !status) {
    return damaged(status.message());
  }
  return info;
}

// ---- At a start ----

Result<CheckpointFiles> list_checkpoints(const Disk& disk) {
  const auto names = disk.list();
  if (!names) return names.error();
  CheckpointFiles files;
  for (const std::string& name : *names) {
    const auto parsed = parse_checkpoint_name(name);
    if (!parsed) continue;
    files.highest = std::max(files.highest, parsed->serial);
    if (parsed->kind == journal::FileKind::kSegment) files.whole.push_back(parsed->serial);
    if (parsed->kind == journal::FileKind::kUnfinished) files.unfinished.push_back(name);
    if (parsed->kind == journal::FileKind::kDamaged) files.damaged.push_back(name);
  }
  std::sort(files.whole.rbegin(), files.whole.rend());
  std::sort(files.unfinished.begin(), files.unfinished.end());
  std::sort(files.damaged.begin(), files.damaged.end());
  return files;
}

namespace {

/// Whose it is.
Status check_owner(const CheckpointInfo& info, const CheckpointWanted& wanted) {
  const CheckpointHeader& header = info.header;
  if (wanted.owner && header.owner != *wanted.owner) {
    return Error{info.name + " is of " + header.owner.node + " in cluster " + header.owner.cluster +
                 ", this is " + wanted.owner->node + " in cluster " + wanted.owner->cluster +
                 ": give each node its own directory"};
  }
  if (header.genesis != wanted.genesis) {
    return Error{info.name + " is of another service, or of another digest: start the node with " +
                 "what it ran before"};
  }
  return {};
}

/// An operator has to do something about it, or the next attempt will tell: nothing is to be
/// touched.
bool is_final(CheckpointFault fault) {
  return fault == CheckpointFault::kNewer || fault == CheckpointFault::kForeign ||
         fault == CheckpointFault::kRefused;
}

/// Whether the log goes on from it. Not empty: why not.
std::string check_log(const CheckpointInfo& info, const CheckpointWanted& wanted) {
  if (wanted.life && info.header.life != *wanted.life) return "it is of a log that is gone";
  if (info.end.position < wanted.log_begin) {
    return "it needs the log from " + std::to_string(info.end.position.value()) +
           " on, which begins at " + std::to_string(wanted.log_begin.value());
  }
  return {};
}

std::string set_aside(Disk& disk, const std::string& name) {
  if (!disk.rename(name, name + journal::kDamagedSuffix).ok() || !disk.sync_names().ok()) {
    return "; it could not be renamed";
  }
  return "; it is now " + name + journal::kDamagedSuffix;
}

/// Reads what it can of `name`; once more if something is wrong, for that may be the reading.
Result<CheckpointInfo> try_import(Disk& disk, const std::string& name,
                                  const CheckpointWanted& wanted, execution::Runner& runner,
                                  CheckpointFault& fault, std::string& unused) {
  Result<CheckpointInfo> read = Error{};
  for (int attempt = 0; attempt < 2; ++attempt) {
    read = inspect_checkpoint(disk, name, &fault);
    if (read.ok()) {
      if (auto status = check_owner(*read, wanted); !status) {
        fault = CheckpointFault::kForeign;
        return Error{status.message()};
      }
      unused = check_log(*read, wanted);
      if (!unused.empty()) return read;
      if (name != checkpoint_name(read->header.serial)) {
        fault = CheckpointFault::kDamaged;
        read = Error{name + " is damaged: it is a copy of another one"};
        continue;
      }
      read = import_checkpoint(disk, name, runner, &fault);
    }
    if (read.ok() || is_final(fault)) return read;
  }
  return read;
}

}  // namespace

Result<CheckpointFound> read_checkpoint(Disk& disk, const CheckpointWanted& wanted,
                                        execution::Runner& runner) {
  const auto files = list_checkpoints(disk);
  if (!files) return files.error();
  CheckpointFound found;
  // They are no use to anybody, and nobody misses them if they cannot be removed.
  for (const std::string& name : files->unfinished) (void)disk.remove(name);
  for (const uint64_t serial : files->whole) {
    const std::string name = checkpoint_name(serial);
    CheckpointFault fault = CheckpointFault::kDamaged;
    std::string unused;
    auto read = try_import(disk, name, wanted, runner, fault, unused);
    if (read.ok() && unused.empty()) {
      found.checkpoint = std::move(*read);
      return found;
    }
    if (!read.ok() && is_final(fault)) return read.error();
    if (!unused.empty()) {
      found.troubles.push_back(name + " is not used: " + unused);
    } else {
      const bool keep = fault == CheckpointFault::kUnreadable;
      found.troubles.push_back(read.message() + (keep ? "" : set_aside(disk, name)));
    }
  }
  return found;
}

}  // namespace eve::durability
