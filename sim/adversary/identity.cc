// What a liar of any role does: with fields, names, signatures, old messages and masses of them.
#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>

#include "sim/adversary/catalogue.h"
#include "sim/adversary/forge.h"
#include "sim/adversary/lies.h"
#include "sim/light_authenticator.h"

namespace eve::sim::adversary {
namespace {

/// A message that is sent to a few of its receivers as something else, and to the others as it is.
void instead(const Utterance& truth, Turn& turn, const std::function<wire::Message()>& other) {
  for (const Address to : truth.to) {
    if (turn.random.chance(1, 2)) {
      turn.pass({{to}, truth.message, truth.delay_us, truth.frame});
    } else {
      turn.say({to}, other(), truth.delay_us);
    }
  }
}

// ---- One field off by one ----------------------------------------------------------------------

class OffByOne {
 public:
  explicit OffByOne(Turn& turn) : turn_(turn) {}

  wire::Message operator()(wire::BundleMessage m) {
    wire::BundleFields fields = fields_of(*m.bundle);
    if (turn_.random.chance(1, 2)) {
      shift(fields.first);
    } else {
      shift(fields.session);
    }
    return wire::BundleMessage{sign_bundle(fields, requests_of(*m.bundle), turn_), m.retry};
  }
  wire::Message operator()(const wire::BatchMessage& m) {
    BatchClaim claim(*m.batch);
    switch (turn_.random.below(3)) {
      case 0:
        shift(claim.number);
        break;
      case 1:
        shift(claim.view);
        break;
      default:
        claim.time_us -= 1;
    }
    return claim.message(turn_);
  }
  wire::Message operator()(wire::Reply m) {
    switch (turn_.random.below(3)) {
      case 0:
        shift(m.first);
        break;
      case 1:
        shift(m.session);
        break;
      default:
        shift(m.view);
    }
    return m;
  }
  wire::Message operator()(wire::Token m) {
    if (turn_.random.chance(1, 2)) {
      shift(m.view);
    } else {
      shift(m.parts.number);
      m.token = wire::token_of(m.parts, turn_.me.digester);
    }
    return m;
  }
  wire::Message operator()(wire::Verdict m) {
    shift_point(m);
    return m;
  }
  wire::Message operator()(wire::Needed m) {
    shift(m.view);
    return m;
  }
  wire::Message operator()(wire::Suspect m) {
    shift(m.view);
    return m;
  }
  wire::Message operator()(wire::PairBeat m) { return m; }
  wire::Message operator()(wire::PairBatch m) { return m; }
  wire::Message operator()(wire::PairToken m) { return m; }
  wire::Message operator()(wire::Room m) { return m; }
  wire::Message operator()(wire::EpochEnd m) { return m; }
  wire::Message operator()(wire::Farewell m) {
    shift(m.number);
    return m;
  }
  wire::Message operator()(wire::ChainWanted m) { return m; }
  wire::Message operator()(wire::Chain m) { return m; }
  wire::Message operator()(wire::InEpoch m) { return m; }
  wire::Message operator()(wire::Candidate m) { return m; }
  wire::Message operator()(wire::Hello m) {
    if (turn_.random.chance(1, 2)) {
      shift(m.view);
    } else {
      shift(m.committed);
    }
    return m;
  }
  wire::Message operator()(wire::Welcome m) {
    switch (turn_.random.below(3)) {
      case 0:
        shift(m.promised);
        break;
      case 1:
        shift_point(m.start);
        break;
      default:
        shift_point(m.last);
    }
    return m;
  }
  wire::Message operator()(wire::Prepare m) {
    shift_point(m);
    return sign(m, turn_);
  }
  wire::Message operator()(wire::Commit m) {
    shift_point(m);
    return m;
  }
  wire::Message operator()(wire::ViewChange m) {
    if (turn_.random.chance(1, 2)) {
      shift(m.view);
    } else {
      shift_point(m.prepared);
    }
    return sign(m, turn_);
  }
  wire::Message operator()(wire::NewView m) {
    shift_point(m);
    return sign(m, turn_);
  }
  wire::Message operator()(wire::StateRequest m) {
    shift(m.number);
    return m;
  }
  wire::Message operator()(wire::StateReply m) {
    shift(m.number);
    if (m.parts) m.parts->number = m.number;
    return m;
  }

