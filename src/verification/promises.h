// What a verifier must not forget (DESIGN 6.8): each thing that it says or learns as a Promise,
// next to the sends that rest on it (Outbox), and all of them together as Promises, from which a
// verifier that was stopped goes on as one that was merely slow.
//
//   Promises after any prefix of a verifier's promises, with all that were made before what it
//   sent, is where that verifier stood at some moment after it had sent that.
#pragma once

#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "wire/messages.h"

namespace eve::verification {

/// It runs, and may have promised anything up to `view` from now on.
struct Stands {
  View view;
  bool forgetful = false;  ///< what it promises besides views is not kept (V9)
  bool operator==(const Stands&) const = default;
};
/// A commit was learnt. Nothing rests on its being kept, but what comes after it does.
struct Learnt {
  wire::Verdict last;   ///< as it is reported
  wire::Commit proven;  ///< the latest that u+r+1 COMMITs made
};
/// The start point of the view joined is committed. As with Learnt.
struct Started {
  wire::Verdict start;
};
/// The views that a bundle made fail, so far (V11). As with Learnt.
struct Blamed {
  wire::Digest bundle;
  uint32_t views = 0;
  bool operator==(const Blamed&) const = default;
};
/// wire::ViewChange: the own one. wire::NewView: joined. wire::Prepare: the own one.
/// wire::Certificate: formed, so that COMMIT and VIEW-CHANGE may name it.
using Promise = std::variant<Stands, wire::ViewChange, wire::NewView, wire::Prepare,
                             wire::Certificate, Learnt, Started, Blamed>;

/// Must be kept before anything leaves that was sent with it or after it.
bool binds(const Promise& promise);
/// The view that it asks for, joins or stands at.
std::optional<View> view_of(const Promise& promise);
/// The highest of them.
std::optional<View> highest_view(const std::vector<Promise>& promises);

/// A value.
struct Promises {
  /// `genesis` is the token of `start`, where the epoch begins.
  explicit Promises(const crypto::Digest& genesis, BatchNumber start = BatchNumber());

  View promised;           ///< highest view asked for or joined
  bool forgetful = false;  ///< more may have been promised up to that view than is here
  wire::Certificate held;  ///< the highest
  std::optional<wire::NewView> new_view;  ///< the last joined; none: view 0
  std::optional<wire::ViewChange> asked;  ///< for a view above it
  /// The own ones in the view joined: of the last commit and what came after it, and of the view's
  /// start point while that is open.
  std::map<BatchNumber, wire::Prepare> prepares;
  std::map<BatchNumber, wire::Certificate> certificates;  ///< likewise
  wire::Verdict last;                                     ///< the latest commit
  wire::Verdict started;                                  ///< the latest view known to have started
  wire::Commit proven;
  std::vector<Blamed> blamed;  ///< the least recently blamed first

  View view() const { return new_view ? new_view->view : View(0); }
  bool start_is_open() const { return started.view != view(); }
  /// False if `promise` cannot follow: such bytes no verifier has made.
  bool apply(const Promise& promise);

 private:
  bool take(const Stands& stands);
  bool take(const wire::ViewChange& change);
  bool take(const wire::NewView& joined);
  bool take(const wire::Prepare& prepare);
  bool take(const wire::Certificate& certificate);
  bool take(const Learnt& learnt);
  bool take(const Started& begun);
  bool take(const Blamed& failed);
  void trim();
};

}  // namespace eve::verification
