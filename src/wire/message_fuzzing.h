// For the fuzz targets of whole nodes: bytes that become messages of every kind, with fields of
// small domains and signatures that are right more often than not, so that runs go deep.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/quorum.h"
#include "crypto/authenticator.h"
#include "wire/codec.h"

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
      : data_(data), model_(model), genesis_(genesis), pool_{genesis, {}} {}

  void learn(const Digest& digest) {
    if (pool_.size() < kMostDigests) pool_.push_back(digest);
  }
  void learn(const BatchPtr& batch) {
    if (batches_.size() < kMostDigests) batches_.push_back(batch);
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
  /// Right, or else damaged.
  Bytes signature(Address signer, crypto::Domain domain, ByteView bytes) {
    if (small(15) == 0) return data_.ConsumeBytesAsString(small(9));
    return Keys::of(signer, domain, bytes);
  }

  TokenParts parts() { return {number(), digest(), digest(), digest(), digest()}; }
  Token token() {
    Token token{view(), parts(), {}};
    token.token = token_of(token.parts, digester());
    learn(token.token);
    return token;
  }
  Prepare prepare(uint16_t verifier) {
    Prepare prepare{view(), number(), digest(), digest(), verifier, {}};
    sign(prepare);
    return prepare;
  }
  Certificate certificate() {
    Certificate certificate{data_.ConsumeBool(), View(0), BatchNumber(0), genesis_, {}, {}};
    if (certificate.genesis) return certificate;
    certificate = {false, View(near_view_ + small(1)), number(), digest(), digest(), {}};
    const uint64_t voters = model_.agreement() - (small(7) == 0 ? 1 : 0);
    for (uint64_t i = 0; i < voters; ++i) {
      Prepare prepare{certificate.view,     certificate.number,       certificate.token,
                      certificate.previous, static_cast<uint16_t>(i), {}};
      sign(prepare);
      certificate.votes.push_back({prepare.verifier, prepare.signature});
    }
    return certificate;
  }
  ViewChange view_change(View asked, uint16_t verifier) {
    ViewChange change{asked, certificate(), verifier, {}};
    change.signature =
        signature(Address::verifier(verifier), crypto::Domain::kViewChange, signed_bytes(change));
    return change;
  }
  NewView new_view() {
    NewView result{view(), {}, genesis_, {}, 0, {}};
    result.verifier = static_cast<uint16_t>(result.view.value() % model_.verifiers());
    const uint64_t askers = model_.agreement() - (small(7) == 0 ? 1 : 0);
    const uint64_t first = small(model_.verifiers() - 1);
    for (uint64_t i = 0; i < askers; ++i) {
      const auto asker = static_cast<uint16_t>((first + i) % model_.verifiers());
      result.proof.push_back(view_change(result.view, asker));
    }
    const Certificate* best = nullptr;
    for (const ViewChange& change : result.proof) {
      const Certificate& held = change.prepared;
      if (held.genesis) continue;
      const auto height = std::pair(held.view, held.number);
      if (best == nullptr || height > std::pair(best->view, best->number)) best = &held;
    }
    if (best != nullptr) result.number = best->number;
    if (best != nullptr) result.token = best->token;
    if (small(15) == 0) result.number = number();
    result.signature = signature(Address::verifier(result.verifier), crypto::Domain::kNewView,
                                 signed_bytes(result));
    return result;
  }
  Verdict verdict() {
    const VerdictKind kind = data_.ConsumeBool() ? VerdictKind::kCommit : VerdictKind::kRollback;
    return {kind, view(), number(), digest()};
  }
  Welcome welcome() {
    Welcome welcome{view(), verdict(), verdict()};
    if (small(7) != 0) welcome.start.kind = VerdictKind::kRollback;
    if (small(7) != 0) welcome.last.kind = VerdictKind::kCommit;
    return welcome;
  }
  BundlePtr bundle(std::vector<Bytes> requests, SessionId session, RequestNumber first) {
    BundleFields fields{BundleKind::kCall, static_cast<uint16_t>(small(1)), session, first,
                        RequestNumber(small(first.value()))};
    if (requests.empty()) {
      fields = {BundleKind::kOpen, fields.client, SessionId(), RequestNumber(small(2)), {}};
    }
    return make_bundle(fields, requests, [&](ByteView bytes) {
      return signature(Address::client(fields.client), crypto::Domain::kBundle, bytes);
    });
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

 private:
  static constexpr size_t kMostDigests = 64;
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
