#include "sim/verifier_disk.h"

#include <string>
#include <utility>

#include "sim/violation.h"
#include "verification/certificate.h"

namespace eve::sim {
namespace {

constexpr int kMostAttempts = 2000;

durability::KeeperOptions options_of(Address self) {
  durability::KeeperOptions options;
  options.log.name = "promises";
  options.log.owner = {"sim", to_string(self)};
  options.log.segment_bytes = uint64_t{1} << 20;
  options.log.extend_bytes = 0;
  options.log.reserve_bytes = uint64_t{64} << 10;
  options.log.low_bytes = uint64_t{256} << 10;
  options.marks_highest = true;
  return options;
}

}  // namespace

// ---- The checker -------------------------------------------------------------------------------

void PromiseChecker::sent(const wire::Message& message) {
  const auto vote_in = [this](View view) {
    if (view <= voted_) return;
    voted_ = view;
    prepares_.clear();
    commits_.clear();
  };
  if (const auto* change = std::get_if<wire::ViewChange>(&message)) {
    asked_ = std::max(asked_, change->view);
  } else if (const auto* prepare = std::get_if<wire::Prepare>(&message)) {
    vote_in(prepare->view);
    if (prepare->view == voted_) prepares_.emplace(prepare->number, prepare->token);
  } else if (const auto* commit = std::get_if<wire::Commit>(&message)) {
    vote_in(commit->view);
    if (commit->view == voted_) commits_.emplace(commit->number, commit->token);
    const auto order = [](const wire::Commit& of) { return std::pair(of.view, of.number); };
    if (!highest_ || order(*commit) > order(*highest_)) highest_ = *commit;
  }
}

void PromiseChecker::recovered(Address self, const verification::Promises& all, bool whole) {
  const auto require = [self](bool holds, const std::string& what) {
    if (!holds) throw Violation("forgotten", to_string(self) + " has forgotten " + what);
  };
  require(all.promised >= asked_, "that it asked for view " + std::to_string(asked_.value()));
  require(all.promised >= voted_, "that it voted in view " + std::to_string(voted_.value()));
  if (!whole) {
    // The view that it joins next rests on what others held (V9): so may its certificate.
    highest_.reset();
    return;
  }
  if (highest_) {
    const auto held = std::pair(all.held.view, all.held.number);
    require(held >= std::pair(highest_->view, highest_->number), "a certificate of a COMMIT");
  }
  require(all.view() >= voted_, "the view that it voted in");
  if (all.view() > voted_) return;
  const auto open = [&all](BatchNumber number) {
    const bool start = all.start_is_open() && number == all.new_view->number;
    return start || number > all.last.number;
  };
  for (const auto& [number, token] : prepares_) {
    if (!open(number)) continue;
    const auto found = all.prepares.find(number);
    require(found != all.prepares.end() && found->second.token == token,
            "its PREPARE for number " + std::to_string(number.value()));
  }
  for (const auto& [number, token] : commits_) {
    if (!open(number)) continue;
    const auto found = all.certificates.find(number);
    require(found != all.certificates.end() && found->second.token == token,
            "its COMMIT for number " + std::to_string(number.value()));
  }
}

// ---- The disk ----------------------------------------------------------------------------------

VerifierDisk::VerifierDisk(Address self, const DiskPlan& plan, bool damaged,
                           const crypto::Digest& genesis, const crypto::Digester& digester,
                           uint64_t seed, Trace& trace, NoteJournal::Later later, BatchNumber start)
    : self_(self),
      genesis_(genesis),
      start_(start),
      digester_(digester),
      damaged_(damaged),
      random_(seed),
      trace_(trace),
      disk_(plan, random_.next()),
      journal_(disk_, options_of(self), random_.next(), std::move(later)) {}

// A disk that refuses does not do so for ever.
bool VerifierDisk::open(verification::VerifierOptions& options) {
  durability::Found found;
  Status status;
  for (int i = 0; i == 0 || (!status.ok() && i < kMostAttempts); ++i) {
    book_.emplace(to_string(self_), durability::Durability::kSync, genesis_, digester_, start_);
    status = journal_.open(ran_before_, *book_, found);
  }
  if (!status)
    throw Violation("disk", to_string(self_) + " cannot open its log: " + status.message());
  ran_before_ = true;
  if (!found.whole && !damaged_) throw Violation("disk", found.trouble);
  auto first = book_->begin(found, options);
  if (!first && damaged_) return false;
  if (!first) throw Violation("disk", first.message());
  checker_.recovered(self_, book_->all(), found.whole);
  if (!found.whole) trace_.hit(Site::kPromisesLost);
  if (options.recovered) trace_.hit(Site::kPromisesKept);
  if (!first->empty()) journal_.submit(std::move(*first), durability::Keeper::Until::kSynced, {});
  return true;
}

// What promises nothing waits as well if anything does: it may rest on a promise that is not
// durable.
void VerifierDisk::carry_out(verification::Outbox& out,
                             std::function<void(const std::vector<wire::Send>&)> send) {
  auto step = book_->take(out.promises);
  if (step.notes.empty() && out.sends.empty()) return;
  const auto leave = [this, send = std::move(send), sends = std::move(out.sends)] {
    for (const wire::Send& each : sends) checker_.sent(*each.message);
    send(sends);
  };
  journal_.submit(std::move(step.notes), step.until, leave);
  if (!journal_.is_open()) return;
  if (auto all = book_->shorten()) {
    trace_.hit(Site::kLogShortened);
    journal_.cut(journal_.submit({std::move(*all)}, durability::Keeper::Until::kLater, {}));
  }
}

void VerifierDisk::end() {
  if (!journal_.is_open()) return;
  const bool machine = random_.chance(1, 2);
  if (machine) trace_.hit(Site::kPowerFailed);
  const uint64_t before = journal_.interrupted();
  journal_.end(machine ? NoteJournal::How::kMachine : NoteJournal::How::kProcess);
  if (journal_.interrupted() > before) trace_.hit(Site::kCrashAmidSync);
}

}  // namespace eve::sim
