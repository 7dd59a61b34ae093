// Whole clusters of executors under random faults: lost, repeated and late messages, divergence,
// view changes, restarts without memory, a verifier that lies. Verifiers are one oracle that
// certifies tokens as the protocol would.
//
// Safety, checked all the time: nobody commits anything else than the oracle did; no executor ever
// sends two tokens for one (view, number), not even across a restart; all replies to a bundle are
// the same. Liveness, checked at the end, after the faults: every bundle is answered, and every
// executor has caught up.
#include <gtest/gtest.h>

#include <tuple>

#include "base/random.h"
#include "execution/executor_testing.h"

namespace eve::execution::executor_testing {
namespace {

constexpr TimeUs kStep = 1'000;
constexpr TimeUs kFaultyUntil = 8'000'000;
constexpr TimeUs kLastRequest = 12'000'000;
constexpr TimeUs kEnd = 16'000'000;

struct Setting {
  uint32_t u;
  uint32_t r;
  uint64_t seed;
};

/// What all verifiers together arrive at. Each answers for itself; with r > 0, the last one lies.
class Oracle {
 public:
  explicit Oracle(const FaultModel& model) : model_(model) { chain_.push_back(genesis()); }

  uint64_t view() const { return view_; }
  uint64_t committed() const { return chain_.size() - 1; }
  const std::vector<crypto::Digest>& chain() const { return chain_; }

  wire::Verdict start_point() const { return rollback(view_, start_, chain_.at(start_)); }
  wire::Verdict last_commit() const { return commit(committed(), chain_.back(), view_); }

  void on_token(uint16_t executor, const wire::Token& token) {
    const auto key = std::tuple(executor, token.view.value(), token.parts.number.value());
    const auto said = said_.emplace(key, token.token).first;
    ASSERT_EQ(said->second, token.token) << "two tokens of executor " << executor;
    if (token.view.value() == view_) {
      votes_[token.parts.number.value()].emplace(executor, token);
    }
  }
  bool lacks(const wire::Token& token) const {
    return token.view.value() < view_ || token.parts.number.value() <= committed();
  }
  void suspect(uint16_t executor, View view) {
    if (view.value() <= view_) suspects_.insert(executor);
  }

  /// A new verdict, if there is one. `whim`: change the view for no reason.
  std::optional<wire::Verdict> act(TimeUs now, bool whim) {
    const auto votes = votes_.find(committed() + 1);
    bool stuck = suspects_.size() >= model_.suspicion();
    if (votes != votes_.end()) {
      if (const auto token = certified(votes->second); token) {
        chain_.push_back(*token);
        votes_.erase(votes);
        progress_at_ = now;
        return last_commit();
      }
      stuck |= hopeless(votes->second) || now - progress_at_ > 500'000;
    }
    // A silent executor is let back in after a while.
    stuck |= !suspects_.empty() && now - progress_at_ > 1'000'000;
    if (!stuck && !whim) return std::nullopt;
    ++view_;
    start_ = committed();
    votes_.clear();
    suspects_.clear();
    progress_at_ = now;
    return start_point();
  }

 private:
  using Votes = std::map<uint16_t, wire::Token>;

  std::map<crypto::Digest, size_t> count(const Votes& votes) const {
    std::map<crypto::Digest, size_t> counts;
    for (const auto& [executor, token] : votes) {
      if (token.parts.previous == chain_.back()) ++counts[token.token];
    }
    return counts;
  }
  std::optional<crypto::Digest> certified(const Votes& votes) const {
    for (const auto& [token, number] : count(votes)) {
      if (number >= model_.token_certificate()) return token;
    }
    return std::nullopt;
  }
  bool hopeless(const Votes& votes) const {
    size_t best = 0;
    for (const auto& [token, number] : count(votes)) best = std::max(best, number);
    return best + model_.executors() - votes.size() < model_.token_certificate();
  }

  FaultModel model_;
  uint64_t view_ = 0;
  uint64_t start_ = 0;
  std::vector<crypto::Digest> chain_;
  std::map<uint64_t, Votes> votes_;
  std::set<uint16_t> suspects_;
  TimeUs progress_at_ = 0;
  std::map<std::tuple<uint16_t, uint64_t, uint64_t>, crypto::Digest> said_;
};

/// Sends bundles of one session in order, a few at once, and again until they are answered.
struct Client {
  struct Sent {
    wire::BundlePtr bundle;
    TimeUs retry_at = 0;
    std::map<uint16_t, crypto::Digest> digests;
    std::optional<SharedBytes> payload;
  };
  uint16_t index = 0;
  std::optional<SessionId> session;
  uint64_t next = 1;
  std::map<uint64_t, Sent> in_flight;
  uint64_t answered = 0;
};

class Cluster {
 public:
  explicit Cluster(const Setting& setting)
      : model_(setting.u, setting.r), random_(setting.seed), oracle_(model_) {
    FakeRunner::start_anew();
    for (uint16_t i = 0; i < model_.executors(); ++i) start(i, false);
    for (uint16_t i = 0; i < 2; ++i) clients_.push_back({i, std::nullopt, 1, {}, 0});
  }

