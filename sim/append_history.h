// Lists that are appended to and read whole, by transactions over several keys: reads tell the
// order of appends, and so who must come before whom. A history is right (strictly serializable) if
// that order, the order of each client's requests and real time have no cycle (Adya's G0, G1 and
// G2; after Elle, Kingsbury and Alvaro, VLDB 2020).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"

namespace eve::sim {

class AppendHistory {
 public:
  struct Operation {
    uint32_t key = 0;
    std::optional<uint64_t> appended;  ///< a value that is appended nowhere else
    std::vector<uint64_t> list;        ///< what was read
  };
  /// No key twice in one transaction.
  struct Transaction {
    uint16_t client = 0;
    TimeUs invoked = 0;
    std::optional<TimeUs> completed;  ///< none: it may have run; what it read is not known
    std::vector<Operation> operations;
  };

  /// A client's transactions come in its order.
  void add(Transaction transaction) { transactions_.push_back(std::move(transaction)); }
  /// Throws a Violation. O(n log n).
  void check() const;

 private:
  std::vector<Transaction> transactions_;
};

}  // namespace eve::sim
