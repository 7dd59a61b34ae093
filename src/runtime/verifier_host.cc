#include "runtime/verifier_host.h"

#include <utility>

namespace eve::runtime {
namespace {

/// Steps that wait for a disk that is slow, or in trouble. Beyond, what comes is lost as if on the
/// network.
constexpr size_t kMostWaiting = 4096;

}  // namespace

VerifierHost::VerifierHost(EventLoop& loop, Outlet& outlet, const crypto::Digester& digester,
                           Address node, const Seating& seating, VerifierMemory memory)
    : outlet_(outlet),
      seat_(Address::verifier(memory.options.index)),
      keys_(seating.keys),
      disk_(std::move(memory.disk)),
      book_(std::move(memory.book)),
      verifier_(memory.options, *keys_, digester) {
  for (uint32_t i = 0; i < memory.options.model.executors(); ++i) {
    executors_.push_back(Address::executor(i));
  }
  JournalThreadOptions options;
  options.name = to_string(node);
  options.on_broken = [this] { stopped_ = true; };
  journal_ = std::make_unique<JournalThread>(loop, std::move(memory.keeper), options);
}

VerifierHost::~VerifierHost() {
  (void)journal_->close();
}

void VerifierHost::start(TimeUs now) {
  verifier_.start(now, outbox_);
  hand_out();
}

void VerifierHost::receive(const wire::Message& message, Address from, TimeUs now) {
  if (stopped() || waiting_ >= kMostWaiting) return;
  verifier_.receive(message, from, now, outbox_);
  hand_out();
}

void VerifierHost::tick(TimeUs now) {
  if (stopped()) return;
  watch_disk(now);
  verifier_.tick(now, outbox_);
  hand_out();
}

void VerifierHost::watch_disk(TimeUs now) {
  if (now < watch_.due()) return;
  watch_.look(journal_->status(), now);
  if (!watch_.low() && !said_low_) return;
  if (!watch_.time_to_say(now)) return;
  said_low_ = watch_.low();
  wire::Room word;
  if (said_low_) word.low.push_back(seat_);
  // Not through the journal: it promises nothing.
  std::vector<wire::Send> sends;
  sends.push_back({executors_, std::make_shared<const wire::Message>(std::move(word))});
  outlet_.send(sends);
}

bool VerifierHost::idle(TimeUs now) {
  if (stopped()) return false;
  verifier_.idle(now, outbox_);
  refusals_seen_.pass_on(
      verifier_.refusals(), [this](Address sender) { return outlet_.name_of(sender); },
      outlet_.refusals(), now);
  return hand_out();
}

// What promises nothing waits as well if anything does: it may rest on a promise that is not
// durable.
bool VerifierHost::hand_out() {
  auto step = book_->take(outbox_.promises);
  if (step.notes.empty() && outbox_.sends.empty()) return false;
  if (step.notes.empty() && waiting_ == 0) {
    outlet_.send(outbox_.sends);
    return true;
  }
  if (step.notes.empty() && waiting_ >= kMostWaiting) {
    outbox_.sends.clear();
    return false;
  }
  ++waiting_;
  journal_->submit(std::move(step.notes), step.until,
                   [this, known = known(), sends = std::exchange(outbox_.sends, {})]() mutable {
                     --waiting_;
                     committed_ = known;
                     outlet_.send(sends);
                   });
  if (auto all = book_->shorten()) {
    journal_->cut(journal_->submit({std::move(*all)}, durability::Keeper::Until::kLater, nullptr));
  }
  return true;
}

verification::VerifierStatus VerifierHost::status() const {
  auto status = verifier_.status();
  const JournalStatus journal = journal_->status();
  if (stopped()) status.phase = "stopped";
  if (!journal.trouble.empty()) status.waiting_for = "the disk: " + journal.trouble;
  return status;
}

}  // namespace eve::runtime
