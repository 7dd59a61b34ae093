#include "durability/checkpoint_file.h"

#include <utility>

#include "base/check.h"

namespace eve::durability {

using journal::Disk;

namespace {

/// Frames that are checked in one step, in bytes at least.
constexpr uint64_t kVerifyBytes = uint64_t{1} << 20;

}  // namespace

CheckpointFile::CheckpointFile(Disk& disk, CheckpointHeader header,
                               const crypto::Digester& digester,
                               const CheckpointFileOptions& options)
    : disk_(disk),
      header_(std::move(header)),
      digester_(digester),
      options_(options),
      unfinished_name_(name() + journal::kUnfinishedSuffix) {}

Result<std::unique_ptr<CheckpointFile>> CheckpointFile::create(
    Disk& disk, CheckpointHeader header, const crypto::Digester& digester,
    const CheckpointFileOptions& options) {
  const auto files = list_checkpoints(disk);
  if (!files) return files.error();
  // Of an attempt that failed, where they could not be removed.
  for (const std::string& left : files->unfinished) (void)disk.remove(left);
  header.serial = files->highest + 1;
  std::unique_ptr<CheckpointFile> file(
      new CheckpointFile(disk, std::move(header), digester, options));
  auto made = disk.create(file->unfinished_name_);
  if (!made) return made.error();
  file->file_ = std::move(*made);
  file->created_ = true;
  const Bytes bytes = encode(file->header_);
  file->file_id_ = file_id(bytes);
  if (auto status = file->write(bytes); !status) return Error{status.message()};
  return file;
}

CheckpointFile::~CheckpointFile() {
  if (phase_ == Phase::kPublished || !created_) return;
  verifier_.reset();
  file_.reset();
  // Once it has been renamed it is whole, whatever became of its name.
  if (!renamed_) (void)disk_.remove(unfinished_name_);
}

Status CheckpointFile::write(ByteView bytes) {
  if (auto status = file_->write(offset_, bytes); !status) return status;
  offset_ += bytes.size();
  unsynced_ += bytes.size();
  return unsynced_ < options_.sync_bytes ? Status() : sync();
}

Status CheckpointFile::sync() {
  const auto room = disk_.free_bytes();
  if (!room) return room.status();
  if (*room < options_.keep_free_bytes) {
    return Error{"a checkpoint was given up: only " + std::to_string(*room >> 20) +
                 " MiB are left on the disk, which the log needs; make room"};
  }
  if (auto status = file_->sync(); !status) return status;
  unsynced_ = 0;
  return {};
}

Status CheckpointFile::write_frame(FrameKind kind, ByteView body) {
  EVE_CHECK(body.size() <= kMaxCheckpointFrameBytes, "a frame is too large");
  const FrameHead head{kind, static_cast<uint32_t>(body.size()), frames_, journal::checksum(body)};
  ++frames_;
  if (auto status = write(encode(head, file_id_)); !status) return status;
  return write(body);
}

Status CheckpointFile::add(const CheckpointVersion& version, ByteView chunk) {
  EVE_CHECK(phase_ == Phase::kWriting, "the checkpoint is ended");
  if (version_ != version.number) {
    if (auto status = write_frame(FrameKind::kVersion, encode(version)); !status) return status;
    version_ = version.number;
  }
  ++chunks_;
  chunk_bytes_ += chunk.size();
  return write_frame(FrameKind::kChunk, chunk);
}

Status CheckpointFile::end(CheckpointEnd end) {
  EVE_CHECK(phase_ == Phase::kWriting && version_ == end.parts.number, "an end of another version");
  if (end.context.size() > kMaxCheckpointContextBytes) {
    return Error{"a checkpoint was given up: its context has more than " +
                 std::to_string(kMaxCheckpointContextBytes) + " bytes"};
  }
  end.chunks = chunks_;
  end.chunk_bytes = chunk_bytes_;
  const uint64_t end_offset = offset_;
  if (auto status = write_frame(FrameKind::kEnd, encode(end)); !status) return status;
  if (auto status = write(encode(CheckpointFooter{end_offset, frames_}, file_id_)); !status) {
    return status;
  }
  if (auto status = sync(); !status) return status;
  file_.reset();
  // Opened anew it shows what the disk holds (journal/disk.h).
  auto verifier = CheckpointVerifier::open(disk_, unfinished_name_, digester_);
  if (!verifier) return verifier.status();
  verifier_.emplace(std::move(*verifier));
  phase_ = Phase::kVerifying;
  return {};
}

Result<bool> CheckpointFile::go_on() {
  EVE_CHECK(phase_ == Phase::kVerifying, "the checkpoint is not ended");
  const uint64_t enough = verifier_->offset() + kVerifyBytes;
  while (verifier_->offset() < enough) {
    const auto checked = verifier_->step();
    if (!checked) return checked.error();
    if (!*checked) continue;
    if (auto status = publish(); !status) return Error{status.message()};
    return true;
  }
  return false;
}

Status CheckpointFile::publish() {
  verifier_.reset();
  if (auto status = disk_.rename(unfinished_name_, name()); !status) return status;
  renamed_ = true;
  if (auto status = disk_.sync_names(); !status) return status;
  phase_ = Phase::kPublished;
  return {};
}

Status remove_older_checkpoints(Disk& disk, uint64_t serial) {
  const auto names = disk.list();
  if (!names) return names.status();
  bool removed = false;
  for (const std::string& name : *names) {
    const auto parsed = parse_checkpoint_name(name);
    if (!parsed || parsed->serial >= serial || parsed->kind == journal::FileKind::kDamaged) {
      continue;
    }
    if (auto status = disk.remove(name); !status) return status;
    removed = true;
  }
  return removed ? disk.sync_names() : Status();
}

}  // namespace eve::durability
