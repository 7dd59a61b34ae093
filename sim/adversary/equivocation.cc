// Lies that take executors and verifiers together: one history to some, another one to the rest.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "sim/adversary/catalogue.h"
#include "sim/adversary/forge.h"

namespace eve::sim::adversary {
namespace {

using wire::Prepare;
using wire::Token;
using Batch = Conspiracy::Batch;

// ---- Tokens that never agree -------------------------------------------------------------------

/// Every liar has another wrong token for every verifier and batch, and sends it before anybody can
/// have run the batch: verifiers see no two alike, and differ in how many they see.
class ScatteredToken final : public OnSending<Token> {
 public:
  explicit ScatteredToken(Random&) {}
  void hear(const wire::Message& message, Address, Turn& turn) override {
    const auto* proposed = std::get_if<wire::BatchMessage>(&message);
    if (proposed == nullptr) return;
    const wire::Batch& batch = *proposed->batch;
    const auto before = turn.me.known.tokens().find(batch.number.prev());
    if (before == turn.me.known.tokens().end()) return;
    Token token;
    token.view = batch.view;
    token.parts = {batch.number, before->second.token, batch.digest, {}, {}};
    scatter(token, turn);
  }

 private:
  void sending(const Token& body, const Utterance&, Turn& turn) override { scatter(body, turn); }
  void scatter(Token token, Turn& turn) {
    constexpr uint64_t kVerifiers = 1000;
    for (const Address to : turn.verifiers()) {
      token.parts.state = turn.made_up(turn.me.self.index * kVerifiers + to.index);
      token.token = wire::token_of(token.parts, turn.me.digester);
      turn.say({to}, token);
    }
  }
};

// ---- Votes that extend another history ---------------------------------------------------------

std::optional<Prepare> wrong_predecessor(const Prepare& truth, Turn& turn) {
  Prepare other = truth;
  other.previous = turn.made_up(truth.number.value());
  return sign(other, turn);
}

// ---- Correct executors, played off against each other ------------------------------------------

/// Where two correct executors have diverged, liars take both sides: with one of them they make a
/// token certificate for its history at some verifiers, and with the other for the other history at
/// the rest; and then, for the batch after it, at all of them, for what extends the one that was
/// not agreed on. Lying verifiers vote as the tokens say, whoever they are sent to. Executors hold
/// their tokens back until they know what to say; lying verifiers are their ears.
class Turncoat final : public Strategy {
 public:
  /// Half of them leave it to PREPAREs to win over those who were told of the other history.
  explicit Turncoat(Random& random) : by_votes_(random.chance(1, 2)) {}

  void send(const Utterance& truth, Turn& turn) override {
    if (const auto* token = std::get_if<Token>(truth.message.get())) {
      const bool ears = !turn.me.known.heard().empty();
      const Batch batch(token->view, token->parts.number);
      const bool again = !held_.emplace(batch, turn.now_us).second;
      if (said_.contains(batch)) return;
      if (!ears || again) turn.pass(truth);
      return;
    }
    const auto* vote = std::get_if<Prepare>(truth.message.get());
    if (vote != nullptr && turn.me.known.splits().contains({vote->view, vote->number})) return;
    turn.pass(truth);
  }

  void hear(const wire::Message& message, Address, Turn& turn) override {
    if (turn.me.self.role == Role::kExecutor) {
      take_sides(turn);
      return;
    }
    if (std::holds_alternative<Token>(message)) whisper(turn);
    vote(turn);
  }
  void tick(Turn& turn) override { hear(wire::Suspect{}, turn.me.self, turn); }

 private:
  /// Something that wakes the lying executors; correct code drops it.
  static void whisper(Turn& turn) {
    std::vector<Address> liars = turn.executors();
    std::erase_if(liars, [&turn](Address to) { return !turn.me.known.member(to); });
    turn.say(liars, wire::Hello{false, turn.me.known.view(), BatchNumber()});
  }

  /// As many as a quorum can do without: the correct ones from some place on, round the circle.
  static std::set<Address> few(const Batch& batch, Turn& turn) {
    std::vector<Address> correct;
    for (uint16_t i = 0; i < turn.me.model.verifiers(); ++i) {
      if (!turn.me.known.member(Address::verifier(i))) correct.push_back(Address::verifier(i));
    }
    std::set<Address> chosen;
    for (size_t i = 0; i < std::min<size_t>(turn.me.model.u(), correct.size()); ++i) {
      chosen.insert(correct[(batch.first.value() + i) % correct.size()]);
    }
    return chosen;
  }

