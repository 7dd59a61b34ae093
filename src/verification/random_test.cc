// Agreement under everything at once, from a seed: loss, repetition and reordering, verifiers that
// restart without their promises, a lying verifier, a lying executor, batches that diverge. More
// seeds: --gtest_random_seed=N.
#include "base/limits.h"
#include "verification/testing.h"

namespace eve::verification::testing {
namespace {

struct World {
  World(const FaultModel& fault_model, uint64_t seed) : cluster(fault_model), random(seed) {}
  Cluster cluster;
  Random random;
  bool quiet = false;  ///< the faults have stopped
  /// What correct executors have executed: each token's place and the token before it.
  std::map<crypto::Digest, std::pair<BatchNumber, crypto::Digest>> executed;
  std::map<BatchNumber, std::vector<crypto::Digest>> shown;  ///< for liars to pick from
};

/// A correct executor as verifiers see it: runs batches that may diverge, repeats its tokens, acts
/// on r+1 verdicts. A repair takes no time.
class SimExecutor {
 public:
  SimExecutor(World& world, uint16_t index) : world_(world), index_(index) {}

  void act() {
    if (world_.random.chance(1, 3)) return resend();
    const BatchNumber number = last_.number.next();
    if (number.value() > committed_.number.value() + limits::kWindow) return;
    const bool sequential = view_ > View(0) && number.value() <= start_.value() + limits::kWindow;
    const uint64_t outcome =
        !sequential && !world_.quiet && world_.random.chance(1, 12) ? world_.random.below(3) : 0;
    const auto token = digest(std::string(last_.token.view()) + std::to_string(outcome));
    world_.executed.emplace(token, std::make_pair(number, last_.token));
    world_.shown[number].push_back(token);
    // One token a (view, number), also after a repair.
    sent_.try_emplace({view_, number},
                      make_token(view_.value(), number.value(), token, last_.token));
    last_ = {number, token};
    chain_[number] = token;
    send(sent_.at({view_, number}));
  }
  void on_verdict(uint16_t verifier, const wire::Verdict& verdict) {
    const bool rollback = verdict.kind == wire::VerdictKind::kRollback;
    const View view = rollback ? verdict.view : View(0);
    auto& voters = verdicts_[{rollback, view, verdict.number, verdict.token}];
    voters.insert(verifier);
    if (voters.size() < world_.cluster.model.vouched()) return;
    const Point point{verdict.number, verdict.token};
    if (rollback && verdict.view > view_) {
      view_ = verdict.view;
      start_ = point.number;
      restore(point.number >= committed_.number ? point : committed_);
    } else if (!rollback && point.number > committed_.number) {
      EXPECT_TRUE(world_.executed.contains(point.token)) << "committed, but nobody has it";
      const auto own = chain_.find(point.number);
      if (own != chain_.end() && own->second == point.token) {
        committed_ = point;
      } else {
        restore(point);
      }
    }
  }

 private:
  void restore(const Point& point) {
    committed_ = point;
    last_ = point;
    chain_.clear();
  }
  void resend() {
    for (const auto& [key, token] : sent_) {
      if (key.first == view_ && key.second > committed_.number) send(token);
    }
  }
  void send(const wire::Token& token) {
    for (uint16_t i = 0; i < world_.cluster.nodes.size(); ++i) {
      world_.cluster.send(Address::executor(index_), Address::verifier(i), token);
    }
  }

  World& world_;
  uint16_t index_;
  View view_;
  BatchNumber start_;
  Point committed_{BatchNumber(0), kGenesis};
  Point last_ = committed_;
  std::map<BatchNumber, crypto::Digest> chain_;
  std::map<std::pair<View, BatchNumber>, wire::Token> sent_;
  std::map<std::tuple<bool, View, BatchNumber, crypto::Digest>, std::set<uint16_t>> verdicts_;
};

/// Changes what a verifier says, message by message, and signs it.
class Liar {
 public:
  Liar(World& world, uint16_t index) : world_(world), signer_(world.cluster.model, index) {}

  void send(Envelope envelope) {
    if (!world_.quiet && world_.random.chance(1, 2)) {
      if (world_.random.chance(1, 4)) return;
      wire::Message message = *envelope.message;
      std::visit([this](auto& content) { twist(content); }, message);
      envelope.message = std::make_shared<const wire::Message>(std::move(message));
    }
    world_.cluster.queue.push_back(std::move(envelope));
  }
  crypto::Digest any_token(BatchNumber number) {
    const auto& known = world_.shown[number];
    if (known.empty() || world_.random.chance(1, 5)) return digest("bogus");
    return known[world_.random.below(known.size())];
  }

