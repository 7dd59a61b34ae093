// libFuzzer: a verifier among peers and executors that send whatever the input says, authentic for
// the most part. Checks what no sequence of messages may break (protocol.md V2, V6, V8, V11).
#include <map>
#include <optional>
#include <set>

#include "verification/poison.h"
#include "verification/verifier.h"
#include "wire/message_fuzzing.h"

namespace eve::verification {
namespace {

using namespace wire;
using wire::fuzzing::Keys;
using wire::fuzzing::MessageSource;

constexpr uint16_t kSelf = 0;
constexpr size_t kMostSteps = 160;
/// Beyond the divergence delay however often it has doubled.
constexpr TimeUs kLongEnough = 1'000'000;

/// What the verifier has said so far, and what it was told that may have made it say so.
class Promises {
 public:
  Promises(const FaultModel& model, std::optional<View> lost)
      : model_(model), lost_(lost), persisted_(lost) {}

  void told(const Message& message) {
    if (const auto* token = std::get_if<Token>(&message)) {
      if (token->sole) alone_[*token->sole].insert(token->view);
    }
    if (const auto* begins = std::get_if<NewView>(&message)) known(*begins);
    if (const auto* welcome = std::get_if<Welcome>(&message)) {
      lists_.insert(welcome->start.quarantine);
    }
  }

  void check(const Outbox& out) {
    if (const auto view = highest_view(out.promises)) {
      EVE_CHECK(!persisted_ || *view >= *persisted_, "promises only grow");
      persisted_ = view;
    }
    for (const Send& send : out.sends) {
      wire::fuzzing::check_encodes(*send.message);
      if (const auto* prepare = std::get_if<Prepare>(send.message.get())) check(*prepare);
      if (const auto* commit = std::get_if<Commit>(send.message.get())) may_vote(commit->view);
      if (const auto* change = std::get_if<ViewChange>(send.message.get())) check(*change);
      if (const auto* begins = std::get_if<NewView>(send.message.get())) known(*begins);
      if (const auto* verdict = std::get_if<Verdict>(send.message.get())) check(*verdict);
      if (const auto* welcome = std::get_if<Welcome>(send.message.get())) check(welcome->start);
    }
  }

  /// What the PREPARE names as the token before; zero if there was none.
  Digest previous_at(View view, BatchNumber number) const {
    const auto found = prepares_.find(std::pair(view, number));
    return found == prepares_.end() ? Digest() : found->second.second;
  }

 private:
  void may_vote(View view) const {
    EVE_CHECK(persisted_ && view <= *persisted_, "what is promised was persisted");
    EVE_CHECK(!asked_ || view >= *asked_, "a vote below the view asked for");
    EVE_CHECK(!lost_ || view > *lost_, "a vote in a view from before the restart");
  }
  void check(const Prepare& prepare) {
    may_vote(prepare.view);
    const auto said = std::pair(prepare.token, prepare.previous);
    const auto [first, fresh] = prepares_.emplace(std::pair(prepare.view, prepare.number), said);
    EVE_CHECK(fresh || first->second == said, "a second PREPARE");
  }
  void check(const ViewChange& change) {
    EVE_CHECK(persisted_ && change.view <= *persisted_, "asks before it persists");
    EVE_CHECK(!lost_ || change.view > *lost_, "asks for what it may have asked for before");
    EVE_CHECK(!asked_ || change.view >= *asked_, "asks for a view that it has left");
    for (const Digest& name : change.poison) {
      EVE_CHECK(alone_[name].size() >= model_.poisonous(), "poison that made too few views fail");
    }
    asked_ = change.view;
  }
  void check(const Verdict& verdict) {
    if (verdict.kind != VerdictKind::kRollback || verdict.quarantine.empty()) return;
    EVE_CHECK(lists_.contains(verdict.quarantine), "nobody quarantined that");
  }
  void known(const NewView& begins) { lists_.insert(quarantine(begins.proof, model_)); }

