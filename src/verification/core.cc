#include "verification/core.h"

#include <algorithm>

#include "wire/codec.h"

namespace eve::verification {

namespace {

constexpr TimeUs kAlways = std::numeric_limits<TimeUs>::min();

}  // namespace

Core::Core(const VerifierOptions& options, const crypto::Authenticator& authenticator,
           const crypto::Digester& digester)
    : options_(options),
      digester_(digester),
      notary_(options.model, options.index, options.genesis, authenticator, options.start),
      outlet_(options.model, options.index),
      committed_{options.start, options.genesis},
      proven_{View(0), options.start, options.genesis},
      last_{wire::VerdictKind::kCommit, View(0), options.start, options.genesis},
      started_{wire::VerdictKind::kRollback, View(0), options.start, options.genesis},
      rounds_(options.model, notary_, committed_),
      commits_(options.model),
      changes_(options.model, notary_),
      watch_(options.model, options.divergence_delay_us, options.progress_timeout_us),
      welcomes_(options.model),
      poison_(options.model),
      needs_(options.model, options.restart_change_us),
      hello_quiet_until_(kAlways),
      start_quiet_until_(options.model.executors(), kAlways),
      commit_quiet_until_(options.model.executors(), kAlways),
      new_view_quiet_(options.model.verifiers(), {View(0), kAlways}) {
  held_.token = options.genesis;
  EVE_CHECK(!options.recovered || !options.lost_promises_at, "promises are lost or they are not");
  if (options.lost_promises_at) {
    phase_ = Phase::kRecovering;
    promised_ = *options.lost_promises_at;
  }
  if (options.recovered) recover(*options.recovered);
}

void Core::start(TimeUs now, Outbox& out) {
  Step step{now, out};
  last_progress_ = now;
  if (options_.recovered) {
    go_on(step);
  } else {
    // Before the first vote: the next start must know that there may have been votes.
    out.promises.emplace_back(Stands{promised_, phase_ == Phase::kRecovering});
    if (phase_ == Phase::kRecovering) say_hello(step);
  }
  arm(now);
}

void Core::receive(const wire::Message& message, Address from, TimeUs now, Outbox& out) {
  Step step{now, out};
  std::visit([&](const auto& content) { on(content, from, step); }, message);
  changed_ = true;
}

void Core::idle(TimeUs now, Outbox& out) {
  if (!changed_) return;
  changed_ = false;
  Step step{now, out};
  advance(step);
}

bool Core::is_executor(Address from) const {
  return from.role == Role::kExecutor && from.index < options_.model.executors();
}

bool Core::is_peer(Address from) const {
  return from.role == Role::kVerifier && from.index < options_.model.verifiers() &&
         from.index != options_.index;
}

// ---- Votes (V1 to V3) --------------------------------------------------------------------------

void Core::on(const wire::Token& token, Address from, Step& step) {
  if (!is_executor(from)) {
    refusals_.add(from, "a token of no executor");
    return;
  }
  answer(token.view, token.parts.number <= committed_.number, from.index, step);
  if (phase_ == Phase::kRecovering) return;
  if (token.view == view() && may_vote()) rounds_.add(from.index, token);
}

// An executor repeats its token until it hears a verdict, so one that was sent just now will do.
// `committed`: what it spoke of is. One that speaks of a view to come knows more than this
// verifier.
void Core::answer(View spoken, bool committed, uint16_t executor, Step& step) {
  const bool older = spoken < started_.view;
  if (older && step.now >= start_quiet_until_[executor]) {
    start_quiet_until_[executor] = step.now + options_.resend_after_us;
    outlet_.to(Address::executor(executor), started_, step.out);
  }
  if ((older || committed) && step.now >= commit_quiet_until_[executor]) {
    commit_quiet_until_[executor] = step.now + options_.resend_after_us;
    outlet_.to(Address::executor(executor), last_, step.out);
  }
  if (phase_ == Phase::kRecovering || spoken <= view()) return;
  if (step.now >= hello_quiet_until_) say_hello(step);
}

void Core::on(const wire::Prepare& prepare, Address from, Step&) {
  if (!is_peer(from) || prepare.verifier != from.index) {
    refusals_.add(from, "a PREPARE in another's name");
    return;
  }
  if (prepare.view == view() && may_vote()) rounds_.add(prepare);
  if (prepare.view <= view()) return;
  const auto found = early_.find(from.index);
  if (found == early_.end() || prepare.view > found->second.view ||
      (prepare.view == found->second.view && prepare.number < found->second.number)) {
    early_.insert_or_assign(from.index, prepare);
  }
}

void Core::on(const wire::Commit& commit, Address from, Step& step) {
  if (!is_peer(from)) {
    refusals_.add(from, "a COMMIT of no verifier");
    return;
  }
  const bool of_start = start_is_open() && commit.number == rounds_.start().number;
  if (commit.number <= committed_.number && commit.view <= view() && !of_start) return;
  commits_.add(from.index, commit);
  settle(commit, step);
}

void Core::advance(Step& step) {
  vote(step);
  reconsider(step);
  for (const auto voter : rounds_.take_refused()) {
    refusals_.add(Address::verifier(voter), "a PREPARE whose signature is wrong");
  }
  for (const auto voter : changes_.take_refused()) {
    refusals_.add(Address::verifier(voter), "a VIEW-CHANGE whose signature is wrong");
  }
  arm(step.now);
}

void Core::vote(Step& step) {
  while (may_vote()) {
    if (const auto prepare = rounds_.next_prepare()) {
      outlet_.promise(*prepare, step.out);
    } else if (const auto certificate = rounds_.next_certificate()) {
      if (outranks(*certificate, held_)) held_ = *certificate;
      const wire::Commit commit{certificate->view, certificate->number, certificate->token};
      outlet_.promise(*certificate, step.out);
      commits_.add(options_.index, commit);
      settle(commit, step);
    } else {
      return;
    }
  }
}

// ---- What is committed (V4) --------------------------------------------------------------------

void Core::settle(const wire::Commit& commit, Step& step) {
  if (!commits_.reached(commit)) return;
  const Point point{commit.number, commit.token};
  if (commit.number > proven_.number) proven_ = commit;
  learn_commit(commit.view, point, step);
  if (start_is_open() && commit.view == view() && point == rounds_.start() &&
      rounds_.start_is_undisputed()) {
    learn_start({wire::VerdictKind::kRollback, view(), point.number, point.token, quarantine_},
                step);
  }
}

void Core::learn_commit(View decided_in, const Point& point, Step& step) {
  if (point.number <= committed_.number) return;
  committed_ = point;
  last_ = {wire::VerdictKind::kCommit, decided_in, point.number, point.token};
  step.out.promises.emplace_back(Learnt{last_, proven_});
  rounds_.commit(point);
  ++commit_count_;
  last_progress_ = step.now;
  if (decided_in == view() && point.number > rounds_.start().number) {
    silent_views_ = 0;
    diverged_views_ = 0;
  }
  if (decided_in >= awaited_ && view_deadline_) {  // the view awaited is not silent
    view_deadline_ = step.now + until_started(options_.view_timeout_us, silent_views_);
  }
  std::fill(commit_quiet_until_.begin(), commit_quiet_until_.end(),
            step.now + options_.resend_after_us);
  outlet_.to_executors(last_, step.out);
}

// Precondition: `start` is what the view joined truly starts from, and is committed.
void Core::learn_start(const wire::Verdict& start, Step& step) {
  started_ = start;
  step.out.promises.emplace_back(Started{started_});
  rounds_.begin({start.number, start.token});
  watch_.started(step.now);
  last_progress_ = step.now;
  if (phase_ == Phase::kStarting) move(phase_, Phase::kNormal);
  if (awaited_ == view()) view_deadline_.reset();
  std::fill(start_quiet_until_.begin(), start_quiet_until_.end(),
            step.now + options_.resend_after_us);
  outlet_.to_executors(started_, step.out);
}

void Core::on(const wire::Welcome& welcome, Address from, Step& step) {
  if (!is_peer(from) || welcome.start.kind != wire::VerdictKind::kRollback ||
      welcome.last.kind != wire::VerdictKind::kCommit) {
    refusals_.add(from, "a Welcome with the wrong verdicts");
    return;
  }
  welcomes_.add(from.index, welcome);
  const Point last{welcome.last.number, welcome.last.token};
  if (const auto decided_in = welcomes_.vouched_commit(last)) {
    learn_commit(*decided_in, last, step);
  }

  const wire::Verdict& start = welcome.start;
  if (start_is_open() && start.view == view() && welcomes_.vouched_start(start)) {
    learn_commit(start.view, {start.number, start.token}, step);
    learn_start(start, step);
  }
}

// ---- Views (V6, V7, V10) -----------------------------------------------------------------------

// Executors repeat a suspicion every resend time; a restarted one may be busy for longer.
void Core::suspected_by(uint16_t executor, const Step& step) {
  constexpr TimeUs kRepeats = 20;
  watch_.suspect(executor, step.now + kRepeats * options_.resend_after_us);
}

void Core::on(const wire::Suspect& suspect, Address from, Step& step) {
  if (!is_executor(from)) {
    refusals_.add(from, "a suspicion of no executor");
    return;
  }
  // Without batches there are no tokens: this may be all that is heard of an executor.
  answer(suspect.view, false, from.index, step);
  if (suspect.view == view()) suspected_by(from.index, step);
}

void Core::on(const wire::Hello& hello, Address from, Step& step) {
  if (!is_executor(from) && !is_peer(from)) {
    refusals_.add(from, "a Hello of neither executor nor verifier");
    return;
  }
  welcome(hello, from, step);
  if (hello.view <= view()) left_.erase(from);
  if (is_peer(from) && hello.view > view()) peer_left(hello, from, step);
  if (!hello.restarted) return;
  if (is_executor(from)) {
    suspected_by(from.index, step);
    executor_returned(hello, from, step);
  } else {
    peer_restarted(hello, from, step);
  }
}

void Core::on(const wire::Needed& needed, Address from, Step& step) {
  // It is told of this verifier's own need as the others are; and one that needs nothing any more,
  // but is told so by enough others, passes that on as they do.
  const bool known = is_executor(needed.node) || is_peer(needed.node) ||
                     needed.node == Address::verifier(options_.index);
  if (!is_peer(from) || !known) {
    refusals_.add(from, "a word on a node that needs a view, from nobody who may say it");
    return;
  }
  needs_.add(from.index, needed.node, needed.view, step.now);
  if (phase_ == Phase::kNormal) consider_need(needed.node, step);
}

void Core::on(const wire::ViewChange& change, Address from, Step&) {
  if (!is_peer(from) || change.verifier != from.index) {
    refusals_.add(from, "a VIEW-CHANGE in another's name");
    return;
  }
  if (change.view <= view()) return;
  changes_.add(change);
}

void Core::on(const wire::NewView& new_view, Address from, Step& step) {
  if (!is_peer(from)) {
    refusals_.add(from, "a NEW-VIEW of no verifier");
    return;
  }
  if (!joinable(new_view.view) || barred_.contains(from.index)) return;
  if (!notary_.valid(new_view)) {
    barred_.insert(from.index);
    refusals_.add(from, "a NEW-VIEW whose signatures or proof are wrong");
    return;
  }
  if (!proven_by_others(new_view) || !consistent(new_view)) {
    refusals_.add(from, "a NEW-VIEW that contradicts what is committed, or proves too little");
    return;
  }
  join(new_view, step);
}

VerifierStatus Core::status() const {
  VerifierStatus status = glance();
  status.waiting_for = waiting_for();
  for (const auto& [executor, until] : watch_.suspecting()) status.suspecting.push_back(executor);
  return status;
}

VerifierStatus Core::glance() const {
  return {.view = view(),
          .promised = promised_,
          .phase = name(phase_),
          .committed = committed_.number,
          .token = committed_.token,
          .commits = commit_count_,
          .view_changes = views_joined_,
          .divergences = rounds_.divergences(),
          .quarantined = started_.quarantine.size(),
          .refused_messages = refusals_.total(),
          .last_reason = last_reason_,
          .waiting_for = {},
          .suspecting = {}};
}

}  // namespace eve::verification
