// What the tests of the pair share: two replicas with fake runners, clients, a network and an
// arbiter that can be told, or rolled dice, to misbehave; and a checker that looks at every commit
// and every reply.
//
// Safety, checked all the time: all commits of both replicas, over all their lives, are one history
// (so nothing that was answered is lost, and no two lead apart); in an epoch one life answers; all
// replies to a bundle are the same.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "execution/executor_testing.h"
#include "pair/replica.h"

namespace eve::pair::testing {

using execution::executor_testing::call;
using execution::executor_testing::digester;
using execution::executor_testing::FakeRunner;
using execution::executor_testing::genesis;
using execution::executor_testing::NamingAuthenticator;
using execution::executor_testing::open;

inline constexpr TimeUs kStep = 5'000;
inline constexpr TimeUs kSilence = 1'000'000;
inline constexpr TimeUs kProgress = 3'000'000;

struct Faults {
  uint64_t loss = 0;      ///< messages lost, in 1,000
  uint64_t repeated = 0;  ///< in 1,000
  uint64_t late = 0;      ///< in 1,000; by up to `late_us`
  TimeUs late_us = 0;
  TimeUs usual_us = 10'000;
  TimeUs record_us = 0;   ///< an own record takes up to that until it is on the disk
  bool poison = false;    ///< some bundles always differ on executor 1
  uint64_t diverges = 0;  ///< batches that differ when they run in parallel, in 1,000
};

/// What a replica leaves to its next process, where it is durable: its runs, its commits, its life.
struct Kept {
  uint64_t life = 0;
  FakeRunner runner;
  std::map<BatchNumber, execution::RecoveredBatch> results;

  execution::Recovered recovered() const {
    execution::Recovered recovered;
    recovered.committed = runner.committed_state();
    for (const auto& [number, batch] : results) {
      if (number > runner.committed()) recovered.above.push_back(batch);
    }
    return recovered;
  }
};

/// One process: a replica with its runner. Ends when it is killed; its record stays.
struct Process {
  Process(const ReplicaOptions& options, const Kept& kept, TimeUs now)
      : life(options.life),
        process(options.process),
        replica(options, authenticator, digester()),
        runner(kept.runner),
        results(kept.results) {
    if (kept.life != 0) replica.recover(kept.recovered());
    replica.start(now, outbox);
  }
  uint64_t life;
  uint64_t process;
  NamingAuthenticator authenticator;
  Replica replica;
  FakeRunner runner;
  std::map<BatchNumber, execution::RecoveredBatch> results;  ///< of runs that stand
  Outbox outbox;
  std::deque<execution::Command> commands;
  std::deque<std::pair<Address, wire::MessagePtr>> inbox;
  TimeUs paused_until = 0;
  bool stuck_runner = false;
  bool unread = false;  ///< timers run, but nothing is read
  uint64_t checked_commits = 0;
};

/// The authoritative record, behind a link that may lose questions and answers.
struct Arbiter {
  Record record;
  bool reachable = true;
  bool mute = false;  ///< what it is asked for takes effect, and nobody hears of it
  uint64_t swaps = 0;
  Record swap(const Request& request) {
    if (record == request.expected && request.wanted != record) {
      record = request.wanted;
      ++swaps;
    }
    return record;
  }
};

struct Client {
  struct Sent {
    wire::BundlePtr bundle;
    TimeUs retry_at = 0;
  };
  uint16_t index = 0;
  std::optional<SessionId> session;
  uint64_t next = 1;
  std::map<uint64_t, Sent> in_flight;
  uint64_t answered = 0;
  uint64_t quarantined = 0;
  TimeUs answered_at = 0;
  bool sending = true;
};

class Pair {
 public:
  explicit Pair(bool with_arbiter, uint64_t seed = 1) : with_arbiter_(with_arbiter), random_(seed) {
    FakeRunner::start_anew();
    for (uint16_t i = 0; i < 2; ++i) start(i);
    for (uint16_t i = 0; i < 2; ++i) clients.push_back({i, std::nullopt, 1, {}, 0, 0, 0, true});
  }

  // ---- What a test does ----

