// What a verifier's host does with promises: which notes of them are kept, from which of them it
// goes on, and when it must not (V9). The host has the journal.
//
//   PromiseBook book(...);                         Keeper::open(disk, options, book, found)
//   book.begin(found, options)                     -> the verifier's options; notes to keep first
//   each step: book.take(outbox.promises)          -> notes, before the step's sends
//              book.shorten()                      -> all of it as one note, when it is time
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "durability/keeper.h"
#include "durability/promise_notes.h"
#include "verification/verifier.h"

namespace eve::durability {

class PromiseBook final : public NoteVisitor {
 public:
  /// `digester` outlives the book. `name`: "verifier-1", for errors. `genesis` is the token of
  /// `start`, where the epoch begins: each epoch has a log, and a book, of its own.
  PromiseBook(std::string name, Durability durability, const crypto::Digest& genesis,
              const crypto::Digester& digester, BatchNumber start = BatchNumber())
      : name_(std::move(name)),
        durability_(durability),
        genesis_(genesis),
        digester_(digester),
        all_(genesis, start) {}

  /// For the keeper of its log: views are synced even where nothing else is kept.
  static Durability of_log(Durability durability) {
    return durability == Durability::kMemory ? Durability::kSync : durability;
  }

  Status note(journal::Position position, uint16_t kind, uint64_t number,
              ByteView payload) override;
  void stray(uint16_t kind, uint64_t number, ByteView payload) override;

  /// After Keeper::open(): sets `recovered` or `lost_promises_at` of `options`, or neither at a
  /// first start. The notes returned must be synced before the verifier starts. Error: what it has
  /// promised is not known, not even which views; it must not run.
  Result<std::vector<Note>> begin(const Found& found, verification::VerifierOptions& options);

  struct Step {
    std::vector<Note> notes;
    Keeper::Until until = Keeper::Until::kLater;  ///< what is sent next waits for it
  };
  /// Takes the promises of a step, in order.
  Step take(std::vector<verification::Promise>& promises);
  /// If so much has been kept since the last time, or the log lies in so many files, that it pays:
  /// everything in one note. What lies
  /// before its position may be cut when it is durable.
  std::optional<Note> shorten();

  const verification::Promises& all() const { return all_; }

 private:
  bool forgetful() const { return durability_ == Durability::kMemory; }
  void keep(const verification::Promise& promise, Step& step);

  std::string name_;
  Durability durability_;
  crypto::Digest genesis_;
  const crypto::Digester& digester_;
  verification::Promises all_;
  bool follows_ = true;  ///< each note could follow those before it, from the last of everything on
  bool complete_ = false;  ///< there was one of everything
  View highest_;           ///< that any note names
  bool known_ = false;     ///< there was a note
  std::optional<View> highest_stray_;
  bool owes_remembered_ = false;  ///< what was lost is not made up for yet
  uint64_t bytes_ = 0;            ///< in the log since the last note of everything, about
};

}  // namespace eve::durability
