// For the tests of this room: keys that cost nothing, one verifier among forged peers, and a small
// cluster in memory whose messages a test may drop, delay, repeat or change.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "verification/certificate.h"
#include "verification/verifier.h"
#include "verification/votes.h"
#include "wire/codec.h"

namespace eve::verification::testing {

/// A digest with this name.
inline crypto::Digest digest(ByteView name) {
  crypto::Digest result;
  uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  Random random(hash);
  for (auto& byte : result.bytes) byte = static_cast<uint8_t>(random.next());
  return result;
}

inline const crypto::Digest kGenesis = digest("genesis");

/// Signatures that only the simulated signer makes.
class TestKeys final : public crypto::Authenticator {
 public:
  explicit TestKeys(Address self) : self_(self) {}
  Bytes sign(crypto::Domain domain, ByteView bytes) const override {
    return of(self_, domain, bytes);
  }
  bool verify(Address signer, crypto::Domain domain, ByteView bytes,
              ByteView signature) const override {
    ++verified;
    return signature == of(signer, domain, bytes);
  }
  mutable size_t verified = 0;

 private:
  static Bytes of(Address signer, crypto::Domain domain, ByteView bytes) {
    uint64_t hash =
        0xcbf29ce484222325ull ^ (std::hash<Address>()(signer) << 8) ^ static_cast<uint64_t>(domain);
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    return std::to_string(Random(hash).next());
  }
  Address self_;
};

inline const crypto::Digester& digester() {
  static const crypto::Digester instance(crypto::DigestAlgorithm::kXxh3, {});
  return instance;
}

inline wire::Token make_token(uint64_t view, uint64_t number, const crypto::Digest& token,
                              const crypto::Digest& previous) {
  return {View(view), {BatchNumber(number), previous, {}, {}, {}}, token};
}

/// What verifier `index` would sign.
class Signer {
 public:
  Signer(const FaultModel& model, uint16_t index, BatchNumber start = BatchNumber())
      : keys_(Address::verifier(index)), notary_(model, index, kGenesis, keys_, start) {}
  wire::Prepare prepare(uint64_t view, uint64_t number, const crypto::Digest& token,
                        const crypto::Digest& previous) const {
    wire::Prepare prepare{View(view), BatchNumber(number), token, previous, 0, {}};
    notary_.sign(prepare);
    return prepare;
  }
  wire::ViewChange change(uint64_t view, const wire::Certificate& held) const {
    wire::ViewChange change{View(view), held, 0, {}};
    notary_.sign(change);
    return change;
  }
  wire::NewView new_view(uint64_t view, std::vector<wire::ViewChange> proof) const {
    const Point chosen = notary_.place_of(start_point(proof));
    wire::NewView result{View(view), chosen.number, chosen.token, std::move(proof), 0, {}};
    notary_.sign(result);
    return result;
  }
  const Notary& notary() const { return notary_; }
  const TestKeys& keys() const { return keys_; }

 private:
  TestKeys keys_;
  Notary notary_;
};

inline wire::Certificate genesis_certificate() {
  wire::Certificate genesis;
  genesis.token = kGenesis;
  return genesis;
}

inline wire::Certificate make_certificate(const FaultModel& model, std::vector<uint16_t> voters,
                                          uint64_t view, uint64_t number,
                                          const crypto::Digest& token,
                                          const crypto::Digest& previous) {
  wire::Certificate result{false, View(view), BatchNumber(number), token, previous, {}};
  for (const uint16_t voter : voters) {
    const auto prepare = Signer(model, voter).prepare(view, number, token, previous);
    result.votes.push_back({voter, prepare.signature});
  }
  return result;
}

inline VerifierOptions make_options(const FaultModel& model, uint16_t index) {
  VerifierOptions options;
  options.model = model;
  options.index = index;
  options.genesis = kGenesis;
  return options;
}

/// Verifier 0 of a cluster whose other members are the test.
class Lone {
 public:
  explicit Lone(const FaultModel& fault_model, std::optional<View> lost = std::nullopt,
                BatchNumber start = BatchNumber())
      : model(fault_model), keys(Address::verifier(0)) {
    for (uint32_t i = 0; i < model.verifiers(); ++i) {
      signers.push_back(std::make_unique<Signer>(model, static_cast<uint16_t>(i), start));
    }
    auto options = make_options(model, 0);
    options.start = start;
    options.lost_promises_at = lost;
    verifier = std::make_unique<Verifier>(options, keys, digester());
    verifier->start(now, out);
  }
  /// Delivers and lets it act.
  void give(Address from, const wire::Message& message) {
    verifier->receive(message, from, now, out);
    verifier->idle(now, out);
  }
  void token(uint16_t executor, uint64_t view, uint64_t number, ByteView name,
             const crypto::Digest& previous) {
    give(Address::executor(executor), make_token(view, number, digest(name), previous));
  }
  void prepare(uint16_t peer, uint64_t view, uint64_t number, ByteView name,
               const crypto::Digest& previous) {
    give(Address::verifier(peer), signers[peer]->prepare(view, number, digest(name), previous));
  }
  void commit(uint16_t peer, uint64_t view, uint64_t number, ByteView name) {
    give(Address::verifier(peer), wire::Commit{View(view), BatchNumber(number), digest(name)});
  }
  void wait(TimeUs us) {
    const TimeUs until = now + us;
    while (verifier->deadline() <= until) {
      now = std::max(now, verifier->deadline());
      verifier->tick(now, out);
      ASSERT_GT(verifier->deadline(), now) << "a timer that does not move on";
    }
    now = until;
  }
  /// The messages of one kind sent since the last call, each once however many it went to.
  template <typename Kind>
  std::vector<Kind> sent() {
    std::vector<Kind> found;
    std::erase_if(out.sends, [&](const wire::Send& send) {
      const auto* message = std::get_if<Kind>(send.message.get());
      if (message != nullptr) found.push_back(*message);
      return message != nullptr;
    });
    return found;
  }
  VerifierStatus status() const { return verifier->status(); }

