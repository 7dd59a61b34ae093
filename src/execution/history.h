// Parts and tokens of the batches whose state can still be returned to, or read by peers.
#pragma once

#include <deque>

#include "base/ids.h"
#include "crypto/digest.h"
#include "wire/messages.h"

namespace eve::execution {

/// Consecutive batches, at least one: the chain of tokens goes on from the newest. A value.
class History {
 public:
  struct Entry {
    wire::TokenParts parts;
    crypto::Digest token;
  };

  /// `first` is genesis, or a batch whose state was fetched.
  explicit History(Entry first) : entries_{std::move(first)} {}

  const Entry& last() const { return entries_.back(); }
  /// Null if the batch is not, or no longer, known.
  const Entry* find(BatchNumber number) const;

  /// Precondition: entry.parts.number is last().parts.number.next().
  void append(Entry entry);
  /// Precondition: `number` is known.
  void drop_after(BatchNumber number);
  /// Keeps the newest in any case.
  void forget_before(BatchNumber number);

 private:
  std::deque<Entry> entries_;
};

}  // namespace eve::execution
