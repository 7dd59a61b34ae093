// Who needs a new view (V6e): a node that lost its memory, or left the view for good. Verifiers
// tell each other which nodes they heard, and act together: one that acted by itself would leave
// the view alone, and a liar who speaks to one after the other would take them all away.
//
// Who has left the view already counts as well. The thresholds are those of reliable broadcast. A
// verifier passes a need on when it heard the node itself, or when r+1 verifiers said so, one of
// which does not lie; it asks for the view when 2r+1 said so. Then r+1 that do not lie said it to
// everybody, so everybody that is reached passes it on, and all ask, or none does.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "base/ids.h"
#include "base/quorum.h"

namespace eve::verification {

class Needs {
 public:
  /// A word counts for `lasts_us`: whoever needs a view repeats it, to all.
  Needs(const FaultModel& model, TimeUs lasts_us) : model_(model), lasts_us_(lasts_us) {}

  /// Where a verifier stands that asks itself what to do.
  struct Now {
    View view;
    TimeUs at = 0;
    std::set<uint16_t>
        left;  ///< who asked for a view above `view`: they want the next for any node
  };
  /// `verifier` said that `node` needs the view after `view`; its latest word on a node counts.
  void add(uint16_t verifier, Address node, View view, TimeUs at) {
    said_[node][verifier] = {view, at};
  }
  bool believed(Address node, const Now& now) const { return count(node, now) >= model_.vouched(); }
  bool agreed(Address node, const Now& now) const { return count(node, now) >= model_.broadcast(); }
  /// Calls `act` for each node that is believed to need the view after this one.
  template <typename Act>
  void for_each_believed(const Now& now, const Act& act) const {
    for (const auto& [node, said] : said_) {
      if (believed(node, now)) act(node);
    }
  }

 private:
  struct Word {
    View view;
    TimeUs at = 0;
  };
  /// None, unless somebody who is still in the view spoke of the node.
  size_t count(Address node, const Now& now) const {
    const auto found = said_.find(node);
    if (found == said_.end()) return 0;
    size_t said = 0;
    for (const auto& [verifier, word] : found->second) {
      const bool counts = word.view == now.view && now.at - word.at < lasts_us_;
      said += counts && !now.left.contains(verifier) ? 1 : 0;
    }
    return said == 0 ? 0 : said + now.left.size();
  }

  FaultModel model_;
  TimeUs lasts_us_;
  std::map<Address, std::map<uint16_t, Word>> said_;  ///< by node, by verifier
};

}  // namespace eve::verification
