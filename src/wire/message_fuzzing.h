// For the fuzz targets of whole nodes: bytes that become messages of every kind, with fields of
// small domains and signatures that are right more often than not, so that runs go deep.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/quorum.h"
#include "crypto/authenticator.h"
#include "wire/codec.h"
#include "wire/membership.h"

namespace eve::wire::fuzzing {

/// Signatures that cost nothing: a hash of who signs what.
class Keys final : public crypto::Authenticator {
 public:
  explicit Keys(Address self) : self_(self) {}
  Bytes sign(crypto::Domain domain, ByteView bytes) const override {
    return of(self_, domain, bytes);
  }
  bool verify(Address signer, crypto::Domain domain, ByteView bytes,
              ByteView signature) const override {
    return signature == of(signer, domain, bytes);
  }
  static Bytes of(Address signer, crypto::Domain domain, ByteView bytes) {
    uint64_t hash =
        0xcbf29ce484222325ull ^ std::hash<Address>()(signer) << 8 ^ static_cast<uint64_t>(domain);
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    return Bytes(reinterpret_cast<const char*>(&hash), sizeof hash);
  }

 private:
  Address self_;
};

inline const crypto::Digester& digester() {
  static const crypto::Digester instance(crypto::DigestAlgorithm::kXxh3, crypto::Secret{7});
  return instance;
}

/// Makes messages out of the fuzzer's bytes. Digests come from a pool, to which the driver adds
/// what the node under test says (`learn`), so that messages refer to one another.
class MessageSource {
 public:
  MessageSource(FuzzedDataProvider& data, const FaultModel& model, const Digest& genesis)
      : data_(data), model_(model), genesis_(genesis), pool_{genesis, {}} {
    learn_name(digester().digest("a bundle"));
  }

  const FaultModel& model() const { return model_; }
  void learn(const Digest& digest) {
    if (pool_.size() < kMostDigests) pool_.push_back(digest);
  }
  void learn(const BatchPtr& batch) {
    if (batches_.size() < kMostDigests) batches_.push_back(batch);
  }
  /// What a bundle is called; `name` and `names` choose among these.
  void learn_name(const Digest& name) {
    if (names_.size() < kMostNames) names_.insert(name);
  }
  void learn(const StateReply& reply) {
    if (replies_.size() < kMostDigests) replies_.push_back(reply);
  }
  /// Numbers are near this one.
  void at(BatchNumber number) { near_ = number.value(); }
  void at(View view) { near_view_ = view.value(); }

  uint64_t small(uint64_t most) { return data_.ConsumeIntegralInRange<uint64_t>(0, most); }
  Address executor() { return Address::executor(small(model_.executors() - 1)); }
  Address verifier() { return Address::verifier(small(model_.verifiers() - 1)); }
  View view() { return View(near_view_ + small(3)); }
  BatchNumber number() { return BatchNumber(near_ + small(3)); }
  Digest digest() {
    if (data_.ConsumeBool()) return pool_.back();
    return pool_[data_.ConsumeIntegralInRange<size_t>(0, pool_.size() - 1)];
  }
  Digest name() {
    auto position = names_.begin();
    std::advance(position, static_cast<long>(small(names_.size() - 1)));
    return *position;
  }
  /// At most `most` names; none, mostly.
  Names names(size_t most) {
    Names result;
    if (small(3) != 0) return result;
    for (const Digest& name : names_) {
      if (result.size() < most && data_.ConsumeBool()) result.push_back(name);
    }
    return result;
  }
  /// Right, or seldom damaged; right once the input is used up.
  Bytes signature(Address signer, crypto::Domain domain, ByteView bytes) {
    if (small(15) == 15) return data_.ConsumeBytesAsString(small(9));
    return Keys::of(signer, domain, bytes);
  }

