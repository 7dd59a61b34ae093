// libFuzzer: a whole replica, executor and runner with a service, among peers that send whatever
// the input says, authentic for the most part. Checks E4 (one token a view and number), that what
// is committed only grows, that batches run with a list of quarantined bundles that enough
// verifiers named (V11), and that the tree is that of the objects in the end.
#include <deque>
#include <map>
#include <set>

#include "execution/executor.h"
#include "execution/runner_testing.h"
#include "wire/message_fuzzing.h"

namespace eve::execution {
namespace {

using namespace wire;
using wire::fuzzing::Keys;
using wire::fuzzing::MessageSource;

constexpr size_t kMostSteps = 100;

std::unique_ptr<Service> make_service(State& state) {
  return std::make_unique<testing::WordService>(state);
}

struct Replica {
  Replica(const FaultModel& fault_model, uint16_t index, bool restarted)
      : model(fault_model),
        keys(Address::executor(index)),
        runner(wire::fuzzing::digester(), scheduler, make_service, [this] { return now; }),
        genesis(genesis_token(runner.empty_root(), wire::fuzzing::digester())) {
    ExecutorOptions options;
    options.model = model;
    options.index = index;
    options.clients = 2;
    options.restarted = restarted;
    options.genesis = genesis;
    executor.emplace(options, keys, wire::fuzzing::digester());
    executor->start(now, out);
  }
  /// Carries out what the executor asks, until it asks nothing more.
  void settle(MessageSource& source) {
    size_t commands = 0;
    while (!out.commands.empty() || !events.empty()) {
      std::deque<Command> waiting;
      for (Command& command : out.commands) waiting.push_back(std::move(command));
      out.commands.clear();
      for (Command& command : waiting) {
        if (const auto* run = std::get_if<RunBatch>(&command)) check(*run);
        runner.apply(std::move(command), [this](Event event) { events.push_back(event); });
        EVE_CHECK(++commands < 2000, "the executor never has enough");
      }
      if (events.empty()) continue;
      const Event event = std::move(events.front());
      events.pop_front();
      executor->on_event(event, now, out);
    }
    for (const Send& send : out.sends) check(*send.message, source);
    EVE_CHECK(out.sends.size() <= 4096, "one event causes so many messages");
    out.sends.clear();
    const ExecutorStatus status = executor->status();
    EVE_CHECK(status.committed >= last.committed, "what is committed only grows");
    EVE_CHECK(status.view >= last.view, "views only grow");
    EVE_CHECK(status.executed >= status.committed, "what is committed was executed or fetched");
    last = status;
  }
  void check(const RunBatch& command) const {
    if (command.quarantine.empty()) return;
    const auto found = named.find(std::pair(command.batch->view, command.quarantine));
    EVE_CHECK(found != named.end() && found->second.size() >= model.vouched(),
              "too few verifiers quarantined that");
  }
  void receive(const Message& message, Address verifier) {
    const auto* verdict = std::get_if<Verdict>(&message);
    const auto* welcome = std::get_if<Welcome>(&message);
    if (welcome != nullptr) verdict = &welcome->start;
    named[std::pair(verdict->view, verdict->quarantine)].insert(verifier.index);
    executor->receive(message, verifier, now, out);
  }
  void check(const Message& message, MessageSource& source) {
    wire::fuzzing::check_encodes(message);
    if (const auto* token = std::get_if<Token>(&message)) {
      const auto key = std::pair(token->view, token->parts.number);
      const auto [first, fresh] = tokens.emplace(key, std::pair(token->token, token->sole));
      EVE_CHECK(fresh || first->second.first == token->token, "a second token");
      EVE_CHECK(fresh || first->second.second == token->sole, "says something else of the batch");
      source.learn(token->token);
    }
    if (const auto* batch = std::get_if<BatchMessage>(&message)) source.learn(batch->batch);
    if (const auto* reply = std::get_if<StateReply>(&message)) source.learn(*reply);
  }
  void wait(TimeUs us) {
    now += us;
    if (executor->deadline() > now) return;
    executor->tick(now, out);
    EVE_CHECK(executor->deadline() > now, "a timer that does not move on");
  }

