// libFuzzer: a steward among nodes that send whatever the input says about epochs, authentic for
// the most part. Checks what no sequence of messages may break (docs/membership.md M5, M6, M8, M9).
#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/limits.h"
#include "membership/epoch_keys.h"
#include "membership/steward.h"
#include "wire/message_fuzzing.h"

namespace eve::membership {
namespace {

using namespace wire;
using wire::fuzzing::digester;
using wire::fuzzing::Keys;
using wire::fuzzing::MessageSource;

constexpr size_t kMostSteps = 160;
constexpr size_t kMostSends = 64;
constexpr TimeUs kLongestUs = 300'000;

/// What a verifier of these members signs.
Bytes signed_as(const Members& members, uint16_t verifier, crypto::Domain domain, ByteView bytes) {
  if (verifier >= members.verifiers.size()) return "nobody";
  const Keys node(members.node_at(Address::verifier(verifier)));
  return EpochKeys(node, members).sign(domain, bytes);
}

class Driver {
 public:
  Driver(FuzzedDataProvider& data, const FaultModel& model, Address self)
      : model_(model),
        self_(self),
        keys_(self),
        source_(data, model, genesis_),
        steward_({model, self}, beginning(), keys_, digester()) {}

  void step() {
    const Beginning present = steward_.present();
    source_.at(present.number);
    const uint64_t kind = source_.small(7);
    if (kind == 0) {
      now_ += static_cast<TimeUs>(source_.small(kLongestUs));
      steward_.tick(now_, out_);
    } else if (kind == 1) {
      evidence_ = source_.evidence(present.members.epoch, source_.number());
    } else if (kind == 2 && evidence_ && self_.role == Role::kVerifier) {
      steward_.committed(evidence_->parts.number, token_of(evidence_->parts, digester()));
    } else {
      hear(present);
    }
    settle(present);
  }

 private:
  Succession beginning() const {
    return Succession(
        model_, {Members::first(model_), BatchNumber(), genesis_},
        [](const Members& members) {
          static const Keys anybody(Address::verifier(0));
          return std::make_unique<EpochKeys>(anybody, members);
        },
        digester());
  }

  void hear(const Beginning& present) {
    const Address seat = source_.small(1) == 0 ? source_.executor() : source_.verifier();
    Address from = source_.small(15) == 15 ? seat : present.members.node_at(seat);
    if (steward_.coming() && source_.small(7) == 7) from = *steward_.coming();
    if (from == self_) return;  // links authenticate who sends, and nobody has one with itself
    const Message message = about_epochs(present, seat);
    const auto heard = steward_.receive(message, from, now_, out_);
    if (!heard) return;
    EVE_CHECK(heard->message != nullptr, "what is heard is there");
    const auto* enclosed = std::get_if<InEpoch>(&message);
    EVE_CHECK((enclosed == nullptr ? Epoch() : enclosed->epoch) == present.members.epoch,
              "a word of another epoch is heard");
    const bool helper = heard->from == Address::executor(model_.executors());
    if (heard->from == Address::executor(model_.executors() + 1)) return check_guest(*heard, from);
    EVE_CHECK(helper || present.members.node_at(heard->from) == from, "it is heard as another");
  }

  /// M14: whom the operator has announced, about state.
  void check_guest(const Steward::Heard& heard, Address from) const {
    EVE_CHECK(std::holds_alternative<StateRequest>(*heard.message), "a candidate takes part");
    EVE_CHECK(announced_ && announced_->executor && steward_.candidate() == announced_,
              "nobody has announced it");
    const auto next = members_.after(*announced_);
    EVE_CHECK(next && next->node_at(Address::executor(*announced_->executor)) == from,
              "another than was announced is heard");
  }

  /// Of who comes by a change that may be; signed by the operator, mostly.
  Candidate candidate(const Beginning& present) {
    const auto evidence = source_.evidence(present.members.epoch, source_.number());
    const auto change = change_in(*evidence.batch);
    bool right = true;
    const auto bundle = make_change(*change, [&](ByteView bytes) {
      const Bytes signature =
          source_.signature(Address::client(limits::kOperator), crypto::Domain::kBundle, bytes);
      right =
          signature == Keys::of(Address::client(limits::kOperator), crypto::Domain::kBundle, bytes);
      return signature;
    });
    if (right && present.members.after(*change)) signed_.push_back(*change);
    return {bundle};
  }

