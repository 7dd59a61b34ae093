#include "durability/checkpoint_taker.h"

#include <algorithm>
#include <utility>

namespace eve::durability {

using execution::Runner;

namespace {

/// Where the disk is slower than the cutting.
constexpr TimeUs kWaitForDiskUs = 1'000;
/// Written in one piece of work.
constexpr size_t kWorkBytes = size_t{256} << 10;

}  // namespace

CheckpointTaker::CheckpointTaker(journal::Disk& disk, const crypto::Digester& digester,
                                 const CheckpointOptions& options, std::function<TimeUs()> clock)
    : disk_(disk),
      digester_(digester),
      options_(options),
      clock_(std::move(clock)),
      timer_(options.policy),
      pace_(options.rate) {}

// ---- The party that has the runner ----

bool CheckpointTaker::step(Runner& runner, uint64_t log_bytes) {
  const TimeUs now = clock_();
  if (cutting_) learn_outcome(now);
  if (!cutting_ && !begin(runner, log_bytes, now)) return false;
  return export_ != nullptr && pace_.may_step(now) && cut(now);
}

TimeUs CheckpointTaker::time() const {
  if (!cutting_) return kNever;
  if (export_ == nullptr) return kNever;  // the outcome can wait for the next command
  const TimeUs now = clock_();
  if (!pace_.may_step(now)) return pace_.next();
  std::lock_guard lock(mutex_);
  return piece_bytes_ < options_.bytes_in_flight ? now : now + kWaitForDiskUs;
}

bool CheckpointTaker::begin(Runner& runner, uint64_t log_bytes, TimeUs now) {
  const uint64_t beyond = log_bytes - std::min(log_bytes, log_bytes_then_);
  const bool due = timer_.may_be_due(beyond, now) && timer_.due(beyond, runner.state_bytes(), now);
  if (!due && !wanted_) return false;
  export_ = runner.start_export(options_.chunk_bytes);
  if (export_ == nullptr) return false;
  wanted_ = false;
  cutting_ = true;
  pace_.begin();
  moved_before_ = 0;
  log_bytes_begun_ = log_bytes;
  std::lock_guard lock(mutex_);
  attempt_ = Attempt::kGoesOn;
  return true;
}

void CheckpointTaker::learn_outcome(TimeUs now) {
  Attempt attempt = Attempt::kNone;
  {
    std::lock_guard lock(mutex_);
    attempt = attempt_;
    if (attempt != Attempt::kGoesOn) attempt_ = Attempt::kNone;
  }
  if (attempt == Attempt::kGoesOn) return;
  export_.reset();
  cutting_ = false;
  if (attempt == Attempt::kPublished) {
    log_bytes_then_ = log_bytes_begun_;
    timer_.succeeded();
  } else {
    timer_.failed(now);
  }
}

bool CheckpointTaker::cut(TimeUs now) {
  {
    std::lock_guard lock(mutex_);
    if (piece_bytes_ >= options_.bytes_in_flight) return false;
  }
  auto piece = export_->next();
  const uint64_t moved = export_->moved();
  if (!piece || piece->last) export_.reset();
  const TimeUs end = clock_();
  if (moved > moved_before_) pace_.hurry();
  pace_.stepped(now, end, piece ? piece->chunk.size() : 0);
  std::lock_guard lock(mutex_);
  counts_.longest_step_us = std::max(counts_.longest_step_us, end - now);
  counts_.moved += moved - moved_before_;
  moved_before_ = moved;
  if (attempt_ != Attempt::kGoesOn) return false;
  // An empty piece: another state was installed, there is nothing left to cut from.
  if (piece) piece_bytes_ += piece->chunk.size();
  pieces_.push_back(piece ? std::move(*piece) : Piece());
  return true;
}

// ---- The party that has the disk ----

bool CheckpointTaker::work(const Locate& locate) {
  return finishing_ ? verify_some() : write_some(locate);
}

bool CheckpointTaker::verify_some() {
  const auto published = file_->go_on();
  if (!published) {
    give_up(published.message());
    return false;
  }
  if (!*published) return true;
  // The new one is what counts from here on: older ones that stay only take room.
  (void)remove_older_checkpoints(disk_, file_->serial());
  file_.reset();
  std::lock_guard lock(mutex_);
  ++counts_.taken;
  counts_.trouble.clear();
  attempt_ = Attempt::kPublished;
  taken_ = std::exchange(finishing_, std::nullopt);
  return false;
}

std::optional<CheckpointTaker::Piece> CheckpointTaker::next_piece() {
  std::lock_guard lock(mutex_);
  if (pieces_.empty()) return std::nullopt;
  Piece piece = std::move(pieces_.front());
  pieces_.pop_front();
  piece_bytes_ -= piece.chunk.size();
  return piece;
}

bool CheckpointTaker::write_some(const Locate& locate) {
  for (size_t written = 0; written < kWorkBytes;) {
    const auto piece = next_piece();
    if (!piece) return false;
    if (const Status status = write(*piece, locate); !status.ok()) {
      give_up(status.message());
      return false;
    }
    if (finishing_) return true;
    written += piece->chunk.size();
  }
  std::lock_guard lock(mutex_);
  return !pieces_.empty();
}

Status CheckpointTaker::open_file() {
  auto file = CheckpointFile::create(disk_, options_.header, digester_, options_.file);
  if (!file) return file.status();
  file_ = std::move(*file);
  counted_bytes_ = 0;
  return {};
}

Status CheckpointTaker::write(const Piece& piece, const Locate& locate) {
  if (piece.chunk.empty()) return Error{"another state was installed while it was taken"};
  if (file_ == nullptr) {
    if (auto status = open_file(); !status) return status;
  }
  const CheckpointVersion version{piece.parts.number, piece.parts.state};
  Status status = file_->add(version, piece.chunk);
  if (status.ok() && piece.last) {
    auto place = locate(piece.parts.number);
    if (!place) {
      return Error{"where batch " + std::to_string(piece.parts.number.value()) +
                   " is in the log is not known any more"};
    }
    finishing_ = Taken{file_->name(), piece.parts.number, place->position, 0};
    status = file_->end({piece.parts, piece.token, place->position, std::move(place->context)});
    finishing_->bytes = file_->written_bytes();
  }
  std::lock_guard lock(mutex_);
  counts_.written_bytes += file_->written_bytes() - counted_bytes_;
  counted_bytes_ = file_->written_bytes();
  return status;
}

void CheckpointTaker::give_up(const std::string& why) {
  file_.reset();
  finishing_.reset();
  std::lock_guard lock(mutex_);
  pieces_.clear();
  piece_bytes_ = 0;
  ++counts_.failed;
  counts_.trouble = why;
  attempt_ = Attempt::kFailed;
}

std::optional<CheckpointTaker::Taken> CheckpointTaker::taken() {
  std::lock_guard lock(mutex_);
  return std::exchange(taken_, std::nullopt);
}

bool CheckpointTaker::under_way() const {
  std::lock_guard lock(mutex_);
  return attempt_ == Attempt::kGoesOn;
}

CheckpointTaker::Counts CheckpointTaker::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace eve::durability
