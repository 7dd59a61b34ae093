// What a lying executor says of the batches it ran, of the primary and of itself.
#include <algorithm>
#include <map>
#include <utility>

#include "eve/codec.h"
#include "sim/adversary/catalogue.h"
#include "sim/adversary/forge.h"

namespace eve::sim::adversary {
namespace {

using wire::Token;

std::optional<Token> wrong(const Token& truth, Turn& turn) {
  return false_token(truth, turn);
}

std::optional<Token> split(const Token& truth, Address to, Turn& turn) {
  if (to.index % 2 == 0) return truth;
  Token other = truth;
  other.parts.replies = turn.made_up(to.index + turn.random.below(2));
  other.token = wire::token_of(other.parts, turn.me.digester);
  return other;
}

/// Tokens on a history of their own: each extends the false one before it, if there was one.
class PrivateHistory final : public OnSending<Token> {
 public:
  explicit PrivateHistory(Random&) {}

 private:
  void sending(const Token& body, const Utterance& truth, Turn& turn) override {
    Token token = body;
    const auto before = said_.find(token.parts.number.prev());
    if (before != said_.end()) token.parts.previous = before->second;
    token = false_token(token, turn);
    said_[token.parts.number] = token.token;
    turn.say(truth.to, token, truth.delay_us);
  }
  std::map<BatchNumber, crypto::Digest> said_;
};

/// Before anybody can have run a batch, it has another token: every batch diverges.
class RollbackStorm final : public Strategy {
 public:
  explicit RollbackStorm(Random&) {}
  void hear(const wire::Message& message, Address, Turn& turn) override {
    const auto* proposed = std::get_if<wire::BatchMessage>(&message);
    if (proposed == nullptr) return;
    const wire::Batch& batch = *proposed->batch;
    const auto before = turn.me.known.tokens().find(batch.number.prev());
    if (before == turn.me.known.tokens().end()) return;
    Token token;
    token.view = batch.view;
    token.parts = {batch.number, before->second.token, batch.digest, {}, turn.made_up(0)};
    turn.say(turn.verifiers(), false_token(token, turn));
  }
  void send(const Utterance& truth, Turn& turn) override {
    if (!std::holds_alternative<Token>(*truth.message)) turn.pass(truth);
  }
};

void late(const Utterance& truth, Turn& turn) {
  Utterance later = truth;
  if (std::holds_alternative<Token>(*truth.message)) {
    later.delay_us += 5'000 + static_cast<TimeUs>(turn.random.below(600'000));
  }
  turn.pass(std::move(later));
}

std::optional<Token> none(const Token&, Turn&) {
  return std::nullopt;
}

/// What it said in earlier views, and what it says now as if it were of those.
class OldViews final : public OnSending<Token> {
 public:
  explicit OldViews(Random&) {}

 private:
  void sending(const Token& body, const Utterance& truth, Turn& turn) override {
    turn.pass(truth);
    Token old = body;
    old.view = body.view == View() ? View() : View(turn.random.below(body.view.value()));
    turn.say(truth.to, old);
    if (!earlier_.empty()) {
      Token again = turn.one_of(earlier_);
      if (turn.random.chance(1, 2)) again.view = body.view;
      turn.say(truth.to, again);
    }
    constexpr size_t kRemembered = 32;
    if (earlier_.size() < kRemembered) earlier_.push_back(body);
  }
  std::vector<Token> earlier_;
};

/// Batches that nobody proposed: the next numbers, chained as they should be.
void phantom(Turn& turn) {
  const auto& tokens = turn.me.known.tokens();
  Token token;
  token.view = View(turn.me.known.view().value() + turn.random.below(2));
  if (!tokens.empty()) {
    token.parts.number = tokens.rbegin()->first.next();
    token.parts.previous = tokens.rbegin()->second.token;
  } else {
    token.parts.number = BatchNumber(1);
    token.parts.previous = turn.me.genesis;
  }
  token.parts.batch = turn.made_up(token.parts.number.value());
  turn.say(turn.verifiers(), false_token(token, turn));
}

std::optional<wire::Reply> wrong_reply(const wire::Reply& truth, Turn& turn) {
  wire::Reply reply = truth;
  switch (turn.random.below(4)) {
    case 0:
      reply.status = wire::ReplyStatus::kUnknownSession;
      reply.payload = SharedBytes(Bytes());
      break;
    case 1:
      // The digest of the truth, the payload of a lie.
      reply.payload = SharedBytes(wire::encode_replies({"lie"}));
      return reply;
    case 2:
      reply.view = View(reply.view.value() + 1 + turn.random.below(3));
      return reply;
    default:
      reply.payload = SharedBytes(wire::encode_replies({"lie"}));
  }
  reply.digest = wire::reply_digest(reply.status, reply.payload->view(), turn.me.digester);
  return reply;
}

