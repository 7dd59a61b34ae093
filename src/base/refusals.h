// Who sent what was refused: malformed, unauthentic or out of place. Kept by the state machines,
// which know whose fault a refusal is, even where it shows long after the message has arrived.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "base/ids.h"

namespace eve {

class Refusals {
 public:
  struct Entry {
    uint64_t count = 0;
    std::string_view reason;  ///< of the latest; a literal
  };

  /// `sender` is one that its link has proved, so there are no more entries than roles in the
  /// cluster. `reason` is a literal.
  void add(Address sender, std::string_view reason) {
    auto& entry = by_sender_[sender];
    ++entry.count;
    entry.reason = reason;
    ++total_;
  }

  /// More than is kept or served at once: dropped, and nobody's fault. A correct node does it, too,
  /// when a link comes back and all that it had repeated arrives together.
  void overflow() { ++total_; }

  uint64_t total() const { return total_; }
  const std::map<Address, Entry>& by_sender() const { return by_sender_; }

 private:
  std::map<Address, Entry> by_sender_;
  uint64_t total_ = 0;
};

}  // namespace eve