  void run() {
    while (now_ < kEnd && !::testing::Test::HasFatalFailure()) {
      now_ += kStep;
      deliver();
      for (uint16_t i = 0; i < replicas_.size(); ++i) act(i);
      for (Client& client : clients_) act(client);
      const auto verdict = oracle_.act(now_, faulty() && random_.chance(1, 1000));
      if (verdict) announce(*verdict);
      if (faulty() && random_.chance(1, 1000)) {
        restart(static_cast<uint16_t>(random_.below(replicas_.size())));
      }
    }
    for (const auto& replica : replicas_) {
      const ExecutorStatus status = replica->executor->status();
      EXPECT_EQ(status.committed.value(), oracle_.committed()) << status.waiting_for;
      EXPECT_FALSE(status.fetching);
    }
    for (const Client& client : clients_) {
      EXPECT_TRUE(client.in_flight.empty()) << "of client " << client.index;
      EXPECT_GT(client.answered, 100u);
    }
  }

  std::string summary() const {
    uint64_t repairs = 0;
    uint64_t transfers = 0;
    uint64_t rollbacks = 0;
    for (const auto& replica : replicas_) {
      const ExecutorStatus status = replica->executor->status();
      repairs += status.repairs;
      transfers += status.transfers;
      rollbacks += status.rollbacks;
    }
    return std::to_string(oracle_.committed()) + " batches, " + std::to_string(oracle_.view()) +
           " views, " + std::to_string(restarts_) + " restarts, " + std::to_string(repairs) +
           " repairs, " + std::to_string(transfers) + " transfers, " + std::to_string(rollbacks) +
           " rollbacks";
  }

 private:
  struct Flight {
    Address from;
    Address to;
    wire::MessagePtr message;
  };

  bool faulty() const { return now_ < kFaultyUntil; }

  void start(uint16_t index, bool restarted) {
    ExecutorOptions chosen = options(model_.u(), model_.r(), index);
    chosen.restarted = restarted;
    auto replica = std::make_unique<Replica>(chosen, now_);
    replica->eager = false;
    for (uint64_t n = 1; n < 2000; ++n) {
      if (random_.chance(1, 60)) replica->runner.diverges.insert(n);
    }
    if (replicas_.size() <= index) replicas_.resize(index + 1u);
    replicas_[index] = std::move(replica);
  }

  // At most u executors are silent or far behind at a time: more would stop the service.
  void restart(uint16_t index) {
    size_t impaired = 0;
    for (const auto& replica : replicas_) {
      const ExecutorStatus status = replica->executor->status();
      impaired += status.silent || status.committed.value() + 5 < oracle_.committed() ? 1 : 0;
    }
    if (impaired >= model_.u()) return;
    ++restarts_;
    start(index, true);
  }

  void post(Address from, Address to, const wire::MessagePtr& message) {
    if (faulty() && random_.chance(1, 25)) return;
    const size_t copies = faulty() && random_.chance(1, 25) ? 2 : 1;
    for (size_t i = 0; i < copies; ++i) {
      const uint64_t spread = faulty() && random_.chance(1, 50) ? 300'000 : 3'000;
      flights_.emplace(now_ + kStep + static_cast<TimeUs>(random_.below(spread)),
                       Flight{from, to, message});
    }
  }
  void post(Address from, Address to, wire::Message message) {
    post(from, to, std::make_shared<const wire::Message>(std::move(message)));
  }

  void deliver() {
    while (!flights_.empty() && flights_.begin()->first <= now_) {
      const Flight flight = flights_.begin()->second;
      flights_.erase(flights_.begin());
      switch (flight.to.role) {
        case Role::kExecutor:
          replicas_[flight.to.index]->now = now_;
          replicas_[flight.to.index]->receive(flight.from, *flight.message);
          break;
        case Role::kVerifier:
          tell_oracle(flight);
          break;
        case Role::kClient:
          on_reply(clients_.at(flight.to.index), flight.from.index,
                   std::get<wire::Reply>(*flight.message));
          break;
      }
    }
  }

  void act(uint16_t index) {
    Replica& replica = *replicas_[index];
    replica.now = now_;
    if (random_.chance(1, 3)) replica.run();
    replica.tick();
    replica.idle();
    for (const auto& [to, message] : replica.outgoing) post(Address::executor(index), to, message);
    replica.outgoing.clear();
    for (const auto& [number, token, root] : replica.executor->recent()) {
      ASSERT_LE(number.value(), oracle_.committed());
      ASSERT_EQ(token, oracle_.chain()[number.value()]) << "executor " << index;
    }
  }

  // ---- Verifiers ----

