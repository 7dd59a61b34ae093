// For tests: random messages of every kind, and all fields of a message as text.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/random.h"
#include "wire/codec.h"
#include "wire/membership.h"

namespace eve::wire::testing {

inline const crypto::Digester& digester() {
  static const crypto::Digester the_digester(crypto::DigestAlgorithm::kSha256, crypto::Secret{});
  return the_digester;
}

/// Makes well-formed messages from a seed.
class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  /// A message whose tag is `kind` + 1; kinds are below std::variant_size_v<Message>.
  Message message(size_t kind) {
    switch (kind) {
      case 0:
        return BundleMessage{bundle(), flip()};
      case 1:
        return BatchMessage{batch()};
      case 2:
        return reply();
      case 3:
        return token();
      case 4:
        return flip() ? Verdict{VerdictKind::kCommit, view(), number(), digest()}
                      : Verdict{VerdictKind::kRollback, view(), number(), digest(), names()};
      case 5:
        return Suspect{view()};
      case 6:
        return Hello{flip(), view(), number()};
      case 7:
        return Welcome{view(),
                       {VerdictKind::kRollback, view(), number(), digest(), names()},
                       {VerdictKind::kCommit, view(), number(), digest()}};
      case 8:
        return Prepare{view(), number(), digest(), digest(), verifier(), signature()};
      case 9:
        return Commit{view(), number(), digest()};
      case 10:
        return view_change(verifier());
      case 11:
        return new_view();
      case 12:
        return state_request();
      case 13:
        return state_reply();
      case 14:
        return Needed{view(),
                      {flip() ? Role::kExecutor : Role::kVerifier,
                       static_cast<uint16_t>(below(limits::kMaxExecutors))}};
      case 15:
        return PairBeat{1 + below(9), 1 + below(9), time(), time(),  below(9), below(9), flip(),
                        record(),     flip(),       term(), point(), names(),  point(),  point()};
      case 16: {
        PairBatch message{term(), point(), nullptr};
        const BatchPtr made = batch();
        message.batch = make_batch(message.term.epoch, made->number, made->time_us, made->seed,
                                   made->bundles, digester());
        return message;
      }
      case 17:
        return PairToken{term(), point()};
      case 18:
        return room();
      case 19:
        return EpochEnd{epoch(), evidence()};
      case 20:
        return Farewell{epoch(), number(), digest(), verifier(), signature()};
      case 21:
        return ChainWanted{epoch()};
      case 22:
        return chain();
      case 23:
        return InEpoch{epoch().next(),
                       std::make_shared<const Enclosed>(Enclosed{message(below(kind - 4))})};
      default:
        return Candidate{make_change(change(), [this](ByteView) { return signature(); })};
    }
  }

