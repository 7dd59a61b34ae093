// How a verifier that was stopped, and forgot nothing, goes on: where it stood, as one that was
// slow. What others sent is not kept; they repeat it as long as it matters (V5, V10).
#include "verification/core.h"
#include "wire/codec.h"

namespace eve::verification {

void Core::recover(const Promises& promises) {
  EVE_CHECK(!promises.forgetful, "what is not known to be all is not gone on with");
  promised_ = promises.promised;
  held_ = promises.held;
  new_view_ = promises.new_view;
  asked_ = promises.asked;
  last_ = promises.last;
  started_ = promises.started;
  proven_ = promises.proven;
  committed_ = {last_.number, last_.token};
  if (new_view_) quarantine_ = quarantine(new_view_->proof, options_.model);
  rounds_.restore(promises, committed_, wire::quarantine_digest(quarantine_, digester_));
  for (const auto& [number, certificate] : promises.certificates) {
    commits_.add(options_.index, {certificate.view, number, certificate.token});
  }
  for (const Blamed& blamed : promises.blamed) poison_.restore(blamed.bundle, blamed.views);
  if (asked_) changes_.add_own(*asked_);
  awaited_ = rounds_.view();
  if (asked_) {
    phase_ = Phase::kChanging;
  } else if (start_is_open()) {
    phase_ = Phase::kStarting;
  }
}

// What it said last may not have left. It says it again before anything that rests on it, so that
// others never hear the one without the other from it. And they may have gone far meanwhile.
void Core::go_on(Step& step) {
  if (may_vote()) {
    for (const auto& [number, prepare] : options_.recovered->prepares) {
      outlet_.to_verifiers(prepare, step.out);
    }
    for (const auto& [number, certificate] : options_.recovered->certificates) {
      outlet_.to_verifiers(wire::Commit{certificate.view, number, certificate.token}, step.out);
    }
  }
  if (phase_ == Phase::kChanging) outlet_.to_verifiers(*asked_, step.out);
  watch_.started(step.now);
  if (phase_ == Phase::kStarting) {
    view_deadline_ = step.now + until_started(options_.restart_change_us, silent_views_);
  }
  say_hello(step);
}

}  // namespace eve::verification