 private:
  template <typename Id>
  void shift(Id& id) {
    id = turn_.random.chance(1, 2) && id != Id() ? id.prev() : id.next();
  }
  template <typename WithPoint>
  void shift_point(WithPoint& message) {
    if (turn_.random.chance(1, 2)) {
      shift(message.view);
    } else {
      shift(message.number);
    }
  }
  Turn& turn_;
};

void off_by_one(const Utterance& truth, Turn& turn) {
  instead(truth, turn, [&] { return std::visit(OffByOne(turn), *truth.message); });
}

/// Something else of the same kind: the generic liar.
class AnythingElse final : public Strategy {
 public:
  explicit AnythingElse(Random& random) : seed_(random.next()) {}
  void send(const Utterance& truth, Turn& turn) override {
    if (!lies_) lies_ = std::make_unique<Lies>(seed_, turn.me.authenticator, turn.me.digester);
    instead(truth, turn, [&] { return lies_->instead_of(*truth.message); });
  }

 private:
  uint64_t seed_;
  std::unique_ptr<Lies> lies_;
};

// ---- Names and signatures ----------------------------------------------------------------------

/// Changes what a message is signed with, in whose name; leaves unsigned ones alone.
class Resign {
 public:
  using Sign = std::function<Bytes(crypto::Domain, ByteView)>;
  Resign(Sign sign, std::optional<uint16_t> name) : sign_(std::move(sign)), name_(name) {}

  std::optional<wire::Message> operator()(const wire::BundleMessage& m) const {
    wire::BundleFields fields = fields_of(*m.bundle);
    if (name_) fields.client = *name_;
    const auto sign = [this](ByteView b) { return sign_(crypto::Domain::kBundle, b); };
    return wire::BundleMessage{wire::make_bundle(fields, requests_of(*m.bundle), sign), m.retry};
  }
  std::optional<wire::Message> operator()(wire::Prepare m) const {
    return resign(m, crypto::Domain::kPrepare);
  }
  std::optional<wire::Message> operator()(wire::ViewChange m) const {
    return resign(m, crypto::Domain::kViewChange);
  }
  std::optional<wire::Message> operator()(wire::NewView m) const {
    return resign(m, crypto::Domain::kNewView);
  }
  template <typename Unsigned>
  std::optional<wire::Message> operator()(const Unsigned&) const {
    return std::nullopt;
  }

