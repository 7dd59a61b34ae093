#include "sim/executor_storage.h"

#include <string>
#include <utility>

#include "journal/log_writer.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

using durability::Durability;
using durability::Keeper;

/// A disk that gives errors while a process starts gives them for so many operations at most.
constexpr int kMostAttempts = 2000;

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

}  // namespace

ExecutorStorage::ExecutorStorage(const StoragePlan& plan, Address owner, uint64_t seed,
                                 NoteJournal::Later later)
    : plan_(plan), owner_(owner), random_(seed), later_(std::move(later)) {
  make();
}

void ExecutorStorage::make() {
  journal_.reset();
  disk_ = std::make_unique<VirtualDisk>(plan_.disk, random_.next());
  journal_ =
      std::make_unique<NoteJournal>(*disk_, keeper_options(plan_, owner_), random_.next(), later_);
  ran_before_ = false;
  machine_stopped_ = forgot_ = false;
}

// What was not synced is gone when the machine stops, and what an async log promises ends there;
// and stays so until the executor has said that it may speak again.
bool ExecutorStorage::may_forget() const {
  return plan_.durability == Durability::kAsync && (machine_stopped_ || forgot_);
}

durability::OpenedExecutor ExecutorStorage::open(
    const crypto::Digester& digester, const crypto::Digest& genesis,
    const std::function<execution::Runner&()>& make_runner) {
  const durability::ExecutorLogAccess log{
      [this](bool ran_before, durability::NoteVisitor& visitor, durability::Found& found) {
        return journal_->open(ran_before, visitor, found);
      },
      [this] { return journal::set_aside_log(*disk_, keeper_options(plan_, owner_).log.name); }};
  for (int attempt = 1;; ++attempt) {
    auto opened = durability::open_executor(log, ran_before_, digester, genesis, make_runner);
    if (!opened) {
      if (attempt < kMostAttempts) continue;
      throw Violation("durability", to_string(owner_) + " cannot start: " + opened.message());
    }
    if ((opened->restarted || !opened->trouble.empty()) && !may_forget()) {
      throw Violation("durability", to_string(owner_) + " has forgotten: " + opened->trouble);
    }
    journal_->submit(std::move(opened->opening_notes), Keeper::Until::kLater, nullptr);
    recorder_ = std::move(opened->recorder);
    ran_before_ = true;
    machine_stopped_ = false;
    forgot_ = opened->restarted;
    return std::move(*opened);
  }
}

durability::OpenedExecutor ExecutorStorage::open_anew(
    const crypto::Digester& digester, const crypto::Digest& genesis,
    const std::function<execution::Runner&()>& make_runner) {
  journal_->end(NoteJournal::How::kProcess);
  journal_->draw_life();
  for (int attempt = 1; !journal::set_aside_log(*disk_, keeper_options(plan_, owner_).log.name);
       ++attempt) {
    if (attempt == kMostAttempts) throw Violation("durability", to_string(owner_) + " is stuck");
  }
  forgot_ = machine_stopped_ = true;
  auto opened = open(digester, genesis, make_runner);
  remembered();
  return opened;
}

void ExecutorStorage::carried_out(const execution::Command& command,
                                  const std::vector<execution::Event>& events,
                                  NoteJournal::Done done) {
  auto recorded = recorder_->record(command, events);
  if (!recorded) {
    throw Violation("durability", to_string(owner_) + " cannot record: " + recorded.message());
  }
  journal_->submit(std::move(recorded->notes), recorded->until, std::move(done));
  if (journal_->broken()) {
    throw Violation("durability", to_string(owner_) + " finds its log damaged");
  }
}

void ExecutorStorage::remembered() {
  journal_->submit({{durability::kRemembered, 0, {}}}, Keeper::Until::kLater, nullptr);
}

void ExecutorStorage::end() {
  const bool machine = random_.chance(plan_.machine_per_mille, 1000);
  machine_stopped_ |= machine;
  journal_->end(machine ? NoteJournal::How::kMachine : NoteJournal::How::kProcess);
  recorder_.reset();
}

void ExecutorStorage::forget() {
  make();
}

}  // namespace eve::sim
