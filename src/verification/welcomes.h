// What other verifiers last answered to Hello. A statement of r+1 of them is a fact: one of them
// does not lie (V4).
#pragma once

#include <cstdint>
#include <map>

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
  /// Commits agree in number and token, whatever their views.
  bool vouched_commit(const Point& point) const {
    Ballot<Point> ballot;
    for (const auto& [verifier, welcome] : last_) {
      ballot.add(verifier, {welcome.last.number, welcome.last.token});
    }
    return ballot.count(point) >= model_.vouched();
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
