// One idea of a lying node. A strategy sees what the correct code under it would send (and lets it
// pass, changes it, splits it, delays it or drops it), hears all that the node is sent, and has a
// timer on which it may say what it likes. Strategies of one node form a chain: what one lets pass,
// the next one sees. Each is a class of its own, made of one of the adapters below where it has no
// memory.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "base/random.h"
#include "crypto/authenticator.h"
#include "crypto/digest.h"
#include "sim/adversary/conspiracy.h"
#include "wire/messages.h"

namespace eve::sim::adversary {

/// What leaves a lying node, when its time has come.
struct Utterance {
  std::vector<Address> to;
  wire::MessagePtr message;
  TimeUs delay_us = 0;
  Bytes frame;  ///< if not empty: these bytes instead of the message's
};

/// Who lies, with what. The references outlive it.
struct Identity {
  Address self;
  FaultModel model{1, 1};
  uint16_t clients = 0;    ///< of the cluster
  crypto::Digest genesis;  ///< token of batch 0
  const crypto::Authenticator& authenticator;
  const crypto::Digester& digester;
  Conspiracy& known;
};

/// What a strategy has at hand while it acts.
class Turn {
 public:
  Turn(const Identity& identity, TimeUs now, Random& numbers, std::vector<Utterance>& out)
      : me(identity), now_us(now), random(numbers), out_(out) {}

  /// As it is, or changed.
  void pass(Utterance utterance) { out_.push_back(std::move(utterance)); }
  void say(std::vector<Address> to, wire::Message message, TimeUs delay_us = 0) {
    if (to.empty()) return;
    pass({std::move(to), std::make_shared<const wire::Message>(std::move(message)), delay_us, {}});
  }

  /// All but this node.
  std::vector<Address> executors() const { return others(Role::kExecutor, me.model.executors()); }
  std::vector<Address> verifiers() const { return others(Role::kVerifier, me.model.verifiers()); }
  /// One of them. Precondition: not empty.
  template <typename T>
  const T& one_of(const std::vector<T>& many) {
    return many[random.below(many.size())];
  }
  /// A digest that nobody computed; all liars make up the same one for the same `about`.
  crypto::Digest made_up(uint64_t about) const {
    return me.digester.digest("a lie about " + std::to_string(about));
  }

  const Identity& me;
  const TimeUs now_us;
  Random& random;

 private:
  std::vector<Address> others(Role role, uint32_t count) const {
    std::vector<Address> all;
    for (uint16_t i = 0; i < count; ++i) {
      if (Address{role, i} != me.self) all.push_back({role, i});
    }
    return all;
  }

  std::vector<Utterance>& out_;
};

class Strategy {
 public:
  virtual ~Strategy() = default;
  /// The node would say this.
  virtual void send(const Utterance& truth, Turn& turn) { turn.pass(truth); }
  /// The node was sent this.
  virtual void hear(const wire::Message&, Address, Turn&) {}
  /// Now and then.
  virtual void tick(Turn&) {}
};

using StrategyPtr = std::unique_ptr<Strategy>;

// ---- Adapters ----------------------------------------------------------------------------------

/// Messages of one kind, as a whole.
template <typename Kind>
class OnSending : public Strategy {
 public:
  void send(const Utterance& truth, Turn& turn) final {
    if (const auto* body = std::get_if<Kind>(truth.message.get())) {
      sending(*body, truth, turn);
    } else {
      turn.pass(truth);
    }
  }

 protected:
  virtual void sending(const Kind& body, const Utterance& truth, Turn& turn) = 0;
};

/// Each receiver of a message of one kind gets what `change` makes of it: itself, another message,
/// or nothing.
template <typename Kind>
class ToEach final : public OnSending<Kind> {
 public:
  using Change = std::function<std::optional<Kind>(const Kind&, Address to, Turn&)>;
  explicit ToEach(Change change) : change_(std::move(change)) {}

 private:
  void sending(const Kind& body, const Utterance& truth, Turn& turn) override {
    for (const Address to : truth.to) {
      if (auto changed = change_(body, to, turn)) {
        turn.say({to}, *std::move(changed), truth.delay_us);
      }
    }
  }
  Change change_;
};

/// All receivers get the same instead.
template <typename Kind>
class ToAll final : public OnSending<Kind> {
 public:
  using Change = std::function<std::optional<Kind>(const Kind&, Turn&)>;
  explicit ToAll(Change change) : change_(std::move(change)) {}

 private:
  void sending(const Kind& body, const Utterance& truth, Turn& turn) override {
    if (auto changed = change_(body, turn)) turn.say(truth.to, *std::move(changed), truth.delay_us);
  }
  Change change_;
};

/// Every message, whatever its kind.
class ToAny final : public Strategy {
 public:
  using Change = std::function<void(const Utterance&, Turn&)>;
  explicit ToAny(Change change) : change_(std::move(change)) {}
  void send(const Utterance& truth, Turn& turn) override { change_(truth, turn); }

 private:
  Change change_;
};

/// Speaks when it is spoken to.
template <typename Kind>
class OnHearing final : public Strategy {
 public:
  using Act = std::function<void(const Kind&, Address from, Turn&)>;
  explicit OnHearing(Act act) : act_(std::move(act)) {}
  void hear(const wire::Message& message, Address from, Turn& turn) override {
    if (const auto* body = std::get_if<Kind>(&message)) act_(*body, from, turn);
  }

 private:
  Act act_;
};

/// Speaks by itself.
class Now final : public Strategy {
 public:
  using Act = std::function<void(Turn&)>;
  explicit Now(Act act) : act_(std::move(act)) {}
  void tick(Turn& turn) override { act_(turn); }

 private:
  Act act_;
};

}  // namespace eve::sim::adversary