  Bytes bytes(size_t most) {
    Bytes bytes(below(most + 1), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_.next());
    return bytes;
  }
  BundlePtr bundle() {
    BundleFields fields;
    fields.client = static_cast<uint16_t>(below(limits::kMaxClients));
    if (random_.chance(1, 4)) {
      fields.kind = BundleKind::kOpen;
      fields.first = RequestNumber(random_.next());
      return make_bundle(fields, {}, [this](ByteView) { return signature(); });
    }
    fields.session = SessionId(1 + below(1'000'000));
    fields.acknowledged = RequestNumber(below(1'000));
    fields.first = RequestNumber(fields.acknowledged.value() + 1 + below(10));
    std::vector<Bytes> requests;
    for (uint64_t i = 1 + below(4); i > 0; --i) requests.push_back(bytes(20));
    return make_bundle(fields, requests, [this](ByteView) { return signature(); });
  }

 private:
  uint64_t below(uint64_t bound) { return random_.below(bound); }
  bool flip() { return random_.chance(1, 2); }
  View view() { return View(below(1u << 20)); }
  BatchNumber number() { return BatchNumber(random_.next()); }
  uint16_t verifier() { return static_cast<uint16_t>(below(limits::kMaxVerifiers)); }
  Bytes signature() { return flip() ? bytes(64) : Bytes(); }
  TreeNode node() { return {static_cast<uint8_t>(below(256)), random_.next()}; }
  Digest digest() {
    Digest digest;
    for (uint8_t& byte : digest.bytes) byte = static_cast<uint8_t>(random_.next());
    return digest;
  }
  Names names() {
    Names names(below(limits::kMaxPoison + 1));
    for (Digest& name : names) name = digest();
    std::sort(names.begin(), names.end());
    return names;
  }
  Room room() {
    Room room;
    for (size_t i = below(4); i > 0; --i) room.low.push_back(Address::executor(below(64)));
    for (size_t i = below(4); i > 0; --i) room.low.push_back(Address::verifier(below(96)));
    std::sort(room.low.begin(), room.low.end());
    room.low.erase(std::unique(room.low.begin(), room.low.end()), room.low.end());
    return room;
  }
  TokenParts parts() { return {number(), digest(), digest(), digest(), digest()}; }

  TimeUs time() { return static_cast<TimeUs>(random_.next()); }
  PairPoint point() { return {number(), digest()}; }
  PairTerm term() { return {view(), random_.next()}; }
  PairRecord record() {
    if (random_.chance(1, 4)) return {};
    PairRecord record{view(), {1 + below(9), 1 + below(9)}};
    if (flip()) record.lives[(record.epoch.value() + 1) % 2] = 0;
    return record;
  }

  Epoch epoch() { return Epoch(static_cast<uint32_t>(below(1000))); }
  Change change() {
    Change change{epoch(), {}, {}, bytes(20)};
    if (flip()) change.executor = static_cast<uint16_t>(below(limits::kMaxExecutors));
    if (flip() || !change.executor) change.verifier = verifier();
    return change;
  }
  Evidence evidence() {
    const auto bundle = make_change(change(), [this](ByteView) { return signature(); });
    const auto batch = make_batch(View(), number(), time(), random_.next(), {bundle}, digester());
    return {{batch->number, digest(), batch->digest, digest(), digest()}, batch};
  }
  Chain chain() {
    Chain chain;
    Epoch at = epoch();
    for (uint64_t i = below(3) + 1; i > 0; --i, at = at.next()) {
      Link link{at, evidence(), {}};
      for (uint16_t voter = 0; voter < below(4); ++voter) {
        link.farewells.push_back({voter, signature()});
      }
      chain.links.push_back(std::move(link));
    }
    return chain;
  }

  BatchPtr batch() {
    std::vector<BundlePtr> bundles;
    for (uint64_t i = below(4); i > 0; --i) bundles.push_back(bundle());
    return make_batch(view(), number(), static_cast<TimeUs>(random_.next()), random_.next(),
                      std::move(bundles), digester());
  }
  Reply reply() {
    Reply reply{SessionId(random_.next()),
                RequestNumber(random_.next()),
                static_cast<ReplyStatus>(1 + below(5)),
                view(),
                digest(),
                std::nullopt};
    if (flip()) reply.payload = SharedBytes(bytes(40));
    return reply;
  }
  Token token() {
    Token token{view(), parts(), {}};
    token.token = token_of(token.parts, digester());
    if (flip()) token.sole = digest();
    return token;
  }
  Certificate certificate() {
    Certificate certificate;
    certificate.token = digest();
    certificate.genesis = flip();
    if (certificate.genesis) return certificate;
    certificate.view = view();
    certificate.number = number();
    certificate.previous = digest();
    for (uint16_t i = 0; i < below(5); ++i) certificate.votes.push_back({i, signature()});
    return certificate;
  }
  ViewChange view_change(uint16_t from) {
    return {view(), certificate(), from, signature(), names()};
  }
  NewView new_view() {
    NewView start{view(), number(), digest(), {}, verifier(), signature()};
    for (uint16_t i = 0; i < below(5); ++i) start.proof.push_back(view_change(i));
    return start;
  }
  StateRequest state_request() {
    StateRequest request{number(), {}};
    for (uint64_t i = below(5); i > 0; --i) request.nodes.push_back(node());
    return request;
  }
  StateReply state_reply() {
    StateReply reply{number(), std::nullopt, {}};
    if (flip()) reply.parts = parts();
    for (uint64_t i = below(5); i > 0; --i) reply.nodes.push_back({node(), SharedBytes(bytes(30))});
    return reply;
  }

  Random random_;
};

/// All fields of a message as text, written without the codec: equal text, equal message.
class Description {
 public:
  explicit Description(const Message& message) {
    std::visit([this](const auto& fields) { add(fields); }, message);
  }
  const std::string& text() const { return text_; }

 private:
  template <typename... Fields>
  void all(const Fields&... fields) {
    text_ += '{';
    (add(fields), ...);
    text_ += '}';
  }
  void add(uint64_t number) { text_ += std::to_string(number) + ' '; }
  void add(ByteView bytes) { text_ += '"' + std::string(bytes) + "\" "; }
  void add(const Digest& digest) { text_ += digest.hex() + ' '; }
  void add(TreeNode node) { all(uint64_t{node.level}, node.index); }
  void add(const SharedBytes& bytes) { add(bytes.view()); }
  template <typename Tag, typename Rep>
  void add(StrongId<Tag, Rep> id) {
    add(id.value());
  }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void add(Enum value) { add(static_cast<uint64_t>(value)); }
  template <typename T>
  void add(const std::vector<T>& list) {
    text_ += '[';
    for (const T& element : list) add(element);
    text_ += ']';
  }
  template <typename T>
  void add(const std::optional<T>& value) {
    text_ += value ? "some " : "none ";
    if (value) add(*value);
  }

  void add(const Bundle& b) {
    all(b.kind, b.client, b.session, b.first, b.acknowledged, b.requests, ByteView(b.signature),
        b.raw, b.signed_part);
  }
  void add(const BundlePtr& bundle) { add(*bundle); }
  void add(const BundleMessage& m) { all(m.bundle, m.retry); }
  void add(const BatchMessage& m) {
    const Batch& b = *m.batch;
    all(b.view, b.number, b.time_us, b.seed, b.bundles, b.digest);
  }
  void add(const Reply& r) { all(r.session, r.first, r.status, r.view, r.digest, r.payload); }
  void add(const TokenParts& p) { all(p.number, p.previous, p.batch, p.state, p.replies); }
  void add(const Token& t) { all(t.view, t.parts, t.token, t.sole); }
  void add(const Verdict& v) { all(v.kind, v.view, v.number, v.token, v.quarantine); }
  void add(const Suspect& s) { all(s.view); }
  void add(const Hello& h) { all(h.restarted, h.view, h.committed); }
  void add(const Welcome& w) { all(w.promised, w.start, w.last); }
  void add(const Prepare& p) {
    all(p.view, p.number, p.token, p.previous, p.verifier, ByteView(p.signature));
  }
  void add(const Commit& c) { all(c.view, c.number, c.token); }
  void add(const Certificate::Vote& v) { all(v.verifier, ByteView(v.signature)); }
  void add(const Certificate& c) { all(c.genesis, c.view, c.number, c.token, c.previous, c.votes); }
  void add(const ViewChange& c) {
    all(c.view, c.prepared, c.verifier, ByteView(c.signature), c.poison);
  }
  void add(const NewView& n) {
    all(n.view, n.number, n.token, n.proof, n.verifier, ByteView(n.signature));
  }
  void add(const StateRequest& r) { all(r.number, r.nodes); }
  void add(const StateReply::Node& n) { all(n.id, n.payload); }
  void add(const Needed& n) { all(n.view, n.node.role, uint64_t{n.node.index}); }
  void add(const PairRecord& r) { all(r.epoch, r.lives[0], r.lives[1]); }
  void add(const PairTerm& t) { all(t.epoch, t.round); }
  void add(const PairPoint& p) { all(p.number, p.token); }
  void add(const PairBeat& b) {
    all(b.life, b.process, uint64_t(b.beat), uint64_t(b.echo), b.echo_of, b.met, b.resumed,
        b.record, b.joined, b.term, b.start, b.quarantine, b.committed, b.reached);
  }
  void add(const PairBatch& m) {
    all(m.term, m.committed);
    add(BatchMessage{m.batch});
  }
  void add(const PairToken& t) { all(t.term, t.reached); }
  void add(const Room& r) {
    for (const Address node : r.low) all(node.role, uint64_t{node.index});
  }
  void add(const Evidence& e) {
    add(e.parts);
    add(BatchMessage{e.batch});
  }
  void add(const EpochEnd& e) { all(e.epoch, e.evidence); }
  void add(const Farewell& f) {
    all(f.epoch, f.number, f.token, f.verifier, ByteView(f.signature));
  }
  void add(const Link& l) { all(l.epoch, l.evidence, l.farewells); }
  void add(const ChainWanted& w) { all(w.from); }
  void add(const Chain& c) { all(c.links); }
  void add(const Candidate& m) { add(m.bundle); }
  void add(const InEpoch& m) { all(m.epoch, Description(m.enclosed->message).text()); }
  void add(const StateReply& r) { all(r.number, r.parts, r.nodes); }

  std::string text_;
};

}  // namespace eve::wire::testing