  void pass(TimeUs us) {
    for (const TimeUs end = now + us; now < end && !::testing::Test::HasFatalFailure();) step();
  }
  /// Until `done`, at most `us`. True if it is.
  template <typename Done>
  bool pass_until(const Done& done, TimeUs us) {
    for (const TimeUs end = now + us; now < end && !done();) {
      if (::testing::Test::HasFatalFailure()) return false;
      step();
    }
    return done();
  }
  void kill(uint16_t index) {
    if (keeps && processes[index]) {
      Process& p = *processes[index];
      kept[index] = {p.life, p.runner, p.results};
      // A fetch that was under way ends with the process.
      const BatchNumber stands = std::max(p.runner.last(), p.runner.committed());
      kept[index].runner.apply(execution::RollbackTo{stands}, [](const execution::Event&) {});
    }
    processes[index].reset();
  }
  void lose_disk(uint16_t index) {
    kept[index] = {};
    copies[index] = {};
  }
  void start(uint16_t index) {
    ReplicaOptions options;
    options.index = index;
    options.clients = 4;
    options.process = ++last_life_;
    options.life = keeps && kept[index].life != 0 ? kept[index].life : last_life_;
    options.record = copies[index];  // what the arbiter has it must find out
    options.arbiter = with_arbiter_;
    options.genesis = genesis();
    options.genesis_time_us = genesis_time_us;
    options.silence_us = kSilence;
    options.progress_us = kProgress;
    processes[index] = std::make_unique<Process>(options, keeps ? kept[index] : Kept{}, now);
    if (faults.poison && index == 1) {
      processes[index]->runner.poisonous = [](const wire::Bundle& bundle) {
        return bundle.kind == wire::BundleKind::kOpen ? bundle.client == 2
                                                      : bundle.first.value() % 101 == 50;
      };
    }
    for (uint64_t n = 1; n < 20'000; ++n) {
      if (random_.chance(faults.diverges, 1000)) processes[index]->runner.diverges.insert(n);
    }
  }
  void pause(uint16_t index, TimeUs us) { processes[index]->paused_until = now + us; }

  Replica& replica(uint16_t index) { return processes[index]->replica; }
  ReplicaStatus status(uint16_t index) { return processes[index]->replica.status(); }
  bool leads(uint16_t index) { return processes[index] && status(index).leading; }
  bool both_in_sync() {
    return processes[0] && processes[1] && names_both(status(0).record) &&
           status(0).record == status(1).record && status(0).in_sync && status(1).in_sync &&
           (leads(0) || leads(1));
  }
  uint64_t answered() const {
    uint64_t sum = 0;
    for (const Client& client : clients) sum += client.answered;
    return sum;
  }
  void stop_clients() {
    for (Client& client : clients) client.sending = false;
  }
  bool all_answered() const {
    return std::all_of(clients.begin(), clients.end(),
                       [](const Client& client) { return client.in_flight.empty(); });
  }
  std::string text() {
    std::string out;
    for (uint16_t i = 0; i < 2; ++i) {
      out += "executor-" + std::to_string(i);
      if (!processes[i]) {
        out += " is down\n";
        continue;
      }
      const ReplicaStatus s = status(i);
      out += " life " + std::to_string(processes[i]->life) + ": " + format_record(s.record) +
             (s.leading ? ", leads" : "") + (s.in_sync ? ", in sync" : "") +
             (s.in_doubt ? ", in doubt" : "") + (s.resumed ? ", resumed" : "") +
             (s.conflict ? ", conflict" : "") + ", committed " +
             std::to_string(s.committed.value()) + ", executed " +
             std::to_string(s.executed.value()) + ", waits for \"" + s.waiting_for + "\"\n";
    }
    return out;
  }

  TimeUs now = 1'000'000;
  TimeUs genesis_time_us = 0;  ///< of processes that are started from now on
  Faults faults;
  std::array<std::unique_ptr<Process>, 2> processes;
  std::array<Record, 2> copies;
  bool keeps = false;  ///< what replicas do is durable
  std::array<Kept, 2> kept;
  Arbiter arbiter;
  std::vector<Client> clients;
  bool link = true;  ///< between the two
  bool withhold_state = false;
  /// Which messages of an executor to the other one are lost, besides.
  std::function<bool(uint16_t from, const wire::Message&)> swallows;
  bool clients_reach[2] = {true, true};
  std::map<uint64_t, crypto::Digest> history;
  std::array<wire::MessagePtr, 2> last_beat;

 private:
  struct Flight {
    Address from;
    Address to;
    wire::MessagePtr message;
    uint64_t life = 0;  ///< of the sender, if a replica
  };
  struct Question {
    uint16_t index;
    uint64_t process;
    Request request;
  };

  void step() {
    now += kStep;
    deliver();
    for (uint16_t i = 0; i < 2; ++i) act(i);
    for (Client& client : clients) act(client);
  }

  bool chance(uint64_t in_thousand) { return in_thousand > 0 && random_.chance(in_thousand, 1000); }

