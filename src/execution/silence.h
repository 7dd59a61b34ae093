// What an executor that lost its memory may say (E10, DESIGN 6.8). Before its restart it may have
// sent tokens, and it must not send different ones now: so it is silent until a view in which it
// cannot have spoken.
//
// It spoke only in views whose start point u+r+1 verifiers had committed, hence promised. Any u+r+1
// answers share at least r+1 verifiers with those, so at least one that does not lie names that
// view or a later one: the highest `promised` of ANY u+r+1 first answers is a safe floor. The
// lowest such floor is taken, so that u verifiers that lie upwards cannot silence it for good.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"

namespace eve::execution {

class Silence {
 public:
  Silence(const FaultModel& model, bool restarted) : model_(model), silent_(restarted) {}

  bool silent() const { return silent_; }
  /// Whether enough verifiers have answered.
  bool answered() const { return promised_.size() >= model_.agreement(); }

  /// A verifier's answer; its first one counts.
  void welcome(uint16_t verifier, View promised, View current) {
    if (!silent_) return;
    promised_.emplace(verifier, promised);
    entered(current);
  }

  void entered(View view) {
    if (const auto above = floor(); above && view > *above) silent_ = false;
  }

 private:
  std::optional<View> floor() const {
    if (!answered()) return std::nullopt;
    std::vector<View> views;
    for (const auto& [verifier, view] : promised_) views.push_back(view);
    std::sort(views.begin(), views.end());
    return views[model_.agreement() - 1];
  }

  FaultModel model_;
  bool silent_;
  std::map<uint16_t, View> promised_;
};

}  // namespace eve::execution