/// Answers before anything is committed, or executed: to bundles as they come.
void early_reply(const wire::BundleMessage& message, Address, Turn& turn) {
  const wire::Bundle& bundle = *message.bundle;
  if (bundle.client >= turn.me.clients) return;
  wire::Reply reply{bundle.session,       bundle.first, wire::ReplyStatus::kExecuted,
                    turn.me.known.view(), {},           SharedBytes(wire::encode_replies({"lie"}))};
  reply.digest = wire::reply_digest(reply.status, reply.payload->view(), turn.me.digester);
  turn.say({Address::client(bundle.client)}, reply);
}

/// A session that does not exist, or is somebody else's.
wire::Reply other_session(RequestNumber opening, Turn& turn) {
  const auto& bundles = turn.me.known.bundles();
  uint64_t session = turn.random.next();
  if (!bundles.empty() && turn.random.chance(1, 2)) session = bundles.back()->session.value();
  Bytes payload;
  Codec<uint64_t>::encode(session, payload);
  wire::Reply reply{SessionId(),          opening, wire::ReplyStatus::kExecuted,
                    turn.me.known.view(), {},      SharedBytes(payload)};
  reply.digest = wire::reply_digest(reply.status, payload, turn.me.digester);
  return reply;
}

/// Before anybody else answers, or instead of the truth.
class FalseSession final : public OnSending<wire::Reply> {
 public:
  explicit FalseSession(Random&) {}
  void hear(const wire::Message& message, Address, Turn& turn) override {
    const auto* sent = std::get_if<wire::BundleMessage>(&message);
    if (sent == nullptr || sent->bundle->kind != wire::BundleKind::kOpen) return;
    if (sent->bundle->client >= turn.me.clients) return;
    turn.say({Address::client(sent->bundle->client)}, other_session(sent->bundle->first, turn));
  }

 private:
  void sending(const wire::Reply& body, const Utterance& truth, Turn& turn) override {
    if (body.session == SessionId()) {
      turn.say(truth.to, other_session(body.first, turn), truth.delay_us);
    } else {
      turn.pass(truth);
    }
  }
};

std::optional<wire::Reply> no_reply(const wire::Reply&, Turn&) {
  return std::nullopt;
}

void suspicion(Turn& turn) {
  const uint64_t view = turn.me.known.view().value() + turn.random.below(2);
  turn.say(turn.verifiers(), wire::Suspect{View(view)});
}

void restart(Turn& turn) {
  wire::Hello hello{true, turn.me.known.view(), BatchNumber()};
  if (turn.random.chance(3, 4)) hello.committed = turn.me.known.number();
  turn.say(turn.verifiers(), hello);
}

/// A client's bundle that it was to pass on to the primary.
std::optional<wire::BundleMessage> no_forwarding(const wire::BundleMessage&, Turn&) {
  return std::nullopt;
}

}  // namespace

std::vector<Entry> executor_strategies() {
  const std::vector<Role> who = {Role::kExecutor};
  using AllTokens = ToAll<Token>;
  return {
      {"wrong-token", "tokens of another state; all liars the same", who, make<AllTokens>(wrong)},
      {"split-token", "different tokens to different verifiers", who, make<ToEach<Token>>(split)},
      {"private-history", "tokens chained on its own false ones", who, make<PrivateHistory>()},
      {"rollback-storm", "another token for every batch, before all others", who,
       make<RollbackStorm>()},
      {"late-token", "tokens up to 600 ms late", who, make<ToAny>(late)},
      {"no-token", "no tokens", who, make<AllTokens>(none)},
      {"old-view-token", "tokens of views that are over", who, make<OldViews>()},
      {"phantom-token", "tokens for batches that do not exist", who, make<Now>(phantom)},
      {"wrong-reply", "right token, wrong reply", who, make<ToAll<wire::Reply>>(wrong_reply)},
      {"early-reply", "replies to what is not executed", who,
       make<OnHearing<wire::BundleMessage>>(early_reply)},
      {"false-session", "opens sessions that do not exist, or are another client's", who,
       make<FalseSession>()},
      {"silent-to-clients", "clients hear nothing", who, make<ToAll<wire::Reply>>(no_reply)},
      {"no-forwarding", "bundles are not passed on to the primary", who,
       make<ToAll<wire::BundleMessage>>(no_forwarding)},
      {"false-suspicion", "suspects every primary, all the time", who, make<Now>(suspicion)},
      {"false-restart", "says that it restarted, all the time", who, make<Now>(restart)},
  };
}

}  // namespace eve::sim::adversary
