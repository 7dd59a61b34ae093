// Who needs a new view (V6e): a node that lost its memory, or left the view for good. Verifiers
// tell each other which nodes they heard, and act together: one that acted by itself would leave
// the view alone, and a liar who speaks to one after the other would take them all away.
//
// The thresholds are those of reliable broadcast. A verifier passes a need on when it heard the
// node itself, or when r+1 verifiers said so, one of which does not lie; it asks for the view when
// 2r+1 said so. Then r+1 that do not lie said it to everybody, so everybody that is reached passes
// it on, and all ask, or none does.
#pragma once

#include <cstdint>
#include <map>

#include "base/ids.h"
#include "base/quorum.h"

namespace eve::verification {

class Needs {
 public:
  /// A word counts for `lasts_us`: whoever needs a view repeats it, to all.
  Needs(const FaultModel& model, TimeUs lasts_us) : model_(model), lasts_us_(lasts_us) {}

  /// `verifier` said that `node` needs the view after `view`; its latest word on a node counts.
  void add(uint16_t verifier, Address node, View view, TimeUs now) {
    said_[node][verifier] = {view, now};
  }
  bool believed(Address node, View view, TimeUs now) const {
    return count(node, view, now) >= model_.vouched();
  }
  bool agreed(Address node, View view, TimeUs now) const {
    return count(node, view, now) >= model_.broadcast();
  }
  /// Calls `act` for each node that is believed to need the view after `view`.
  template <typename Act>
  void for_each_believed(View view, TimeUs now, const Act& act) const {
    for (const auto& [node, said] : said_) {
      if (believed(node, view, now)) act(node);
    }
  }

 private:
  struct Word {
    View view;
    TimeUs at = 0;
  };
  size_t count(Address node, View view, TimeUs now) const {
    const auto found = said_.find(node);
    if (found == said_.end()) return 0;
    size_t same = 0;
    for (const auto& [verifier, word] : found->second) {
      same += word.view == view && now - word.at < lasts_us_ ? 1 : 0;
    }
    return same;
  }

  FaultModel model_;
  TimeUs lasts_us_;
  std::map<Address, std::map<uint16_t, Word>> said_;  ///< by node, by verifier
};

}  // namespace eve::verification
