// Whose disks are low, as a gateway hears of it, and whether writes must be refused because of that
// (docs/adr/0015-disk-trouble.md).
//
// Up to u low disks stop nothing: their nodes are about to be some of the u that may fail. More
// than u of the executors, or of the verifiers, and soon nothing can be agreed on. u+1 voices have
// one that does not lie among them, as does a word on a verifier from r+1 executors: so liars alone
// bring about no refusal.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "runtime/disk_watch.h"
#include "wire/messages.h"

namespace eve::runtime {

/// One thread.
class RoomBook {
 public:
  /// A word is forgotten after so long: its speaker may be gone.
  static constexpr TimeUs kWordUs = 5 * DiskWatch::kSayUs;

  explicit RoomBook(const FaultModel& model) : model_(model) {}

  /// Precondition: `from` is the word's sender, authenticated.
  void heard(const wire::Room& word, Address from, TimeUs now);
  /// Of whom `from` has spoken lately: itself or others.
  std::set<Address> low(TimeUs now);
  /// The executors and verifiers because of which writes are refused; empty: they are not.
  std::vector<Address> in_the_way(TimeUs now);

 private:
  struct Word {
    std::vector<Address> low;
    TimeUs until = 0;
  };
  void forget(TimeUs now);

  FaultModel model_;
  std::map<Address, Word> words_;  ///< by who said them; none without a node in it
};

}  // namespace eve::runtime