  Message about_epochs(const Beginning& present, Address seat) {
    const Epoch epoch = source_.epoch(present.members.epoch);
    const auto sign = [&present](uint16_t verifier, crypto::Domain domain, ByteView bytes) {
      return signed_as(present.members, verifier, domain, bytes);
    };
    if (!evidence_) evidence_ = source_.evidence(present.members.epoch, source_.number());
    switch (source_.small(6)) {
      case 0:
        return EpochEnd{epoch, *evidence_};
      case 1:
        return source_.farewell(epoch, *evidence_, seat.index, sign);
      case 2:
        return ChainWanted{epoch};
      case 3: {
        Chain chain;
        for (uint64_t i = 0; i <= source_.small(2); ++i) {
          chain.links.push_back(source_.link(epoch, *evidence_, sign));
        }
        return chain;
      }
      case 4:
        return source_.in_epoch(epoch, source_.state_request());
      case 5:
        return candidate(present);
      default:
        return source_.token();
    }
  }

  void settle(const Beginning& before) {
    EVE_CHECK(out_.sends.size() <= kMostSends, "one event causes so many messages");
    for (const Send& send : out_.sends) {
      wire::fuzzing::check_encodes(*send.message);
      for (const Address to : send.to) EVE_CHECK(to != self_, "it writes to itself");
      const auto* farewell = std::get_if<Farewell>(send.message.get());
      if (farewell != nullptr) check(*farewell, before);
    }
    for (const Link& link : out_.entered) check(link);
    if (out_.candidate) {
      EVE_CHECK(std::find(signed_.begin(), signed_.end(), *out_.candidate) != signed_.end(),
                "a candidate that the operator did not sign");
      announced_ = out_.candidate;
    }
    EVE_CHECK(steward_.epoch().value() == entered_, "epochs are entered by links");
    out_ = {};
  }

  /// M5: of what it was told to be committed, in an epoch in which it has a seat.
  void check(const Farewell& farewell, const Beginning& before) const {
    const auto seat = before.members.seat_of(self_);
    EVE_CHECK(seat && seat->role == Role::kVerifier && seat->index == farewell.verifier,
              "a farewell of one that has no seat");
    EVE_CHECK(farewell.epoch == before.members.epoch, "a farewell to another epoch");
    EVE_CHECK(farewell.number >= before.number, "a farewell to what was before");
  }

  /// M6, as the rule says it: not as the code checks it.
  void check(const Link& link) {
    EVE_CHECK(link.epoch.value() == entered_, "an epoch is left out, or entered twice");
    const Members members = members_;
    std::set<uint16_t> signers;
    Farewell said{
        link.epoch, link.evidence.parts.number, token_of(link.evidence.parts, digester()), 0, {}};
    for (const auto& vote : link.farewells) {
      said.verifier = vote.verifier;
      const Bytes right =
          signed_as(members, vote.verifier, crypto::Domain::kFarewell, signed_bytes(said));
      if (vote.signature == right) signers.insert(vote.verifier);
    }
    EVE_CHECK(signers.size() >= model_.agreement(), "a link with too few farewells");
    const auto change = proven_change(link.evidence, digester());
    EVE_CHECK(change && change->epoch == link.epoch, "a link without a change of its epoch");
    auto next = members.after(*change);
    EVE_CHECK(next.has_value(), "a change of seats that there are not");
    members_ = std::move(*next);
    announced_.reset();
    ++entered_;
    evidence_.reset();
  }

  const FaultModel model_;
  const Address self_;
  const Digest genesis_ = genesis_token({}, digester());
  Keys keys_;
  MessageSource source_;
  Steward steward_;
  std::vector<Change> signed_;        ///< by the operator, in candidates
  std::optional<Change> announced_;   ///< the last of them that was taken
  std::optional<Evidence> evidence_;  ///< what most of the messages are about
  Members members_ = Members::first(model_);
  uint32_t entered_ = 0;
  TimeUs now_ = 1'000'000;
  Outbox out_;
};

}  // namespace
}  // namespace eve::membership

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace eve;
  using namespace eve::membership;
  FuzzedDataProvider data(bytes, size);
  const FaultModel model(1, data.ConsumeIntegralInRange<uint32_t>(0, 1));
  const bool verifier = data.ConsumeIntegralInRange(0, 3) != 0;
  const uint32_t index = data.ConsumeIntegralInRange<uint32_t>(0, 4);
  Driver driver(data, model, verifier ? Address::verifier(index) : Address::executor(index));
  for (size_t i = 0; i < kMostSteps && data.remaining_bytes() > 0; ++i) driver.step();
  return 0;
}
