// What a lying verifier votes, certifies, and says in view changes and verdicts.
#include <algorithm>
#include <set>
#include <utility>

#include "sim/adversary/catalogue.h"
#include "sim/adversary/forge.h"
#include "verification/certificate.h"

namespace eve::sim::adversary {
namespace {

using wire::Certificate;
using wire::NewView;
using wire::Prepare;
using wire::ViewChange;

/// The token that liars agreed on for `number`, or one made up.
crypto::Digest false_token_of(BatchNumber number, Turn& turn) {
  const auto& agreed = turn.me.known.agreed();
  const auto found = agreed.find(number);
  return found != agreed.end() ? found->second.token : turn.made_up(number.value());
}

std::optional<Prepare> double_prepare(const Prepare& truth, Address to, Turn& turn) {
  if (to.index % 2 == turn.me.self.index % 2) return truth;
  Prepare other = truth;
  other.token = false_token_of(truth.number, turn);
  return sign(other, turn);
}

/// A PREPARE for every token it hears of, whoever sent it, and at once.
void prepare_everything(const wire::Token& token, Address, Turn& turn) {
  const Prepare prepare{token.view, token.parts.number, token.token, token.parts.previous, 0, {}};
  turn.say(turn.verifiers(), sign(prepare, turn));
}

/// COMMITs on the first sign of a token: no certificate, no PREPARE of its own.
void commit_on_prepare(const Prepare& prepare, Address, Turn& turn) {
  turn.say(turn.verifiers(), wire::Commit{prepare.view, prepare.number, prepare.token});
}

std::optional<wire::Commit> false_commit(const wire::Commit& truth, Address, Turn& turn) {
  if (turn.random.chance(1, 3)) return truth;
  wire::Commit other = truth;
  other.token = false_token_of(truth.number, turn);
  return other;
}

/// For a token that nobody computed, of the highest view: its own vote, alone, as often as is
/// needed, or under all names.
Certificate self_made(Turn& turn) {
  Certificate certificate;
  certificate.genesis = false;
  certificate.view = turn.me.known.view();
  certificate.number = turn.me.known.number().next();
  certificate.token = false_token_of(certificate.number, turn);
  const Prepare own = sign(
      {certificate.view, certificate.number, certificate.token, certificate.previous, 0, {}}, turn);
  const bool alone = turn.random.chance(1, 3);
  const bool names = turn.random.chance(1, 2);
  for (uint16_t i = 0; i < (alone ? 1u : turn.me.model.agreement()); ++i) {
    certificate.votes.push_back({!alone && names ? i : own.verifier, own.signature});
  }
  return certificate;
}

Certificate forged(Turn& turn) {
  if (turn.random.chance(1, 2)) return self_made(turn);
  auto genuine = turn.me.known.certificate(true);
  Certificate certificate = genuine.value_or(genesis_certificate(turn));
  switch (turn.random.below(4)) {
    case 0:  // too few
      if (!certificate.votes.empty()) certificate.votes.pop_back();
      break;
    case 1:  // votes for another number
      certificate.number = certificate.number.next();
      break;
    case 2:  // the votes that there are for one token, be it one, said to be of a later view
      certificate.genesis = false;
      certificate.view = certificate.view.next();
      certificate.votes.clear();
      for (const Prepare& vote : turn.me.known.votes()) {
        certificate.number = vote.number;
        certificate.token = vote.token;
        certificate.votes.push_back({vote.verifier, vote.signature});
      }
      break;
    default:  // "genesis", of any token
      certificate.genesis = true;
      certificate.votes.clear();
      certificate.token = turn.made_up(1);
  }
  return certificate;
}

std::optional<ViewChange> forged_certificate(const ViewChange& truth, Turn& turn) {
  ViewChange change = truth;
  change.prepared = forged(turn);
  return sign(change, turn);
}

/// Signed and valid, but not the highest it holds: genesis, or the oldest it knows.
std::optional<ViewChange> hidden_certificate(const ViewChange& truth, Turn& turn) {
  ViewChange change = truth;
  const auto old = turn.me.known.certificate(false);
  const bool usable = old && old->view < truth.view && turn.random.chance(1, 2);
  change.prepared = usable ? *old : genesis_certificate(turn);
  return sign(change, turn);
}

std::optional<ViewChange> two_changes(const ViewChange& truth, Address to, Turn& turn) {
  if (to.index % 2 == 0) return truth;
  return hidden_certificate(truth, turn);
}

std::optional<NewView> cut_proof(const NewView& truth, Turn& turn) {
  NewView view = truth;
  if (view.proof.empty()) return view;
  switch (turn.random.below(3)) {
    case 0:
      view.proof.resize(view.proof.size() - 1);
      break;
    case 1:
      view.proof.back() = view.proof.front();
      break;
    default:
      view.proof.resize(1);
  }
  return sign(view, turn);
}

std::optional<NewView> wrong_choice(const NewView& truth, Turn& turn) {
  NewView view = truth;
  switch (turn.random.below(3)) {
    case 0:
      view.number = BatchNumber();
      view.token = turn.me.genesis;
      break;
    case 1:
      view.token = false_token_of(view.number, turn);
      break;
    default:
      view.number = view.number.next();
      view.token = false_token_of(view.number, turn);
  }
  return sign(view, turn);
}

std::optional<NewView> no_new_view(const NewView&, Turn&) {
  return std::nullopt;
}

/// Both valid: from different VIEW-CHANGEs, one of them its own that hides what it holds.
class TwoNewViews final : public OnSending<NewView> {
 public:
  explicit TwoNewViews(Random&) {}

