// How a verifier leaves a view and enters another (V6, V7, V9), and its timers (V5).
#include <algorithm>

#include "base/limits.h"
#include "verification/core.h"
#include "wire/codec.h"

namespace eve::verification {

View Core::view() const {
  return phase_ == Phase::kRecovering ? promised_ : rounds_.view();
}

bool Core::may_vote() const {
  return phase_ == Phase::kNormal || phase_ == Phase::kStarting;
}

bool Core::joinable(View view) const {
  if (phase_ == Phase::kChanging) return view >= promised_;
  return view > promised_;
}

bool Core::start_is_open() const {
  return phase_ != Phase::kRecovering && started_.view != view();
}

// What is committed in a view is in every proof for a later one, unless more than r verifiers lie:
// such a view is not joined. (A commit that was learnt may be of the view to join, or above it.)
bool Core::consistent(const wire::NewView& new_view) const {
  if (proven_.view >= new_view.view || new_view.number > proven_.number) return true;
  return new_view.number == proven_.number && new_view.token == proven_.token;
}

bool Core::proven_by_others(const wire::NewView& new_view) const {
  if (phase_ != Phase::kRecovering) return true;
  const auto others = std::count_if(
      new_view.proof.begin(), new_view.proof.end(),
      [this](const wire::ViewChange& change) { return change.verifier != options_.index; });
  return static_cast<size_t>(others) >= options_.model.agreement();
}

// ---- Asking ------------------------------------------------------------------------------------

std::string Core::describe(Reason reason) const {
  const std::string batch = "batch " + std::to_string(committed_.number.next().value());
  if (reason == Reason::kDivergence) return batch + " diverged";
  if (reason == Reason::kSilence) return batch + " stayed unverified";
  return "executors suspect the primary";
}

void Core::reconsider(Step& step) {
  if (phase_ == Phase::kNormal) {
    watch_.observe(committed_.number.next(), rounds_.next_tokens(), step.now);
    const Reason reason = watch_.due(step.now, silent_views_, diverged_views_);
    const bool fruitless = committed_.number <= rounds_.start().number;
    if (reason == Reason::kSilence) ++silent_views_;
    if (reason == Reason::kDivergence && fruitless) ++diverged_views_;
    if (reason != Reason::kNone) ask(view().next(), describe(reason), step);
  }
  await(step);
  lead(step);
}

// The view after an awaited one is asked for by those who saw that u+r+1 had asked, so that one
// verifier, or u+r of them, cannot walk through views alone.
void Core::await(Step& step) {
  if (phase_ == Phase::kRecovering) return;
  const View awaited = changes_.asked_by_quorum(awaited_);
  if (awaited == awaited_) return;
  awaited_ = awaited;
  view_deadline_ = step.now + until_started(options_.view_timeout_us, silent_views_);
}

void Core::ask(View view, std::string why, Step& step) {
  blame(step);
  last_reason_ = "view " + std::to_string(view.value()) + ": " + why;
  move(phase_, Phase::kChanging);
  promised_ = view;
  asked_ = wire::ViewChange{view, held_, 0, {}, poison_.names()};
  notary_.sign(*asked_);
  changes_.add_own(*asked_);
  outlet_.promise(*asked_, step.out);
}

// What made this view fail, if it is known: executors ran the same single bundle after the start
// point, and their tokens differ. A view in which tokens came was not silent: one leader that is
// down would else cost twice as much at each of its turns until a poisonous bundle is out of the
// way.
void Core::blame(Step& step) {
  const bool fruitless = committed_.number <= rounds_.start().number;
  if (phase_ != Phase::kNormal || !fruitless || !rounds_.next_tokens().diverged) return;
  if (silent_views_ > 0) --silent_views_;
  if (const auto bundle = rounds_.diverged_alone()) {
    step.out.promises.emplace_back(Blamed{*bundle, poison_.failed(*bundle)});
  }
}

// ---- Asking on behalf of a node (V6e) ----------------------------------------------------------

// The first view change that a peer's restart brings about is at once; then they are spaced out,
// for a peer that restarts all the time, or says so.
void Core::peer_restarted(const wire::Hello& hello, Address peer, Step& step) {
  if (phase_ != Phase::kNormal || hello.view < view()) return;
  needs_a_view(peer, step);
}

// A verifier that asked for a view alone has left this one and cannot come back: without help it
// stays away until somebody else has a reason. After a while it is taken along, if it hears us: it
// has learnt something since, or is level. One that is deaf would drag everybody through views
// (trap 6).
void Core::peer_left(const wire::Hello& hello, Address peer, Step& step) {
  if (phase_ != Phase::kNormal || hello.restarted) return;
  const Left& left = left_.try_emplace(peer, Left{step.now, committed_.number}).first->second;
  const bool hears = hello.committed > left.committed || hello.committed == committed_.number;
  if (!hears || step.now - left.since < options_.restart_change_us) return;
  needs_a_view(peer, step);
}

// A restarted executor may not speak before a new view (E10). Once it is level with us, one view
// change gives back a replica; before, it would only cost one.
void Core::executor_returned(const wire::Hello& hello, Address from, Step& step) {
  if (phase_ != Phase::kNormal || hello.view != view()) return;
  const bool behind = hello.committed < committed_.number;
  const uint64_t missing = behind ? committed_.number.value() - hello.committed.value() : 0;
  if (missing > limits::kWindow) return;
  needs_a_view(from, step);
}

// This verifier has heard it from the node itself.
void Core::needs_a_view(Address node, Step& step) {
  if (step.now < quiet_[node].until) return;
  say_needed(node, step);
  consider_need(node, step);
}

// What others believe is passed on, whatever this verifier has heard: all ask, or none.
void Core::consider_need(Address node, Step& step) {
  if (!needs_.believed(node, for_needs(step.now))) return;
  say_needed(node, step);
  if (!needs_.agreed(node, for_needs(step.now))) return;
  was_helped(node, step.now);
  const bool executes = node.role == Role::kExecutor;
  ask(view().next(),
      to_string(node) + (executes ? " must stay silent without it" : " cannot vote without it"),
      step);
}

Needs::Now Core::for_needs(TimeUs now) const {
  return {view(), now, changes_.who_asks(view().next())};
}

void Core::say_needed(Address node, Step& step) {
  needs_.add(options_.index, node, view(), step.now);
  Quiet& quiet = quiet_[node];
  if (quiet.said_in == view() && step.now < quiet.said_until) return;
  quiet.said_in = view();
  quiet.said_until = step.now + options_.resend_after_us;
  outlet_.to_verifiers(wire::Needed{view(), node}, step.out);
}

// No view for this node for a while; longer for one that keeps asking.
void Core::was_helped(Address node, TimeUs now) {
  constexpr int64_t kMostDoublings = 32;
  Quiet& quiet = quiet_[node];
  const bool insists = quiet.until > 0 && now < quiet.until + quiet.interval;
  const TimeUs most = kMostDoublings * options_.restart_change_us;
  quiet.interval = insists ? std::min(2 * quiet.interval, most) : options_.restart_change_us;
  quiet.until = now + quiet.interval;
}

// ---- Leading and joining -----------------------------------------------------------------------

void Core::lead(Step& step) {
  for (const View candidate : changes_.views()) {
    if (notary_.leader(candidate) != options_.index || !joinable(candidate)) continue;
    wire::NewView new_view{candidate, {}, {}, changes_.proof(candidate), 0, {}};
    if (new_view.proof.empty()) continue;
    const Point chosen = notary_.place_of(start_point(new_view.proof));
    new_view.number = chosen.number;
    new_view.token = chosen.token;
    if (!consistent(new_view)) continue;
    notary_.sign(new_view);
    outlet_.to_verifiers(new_view, step.out);
    join(new_view, step);
    return;
  }
}

void Core::join(const wire::NewView& new_view, Step& step) {
  // A verifier that lost its certificates holds with this one all that was committed below the
  // view, should it have to tell before the start point is prepared.
  const wire::Certificate& chosen = start_point(new_view.proof);
  if (outranks(chosen, held_)) held_ = chosen;

  blame(step);
  if (phase_ == Phase::kNormal) {  // others asked, maybe for a node that this one heard of as well
    needs_.for_each_believed(for_needs(step.now),
                             [&](Address node) { was_helped(node, step.now); });
  }
  const bool returns = phase_ == Phase::kRecovering;
  move(phase_, Phase::kStarting);
  promised_ = new_view.view;
  step.out.promises.emplace_back(new_view);
  new_view_ = new_view;
  asked_.reset();
  changes_.joined(new_view.view);
  watch_.enter();
  awaited_ = new_view.view;
  // Who comes back joins a view that others may have started long ago, and has to reach them first.
  const TimeUs patience = returns ? options_.restart_change_us : options_.view_timeout_us;
  view_deadline_ = step.now + until_started(patience, silent_views_);
  last_progress_ = step.now;
  resend_at_.reset();
  ++views_joined_;

  const Point start{new_view.number, new_view.token};
  quarantine_ = quarantine(new_view.proof, options_.model);
  const auto binding = wire::quarantine_digest(quarantine_, digester_);
  outlet_.promise(rounds_.enter(new_view.view, start, binding), step.out);
  for (const auto& [verifier, prepare] : early_) {
    if (prepare.view == new_view.view) rounds_.add(prepare);
  }
  std::erase_if(early_, [&](const auto& entry) { return entry.second.view <= new_view.view; });
  settle({new_view.view, start.number, start.token}, step);
}

// ---- Telling others ----------------------------------------------------------------------------

void Core::welcome(const wire::Hello& hello, Address from, Step& step) {
  outlet_.to(from, wire::Welcome{promised_, started_, last_}, step.out);
  // What this verifier alone knows to be committed, because its COMMIT was lost: nobody vouches for
  // its Welcome, and it does not repeat votes on what is committed. It voted so, and may again
  // (V8).
  if (from.role == Role::kVerifier && may_vote() && hello.committed < committed_.number) {
    const auto own = commits_.said(options_.index, committed_.number);
    if (own && own->view == view()) outlet_.to(from, *own, step.out);
  }
  if (from.role != Role::kVerifier || !new_view_) return;
  const bool may_join = hello.restarted ? hello.view < view() : hello.view <= view();
  if (!may_join) return;
  // Hello is small and NEW-VIEW is not. Who repeats a Hello does so every resend time, give or
  // take.
  Sent& sent = new_view_quiet_[from.index];
  if (sent.view == view() && step.now < sent.quiet_until) return;
  sent = {view(), step.now + options_.resend_after_us / 2};
  outlet_.to(from, *new_view_, step.out);
}

void Core::say_hello(Step& step) {
  hello_quiet_until_ = step.now + options_.resend_after_us;
  outlet_.to_verifiers(wire::Hello{phase_ == Phase::kRecovering, promised_, committed_.number},
                       step.out);
}

void Core::resend(Step& step) {
  if (phase_ == Phase::kNormal && step.now - last_progress_ < options_.resend_after_us) return;
  say_hello(step);
  if (phase_ == Phase::kChanging) outlet_.to_verifiers(*asked_, step.out);
  if (!may_vote()) return;
  if (phase_ == Phase::kStarting && notary_.leader(view()) == options_.index) {
    outlet_.to_verifiers(*new_view_, step.out);
  }
  for (const auto& vote : rounds_.own_votes()) outlet_.to_verifiers(vote, step.out);
}

// ---- Timers ------------------------------------------------------------------------------------

void Core::tick(TimeUs now, Outbox& out) {
  Step step{now, out};
  if (resend_at_ && now >= *resend_at_) {
    resend_at_.reset();
    barred_.clear();
    left_.clear();
    changes_.forgive();
    resend(step);
  }
  if (view_deadline_ && now >= *view_deadline_) {
    view_deadline_.reset();
    if (promised_ <= awaited_) {
      ++silent_views_;
      ask(awaited_.next(), "view " + std::to_string(awaited_.value()) + " did not start in time",
          step);
    }
  }
  advance(step);
}

// Whether something is missing that others may have to repeat.
bool Core::unfinished() const {
  const size_t vouched = options_.model.vouched();
  return phase_ != Phase::kNormal || rounds_.busy() || early_.size() >= vouched ||
         commits_.beyond(committed_.number, view()) >= vouched;
}

void Core::arm(TimeUs now) {
  if (!unfinished()) {
    resend_at_.reset();
  } else if (!resend_at_) {
    resend_at_ = now + options_.resend_after_us;
  }
}

TimeUs Core::deadline() const {
  TimeUs at = std::min(resend_at_.value_or(kNever), view_deadline_.value_or(kNever));
  if (phase_ == Phase::kNormal) {
    at = std::min(at, watch_.deadline(silent_views_, diverged_views_));
  }
  return at;
}

std::string Core::waiting_for() const {
  const std::string promised = std::to_string(promised_.value());
  const std::string leader = "verifier-" + std::to_string(notary_.leader(promised_));
  switch (phase_) {
    case Phase::kRecovering:
      return "NEW-VIEW of a view above " + promised + " from the other verifiers";
    case Phase::kChanging:
      return "NEW-VIEW " + promised + " from " + leader + " (" +
             std::to_string(changes_.asking(promised_)) + " of " +
             std::to_string(options_.model.agreement()) + " verifiers ask for it)";
    case Phase::kStarting:
      return "the commit of the start point of view " + promised + ", batch " +
             std::to_string(rounds_.start().number.value());
    case Phase::kNormal:
      return rounds_.busy() ? rounds_.progress() : "";
  }
  return "";
}

}  // namespace eve::verification