  void post(Address from, Address to, const wire::MessagePtr& message) {
    const bool between = from.role == Role::kExecutor && to.role == Role::kExecutor;
    if (between && std::holds_alternative<wire::PairBeat>(*message)) {
      last_beat[from.index] = message;
    }
    if (between && (!link || (swallows && swallows(from.index, *message)))) return;
    if (withhold_state && std::holds_alternative<wire::StateReply>(*message)) return;
    if (to.role == Role::kExecutor && !between && !clients_reach[to.index]) return;
    if (from.role == Role::kExecutor && !between && !clients_reach[from.index]) return;
    if (chance(faults.loss)) return;
    const size_t copies_sent = chance(faults.repeated) ? 2 : 1;
    for (size_t i = 0; i < copies_sent; ++i) {
      const TimeUs spread = chance(faults.late) ? faults.late_us : faults.usual_us;
      const uint64_t life = from.role == Role::kExecutor ? processes[from.index]->life : 0;
      flights_.emplace(now + 1 + static_cast<TimeUs>(random_.below(static_cast<uint64_t>(spread))),
                       Flight{from, to, message, life});
    }
  }

  void deliver() {
    while (!flights_.empty() && flights_.begin()->first <= now) {
      const Flight flight = flights_.begin()->second;
      flights_.erase(flights_.begin());
      if (flight.to.role == Role::kExecutor) {
        auto& process = processes[flight.to.index];
        if (process) process->inbox.emplace_back(flight.from, flight.message);
      } else {
        on_reply(clients.at(flight.to.index), flight, std::get<wire::Reply>(*flight.message));
      }
    }
    while (!questions_.empty() && questions_.begin()->first <= now) {
      const Question question = questions_.begin()->second;
      questions_.erase(questions_.begin());
      if (with_arbiter_) {
        put(question);
      } else {
        write(question);
      }
    }
  }