  const FaultModel model_;
  std::optional<View> lost_;
  std::optional<View> persisted_;
  std::optional<View> asked_;
  std::map<std::pair<View, BatchNumber>, std::pair<Digest, Digest>> prepares_;
  std::map<Digest, std::set<View>> alone_;  ///< bundles that an executor called its batch's only
  std::set<Names> lists_;
};

struct Node {
  Node(const FaultModel& fault_model, std::optional<View> lost)
      : model(fault_model), keys(Address::verifier(kSelf)), promises(fault_model, lost) {
    VerifierOptions options;
    options.model = model;
    options.index = kSelf;
    options.genesis = genesis;
    options.lost_promises_at = lost;
    verifier.emplace(options, keys, wire::fuzzing::digester());
    verifier->start(now, out);
    settle();
  }
  void receive(const Message& message, Address from) {
    promises.told(message);
    verifier->receive(message, from, now, out);
  }
  void settle() {
    promises.check(out);
    EVE_CHECK(out.sends.size() <= 4096, "one event causes so many messages");
    out = {};
    const VerifierStatus status = verifier->status();
    EVE_CHECK(status.committed >= last.committed, "what is committed only grows");
    EVE_CHECK(status.view >= last.view && status.promised >= last.promised, "views only grow");
    EVE_CHECK(status.committed != last.committed || status.token == last.token ||
                  status.committed == BatchNumber(0),
              "one token a number");
    last = status;
  }
  void wait(TimeUs us) {
    now += us;
    if (verifier->deadline() > now) return;
    verifier->tick(now, out);
    EVE_CHECK(verifier->deadline() > now, "a timer that does not move on");
    settle();
  }

  FaultModel model;
  Keys keys;
  Digest genesis = genesis_token({}, wire::fuzzing::digester());
  Promises promises;
  std::optional<Verifier> verifier;
  TimeUs now = 1'000'000;
  Outbox out;
  VerifierStatus last;
};

Message from_peer(MessageSource& source, uint16_t peer, uint64_t kind) {
  switch (kind) {
    case 0:
    case 1:
      return source.prepare(peer);
    case 2:
    case 3:
      return Commit{source.view(), source.number(), source.digest()};
    case 4:
      return source.view_change(source.view(), peer);
    case 5: {
      NewView begins = source.new_view();
      source.learn(
          quarantine_digest(quarantine(begins.proof, source.model()), wire::fuzzing::digester()));
      return begins;
    }
    case 6:
      return Hello{source.small(1) == 0, source.view(), source.number()};
    case 7:
      return source.needed();
    default:
      return source.welcome();
  }
}

Message from_executor(MessageSource& source, uint64_t kind) {
  switch (kind) {
    case 0:
      return Suspect{source.view()};
    case 1:
      return Hello{source.small(1) == 0, source.view(), source.number()};
    case 2:
      return source.verdict();  // not for a verifier
    default:
      return source.token();
  }
}

/// The view fails, as the executors' tokens for its first batch differ; the next one begins with
/// what is committed. Everybody else does what the protocol wants.
class FailingView {
 public:
  FailingView(Node& node, MessageSource& source, const Digest& bundle, const Names& poison)
      : node_(node), source_(source), start_{node.last.committed, node.last.token}, next_(view()) {
    send_tokens(bundle);
    next_ = View(view().value() + 1);
    begin(poison);
    accept();
  }

