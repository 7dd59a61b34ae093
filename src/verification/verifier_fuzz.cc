// libFuzzer: a verifier among peers and executors that send whatever the input says, authentic for
// the most part. Checks what no sequence of messages may break (protocol.md V2, V6, V8).
#include <map>
#include <optional>
#include <tuple>

#include "verification/verifier.h"
#include "wire/message_fuzzing.h"

namespace eve::verification {
namespace {

using namespace wire;
using wire::fuzzing::Keys;
using wire::fuzzing::MessageSource;

constexpr uint16_t kSelf = 0;
constexpr size_t kMostSteps = 160;

/// What the verifier has said so far.
class Promises {
 public:
  explicit Promises(std::optional<View> lost) : lost_(lost), persisted_(lost) {}

  void check(const Outbox& out) {
    if (out.persist_view) {
      EVE_CHECK(!persisted_ || *out.persist_view >= *persisted_, "promises only grow");
      persisted_ = out.persist_view;
    }
    for (const Send& send : out.sends) {
      wire::fuzzing::check_encodes(*send.message);
      if (const auto* prepare = std::get_if<Prepare>(send.message.get())) check(*prepare);
      if (const auto* commit = std::get_if<Commit>(send.message.get())) may_vote(commit->view);
      if (const auto* change = std::get_if<ViewChange>(send.message.get())) check(*change);
    }
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
    asked_ = change.view;
  }

  std::optional<View> lost_;
  std::optional<View> persisted_;
  std::optional<View> asked_;
  std::map<std::pair<View, BatchNumber>, std::pair<Digest, Digest>> prepares_;
};

struct Node {
  Node(const FaultModel& fault_model, std::optional<View> lost)
      : model(fault_model), keys(Address::verifier(kSelf)), promises(lost) {
    VerifierOptions options;
    options.model = model;
    options.index = kSelf;
    options.genesis = genesis;
    options.lost_promises_at = lost;
    verifier.emplace(options, keys, wire::fuzzing::digester());
    verifier->start(now, out);
    settle();
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
    case 5:
      return source.new_view();
    case 6:
      return Hello{source.small(1) == 0, source.view(), source.number()};
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
  for (size_t step = 0; step < kMostSteps && data.remaining_bytes() > 0; ++step) {
    source.at(node.last.committed);
    source.at(node.last.view);
    switch (data.ConsumeIntegralInRange(0, 7)) {
      case 0:
        node.wait(data.ConsumeIntegralInRange<TimeUs>(0, 1'000'000));
        break;
      case 1:
      case 2: {
        const Address from = source.executor();
        const Message token = from_executor(source, source.small(7));
        // Others execute the same batch: so many executors send this.
        for (uint64_t i = 0; i <= source.small(2); ++i) {
          const auto index = (from.index + i) % model.executors();
          node.verifier->receive(token, Address::executor(index), node.now, node.out);
        }
        break;
      }
      default: {
        const Address from = source.verifier();
        node.verifier->receive(from_peer(source, from.index, source.small(7)), from, node.now,
                               node.out);
      }
    }
    if (source.small(3) != 0) node.verifier->idle(node.now, node.out);
    node.settle();
  }
  return 0;
}
