// What other verifiers last answered to Hello. A statement of r+1 of them is a fact: one of them
// does not lie (V4).
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/quorum.h"
#include "verification/certificate.h"
#include "wire/messages.h"

namespace eve::verification {

class Welcomes {
 public:
  explicit Welcomes(const FaultModel& model) : model_(model) {}

  void add(uint16_t verifier, const wire::Welcome& welcome) {
    last_.insert_or_assign(verifier, welcome);
  }
  /// Set if `point` is committed: commits agree in number and token, whatever their views. The view
  /// is the highest that r+1 of those who say so reach, so one that does not lie says it or a
  /// higher one.
  std::optional<View> vouched_commit(const Point& point) const {
    std::vector<View> views;
    for (const auto& [verifier, welcome] : last_) {
      if (Point{welcome.last.number, welcome.last.token} == point) {
        views.push_back(welcome.last.view);
      }
    }
    if (views.size() < model_.vouched()) return std::nullopt;
    std::ranges::sort(views, std::greater());
    return views[model_.vouched() - 1];
  }
  bool vouched_start(const wire::Verdict& start) const {
    Ballot<wire::Verdict> ballot;
    for (const auto& [verifier, welcome] : last_) ballot.add(verifier, welcome.start);
    return ballot.count(start) >= model_.vouched();
  }

 private:
  FaultModel model_;
  std::map<uint16_t, wire::Welcome> last_;
};

}  // namespace eve::verification
