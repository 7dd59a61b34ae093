#include "durability/promise_book.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "journal/format.h"

namespace eve::durability {
namespace {

using verification::Promise;
using verification::Stands;

/// What is cut then is about as much.
constexpr uint64_t kShortenBytes = uint64_t{4} << 20;

}  // namespace

// Where the log was cut, the first notes are of a story whose beginning is gone; the one of
// everything comes after them.
Status PromiseBook::note(journal::Position, uint16_t kind, uint64_t number, ByteView payload) {
  known_ = true;
  highest_ = std::max(highest_, View(number));
  const bool everything = kind == static_cast<uint16_t>(PromiseNote::kAll);
  const auto follows = apply_note(kind, number, payload, genesis_, digester_, all_);
  if (!follows) return follows.status();
  complete_ = complete_ || everything;
  follows_ = everything || (follows_ && *follows);
  return {};
}

// Every note names the highest view of its time.
void PromiseBook::stray(uint16_t, uint64_t number, ByteView) {
  highest_stray_ = std::max(highest_stray_, std::optional(View(number)));
}

Result<std::vector<Note>> PromiseBook::begin(const Found& found,
                                             verification::VerifierOptions& options) {
  // A whole log without notes is one of a verifier that had promised nothing; who will keep views
  // only says so before anything else.
  if (found.first_start || (found.whole && !known_)) {
    if (!forgetful()) return std::vector<Note>();
    const Stands stands{View(0), true};
    (void)all_.apply(stands);
    return std::vector<Note>{note_of(stands, all_.promised)};
  }
  // What the log has lost may have named a higher view than what is left of it: only the mark says
  // how high at most.
  if (!found.whole && !found.highest) {
    return Error{name_ + ": what it has promised is lost (" + found.trouble +
                 "); it must not vote under this identity any more: replace its "
                 "node (`eve member replace`)"};
  }
  const bool sound = follows_ && (complete_ || found.begin == journal::Position(1));
  if (found.whole && !sound) {
    return Error{name_ +
                 ": the notes of its log contradict each other; put the log back, or "
                 "replace its node (`eve member replace`)"};
  }
  const View highest =
      std::max({highest_, highest_stray_.value_or(View(0)), View(found.highest.value_or(0))});
  owes_remembered_ = !found.whole;
  if (found.in_pieces) bytes_ = kShortenBytes;
  const bool whole = found.whole && !all_.forgetful;
  if (whole) {
    options.recovered = all_;
  } else {
    options.lost_promises_at = highest;
  }
  std::vector<Note> first;
  if (whole && !forgetful()) return first;
  const Stands stands{highest, true};
  (void)all_.apply(stands);
  first.push_back(note_of(stands, highest));
  return first;
}

PromiseBook::Step PromiseBook::take(std::vector<Promise>& promises) {
  Step step;
  for (const Promise& promise : promises) keep(promise, step);
  promises.clear();
  uint64_t bytes = 0;
  for (const Note& note : step.notes) bytes += note.payload.size() + journal::kRecordHeaderBytes;
  const bool syncs = step.until != Keeper::Until::kLater;
  bytes_ += syncs ? journal::round_up_to_block(bytes + journal::kGroupHeaderBytes) : bytes;
  return step;
}

void PromiseBook::keep(const Promise& promise, Step& step) {
  const auto view = verification::view_of(promise);
  if (forgetful()) {
    if (!view) return;
    const Stands stands{*view, true};
    (void)all_.apply(stands);
    step.notes.push_back(note_of(stands, all_.promised));
    step.until = Keeper::Until::kSynced;
    return;
  }
  EVE_CHECK(all_.apply(promise), "a promise that contradicts an earlier one");
  step.notes.push_back(note_of(promise, all_.promised));
  if (view) {
    step.until = Keeper::Until::kSynced;
  } else if (verification::binds(promise) && step.until == Keeper::Until::kLater) {
    step.until = Keeper::Until::kDurable;
  }
  if (owes_remembered_ && std::holds_alternative<wire::NewView>(promise)) {
    step.notes.push_back({kRemembered, all_.promised.value(), {}});
    owes_remembered_ = false;
  }
}

std::optional<Note> PromiseBook::shorten() {
  if (bytes_ < kShortenBytes) return std::nullopt;
  bytes_ = 0;
  return note_of(all_);
}

}  // namespace eve::durability