 private:
  void twist(wire::Prepare& prepare) {
    prepare.token = any_token(prepare.number);
    if (world_.random.chance(1, 2)) prepare.previous = any_token(prepare.number.prev());
    signer_.notary().sign(prepare);
    if (world_.random.chance(1, 5)) prepare.signature = "forged";
  }
  void twist(wire::Commit& commit) { commit.token = any_token(commit.number); }
  void twist(wire::Verdict& verdict) { verdict.token = any_token(verdict.number); }
  void twist(wire::Welcome& welcome) {
    welcome.last.number = welcome.last.number.next();
    welcome.last.token = any_token(welcome.last.number);
    welcome.start.token = welcome.last.token;
  }
  void twist(wire::Hello& hello) { hello.restarted = world_.random.chance(1, 10); }
  void twist(wire::ViewChange& change) {
    if (world_.random.chance(1, 2)) {
      change.prepared = genesis_certificate();
    } else {
      change.prepared.genesis = false;
      change.prepared.number = change.prepared.number.next();
      change.prepared.token = any_token(change.prepared.number);
    }
    if (world_.random.chance(1, 8)) change.view = View(change.view.value() + 3);
    signer_.notary().sign(change);
  }
  void twist(wire::NewView& new_view) {
    if (world_.random.chance(1, 2)) {
      for (auto& change : new_view.proof) {
        const bool own = change.verifier == signer_.prepare(0, 0, {}, {}).verifier;
        if (own) change = signer_.change(new_view.view.value(), genesis_certificate());
      }
      new_view = signer_.new_view(new_view.view.value(), new_view.proof);
    } else {
      new_view.number = new_view.number.prev();
      new_view.token = any_token(new_view.number);
      signer_.notary().sign(new_view);
    }
  }
  template <typename Other>
  void twist(Other&) {}