  FaultModel model;
  Keys keys;
  InlineScheduler scheduler;
  TimeUs now = 1'000'000;
  Runner runner;
  Digest genesis;
  std::optional<Executor> executor;
  Outbox out;
  std::deque<Event> events;
  std::map<std::pair<View, BatchNumber>, std::pair<Digest, std::optional<Digest>>> tokens;
  std::map<std::pair<View, Names>, std::set<uint16_t>> named;  ///< by whom
  ExecutorStatus last;
};

BundlePtr make_bundle(MessageSource& source) {
  static const std::vector<Bytes> kWords = {"set a 1", "add a 2",  "move a b 1", "stamp",
                                            "fail b",  "count",    "get a",      "lie b",
                                            "big 100", "set b 22", "add c 1",    "fail a"};
  std::vector<Bytes> requests;
  for (uint64_t i = source.small(3); i > 0; --i) {
    requests.push_back(kWords[source.small(kWords.size() - 1)]);
  }
  const SessionId session((1 + source.small(2)) << 16 | source.small(1));
  return source.bundle(requests, session, RequestNumber(1 + source.small(3)));
}

Message from_executor(MessageSource& source, TimeUs now, FuzzedDataProvider& data) {
  std::vector<BundlePtr> bundles;
  switch (source.small(7)) {
    case 0:
      return source.state_request();
    case 1:
    case 2:
      return source.state_reply();
    case 3:
      return BundleMessage{make_bundle(source), data.ConsumeBool()};
    default:
      for (uint64_t i = 1 + source.small(2); i > 0; --i) bundles.push_back(make_bundle(source));
      return source.batch(std::move(bundles), now);
  }
}

void from_verifiers(Replica& replica, MessageSource& source) {
  Message message = source.verdict();
  if (source.small(3) == 0) message = source.welcome();
  const uint64_t first = source.small(replica.model.verifiers() - 1);
  for (uint64_t i = 0; i <= source.small(2); ++i) {
    const auto from = Address::verifier((first + i) % replica.model.verifiers());
    replica.receive(message, from);
  }
}

}  // namespace
}  // namespace eve::execution

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace eve;
  using namespace eve::execution;
  FuzzedDataProvider data(bytes, size);
  const FaultModel model(1, data.ConsumeIntegralInRange<uint32_t>(0, 1));
  const auto index = data.ConsumeIntegralInRange<uint16_t>(0, 1);
  Replica replica(model, index, data.ConsumeIntegralInRange(0, 7) == 0);
  MessageSource source(data, model, replica.genesis);
  replica.settle(source);
  for (size_t step = 0; step < kMostSteps && data.remaining_bytes() > 0; ++step) {
    source.at(replica.last.committed);
    source.at(replica.last.view);
    const uint64_t kind = source.small(7);
    if (kind == 0) replica.wait(data.ConsumeIntegralInRange<TimeUs>(0, 1'000'000));
    if (kind == 1 || kind == 2) {
      const wire::BundleMessage message{make_bundle(source), data.ConsumeBool()};
      const auto client = Address::client(message.bundle->client);
      replica.executor->receive(message, client, replica.now, replica.out);
    }
    if (kind >= 3 && kind <= 5) {
      const auto from = source.executor();
      replica.executor->receive(from_executor(source, replica.now, data), from, replica.now,
                                replica.out);
    }
    if (kind >= 6) from_verifiers(replica, source);
    if (source.small(3) != 0) replica.executor->idle(replica.now, replica.out);
    replica.settle(source);
  }
  EVE_CHECK(replica.runner.recompute_root() == replica.runner.root(), "the tree is another");
  return 0;
}
