#include "durability/executor_log.h"

#include <utility>

namespace eve::durability {
namespace {

/// What a note takes in the log beside its payload, about.
constexpr uint64_t kNoteBytes = 32;

/// One reading of checkpoint and log, into one runner.
class Attempt final : public NoteVisitor {
 public:
  Attempt(execution::Runner& runner, const crypto::Digester& digester,
          const crypto::Digest& genesis, const ExecutorLogAccess& log, const PresentEpoch& present)
      : runner_(runner),
        genesis_(genesis),
        log_(log),
        places_(std::make_unique<LogPlaces>()),
        present_(present.epoch),
        recovery_(runner, digester, genesis, *places_, present) {}

  /// Nullopt if the log cannot be followed: trouble() says why.
  Result<std::optional<OpenedExecutor>> run(bool ran_before) {
    Found found;
    if (const auto status = log_.open(ran_before, *this, found); !status) {
      if (!stranded_ && (!recovery_.failed() || recovery_.refused())) {
        return Error{status.message()};
      }
      return gives_up(status.message());
    }
    if (auto status = begin_at_genesis(); !status) return Error{status.message()};
    // New notes would get positions that the checkpoint has them passed by at.
    if (found.end < from_) return gives_up("the log ends before its checkpoint was taken");
    auto recovered = recovery_.finish(found.whole);
    if (!recovered) return gives_up(recovered.message());

    OpenedExecutor opened;
    opened.restarted = !found.whole;
    opened.trouble = found.trouble;
    opened.checkpoint_troubles = std::move(troubles_);
    opened.at_checkpoint = at_checkpoint_;
    opened.in_pieces = found.in_pieces;
    opened.log_bytes = log_bytes_;
    opened.genesis_time_us = genesis_time_us_;
    opened.opening_notes = recovery_.opening_notes();
    const bool enters = recovery_.epoch() < present_;
    if (enters && found.whole) {
      opened.begins = std::move(recovered->committed);
    } else if (!found.first_start) {
      opened.recovered = std::move(*recovered);
    }
    opened.recorder.emplace(runner_);
    places_->ends_at(found.end);
    if (enters) {
      const uint64_t before = opened.opening_notes.size() - 1;
      places_->entered(present_, journal::Position(found.end.value() + before));
    }
    opened.places = std::move(places_);
    return std::optional(std::move(opened));
  }

  const std::string& trouble() const { return trouble_; }
  const std::vector<std::string>& checkpoint_troubles() const { return troubles_; }

 private:
  Status begins(const journal::Life& life, journal::Position begin) override {
    if (log_.disk != nullptr) {
      auto found = read_checkpoint(*log_.disk, {log_.owner, life, genesis_, begin}, runner_);
      if (!found) return found.status();
      troubles_ = std::move(found->troubles);
      if (found->checkpoint) return begin_at(found->checkpoint->end);
    }
    if (begin <= journal::Position(1)) return begin_at_genesis();
    return strand("the log begins with note " + std::to_string(begin.value()) +
                  ", and there is no checkpoint of what was before");
  }
  /// The first time; unless there was a checkpoint.
  Status begin_at_genesis() {
    if (at_checkpoint_ || at_genesis_ || !log_.begin) return {};
    if (auto status = log_.begin(runner_); !status) return status;
    at_genesis_ = true;
    genesis_time_us_ = runner_.last_time_us();
    return {};
  }
  Status begin_at(const CheckpointEnd& end) {
    auto context = read_context(end.context);
    if (!context) return strand(context.message());
    from_ = end.position;
    at_checkpoint_ = true;
    return recovery_.begin_at(end.position, end.parts.number, std::move(*context));
  }
  Status note(journal::Position position, uint16_t kind, uint64_t number,
              ByteView payload) override {
    if (position < from_) return {};
    log_bytes_ += kNoteBytes + payload.size();
    return recovery_.note(position, kind, number, payload);
  }

  Status strand(std::string why) {
    stranded_ = true;
    return Error{std::move(why)};
  }
  std::optional<OpenedExecutor> gives_up(std::string why) {
    trouble_ = std::move(why);
    return std::nullopt;
  }

  execution::Runner& runner_;
  const crypto::Digest& genesis_;
  const ExecutorLogAccess& log_;
  std::unique_ptr<LogPlaces> places_;
  const Epoch present_;
  ExecutorRecovery recovery_;
  journal::Position from_{1};
  uint64_t log_bytes_ = 0;
  bool at_checkpoint_ = false;
  bool at_genesis_ = false;
  TimeUs genesis_time_us_ = 0;
  bool stranded_ = false;  ///< nothing to go on from
  std::vector<std::string> troubles_;
  std::string trouble_;
};

}  // namespace

Result<OpenedExecutor> open_executor(const ExecutorLogAccess& log, bool ran_before,
                                     const crypto::Digester& digester,
                                     const crypto::Digest& genesis,
                                     const std::function<execution::Runner&()>& make_runner,
                                     const PresentEpoch& present) {
  Attempt first(make_runner(), digester, genesis, log, present);
  auto opened = first.run(ran_before);
  if (!opened) return opened.error();
  if (*opened) return std::move(**opened);

  if (const auto status = log.set_aside(first.trouble()); !status) return Error{status.message()};
  Attempt second(make_runner(), digester, genesis, log, present);
  auto anew = second.run(true);
  if (!anew) return anew.error();
  if (!*anew) return Error{second.trouble()};
  (*anew)->checkpoint_troubles = first.checkpoint_troubles();
  (*anew)->trouble = first.trouble() + "; the log is set aside, as *.damaged";
  return std::move(**anew);
}

}  // namespace eve::durability