 private:
  struct Start {
    BatchNumber number;
    Digest token;
  };
  View view() const { return node_.last.view; }
  void send_tokens(const Digest& bundle) {
    for (uint16_t i = 0; i < node_.model.executors(); ++i) {
      const Digest state = wire::fuzzing::digester().digest(Bytes(1, static_cast<char>(i)));
      Token token{view(), {start_.number.next(), start_.token, bundle, state, {}}, {}, bundle};
      token.token = token_of(token.parts, wire::fuzzing::digester());
      node_.receive(token, Address::executor(i));
    }
    node_.verifier->idle(node_.now, node_.out);
    node_.settle();
    node_.wait(kLongEnough);
  }
  void begin(const Names& poison) {
    const bool genesis = start_.number == BatchNumber(0);
    Certificate held{true, View(0), BatchNumber(0), node_.genesis, {}, {}};
    if (!genesis) {
      held = source_.certificate({false, view(), start_.number, start_.token, {}, {}},
                                 node_.model.agreement());
    }
    std::vector<ViewChange> proof;
    for (uint16_t i = 0; i < node_.model.agreement(); ++i) {
      const auto peer = static_cast<uint16_t>((i + 1) % node_.model.verifiers());
      proof.push_back(source_.view_change(next_, peer, held, poison));
      if (peer != kSelf) node_.receive(proof.back(), Address::verifier(peer));
    }
    const NewView begins = source_.new_view(next_, std::move(proof));
    if (begins.verifier != kSelf) node_.receive(begins, Address::verifier(begins.verifier));
    node_.verifier->idle(node_.now, node_.out);
    node_.settle();
  }
  /// As the verifier does.
  void accept() {
    const Digest binding = node_.promises.previous_at(next_, start_.number);
    for (uint16_t i = 1; i < node_.model.verifiers(); ++i) {
      const Prepare prepare = source_.prepare({next_, start_.number, start_.token, binding, i, {}});
      node_.receive(prepare, Address::verifier(i));
    }
    node_.verifier->idle(node_.now, node_.out);
    for (uint16_t i = 1; i < node_.model.verifiers(); ++i) {
      node_.receive(Commit{next_, start_.number, start_.token}, Address::verifier(i));
    }
    node_.settle();
  }

  Node& node_;
  MessageSource& source_;
  const Start start_;
  View next_;
};

void step(Node& node, MessageSource& source, uint64_t kind) {
  if (kind == 0) {
    node.wait(static_cast<TimeUs>(source.small(1'000'000)));
  } else if (kind == 1) {
    const Digest bundle = source.name();
    const Names poison = source.names(limits::kMaxPoison);
    for (uint64_t i = source.small(15); i > 0; --i) FailingView(node, source, bundle, poison);
  } else if (kind <= 3) {
    const Address from = source.executor();
    const Message message = from_executor(source, source.small(7));
    // Others execute the same batch: so many executors send this.
    for (uint64_t i = 0; i <= source.small(2); ++i) {
      node.receive(message, Address::executor((from.index + i) % node.model.executors()));
    }
  } else {
    const Address from = source.verifier();
    const Message message = from_peer(source, from.index, source.small(8));
    const bool unsigned_word = std::holds_alternative<Needed>(message) ||
                               std::holds_alternative<Commit>(message) ||
                               std::holds_alternative<Welcome>(message);
    const uint64_t others = unsigned_word ? source.small(2) : 0;
    for (uint64_t i = 0; i <= others; ++i) {
      node.receive(message, Address::verifier((from.index + i) % node.model.verifiers()));
    }
  }
}

}  // namespace
}  // namespace eve::verification

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace eve;
  using namespace eve::verification;
  FuzzedDataProvider data(bytes, size);
  const FaultModel model(1, data.ConsumeIntegralInRange<uint32_t>(0, 1));
  const bool lost = data.ConsumeIntegralInRange(0, 7) == 0;
  Node node(model, lost ? std::optional(View(1)) : std::nullopt);
  MessageSource source(data, model, node.genesis);
  source.learn_name(wire::fuzzing::digester().digest("another"));
  for (size_t i = 0; i < kMostSteps && data.remaining_bytes() > 0; ++i) {
    source.at(node.last.committed);
    source.at(node.last.view);
    step(node, source, source.small(11));
    if (source.small(3) != 0) node.verifier->idle(node.now, node.out);
    node.settle();
  }
  return 0;
}