  FaultModel model;
  TestKeys keys;
  std::vector<std::unique_ptr<Signer>> signers;
  std::unique_ptr<Verifier> verifier;
  TimeUs now = 1'000;
  Outbox out;
};

struct Envelope {
  Address from;
  Address to;
  wire::MessagePtr message;
};

/// All verifiers, links that keep order unless the test reorders them, and executors that only
/// listen. Checks at every send: promises are durable before they are made, and no two verifiers
/// that are not marked as liars report different tokens for one number.
class Cluster {
 public:
  explicit Cluster(const FaultModel& fault_model) : model(fault_model) {
    for (uint32_t i = 0; i < model.verifiers(); ++i) {
      keys_.push_back(std::make_unique<TestKeys>(Address::verifier(i)));
      persisted.emplace_back();
      kept.emplace_back(kGenesis);
      lately.emplace_back();
      nodes.emplace_back();
    }
    for (uint16_t i = 0; i < nodes.size(); ++i) boot(i);
  }
  /// Starts verifier `index`, again without its promises if it ran before; with them if it
  /// `remembers`.
  void boot(uint16_t index) {
    auto options = make_options(model, index);
    lately[index].clear();
    if (remembers && persisted[index]) {
      options.recovered = kept[index];
    } else {
      options.lost_promises_at = persisted[index];
    }
    nodes[index] = std::make_unique<Verifier>(options, *keys_[index], digester());
    Outbox out;
    nodes[index]->start(now, out);
    collect(index, out);
  }
  void crash(uint16_t index) { nodes[index].reset(); }

  void send(Address from, Address to, const wire::Message& message) {
    queue.push_back({from, to, std::make_shared<const wire::Message>(message)});
  }
  /// To these verifiers; to all if none are named.
  void token(uint16_t executor, uint64_t view, uint64_t number, ByteView name,
             const crypto::Digest& previous, std::set<uint16_t> to = {}) {
    for (uint16_t i = 0; i < nodes.size(); ++i) {
      if (!to.empty() && !to.contains(i)) continue;
      send(Address::executor(executor), Address::verifier(i),
           make_token(view, number, digest(name), previous));
    }
  }
  void deliver(const Envelope& envelope) {
    if (envelope.to.role == Role::kExecutor) {
      if (const auto* verdict = std::get_if<wire::Verdict>(envelope.message.get())) {
        if (on_verdict) on_verdict(envelope.from.index, envelope.to.index, *verdict);
      }
      return;
    }
    Verifier* node = nodes[envelope.to.index].get();
    if (node == nullptr) return;
    Outbox out;
    node->receive(*envelope.message, envelope.from, now, out);
    node->idle(now, out);
    collect(envelope.to.index, out);
  }
  /// Delivers everything that passes, in order, until nothing is under way.
  void run() {
    while (!queue.empty()) {
      const Envelope next = queue.front();
      queue.pop_front();
      if (!pass || pass(next)) deliver(next);
    }
  }
  /// Fires what is due at `time`, which is now, and delivers nothing.
  void fire(TimeUs time) {
    now = time;
    for (uint16_t i = 0; i < nodes.size(); ++i) {
      if (!nodes[i] || nodes[i]->deadline() > now) continue;
      Outbox out;
      nodes[i]->tick(now, out);
      collect(i, out);
      EXPECT_GT(nodes[i]->deadline(), now) << "a timer that does not move on";
    }
  }
  /// Lets every timer up to `until` fire, in order, and what they send arrive.
  void tick_until(TimeUs until) {
    for (;;) {
      TimeUs first = until + 1;
      for (const auto& node : nodes) {
        if (node) first = std::min(first, node->deadline());
      }
      if (first > until) break;
      fire(std::max(now, first));
      run();
    }
    now = until;
  }
  void wait(TimeUs us) {
    run();
    tick_until(now + us);
  }
  VerifierStatus status(uint16_t index) const { return nodes[index]->status(); }
  /// Verifiers that run and have committed `number` in a view that has started.
  size_t settled(uint64_t number) const {
    size_t count = 0;
    for (const auto& node : nodes) {
      if (!node) continue;
      const auto status = node->status();
      count += status.committed == BatchNumber(number) && status.phase == "normal" ? 1 : 0;
    }
    return count;
  }