  TokenParts parts() { return {number(), digest(), digest(), digest(), digest()}; }
  Token token() {
    Token token{view(), parts(), {}};
    token.token = token_of(token.parts, digester());
    if (small(3) == 0) token.sole = name();
    learn(token.token);
    return token;
  }
  Prepare prepare(uint16_t verifier) {
    return prepare({view(), number(), digest(), digest(), verifier, {}});
  }
  Prepare prepare(Prepare prepare) {
    sign(prepare);
    return prepare;
  }
  Certificate certificate() {
    if (data_.ConsumeBool()) return {true, View(0), BatchNumber(0), genesis_, {}, {}};
    const uint64_t fewer = small(7) == 7 ? 1 : 0;
    const View prepared_in(near_view_ + small(1));
    return certificate({false, prepared_in, number(), digest(), digest(), {}},
                       model_.agreement() - fewer);
  }
  /// With votes of the first so many verifiers.
  Certificate certificate(Certificate without_votes, uint64_t voters) {
    Certificate result = std::move(without_votes);
    for (uint64_t i = 0; i < voters; ++i) {
      const auto voter = static_cast<uint16_t>(i);
      const Prepare vote =
          prepare({result.view, result.number, result.token, result.previous, voter, {}});
      result.votes.push_back({voter, vote.signature});
    }
    return result;
  }
  ViewChange view_change(View asked, uint16_t verifier) {
    return view_change(asked, verifier, certificate(), names(limits::kMaxPoison));
  }
  ViewChange view_change(View asked, uint16_t verifier, Certificate held, Names poison) {
    ViewChange change{asked, std::move(held), verifier, {}, std::move(poison)};
    change.signature =
        signature(Address::verifier(verifier), crypto::Domain::kViewChange, signed_bytes(change));
    return change;
  }
  NewView new_view() {
    const View begins = view();
    std::vector<ViewChange> proof;
    const uint64_t askers = model_.agreement() - (small(7) == 7 ? 1 : 0);
    const uint64_t first = small(model_.verifiers() - 1);
    for (uint64_t i = 0; i < askers; ++i) {
      const auto asker = static_cast<uint16_t>((first + i) % model_.verifiers());
      proof.push_back(view_change(begins, asker));
    }
    return new_view(begins, std::move(proof));
  }
  NewView new_view(View begins, std::vector<ViewChange> proof) {
    NewView result{begins, {}, genesis_, std::move(proof), 0, {}};
    result.verifier = static_cast<uint16_t>(begins.value() % model_.verifiers());
    const Certificate* best = nullptr;
    for (const ViewChange& change : result.proof) {
      const Certificate& held = change.prepared;
      if (held.genesis) continue;
      const auto height = std::pair(held.view, held.number);
      if (best == nullptr || height > std::pair(best->view, best->number)) best = &held;
    }
    if (best != nullptr) result.number = best->number;
    if (best != nullptr) result.token = best->token;
    if (small(15) == 15) result.number = number();
    result.signature = signature(Address::verifier(result.verifier), crypto::Domain::kNewView,
                                 signed_bytes(result));
    return result;
  }
  Verdict verdict() {
    const VerdictKind kind = data_.ConsumeBool() ? VerdictKind::kCommit : VerdictKind::kRollback;
    Verdict verdict{kind, view(), number(), digest()};
    if (kind == VerdictKind::kRollback) verdict.quarantine = names(limits::kMaxQuarantine);
    return verdict;
  }
  Welcome welcome() {
    Welcome welcome{view(), verdict(), verdict()};
    if (small(7) != 7) welcome.start.kind = VerdictKind::kRollback;
    if (small(7) != 7) welcome.last.kind = VerdictKind::kCommit;
    if (welcome.start.kind == VerdictKind::kCommit) welcome.start.quarantine.clear();
    if (welcome.last.kind == VerdictKind::kCommit) welcome.last.quarantine.clear();
    return welcome;
  }
  Needed needed() {
    const Address node = data_.ConsumeBool() ? executor() : verifier();
    return {view(), node};
  }
  BundlePtr bundle(std::vector<Bytes> requests, SessionId session, RequestNumber first) {
    BundleFields fields{BundleKind::kCall, static_cast<uint16_t>(small(1)), session, first,
                        RequestNumber(small(first.value() - 1))};
    if (requests.empty()) {
      fields = {BundleKind::kOpen, fields.client, SessionId(), RequestNumber(small(2)), {}};
    }
    BundlePtr bundle = make_bundle(fields, requests, [&](ByteView bytes) {
      return signature(Address::client(fields.client), crypto::Domain::kBundle, bytes);
    });
    learn_name(bundle_name(*bundle, digester()));
    return bundle;
  }
  /// A batch of `bundles`, or one that was seen before, in whatever view.
  BatchMessage batch(std::vector<BundlePtr> bundles, TimeUs now) {
    if (!batches_.empty() && data_.ConsumeBool()) {
      const auto& seen = batches_[data_.ConsumeIntegralInRange<size_t>(0, batches_.size() - 1)];
      return {
          make_batch(view(), seen->number, seen->time_us, seen->seed, seen->bundles, digester())};
    }
    return {make_batch(view(), number(), now + static_cast<TimeUs>(small(3)) - 1, small(1),
                       std::move(bundles), digester())};
  }
  StateRequest state_request() {
    StateRequest request{number(), {}};
    for (uint64_t i = small(3); i > 0; --i) request.nodes.push_back(tree_node());
    return request;
  }
  StateReply state_reply() {
    if (!replies_.empty() && small(3) != 0) {
      return replies_[data_.ConsumeIntegralInRange<size_t>(0, replies_.size() - 1)];
    }
    StateReply reply{number(), std::nullopt, {}};
    if (data_.ConsumeBool()) reply.parts = parts();
    if (reply.parts) learn(token_of(*reply.parts, digester()));
    for (uint64_t i = small(3); i > 0; --i) {
      reply.nodes.push_back({tree_node(), SharedBytes(data_.ConsumeBytesAsString(small(40)))});
    }
    return reply;
  }