  static const std::map<uint16_t, Token>& heard_of(const Batch& batch, Turn& turn) {
    static const std::map<uint16_t, Token> nothing;
    const auto found = turn.me.known.heard().find(batch);
    return found == turn.me.known.heard().end() ? nothing : found->second;
  }

  void take_sides(Turn& turn) {
    const View view = turn.me.known.view();
    for (auto at = turn.me.known.heard().lower_bound({view, BatchNumber()});
         at != turn.me.known.heard().end(); ++at) {
      if (!said_.contains(at->first)) consider(at->first, at->second, turn);
    }
    constexpr size_t kRemembered = 256;
    if (said_.size() > kRemembered) said_.erase(said_.begin());
    if (held_.size() > kRemembered) held_.erase(held_.begin());
    if (since_.size() > kRemembered) since_.erase(since_.begin());
    turn.me.known.trim_splits();
  }

  void consider(const Batch& batch, const std::map<uint16_t, Token>& tokens, Turn& turn) {
    constexpr TimeUs kPatienceUs = 15'000;  // before verifiers lose theirs
    const TimeUs since = since_.emplace(batch, turn.now_us).first->second;
    const Batch next(batch.first, batch.second.next());
    for (const auto& [followed, after] : heard_of(next, turn)) {
      for (const auto& [one, other] : tokens) {
        const auto own = tokens.find(followed);
        if (own == tokens.end() || other.token == own->second.token) continue;
        if (after.parts.previous != own->second.token) continue;
        tell(batch, {own->second, other}, turn);
        tell(next, {after, after}, turn);
        return;
      }
    }
    const bool agree = std::all_of(tokens.begin(), tokens.end(), [&tokens](const auto& entry) {
      return entry.second.token == tokens.begin()->second.token;
    });
    const size_t honest = turn.me.model.executors() - turn.me.model.r();
    if ((agree && tokens.size() >= honest) || turn.now_us - since >= kPatienceUs) {
      said_.insert(batch);
      turn.say(turn.verifiers(), tokens.begin()->second);
    }
  }

  void tell(const Batch& batch, const Conspiracy::Split& split, Turn& turn) {
    if (!said_.insert(batch).second) return;
    const bool settled = split.few.token == split.many.token;
    const std::set<Address> chosen = few(batch, turn);
    for (const Address to : turn.verifiers()) {
      if (chosen.contains(to)) {
        turn.say({to}, split.few);
      } else if (!settled || !by_votes_) {
        turn.say({to}, split.many);
      }
    }
    turn.me.known.splits().emplace(batch, split);
  }

  void vote(Turn& turn) {
    for (const auto& [batch, split] : turn.me.known.splits()) {
      if (!said_.insert(batch).second) continue;
      const std::set<Address> chosen = few(batch, turn);
      for (const Address to : turn.verifiers()) {
        const Token& token = chosen.contains(to) ? split.few : split.many;
        const Prepare vote{token.view, token.parts.number, token.token, token.parts.previous, 0,
                           {}};
        turn.say({to}, sign(vote, turn));
      }
    }
  }

  bool by_votes_;
  std::set<Batch> said_;           ///< what this one has spoken of
  std::map<Batch, TimeUs> held_;   ///< own tokens that were to be sent
  std::map<Batch, TimeUs> since_;  ///< something was heard of it
};

}  // namespace

std::vector<Entry> equivocation_strategies() {
  return {
      {"scattered-token",
       "a wrong token for each verifier, before all others, no two alike",
       {Role::kExecutor},
       make<ScatteredToken>()},
      {"wrong-predecessor",
       "PREPAREs that extend another history",
       {Role::kVerifier},
       make<ToAll<Prepare>>(wrong_predecessor)},
      {"turncoat",
       "sides with each of two correct executors that have diverged",
       {Role::kExecutor, Role::kVerifier},
       make<Turncoat>(),
       Occasion::kDivergence},
  };
}

}  // namespace eve::sim::adversary