  FaultModel model;
  TimeUs now = 1'000;
  std::vector<std::unique_ptr<Verifier>> nodes;
  std::vector<std::optional<View>> persisted;  ///< what survives a restart
  bool remembers = false;
  std::vector<Promises> kept;                ///< what survives a restart of one that remembers
  std::vector<std::vector<Promise>> lately;  ///< and what may not, for nothing came after it
  std::deque<Envelope> queue;
  std::function<bool(const Envelope&)> pass;
  std::function<void(uint16_t verifier, uint16_t executor, const wire::Verdict&)> on_verdict;
  /// May change what a liar sends, message by message; the rest of its effects are void.
  std::map<uint16_t, std::function<void(Envelope)>> liars;
  std::map<BatchNumber, crypto::Digest> agreed;  ///< every token that a correct one reported

  /// As if the disk had got it, although nobody waited for that.
  void keep_all(uint16_t index) {
    for (const Promise& promise : lately[index]) {
      EXPECT_TRUE(kept[index].apply(promise)) << "a promise that contradicts an earlier one";
    }
    lately[index].clear();
  }

 private:
  void collect(uint16_t from, const Outbox& out) {
    if (const auto view = highest_view(out.promises)) {
      EXPECT_GE(*view, persisted[from].value_or(View(0)));
      persisted[from] = view;
    }
    for (const Promise& promise : out.promises) {
      lately[from].push_back(promise);
      if (binds(promise)) keep_all(from);
    }
    for (const auto& send : out.sends) {
      if (!liars.contains(from)) check(from, *send.message);
      for (const Address to : send.to) {
        const Envelope envelope{Address::verifier(from), to, send.message};
        if (liars.contains(from)) {
          liars[from](envelope);
        } else {
          queue.push_back(envelope);
        }
      }
    }
  }
  void check(uint16_t from, const wire::Message& message) {
    const Promises& own = kept[from];
    const auto over = [&own](View view, BatchNumber number) {  // in the same step
      return view < own.view() || number <= own.last.number;
    };
    if (const auto* prepare = std::get_if<wire::Prepare>(&message)) {
      const auto found = own.prepares.find(prepare->number);
      const bool there = found != own.prepares.end() && found->second.token == prepare->token;
      EXPECT_TRUE(there || over(prepare->view, prepare->number)) << "a PREPARE that is not kept";
    }
    if (const auto* commit = std::get_if<wire::Commit>(&message)) {
      const auto found = own.certificates.find(commit->number);
      const bool there = found != own.certificates.end() && found->second.view == commit->view;
      EXPECT_TRUE(there || over(commit->view, commit->number)) << "a COMMIT without a certificate";
    }
    if (const auto* verdict = std::get_if<wire::Verdict>(&message)) {
      const auto [found, first] = agreed.emplace(verdict->number, verdict->token);
      EXPECT_EQ(found->second, verdict->token)
          << "verifier " << from << " reports another batch " << verdict->number.value();
    }
    View promise;
    if (const auto* prepare = std::get_if<wire::Prepare>(&message)) promise = prepare->view;
    if (const auto* change = std::get_if<wire::ViewChange>(&message)) promise = change->view;
    EXPECT_TRUE(persisted[from]) << "sends before it recorded that it runs";
    EXPECT_GE(persisted[from].value_or(View(0)), promise) << "promises before it persists";
    if (const auto* prepare = std::get_if<wire::Prepare>(&message)) {
      const Link link{prepare->token, prepare->previous};
      const auto key = std::make_tuple(from, prepare->view, prepare->number);
      EXPECT_EQ(prepares_.emplace(key, link).first->second, link) << "a second PREPARE";
    }
  }

  std::vector<std::unique_ptr<TestKeys>> keys_;
  std::map<std::tuple<uint16_t, View, BatchNumber>, Link> prepares_;
};

}  // namespace eve::verification::testing