  bool lies(Address verifier) const {
    return model_.byzantine() && verifier.index + 1u == model_.verifiers();
  }

  void announce(const wire::Verdict& verdict) {
    for (uint32_t v = 0; v < model_.verifiers(); ++v) {
      for (uint16_t e = 0; e < replicas_.size(); ++e) say(v, e, verdict);
    }
  }
  void say(uint64_t verifier, uint16_t executor, wire::Verdict verdict) {
    if (lies(Address::verifier(verifier))) {
      verdict.number = BatchNumber(verdict.number.value() + random_.below(40));
      verdict.view = View(verdict.view.value() + random_.below(3));
      verdict.token = digest_of("lie " + std::to_string(random_.below(3)));
    }
    post(Address::verifier(verifier), Address::executor(executor), verdict);
  }

  void tell_oracle(const Flight& flight) {
    const uint16_t executor = flight.from.index;
    if (const auto* token = std::get_if<wire::Token>(flight.message.get())) {
      if (flight.to.index == 0) oracle_.on_token(executor, *token);
      if (!oracle_.lacks(*token)) return;
      say(flight.to.index, executor, oracle_.last_commit());
      say(flight.to.index, executor, oracle_.start_point());
    } else if (const auto* suspect = std::get_if<wire::Suspect>(flight.message.get())) {
      oracle_.suspect(executor, suspect->view);
    } else if (const auto* hello = std::get_if<wire::Hello>(flight.message.get())) {
      if (hello->restarted) oracle_.suspect(executor, View(oracle_.view()));
      const uint64_t promised = lies(flight.to) ? oracle_.view() + 1'000 : oracle_.view();
      post(flight.to, flight.from,
           wire::Welcome{View(promised), oracle_.start_point(), oracle_.last_commit()});
    }
  }

  // ---- Clients ----

  void act(Client& client) {
    if (!client.session) {
      const auto opening = open(7, client.index);
      client.in_flight.try_emplace(7, Client::Sent{opening, now_, {}, {}});
    } else if (now_ < kLastRequest && client.in_flight.size() < 4 && random_.chance(1, 5)) {
      const size_t size = 1 + random_.below(3);
      const uint64_t unanswered =
          client.in_flight.empty() ? client.next : client.in_flight.begin()->first;
      const auto bundle =
          call(client.next, size, client.session->value(), client.index, unanswered - 1);
      client.in_flight[client.next] = {bundle, now_, {}, {}};
      client.next += size;
    }
    for (auto& [first, sent] : client.in_flight) {
      if (now_ < sent.retry_at) continue;
      sent.retry_at = now_ + 250'000;
      for (uint16_t i = 0; i < replicas_.size(); ++i) {
        post(Address::client(client.index), Address::executor(i),
             wire::BundleMessage{sent.bundle, true});
      }
    }
  }

  void on_reply(Client& client, uint16_t executor, const wire::Reply& reply) {
    if (reply.status != wire::ReplyStatus::kExecuted) return;
    const bool opening = reply.session == SessionId();
    const auto key = std::tuple(client.index, reply.session, reply.first);
    const auto known = replies_.emplace(key, reply.digest).first;
    ASSERT_EQ(known->second, reply.digest) << "one bundle, two replies";
    const auto sent = client.in_flight.find(reply.first.value());
    if (sent == client.in_flight.end() || opening != !client.session) return;
    sent->second.digests[executor] = reply.digest;
    if (reply.payload) sent->second.payload = reply.payload;
    if (sent->second.digests.size() < model_.vouched() || !sent->second.payload) return;
    if (opening) {
      client.session = SessionId(*Codec<uint64_t>::decode(sent->second.payload->view()));
    }
    client.in_flight.erase(sent);
    ++client.answered;
  }

  FaultModel model_;
  Random random_;
  Oracle oracle_;
  TimeUs now_ = 1'000'000;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::vector<Client> clients_;
  std::multimap<TimeUs, Flight> flights_;
  std::map<std::tuple<uint16_t, SessionId, RequestNumber>, crypto::Digest> replies_;
  uint64_t restarts_ = 0;
};

class ClusterUnderFaults : public ::testing::TestWithParam<Setting> {};

TEST_P(ClusterUnderFaults, StaysSafeAndRecovers) {
  Cluster cluster(GetParam());
  cluster.run();
  RecordProperty("summary", cluster.summary());
  if (HasFailure()) std::fprintf(stderr, "%s\n", cluster.summary().c_str());
}

std::vector<Setting> settings() {
  std::vector<Setting> chosen;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    for (const auto& [u, r] : std::vector<std::pair<uint32_t, uint32_t>>{{1, 0}, {1, 1}, {2, 1}}) {
      chosen.push_back({u, r, seed});
    }
  }
  return chosen;
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClusterUnderFaults, ::testing::ValuesIn(settings()));

}  // namespace
}  // namespace eve::execution::executor_testing
