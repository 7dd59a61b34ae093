// Linearizability of single registers, each write of another value: a register's history is right
// if its operations can be put in one order that agrees with the real one (Gibbons and Korach,
// "Testing shared memories", 1997: all operations on one value form a zone; zones tell).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "eve/bytes.h"

namespace eve::sim {

class RegisterHistory {
 public:
  /// `completed`: none if nobody knows whether it took place. Precondition: no value twice.
  void wrote(ByteView key, ByteView value, TimeUs invoked, std::optional<TimeUs> completed);
  /// `value`: none if the register was empty, as all are at first.
  void read(ByteView key, std::optional<ByteView> value, TimeUs invoked, TimeUs completed);

  /// Throws a Violation. O(n log n).
  void check() const;

 private:
  /// All that is known of one value of a register.
  struct Cluster {
    bool written = false;
    TimeUs write_invoked = 0;
    TimeUs first_completion = 0;  ///< of write and reads
    TimeUs last_invocation = 0;
    TimeUs first_read_completion = 0;
    bool is_read = false;
    bool certain = false;  ///< the write completed
  };
  using Clusters = std::map<Bytes, Cluster>;
  static void check(const std::string& key, const Clusters& clusters);

  std::map<Bytes, Clusters> registers_;  ///< the empty value: before any write
};

}  // namespace eve::sim