 private:
  void sending(const NewView& body, const Utterance& truth, Turn& turn) override {
    const NewView other = lowest(body, turn);
    for (const Address to : truth.to) {
      turn.say({to}, turn.random.chance(1, 2) ? body : other, truth.delay_us);
    }
  }
  /// The start point that is lowest among those that a valid proof can give.
  static NewView lowest(const NewView& truth, Turn& turn) {
    std::vector<ViewChange> changes = turn.me.known.changes(truth.view);
    std::erase_if(changes, [&turn](const ViewChange& change) {
      return turn.me.known.member(Address::verifier(change.verifier));
    });
    ViewChange own{truth.view, genesis_certificate(turn), 0, {}};
    changes.push_back(sign(own, turn));
    std::stable_sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) {
      return verification::outranks(b.prepared, a.prepared);
    });
    if (changes.size() < turn.me.model.agreement()) return truth;
    changes.resize(turn.me.model.agreement());
    NewView other = truth;
    const Certificate& chosen = verification::start_point(changes);
    other.number = chosen.number;
    other.token = chosen.token;
    other.proof = std::move(changes);
    return sign(other, turn);
  }
};

/// Valid VIEW-CHANGEs that nobody needs: to all, or to one at a time.
void spam(Turn& turn) {
  const auto genuine = turn.me.known.certificate(true);
  const View view(turn.me.known.view().value() + 1 + turn.random.below(4));
  ViewChange change{view, genuine.value_or(genesis_certificate(turn)), 0, {}};
  const std::vector<Address> all = turn.verifiers();
  turn.say(turn.random.chance(1, 2) ? all : std::vector<Address>{turn.one_of(all)},
           sign(change, turn));
}

/// NEW-VIEWs for views that it leads, or not, without anybody having asked.
void usurp(Turn& turn) {
  NewView view;
  view.view = turn.me.known.view().next();
  view.token = turn.me.genesis;
  view.proof = turn.me.known.changes(view.view);
  turn.say(turn.verifiers(), sign(view, turn));
}

/// Asks single verifiers to come along to the next view, as one that lost its promises.
void lost_promises(Turn& turn) {
  const wire::Hello hello{true, turn.me.known.view(), turn.me.known.number()};
  turn.say({turn.one_of(turn.verifiers())}, hello);
}

void false_verdict(Turn& turn) {
  wire::Verdict verdict;
  const BatchNumber number = turn.me.known.number();
  const auto& committed = turn.me.known.committed();
  verdict.view = turn.me.known.view();
  verdict.number = number;
  verdict.token = false_token_of(number, turn);
  switch (turn.random.below(4)) {
    case 0:  // what was never prepared
      break;
    case 1:  // back to the beginning
      verdict = {wire::VerdictKind::kRollback, verdict.view.next(), BatchNumber(), turn.me.genesis};
      break;
    case 2:  // back behind a commit
      if (committed) verdict = *committed;
      verdict.kind = wire::VerdictKind::kRollback;
      verdict.view = verdict.view.next();
      break;
    default:  // far ahead
      verdict.number = BatchNumber(number.value() + 1000);
  }
  turn.say(turn.executors(), verdict);
}