 private:
  template <typename Signed>
  wire::Message resign(Signed& message, crypto::Domain domain) const {
    if (name_) message.verifier = *name_;
    message.signature = sign_(domain, wire::signed_bytes(message));
    return message;
  }
  Sign sign_;
  std::optional<uint16_t> name_;
};

void resign(const Utterance& truth, Turn& turn, const Resign& how) {
  if (!std::visit(how, *truth.message)) {
    turn.pass(truth);
    return;
  }
  instead(truth, turn, [&] { return *std::visit(how, *truth.message); });
}

/// As a node of another cluster with the same names would: its secret and keys are others.
void other_cluster(const Utterance& truth, Turn& turn) {
  static const crypto::Digester kOther(crypto::DigestAlgorithm::kXxh3, crypto::Secret{7});
  const LightAuthenticator stranger(turn.me.self, kOther);
  const Resign how([&](auto domain, auto bytes) { return stranger.sign(domain, bytes); },
                   std::nullopt);
  if (std::holds_alternative<wire::Token>(*truth.message)) {
    // What is not signed is bound to the cluster by its digests: this one's gate refuses it.
    wire::Token token = std::get<wire::Token>(*truth.message);
    token.token = wire::token_of(token.parts, kOther);
    turn.say(truth.to, token, truth.delay_us);
    return;
  }
  resign(truth, turn, how);
}

void bad_authentication(const Utterance& truth, Turn& turn) {
  const Resign how([](auto, auto) { return Bytes("not a signature"); }, std::nullopt);
  resign(truth, turn, how);
}

/// In the name of another of its role, with its own signature.
void impersonate(const Utterance& truth, Turn& turn) {
  const auto name = static_cast<uint16_t>(turn.random.below(turn.me.model.executors()));
  const Resign how(
      [&](auto domain, auto bytes) { return turn.me.authenticator.sign(domain, bytes); }, name);
  resign(truth, turn, how);
}

constexpr size_t kFlood = 20;

/// A flood now and then: what it would cost to check each one.
void signature_flood(Turn& turn) {
  if (!turn.random.chance(1, 8)) return;
  const View view = turn.me.known.view();
  wire::Prepare prepare{view, turn.me.known.number(), {}, {}, turn.me.self.index, "not signed"};
  wire::ViewChange change{view.next(), genesis_certificate(turn), turn.me.self.index, "not signed"};
  wire::NewView new_view{view.next(), BatchNumber(),      turn.me.genesis,
                         {},          turn.me.self.index, "not signed"};
  for (size_t i = 0; i < kFlood; ++i) {
    if (turn.me.self.role == Role::kVerifier) {
      prepare.number = prepare.number.next();
      turn.say(turn.verifiers(), prepare);
      change.view = change.view.next();
      turn.say(turn.verifiers(), change);
      new_view.view = View(view.value() + turn.me.self.index + 1 + i * turn.me.model.verifiers());
      turn.say(turn.verifiers(), new_view);
    } else if (!turn.me.known.bundles().empty()) {
      const wire::BundlePtr& bundle = turn.one_of(turn.me.known.bundles());
      const auto unsigned_one = wire::make_bundle(fields_of(*bundle), {"never signed"},
                                                  [](ByteView) { return Bytes("not signed"); });
      turn.say(turn.executors(), wire::BundleMessage{unsigned_one, true});
    }
  }
}

// ---- Old ones, many, none ----------------------------------------------------------------------

void old_message(const Utterance& truth, Turn& turn) {
  turn.pass(truth);
  if (turn.me.known.messages().empty()) return;
  const auto& messages = turn.me.known.messages();
  turn.pass({truth.to, messages[turn.random.below(messages.size())], truth.delay_us, {}});
}

void duplicate_burst(const Utterance& truth, Turn& turn) {
  const size_t times = turn.random.chance(1, 16) ? kFlood : 2;
  for (size_t i = 0; i < times; ++i) turn.pass(truth);
}

void garbled(const Utterance& truth, Turn& turn) {
  Utterance broken = truth;
  broken.frame = wire::encode(*truth.message);
  // Where nothing is signed a flipped bit makes another request: one that the client may well make,
  // but that looks like somebody else's.
  const bool is_signed = turn.me.model.byzantine();
  switch (turn.random.below(is_signed ? 3 : 2)) {
    case 0:
      broken.frame.resize(turn.random.below(broken.frame.size()) + 1);
      break;
    case 1:
      broken.frame.append("more");
      break;
    default:
      broken.frame[turn.random.below(broken.frame.size())] ^=
          static_cast<char>(1 << turn.random.below(7));
  }
  turn.pass(std::move(broken));
}

void slow(const Utterance& truth, Turn& turn) {
  Utterance late = truth;
  late.delay_us += static_cast<TimeUs>(turn.random.below(200'000));
  turn.pass(std::move(late));
}

void mute(const Utterance&, Turn&) {}

/// Does not speak to some, but to the others.
class Shunning final : public Strategy {
 public:
  explicit Shunning(Random& random) : shunned_(random.next()) {}
  void send(const Utterance& truth, Turn& turn) override {
    Utterance few = truth;
    std::erase_if(few.to, [this](Address to) {
      const auto bit = 16u * (static_cast<unsigned>(to.role) - 1) + to.index % 16u;
      return ((shunned_ >> bit) & 1) != 0;
    });
    if (!few.to.empty()) turn.pass(std::move(few));
  }

 private:
  uint64_t shunned_;
};

}  // namespace

std::vector<Entry> identity_strategies() {
  const std::vector<Role> nodes = {Role::kExecutor, Role::kVerifier};
  const std::vector<Role> all = {Role::kExecutor, Role::kVerifier, Role::kClient};
  const std::vector<Role> signers = {Role::kVerifier, Role::kClient};
  return {
      {"off-by-one", "one field off by one, signed anew", all, make<ToAny>(off_by_one)},
      {"anything-else", "something else of the same kind, to half of the receivers", nodes,
       make<AnythingElse>()},
      {"old-message", "an old message beside the new one", all, make<ToAny>(old_message)},
      {"other-cluster", "signatures and digests of another cluster", all,
       make<ToAny>(other_cluster)},
      {"bad-authentication", "bad signatures toward half of the receivers", signers,
       make<ToAny>(bad_authentication)},
      {"impersonate", "speaks in another node's name", signers, make<ToAny>(impersonate)},
      {"signature-flood", "floods of invalid signatures", nodes, make<Now>(signature_flood)},
      {"duplicate-burst", "everything twice, or in bursts", all, make<ToAny>(duplicate_burst)},
      {"garbled", "frames cut, prolonged, with a bit flipped", all, make<ToAny>(garbled)},
      {"slow", "everything up to 200 ms late and out of order", nodes, make<ToAny>(slow)},
      {"mute", "says nothing", nodes, make<ToAny>(mute)},
      {"shunning", "speaks to some and never to others", nodes, make<Shunning>()},
  };
}

}  // namespace eve::sim::adversary
