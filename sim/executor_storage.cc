#include "sim/executor_storage.h"

#include <string>
#include <utility>

#include "sim/violation.h"

namespace eve::sim {
namespace {

using durability::Durability;
using durability::Keeper;

/// A disk that gives errors while a process starts gives them for so many operations at most.
constexpr int kMostAttempts = 2000;
constexpr size_t kMostCopies = 3;
constexpr uint64_t kNoteBytes = 32;
/// Of cutting checkpoints: now it is over at once, now most crashes come amid one.
constexpr uint64_t kSlowestBytesPerSecond = uint64_t{32} << 10;

durability::KeeperOptions keeper_options(const StoragePlan& plan, Address owner) {
  durability::KeeperOptions options;
  options.log.name = "executor" + std::to_string(owner.index);
  options.log.owner = {"simulated", to_string(owner)};
  options.log.segment_bytes = uint64_t{256} << 10;
  options.log.extend_bytes = uint64_t{16} << 10;
  options.log.reserve_bytes = uint64_t{64} << 10;
  options.log.low_bytes = 0;
  options.durability = plan.durability;
  return options;
}

// Small, as the states are: often due, and in pieces.
durability::CheckpointOptions checkpoint_options(const durability::KeeperOptions& log,
                                                 Random& random) {
  durability::CheckpointOptions options;
  options.header.owner = log.log.owner;
  options.policy = {uint64_t{16} << 10, 0.5, 500'000, 5'000'000};
  options.rate = {kSlowestBytesPerSecond << random.below(8), 100};
  options.file = {uint64_t{8} << 10, 0};
  options.chunk_bytes = size_t{2} << 10;
  options.bytes_in_flight = size_t{8} << 10;
  return options;
}

}  // namespace

ExecutorStorage::ExecutorStorage(const StoragePlan& plan, Address owner, uint64_t seed,
                                 NoteJournal::Later later, std::function<TimeUs()> clock)
    : plan_(plan),
      owner_(owner),
      random_(seed),
      later_(std::move(later)),
      clock_(std::move(clock)) {
  make();
}

void ExecutorStorage::make() {
  journal_.reset();
  disk_ = std::make_unique<VirtualDisk>(plan_.disk, random_.next());
  journal_ =
      std::make_unique<NoteJournal>(*disk_, keeper_options(plan_, owner_), random_.next(), later_);
  ran_before_ = false;
  machine_stopped_ = forgot_ = ever_forgot_ = false;
}

// What was not synced is gone when the machine stops, and what an async log promises ends there;
// and stays so until the executor has said that it may speak again.
bool ExecutorStorage::may_forget() const {
  if (plan_.damaged > 0 || set_back_) return true;
  return plan_.durability == Durability::kAsync && (machine_stopped_ || forgot_);
}

Status ExecutorStorage::set_aside(const std::string& why) {
  return durability::give_up_log(*disk_, keeper_options(plan_, owner_).log.name, why);
}

durability::OpenedExecutor ExecutorStorage::open(
    const crypto::Digester& digester, const crypto::Digest& genesis,
    const std::function<execution::Runner&()>& make_runner,
    const durability::PresentEpoch& present) {
  const durability::ExecutorLogAccess log{
      [this](bool ran_before, durability::NoteVisitor& visitor, durability::Found& found) {
        return journal_->open(ran_before, visitor, found);
      },
      [this](const std::string& why) { return set_aside(why); }, disk_.get(),
      keeper_options(plan_, owner_).log.owner};
  for (int attempt = 1;; ++attempt) {
    auto opened =
        durability::open_executor(log, ran_before_, digester, genesis, make_runner, present);
    if (!opened) {
      if (attempt < kMostAttempts) continue;
      throw Violation("durability", to_string(owner_) + " cannot start: " + opened.message());
    }
    if ((opened->restarted || !opened->trouble.empty()) && !may_forget()) {
      throw Violation("durability", to_string(owner_) + " has forgotten: " + opened->trouble);
    }
    if (!opened->checkpoint_troubles.empty() && !ever_forgot_ && !may_forget()) {
      throw Violation("durability", to_string(owner_) + " cannot use a checkpoint: " +
                                        opened->checkpoint_troubles.front());
    }
    begin(*opened, digester, genesis);
    return std::move(*opened);
  }
}

durability::OpenedExecutor ExecutorStorage::open_anew(
    const crypto::Digester& digester, const crypto::Digest& genesis,
    const std::function<execution::Runner&()>& make_runner) {
  checkpoints_->taker().stop();
  journal_->end(NoteJournal::How::kProcess);
  checkpoints_.reset();
  for (int attempt = 1; !set_aside("its state may lack something"); ++attempt) {
    if (attempt == kMostAttempts) throw Violation("durability", to_string(owner_) + " is stuck");
  }
  forgot_ = machine_stopped_ = true;
  auto opened = open(digester, genesis, make_runner);
  remembered();
  return opened;
}

void ExecutorStorage::begin(durability::OpenedExecutor& opened, const crypto::Digester& digester,
                            const crypto::Digest& genesis) {
  recorder_ = std::move(opened.recorder);
  places_ = std::move(opened.places);
  log_bytes_ = opened.log_bytes;
  auto options = checkpoint_options(keeper_options(plan_, owner_), random_);
  options.header.life = journal_->life();
  options.header.genesis = genesis;
  checkpoints_ = std::make_unique<durability::ExecutorCheckpoints>(*disk_, digester, *places_,
                                                                   options, clock_);
  if (opened.in_pieces) checkpoints_->taker().want();
  journal_->set_background([this](Keeper& keeper) { return checkpoints_->work(keeper); });
  journal_->submit(std::move(opened.opening_notes), Keeper::Until::kLater, nullptr);
  ran_before_ = true;
  machine_stopped_ = false;
  forgot_ = opened.restarted;
  ever_forgot_ |= forgot_;
}

void ExecutorStorage::step(execution::Runner& runner) {
  if (checkpoints_->taker().step(runner, log_bytes_)) journal_->poke();
}

uint64_t ExecutorStorage::checkpoints() const {
  return earlier_checkpoints_ + (checkpoints_ ? checkpoints_->taker().counts().taken : 0);
}

void ExecutorStorage::carried_out(const execution::Command& command,
                                  const std::vector<execution::Event>& events,
                                  NoteJournal::Done done) {
  auto recorded = recorder_->record(command, events);
  if (!recorded) {
    throw Violation("durability", to_string(owner_) + " cannot record: " + recorded.message());
  }
  for (const auto& note : recorded->notes) log_bytes_ += kNoteBytes + note.payload.size();
  const uint64_t notes = recorded->notes.size();
  const auto first =
      journal_->submit(std::exchange(recorded->notes, {}), recorded->until, std::move(done));
  if (checkpoints_ == nullptr) return;  // what was done ended this process
  recorded->tell(*places_, first, journal::Position(first.value() + notes));
  if (journal_->broken() && plan_.damaged == 0) {
    throw Violation("durability", to_string(owner_) + " finds its log damaged");
  }
}

void ExecutorStorage::settle(NoteJournal::Done done) {
  journal_->submit({}, Keeper::Until::kDurable, std::move(done));
}

void ExecutorStorage::remembered() {
  journal_->submit({{durability::kRemembered, 0, {}}}, Keeper::Until::kLater, nullptr);
}

void ExecutorStorage::end() {
  const bool machine = random_.chance(plan_.machine_per_mille, 1000);
  machine_stopped_ |= machine;
  if (checkpoints_) {
    checkpoints_->taker().stop();
    crashes_amid_checkpoints_ += checkpoints_->taker().under_way() ? 1 : 0;
  }
  journal_->end(machine ? NoteJournal::How::kMachine : NoteJournal::How::kProcess);
  earlier_checkpoints_ = checkpoints();
  checkpoints_.reset();
  places_.reset();
  recorder_.reset();
  if (copies_.size() < kMostCopies && random_.chance(1, 2)) copies_.push_back(disk_->copy());
}

// An old copy is worse than nothing: it looks whole.
void ExecutorStorage::forget() {
  set_back_ = !copies_.empty() && random_.chance(1, 2);
  if (!set_back_) return make();
  disk_->restore(copies_[random_.below(copies_.size())]);
}

}  // namespace eve::sim