  // ---- Epochs (tags 20 to 24). Near `present`; signed by `sign`, for a seat of it.

  using SignAs = std::function<Bytes(uint16_t verifier, crypto::Domain domain, ByteView bytes)>;
  Epoch epoch(Epoch present) {
    const uint64_t which = small(7);
    if (which == 7) return present.next();
    if (which == 6 && present > Epoch()) return Epoch(present.value() - 1);
    return present;
  }
  /// Of a change that was executed, mostly; of the present epoch, mostly.
  Evidence evidence(Epoch present, BatchNumber at) {
    Change change{epoch(present), std::nullopt, std::nullopt, data_.ConsumeBytesAsString(small(3))};
    const uint64_t seats = small(2);
    if (seats != 0) change.executor = static_cast<uint16_t>(small(model_.executors()));
    if (seats != 1) change.verifier = static_cast<uint16_t>(small(model_.verifiers()));
    const BundlePtr bundle = make_change(change, [](ByteView) { return Bytes("operator"); });
    const BatchPtr batch = make_batch(View(), at, 1, small(1), {bundle}, digester());
    const ReplyStatus status = small(15) == 15 ? ReplyStatus::kOutOfOrder : ReplyStatus::kExecuted;
    const Digest reply = reply_digest(status, change_reply(change.epoch.next()), digester());
    TokenParts parts{batch->number, digest(), batch->digest, digest(),
                     digester().digest(reply.view())};
    if (small(15) == 15) parts.batch = digest();
    learn(token_of(parts, digester()));
    return {parts, batch};
  }
  Farewell farewell(Epoch of, const Evidence& ends, uint16_t verifier, const SignAs& sign) {
    Farewell said{of, ends.parts.number, token_of(ends.parts, digester()), verifier, {}};
    if (small(15) == 15) said.token = digest();
    if (small(15) == 15) said.number = number();
    said.signature = small(15) == 15
                         ? data_.ConsumeBytesAsString(small(9))
                         : sign(verifier, crypto::Domain::kFarewell, signed_bytes(said));
    return said;
  }
  /// With farewells of as many verifiers as it takes, or one less; some of them twice.
  Link link(Epoch of, const Evidence& ends, const SignAs& sign) {
    Link made{of, ends, {}};
    const uint64_t first = small(model_.verifiers() - 1);
    const uint64_t count = model_.agreement() - (small(7) == 7 ? 1 : 0);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t seat = small(15) == 15 ? first : first + i;
      const auto verifier = static_cast<uint16_t>(seat % model_.verifiers());
      made.farewells.push_back({verifier, farewell(of, ends, verifier, sign).signature});
    }
    return made;
  }
  InEpoch in_epoch(Epoch of, Message message) {
    return {of, std::make_shared<const Enclosed>(Enclosed{std::move(message)})};
  }

 private:
  static constexpr size_t kMostDigests = 64;
  static constexpr size_t kMostNames = 6;
  void sign(Prepare& prepare) {
    prepare.signature = signature(Address::verifier(prepare.verifier), crypto::Domain::kPrepare,
                                  signed_bytes(prepare));
  }
  TreeNode tree_node() {
    if (data_.ConsumeBool()) return TreeNode{TreeNode::kRootLevel, 0};
    return TreeNode{static_cast<uint8_t>(small(2)), small(2)};
  }

  FuzzedDataProvider& data_;
  const FaultModel model_;
  const Digest genesis_;
  std::vector<Digest> pool_;
  std::set<Digest> names_;
  std::vector<BatchPtr> batches_;
  std::vector<StateReply> replies_;
  uint64_t near_ = 0;
  uint64_t near_view_ = 0;
};

/// What leaves a node has to be readable by others.
inline void check_encodes(const Message& message) {
  const Bytes bytes = encode(message);
  auto read = decode(SharedBytes(bytes), digester());
  EVE_CHECK(read.ok(), "a node sends what others can read");
  EVE_CHECK(encode(*read) == bytes, "and understand as it was meant");
}

}  // namespace eve::wire::fuzzing