  // The host of a replica with an arbiter asks again until it is answered.
  void put(const Question& question) {
    const auto again = now + 50'000 + static_cast<TimeUs>(random_.below(100'000));
    auto& process = processes[question.index];
    const bool alive = process && process->process == question.process;
    const bool heard = arbiter.reachable && !chance(faults.loss);
    if (heard) {
      const Record record = arbiter.swap(question.request);
      if (chance(faults.repeated)) questions_.emplace(again, question);  // a late copy
      if (!arbiter.mute && !chance(faults.loss)) {
        if (!alive || !process->replica.status().asking) return;
        if (awaited_[question.index] != question.request.wanted) return;
        copies[question.index] = record;
        process->replica.on_record(record, now, process->outbox);
        return;
      }
    }
    if (alive) questions_.emplace(again, question);
  }

  // A process that ended meanwhile may have left it.
  void write(const Question& question) {
    const auto& process = processes[question.index];
    const bool alive = process && process->process == question.process;
    Record& copy = copies[question.index];
    const bool done = alive || (!process && random_.chance(1, 2));
    if (done && copy == question.request.expected) copy = question.request.wanted;
    if (alive && process->replica.status().asking) {
      process->replica.on_record(copy, now, process->outbox);
    }
  }

  void act(uint16_t index) {
    auto& process = processes[index];
    if (!process || now < process->paused_until) return;
    Process& p = *process;
    // A paused process may run its timers before it reads.
    if (p.unread || random_.chance(1, 2)) p.replica.tick(now, p.outbox);
    if (p.unread) return hand_out(index);
    while (!p.inbox.empty()) {
      const auto [from, message] = p.inbox.front();
      p.inbox.pop_front();
      p.replica.receive(*message, from, now, p.outbox);
      check(index);
    }
    take_commands(p);
    if (random_.chance(2, 3)) run(p);
    if (now >= p.replica.deadline()) p.replica.tick(now, p.outbox);
    p.replica.idle(now, p.outbox);
    take_commands(p);
    hand_out(index);
    check(index);
  }

  static void take_commands(Process& p) {
    for (auto& command : p.outbox.commands) p.commands.push_back(std::move(command));
    p.outbox.commands.clear();
  }
  void run(Process& p) {
    if (p.stuck_runner) return;
    while (!p.commands.empty()) {
      const execution::Command command = std::move(p.commands.front());
      p.commands.pop_front();
      std::vector<execution::Event> events;
      p.runner.apply(command, [&](execution::Event event) { events.push_back(std::move(event)); });
      remember(p, command, events);
      for (auto& event : events) p.replica.on_event(std::move(event), now, p.outbox);
      take_commands(p);
    }
  }

  // As a log does: what stands, and of bundles only heads.
  static void remember(Process& p, const execution::Command& command,
                       const std::vector<execution::Event>& events) {
    const auto drop_after = [&p](BatchNumber number) {
      p.results.erase(p.results.upper_bound(number), p.results.end());
    };
    if (const auto* back = std::get_if<execution::RollbackTo>(&command)) drop_after(back->number);
    if (std::holds_alternative<execution::StartFetch>(command)) drop_after(p.runner.committed());
    p.results.erase(p.results.begin(), p.results.upper_bound(p.runner.committed()));
    for (const execution::Event& event : events) {
      const auto* executed = std::get_if<execution::BatchExecuted>(&event);
      if (executed == nullptr) continue;
      auto head = std::make_shared<wire::Batch>(*std::get<execution::RunBatch>(command).batch);
      for (wire::BundlePtr& bundle : head->bundles) {
        auto copy = std::make_shared<wire::Bundle>(*bundle);
        for (ByteView& request : copy->requests) request = {};
        copy->raw = {};
        copy->signature.clear();
        bundle = copy;
      }
      p.results[executed->parts.number] = {std::move(head), *executed};
    }
  }

  void hand_out(uint16_t index) {
    Process& p = *processes[index];
    for (size_t i = 0; i < p.outbox.requests.size(); ++i) {
      const Request request = p.outbox.requests[i];
      if (!with_arbiter_ && request.answer && faults.record_us > 0) {
        const auto takes = random_.below(static_cast<uint64_t>(faults.record_us));
        questions_.emplace(now + static_cast<TimeUs>(takes), Question{index, p.process, request});
        continue;
      }
      if (with_arbiter_ && request.answer) {
        awaited_[index] = request.wanted;
        questions_.emplace(now + static_cast<TimeUs>(random_.below(20'000)),
                           Question{index, p.process, request});
        continue;
      }
      if (request.wanted.epoch > copies[index].epoch) copies[index] = request.wanted;
      if (request.answer) p.replica.on_record(copies[index], now, p.outbox);
    }
    p.outbox.requests.clear();
    take_commands(p);
    const auto sends = std::exchange(p.outbox.sends, {});
    for (const wire::Send& send : sends) {
      for (const Address to : send.to) post(Address::executor(index), to, send.message);
    }
  }

  // ---- The checker ----

  void check(uint16_t index) {
    Process& p = *processes[index];
    for (const auto& [number, token, root] : p.replica.recent()) {
      if (number.value() <= p.checked_commits && number.value() > 0) continue;
      const auto known = history.emplace(number.value(), token).first;
      ASSERT_EQ(known->second, token)
          << "batch " << number.value() << " of executor " << index << "\n"
          << text();
      p.checked_commits = number.value();
    }
  }

  void on_reply(Client& client, const Flight& flight, const wire::Reply& reply) {
    const uint16_t executor = flight.from.index;
    ASSERT_EQ(primary_of(reply.view), executor) << "who answers leads";
    const auto who = answers_.emplace(reply.view, flight.life).first;
    ASSERT_EQ(who->second, flight.life) << "one life answers in an epoch";
    const bool done = reply.status == wire::ReplyStatus::kExecuted ||
                      reply.status == wire::ReplyStatus::kQuarantined;
    if (!done) return;
    const bool opening = reply.session == SessionId();
    const auto key = std::tuple(client.index, reply.session, reply.first);
    const auto known = replies_.emplace(key, reply.digest).first;
    ASSERT_EQ(known->second, reply.digest) << "one bundle, two replies\n" << text();
    const auto sent = client.in_flight.find(reply.first.value());
    if (sent == client.in_flight.end() || opening != !client.session) return;
    if (opening) {
      client.session = SessionId(*Codec<uint64_t>::decode(reply.payload->view()));
    }
    client.in_flight.erase(sent);
    client.quarantined += reply.status == wire::ReplyStatus::kQuarantined ? 1 : 0;
    ++client.answered;
    client.answered_at = now;
  }

  void act(Client& client) {
    if (!client.session) {
      client.in_flight.try_emplace(7, Client::Sent{open(7, client.index), now});
    } else if (client.sending && client.in_flight.size() < 4 && random_.chance(1, 4)) {
      const size_t size = 1 + random_.below(3);
      const uint64_t unanswered =
          client.in_flight.empty() ? client.next : client.in_flight.begin()->first;
      const auto bundle =
          call(client.next, size, client.session->value(), client.index, unanswered - 1);
      client.in_flight[client.next] = {bundle, now};
      client.next += size;
    }
    for (auto& [first, sent] : client.in_flight) {
      if (now < sent.retry_at) continue;
      sent.retry_at = now + 250'000;
      for (uint16_t i = 0; i < 2; ++i) {
        post(Address::client(client.index), Address::executor(i),
             std::make_shared<const wire::Message>(wire::BundleMessage{sent.bundle, true}));
      }
    }
  }

  bool with_arbiter_;
  Random random_;
  uint64_t last_life_ = 100;
  std::multimap<TimeUs, Flight> flights_;
  std::multimap<TimeUs, Question> questions_;
  std::array<Record, 2> awaited_;
  std::map<View, uint64_t> answers_;
  std::map<std::tuple<uint16_t, SessionId, RequestNumber>, crypto::Digest> replies_;
};

}  // namespace eve::pair::testing