wire::Welcome false_welcome(Turn& turn) {
  wire::Welcome welcome;
  welcome.promised = View(turn.random.chance(1, 2) ? 1'000'000 : turn.random.below(3));
  const BatchNumber number(turn.me.known.number().value() + turn.random.below(3));
  welcome.start = {wire::VerdictKind::kRollback, turn.me.known.view().next(), BatchNumber(),
                   turn.me.genesis};
  welcome.last = {wire::VerdictKind::kCommit, turn.me.known.view(), number,
                  false_token_of(number, turn)};
  return welcome;
}

std::optional<wire::Welcome> lying_welcome(const wire::Welcome&, Turn& turn) {
  return false_welcome(turn);
}

void unasked_welcome(Turn& turn) {
  turn.say(turn.random.chance(1, 2) ? turn.executors() : turn.verifiers(), false_welcome(turn));
}

/// Withholds PREPARE, COMMIT, or both, from some.
class WithheldVotes final : public Strategy {
 public:
  explicit WithheldVotes(Random& random)
      : prepares_(random.chance(2, 3)), deaf_(random.next()), all_(random.chance(1, 2)) {}
  void send(const Utterance& truth, Turn& turn) override {
    const bool vote = prepares_ ? std::holds_alternative<Prepare>(*truth.message)
                                : std::holds_alternative<wire::Commit>(*truth.message);
    Utterance few = truth;
    if (vote) {
      std::erase_if(few.to, [this](Address to) { return all_ || ((deaf_ >> to.index) & 1) != 0; });
    }
    if (!few.to.empty()) turn.pass(std::move(few));
  }

 private:
  bool prepares_;
  uint64_t deaf_;
  bool all_;
};

std::optional<wire::Verdict> no_verdict(const wire::Verdict&, Turn&) {
  return std::nullopt;
}

}  // namespace

std::vector<Entry> verifier_strategies() {
  const std::vector<Role> who = {Role::kVerifier};
  return {
      {"double-prepare", "PREPAREs two tokens for one number", who,
       make<ToEach<Prepare>>(double_prepare)},
      {"prepare-everything", "PREPAREs whatever token it hears of", who,
       make<OnHearing<wire::Token>>(prepare_everything)},
      {"early-commit", "COMMITs on the first PREPARE", who,
       make<OnHearing<Prepare>>(commit_on_prepare)},
      {"false-commit", "COMMITs what is not prepared", who,
       make<ToEach<wire::Commit>>(false_commit)},
      {"withheld-votes", "no PREPAREs or COMMITs, to all or to some", who, make<WithheldVotes>()},
      {"forged-certificate", "too few votes, copied votes, votes for something else", who,
       make<ToAll<ViewChange>>(forged_certificate), Occasion::kViewChange},
      {"hidden-certificate", "VIEW-CHANGE with an older certificate than it holds", who,
       make<ToAll<ViewChange>>(hidden_certificate), Occasion::kViewChange},
      {"two-view-changes", "two VIEW-CHANGEs for one view, both valid", who,
       make<ToEach<ViewChange>>(two_changes), Occasion::kViewChange},
      {"view-change-spam", "asks for view after view", who, make<Now>(spam)},
      {"lost-promises", "says that it lost its promises, to one verifier at a time", who,
       make<Now>(lost_promises)},
      {"cut-new-view", "NEW-VIEW with a proof cut short", who, make<ToAll<NewView>>(cut_proof),
       Occasion::kViewChange},
      {"wrong-choice", "NEW-VIEW with another start point than its proof gives", who,
       make<ToAll<NewView>>(wrong_choice), Occasion::kViewChange},
      {"two-new-views", "two valid NEW-VIEWs for one view", who, make<TwoNewViews>(),
       Occasion::kViewChange},
      {"no-new-view", "leads no view", who, make<ToAll<NewView>>(no_new_view),
       Occasion::kViewChange},
      {"usurper", "NEW-VIEWs that nobody asked for", who, make<Now>(usurp)},
      {"false-verdict", "verdicts on what was not decided", who, make<Now>(false_verdict)},
      {"no-verdict", "executors hear no verdicts", who, make<ToAll<wire::Verdict>>(no_verdict)},
      {"lying-welcome", "answers Hello with lies", who, make<ToAll<wire::Welcome>>(lying_welcome),
       Occasion::kViewChange},
      {"unasked-welcome", "Welcomes that nobody asked for, all lies", who,
       make<Now>(unasked_welcome)},
  };
}

}  // namespace eve::sim::adversary
