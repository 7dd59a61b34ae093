// The verifier itself: what each message and each timer means (docs/protocol.md, V1 to V10). The
// parts it is made of count votes and check proofs; this one decides and sends.
//   core.cc     messages in, agreement, what is committed
//   changes.cc  asking for views, leading them, joining them, timers
//   recovery.cc going on with what was promised before a restart
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "verification/needs.h"
#include "verification/outlet.h"
#include "verification/phase.h"
#include "verification/poison.h"
#include "verification/rounds.h"
#include "verification/verifier.h"
#include "verification/view_change.h"
#include "verification/votes.h"
#include "verification/watch.h"
#include "verification/welcomes.h"

namespace eve::verification {

class Core {
 public:
  Core(const VerifierOptions& options, const crypto::Authenticator& authenticator,
       const crypto::Digester& digester);

  void start(TimeUs now, Outbox& out);
  void receive(const wire::Message& message, Address from, TimeUs now, Outbox& out);
  void tick(TimeUs now, Outbox& out);
  void idle(TimeUs now, Outbox& out);
  TimeUs deadline() const;
  VerifierStatus status() const;
  VerifierStatus glance() const;
  const Refusals& refusals() const { return refusals_; }

 private:
  struct Step {
    TimeUs now;
    Outbox& out;
  };

  // ---- core.cc
  void on(const wire::Token& token, Address from, Step& step);
  void on(const wire::Prepare& prepare, Address from, Step& step);
  void on(const wire::Commit& commit, Address from, Step& step);
  void on(const wire::ViewChange& change, Address from, Step& step);
  void on(const wire::NewView& new_view, Address from, Step& step);
  void on(const wire::Hello& hello, Address from, Step& step);
  void on(const wire::Welcome& welcome, Address from, Step& step);
  void on(const wire::Suspect& suspect, Address from, Step& step);
  void on(const wire::Needed& needed, Address from, Step& step);
  template <typename Other>
  void on(const Other&, Address from, Step&) {
    refusals_.add(from, "a message that no verifier is sent");
  }
  bool is_executor(Address from) const;
  bool is_peer(Address from) const;
  void answer(View spoken, bool committed, uint16_t executor, Step& step);
  void advance(Step& step);
  void vote(Step& step);
  void settle(const wire::Commit& commit, Step& step);
  void learn_commit(View decided_in, const Point& point, Step& step);
  void learn_start(const wire::Verdict& start, Step& step);

  // ---- recovery.cc
  void recover(const Promises& promises);
  void go_on(Step& step);

  // ---- changes.cc
  View view() const;
  bool may_vote() const;
  bool joinable(View view) const;
  bool start_is_open() const;
  std::string describe(Reason reason) const;
  void reconsider(Step& step);
  void await(Step& step);
  void lead(Step& step);
  void ask(View view, std::string why, Step& step);
  bool consistent(const wire::NewView& new_view) const;
  bool proven_by_others(const wire::NewView& new_view) const;
  void join(const wire::NewView& new_view, Step& step);
  void welcome(const wire::Hello& hello, Address from, Step& step);
  void peer_restarted(const wire::Hello& hello, Address peer, Step& step);
  void peer_left(const wire::Hello& hello, Address peer, Step& step);
  void executor_returned(const wire::Hello& hello, Address from, Step& step);
  void needs_a_view(Address node, Step& step);
  void consider_need(Address node, Step& step);
  Needs::Now for_needs(TimeUs now) const;
  void suspected_by(uint16_t executor, const Step& step);
  void say_needed(Address node, Step& step);
  void was_helped(Address node, TimeUs now);
  void blame(Step& step);
  void say_hello(Step& step);
  void resend(Step& step);
  void arm(TimeUs now);
  bool unfinished() const;
  std::string waiting_for() const;

  const VerifierOptions options_;
  const crypto::Digester& digester_;
  const Notary notary_;
  const Outlet outlet_;

  Phase phase_ = Phase::kNormal;
  View promised_;  ///< highest view asked for or joined
  Point committed_;
  wire::Commit proven_;     ///< the latest that u+r+1 COMMITs made
  wire::Verdict last_;      ///< the latest commit verdict
  wire::Verdict started_;   ///< rollback verdict of the latest view known to have started
  wire::Certificate held_;  ///< the highest prepared certificate
  std::optional<wire::NewView> new_view_;  ///< of the view joined
  wire::Names quarantine_;                 ///< what its proof says
  std::optional<wire::ViewChange> asked_;  ///< the own one, while it stands

  Rounds rounds_;
  CommitVotes commits_;
  ViewChanges changes_;
  Watch watch_;
  Welcomes welcomes_;
  PoisonCount poison_;
  Needs needs_;
  /// For each verifier its lowest PREPARE of the highest view above the own one: mostly that of a
  /// start point, which overtook its NEW-VIEW.
  std::map<uint16_t, wire::Prepare> early_;
  std::set<uint16_t> barred_;  ///< sent an invalid NEW-VIEW: a flood costs one check a resend time

  View awaited_;                         ///< highest view that u+r+1 asked for, or that was joined
  std::optional<TimeUs> view_deadline_;  ///< when the next one is asked for
  uint32_t silent_views_ = 0;
  uint32_t diverged_views_ = 0;  ///< in a row, in which nothing after the start was committed
  std::optional<TimeUs> resend_at_;
  TimeUs last_progress_ = 0;
  TimeUs hello_quiet_until_;
  /// No view is started for this node until then; the interval doubles for one that keeps asking.
  struct Quiet {
    TimeUs until = 0;
    TimeUs interval = 0;
    std::optional<View> said_in;  ///< others were told in this view, and need not be told again
    TimeUs said_until = 0;        ///< until then
  };
  std::map<Address, Quiet> quiet_;
  /// Peers that asked for a view above this one: since when, and what was committed then.
  struct Left {
    TimeUs since = 0;
    BatchNumber committed;
  };
  std::map<Address, Left> left_;
  std::vector<TimeUs> start_quiet_until_;  ///< by executor: the verdict is on its way
  std::vector<TimeUs> commit_quiet_until_;
  /// By verifier: which NEW-VIEW it was sent in answer to Hello, and until when not again.
  struct Sent {
    View view;
    TimeUs quiet_until = 0;
  };
  std::vector<Sent> new_view_quiet_;
  std::string last_reason_;  ///< why a view was asked for last
  bool changed_ = false;     ///< something was received since the last idle()

  uint64_t commit_count_ = 0;
  uint64_t views_joined_ = 0;
  Refusals refusals_;
};

}  // namespace eve::verification