  World& world_;
  Signer signer_;
};

class Chaos {
 public:
  Chaos(const FaultModel& model, uint64_t seed, bool remember)
      : world_(model, seed), liar_(world_, kLiar) {
    world_.cluster.remembers = remember;
    lies_ = model.r() > 0;
    for (uint16_t i = 0; i < model.executors(); ++i) executors_.emplace_back(world_, i);
    if (lies_) world_.cluster.liars[kLiar] = [this](Envelope e) { liar_.send(std::move(e)); };
    world_.cluster.on_verdict = [this](uint16_t from, uint16_t to, const wire::Verdict& verdict) {
      executors_[to].on_verdict(from, verdict);
    };
    loss_ = random().below(20);
    disorder_ = 1 + random().below(30);
  }
  void rage(int steps) {
    for (int i = 0; i < steps; ++i) {
      const uint64_t dice = random().below(100);
      if (dice < 85) {
        deliver_any();
      } else if (dice < 97) {
        act();
      } else {
        pass_time(static_cast<TimeUs>(random().below(40'000)));
      }
      if (world_.cluster.remembers) {
        if (random().chance(1, 400)) restart_any();
      } else if (random().chance(1, 2'000)) {
        restart();
      }
    }
  }
  /// No faults any more: everybody must get on.
  void calm() {
    auto& cluster = world_.cluster;
    world_.quiet = true;
    // The liars' promises stay broken, so that what they withheld counts as a failure within u.
    const TimeUs until = cluster.now + 60'000'000;
    const uint64_t goal = highest() + 20;
    while (lowest() < goal && cluster.now < until) {
      for (auto& executor : executors_) executor.act();
      cluster.run();
      pass_time(10'000);
    }
    EXPECT_GE(lowest(), goal) << "no progress after the faults stopped: " << describe();
  }
  /// What is committed is one chain, all of which a correct executor has executed.
  void check_history() {
    for (const auto& [number, token] : world_.cluster.agreed) {
      Point at{number, token};
      while (at.number > BatchNumber(0)) {
        const auto agreed = world_.cluster.agreed.find(at.number);
        if (agreed != world_.cluster.agreed.end()) {
          EXPECT_EQ(agreed->second, at.token);
        }
        const auto found = world_.executed.find(at.token);
        ASSERT_NE(found, world_.executed.end()) << "committed, but executed by nobody";
        ASSERT_EQ(found->second.first, at.number);
        at = {at.number.prev(), found->second.second};
      }
      EXPECT_EQ(at.token, kGenesis);
    }
  }
  uint64_t lowest() const {
    uint64_t least = ~0ull;
    for (uint16_t i = 0; i < world_.cluster.nodes.size(); ++i) {
      if (lies_ && i == kLiar) continue;
      least = std::min(least, world_.cluster.status(i).committed.value());
    }
    return least;
  }

 private:
  static constexpr uint16_t kLiar = 1;

  Random& random() { return world_.random; }
  uint64_t highest() const {
    uint64_t most = 0;
    for (uint16_t i = 0; i < world_.cluster.nodes.size(); ++i) {
      most = std::max(most, world_.cluster.status(i).committed.value());
    }
    return most;
  }
  std::string describe() const {
    std::string text;
    for (uint16_t i = 0; i < world_.cluster.nodes.size(); ++i) {
      const auto s = world_.cluster.status(i);
      text += "\n  verifier " + std::to_string(i) + " " + s.phase + " view " +
              std::to_string(s.view.value()) + " promised " + std::to_string(s.promised.value()) +
              " committed " + std::to_string(s.committed.value()) + " waits for " + s.waiting_for;
    }
    return text;
  }
  void deliver_any() {
    auto& queue = world_.cluster.queue;
    if (queue.empty()) return;
    const size_t index = random().below(std::min<size_t>(queue.size(), disorder_));
    const Envelope envelope = queue[index];
    if (!random().chance(1, 30)) {  // else it comes again
      queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(index));
    }
    if (random().chance(loss_, 100)) return;
    world_.cluster.deliver(envelope);
  }
  void act() {
    const auto index = static_cast<uint16_t>(random().below(executors_.size()));
    if (world_.cluster.queue.size() > 500) return;
    if (lies_ && index == 0) return lie();
    executors_[index].act();
    if (random().chance(1, 100)) {
      for (uint16_t i = 0; i < world_.cluster.nodes.size(); ++i) {
        world_.cluster.send(Address::executor(index), Address::verifier(i),
                            wire::Suspect{world_.cluster.status(i).view});
      }
    }
  }
  /// Executor 0 shows each verifier what it likes.
  void lie() {
    const uint16_t target = static_cast<uint16_t>(random().below(world_.cluster.nodes.size()));
    const auto status = world_.cluster.status(target);
    const BatchNumber number(status.committed.value() + 1 + random().below(4));
    world_.cluster.send(Address::executor(0), Address::verifier(target),
                        make_token(status.view.value(), number.value(), liar_.any_token(number),
                                   liar_.any_token(number.prev())));
  }
  void pass_time(TimeUs us) {
    auto& cluster = world_.cluster;
    const TimeUs until = cluster.now + us;
    if (world_.quiet) return cluster.tick_until(until);
    cluster.fire(until);
  }
  /// One at a time is away.
  void restart() {
    auto& cluster = world_.cluster;
    for (uint16_t i = 0; i < cluster.nodes.size(); ++i) {
      if (cluster.status(i).phase == "recovering") return;
    }
    const auto index = static_cast<uint16_t>(random().below(cluster.nodes.size()));
    cluster.crash(index);
    cluster.boot(index);
  }

  /// Who forgets nothing may restart at any time, and all of them together.
  void restart_any() {
    auto& cluster = world_.cluster;
    const bool all = random().chance(1, 5);
    const auto one = static_cast<uint16_t>(random().below(cluster.nodes.size()));
    for (uint16_t i = 0; i < cluster.nodes.size(); ++i) {
      if (!all && i != one) continue;
      if (random().chance(1, 2)) cluster.keep_all(i);
      cluster.crash(i);
      cluster.boot(i);
    }
  }

  World world_;
  Liar liar_;
  bool lies_ = false;
  uint64_t loss_ = 0;
  uint64_t disorder_ = 1;
  std::deque<SimExecutor> executors_;
};

class Seeds : public ::testing::TestWithParam<std::pair<uint32_t, uint32_t>> {};

INSTANTIATE_TEST_SUITE_P(Models, Seeds,
                         ::testing::Values(std::pair(1u, 0u), std::pair(1u, 1u), std::pair(2u, 1u),
                                           std::pair(2u, 2u)),
                         [](const auto& model) {
                           return "u" + std::to_string(model.param.first) + "r" +
                                  std::to_string(model.param.second);
                         });

void agree_and_progress(const FaultModel& model, bool remember) {
  const auto base = static_cast<uint64_t>(GTEST_FLAG_GET(random_seed));
  for (uint64_t seed = base * 1'000; seed < base * 1'000 + 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chaos chaos(model, seed, remember);
    chaos.rage(8'000);
    chaos.check_history();
    const uint64_t reached = chaos.lowest();
    chaos.calm();
    chaos.check_history();
    ::testing::Test::RecordProperty("reached_" + std::to_string(seed), std::to_string(reached));
    if (::testing::Test::HasFailure()) return;
  }
}

TEST_P(Seeds, AgreeUnderFaultsAndProgressAfterThem) {
  agree_and_progress({GetParam().first, GetParam().second}, false);
}

TEST_P(Seeds, AgreeAndProgressWhenEverybodyRestartsWithItsPromises) {
  agree_and_progress({GetParam().first, GetParam().second}, true);
}

}  // namespace
}  // namespace eve::verification::testing
