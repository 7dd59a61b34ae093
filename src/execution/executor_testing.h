// What the executor's tests share: a runner that computes tokens without a service, and one
// executor with its surroundings played by the test.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/limits.h"
#include "eve/codec.h"
#include "execution/executor.h"
#include "execution/stream.h"
#include "wire/codec.h"
#include "wire/membership.h"

namespace eve::execution::executor_testing {

inline const crypto::Digester& digester() {
  static const crypto::Digester instance(crypto::DigestAlgorithm::kXxh3, crypto::Secret{7});
  return instance;
}

inline crypto::Digest digest_of(const std::string& text) {
  return digester().digest(text);
}

inline crypto::Digest genesis() {
  return wire::genesis_token(digest_of("empty"), digester());
}

/// A signature is right when it names its signer. Counts what it verifies.
class NamingAuthenticator final : public crypto::Authenticator {
 public:
  static Bytes signature(uint16_t client) { return "signed by " + std::to_string(client); }
  Bytes sign(crypto::Domain, ByteView) const override { return {}; }
  bool verify(Address signer, crypto::Domain, ByteView, ByteView given) const override {
    ++verified;
    return signer.role == Role::kClient && given == signature(signer.index);
  }
  mutable size_t verified = 0;
};

inline wire::BundlePtr make_bundle(const wire::BundleFields& fields, size_t requests,
                                   const std::string& signature) {
  const std::vector<Bytes> bodies(requests, "request");
  return wire::make_bundle(fields, bodies, [&](ByteView) { return signature; });
}

inline wire::BundlePtr call(uint64_t first, size_t requests = 1, uint64_t session = 1 << 16,
                            uint16_t client = 0, uint64_t acknowledged = 0) {
  return make_bundle({wire::BundleKind::kCall, client, SessionId(session), RequestNumber(first),
                      RequestNumber(acknowledged)},
                     requests, NamingAuthenticator::signature(client));
}

inline wire::BundlePtr forged(uint64_t first) {
  return make_bundle(
      {wire::BundleKind::kCall, 0, SessionId(1 << 16), RequestNumber(first), RequestNumber(0)}, 1,
      "forged");
}

inline wire::BundlePtr open(uint64_t nonce, uint16_t client = 0) {
  return make_bundle(
      {wire::BundleKind::kOpen, client, SessionId(), RequestNumber(nonce), RequestNumber(0)}, 0,
      NamingAuthenticator::signature(client));
}

/// The state of the fake service: its sessions and a digest of its history.
struct FakeState {
  crypto::Digest digest = digest_of("empty");
  uint32_t epoch = 0;
  wire::BatchPtr change;  ///< of the members, the last
  TimeUs last_time_us = 0;
  std::map<SessionId, SessionSnapshot> sessions;
};

/// Does what the runner does, with a state that is a digest of the batches that made it. What is
/// fetched comes as `kNodes` nodes that name the state.
class FakeRunner {
 public:
  static constexpr uint64_t kNodes = 3;

  FakeRunner() { versions_[BatchNumber()] = {{{}, {}, {}, digest_of("empty"), {}}, genesis(), {}}; }

  /// Numbers at which this replica, running in parallel, arrives at another state than the others.
  std::set<uint64_t> diverges;
  /// Bundles that bring this replica to another state than the others, however they run.
  std::function<bool(const wire::Bundle&)> poisonous;

  void apply(const Command& command, const std::function<void(Event)>& emit) {
    std::visit([&](const auto& chosen) { run(chosen, emit); }, command);
  }

  /// Forgets the states of runners that are gone.
  static void start_anew() { library().clear(); }

  BatchNumber last() const { return versions_.rbegin()->first; }
  BatchNumber committed() const { return committed_; }
  crypto::Digest token(uint64_t number) const { return versions_.at(BatchNumber(number)).token; }
  Fetched committed_state() const {
    const Version& version = versions_.at(committed_);
    Fetched fetched{
        version.parts, version.token, version.state.last_time_us, {}, Epoch(version.state.epoch)};
    for (const auto& [id, session] : version.state.sessions) fetched.sessions.push_back(session);
    return fetched;
  }
  std::vector<std::pair<BatchNumber, RunMode>> runs;

 private:
  using Emit = std::function<void(Event)>;
  struct Version {
    wire::TokenParts parts;
    crypto::Digest token;
    FakeState state;
  };

  /// States by digest, of all runners: what nodes stand for.
  static std::map<crypto::Digest, FakeState>& library() {
    static std::map<crypto::Digest, FakeState> states;
    return states;
  }
  static Bytes node_of(const crypto::Digest& state, TreeNode id) {
    return "node " + std::to_string(id.index) + " of " + state.hex();
  }

  static SessionId open_session(const wire::Bundle& bundle, SessionId fresh, FakeState& state) {
    for (const auto& [id, session] : state.sessions) {
      if (session.client == bundle.client && session.opened_with == bundle.first) return id;
    }
    state.sessions[fresh] = {bundle.client, fresh, bundle.first, RequestNumber(1), {}};
    return fresh;
  }

  static BundleReply judge(const wire::Bundle& bundle, uint64_t index, BatchNumber number,
                           FakeState& state, bool listed) {
    const auto done = listed ? wire::ReplyStatus::kQuarantined : wire::ReplyStatus::kExecuted;
    BundleReply reply{bundle.client, bundle.session, bundle.first, done, {}, {}};
    if (bundle.kind == wire::BundleKind::kChange) {
      ++state.epoch;
      reply.payload = SharedBytes(wire::change_reply(Epoch(state.epoch)));
    } else if (bundle.kind == wire::BundleKind::kOpen) {
      const SessionId id = open_session(bundle, SessionId(number.value() << 16 | index), state);
      Bytes payload;
      Codec<uint64_t>::encode(id.value(), payload);
      reply.payload = SharedBytes(payload);
    } else if (!state.sessions.contains(bundle.session)) {
      reply.status = wire::ReplyStatus::kUnknownSession;
    } else if (state.sessions[bundle.session].next != bundle.first) {
      reply.status = wire::ReplyStatus::kOutOfOrder;
    } else {
      SessionSnapshot& session = state.sessions[bundle.session];
      session.next = end_of(bundle);
      std::erase_if(session.replies,
                    [&](const BundleReply& cached) { return cached.first <= bundle.acknowledged; });
      const std::vector<Bytes> replies(bundle.requests.size(),
                                       "done in " + std::to_string(number.value()));
      reply.payload = SharedBytes(wire::encode_replies(replies));
      reply.digest = wire::reply_digest(reply.status, reply.payload.view(), digester());
      session.replies.push_back(reply);
    }
    reply.digest = wire::reply_digest(reply.status, reply.payload.view(), digester());
    return reply;
  }

  void run(const RunBatch& command, const Emit& emit) {
    const wire::Batch& batch = *command.batch;
    if (fetching_ || batch.number != last().next()) return;
    runs.emplace_back(batch.number, command.mode);
    const Version& before = versions_.rbegin()->second;
    Version version{{}, {}, before.state};
    BatchExecuted event;
    bool diverged = command.mode == RunMode::kParallel && diverges.contains(batch.number.value());
    for (const wire::BundlePtr& bundle : batch.bundles) {
      const bool listed = !command.quarantine.empty() &&
                          std::binary_search(command.quarantine.begin(), command.quarantine.end(),
                                             wire::bundle_name(*bundle, digester()));
      diverged |= !listed && poisonous && poisonous(*bundle);
      event.replies.push_back(
          judge(*bundle, event.replies.size(), batch.number, version.state, listed));
      event.requests += static_cast<uint32_t>(bundle->requests.size());
    }
    version.state.digest =
        digest_of(before.state.digest.hex() + batch.digest.hex() + (diverged ? "another way" : ""));
    version.state.last_time_us = batch.time_us;
    if (wire::holds_change(batch)) version.state.change = command.batch;
    version.parts = {batch.number, before.token, batch.digest, version.state.digest,
                     digest_of("replies")};
    version.token = wire::token_of(version.parts, digester());
    library()[version.state.digest] = version.state;
    event.generation = command.generation;
    event.parts = version.parts;
    event.token = version.token;
    versions_[batch.number] = std::move(version);
    emit(std::move(event));
  }
  void run(const CommitBatches& command, const Emit&) {
    if (fetching_) return;
    committed_ = std::min(command.number, last());
    const BatchNumber oldest(committed_.value() -
                             std::min(committed_.value(), limits::kHistoryBatches));
    versions_.erase(versions_.begin(), versions_.lower_bound(oldest));
  }
  void run(const EnterView& command, const Emit& emit) { emit(ViewEntered{command.view}); }
  void run(const EndEpoch& command, const Emit& emit) {
    const auto version = versions_.find(command.number);
    if (version == versions_.end() || !version->second.state.change) return;
    emit(EpochEnded{{version->second.parts, version->second.state.change}});
  }
  void run(const BeginEpoch& command, const Emit& emit) {
    run(RollbackTo{committed_}, emit);
    emit(EpochBegun{command.epoch, committed_state()});
  }
  void run(const RollbackTo& command, const Emit&) {
    fetching_.reset();
    versions_.erase(versions_.upper_bound(command.number), versions_.end());
  }
  void run(const ServeState& command, const Emit& emit) {
    StateServed served{command.peer, {command.request.number, std::nullopt, {}}};
    const bool newest = command.request.number == BatchNumber() && command.request.nodes.empty();
    const auto version = versions_.find(newest ? committed_ : command.request.number);
    if (version != versions_.end() && version->first > BatchNumber()) {
      served.reply.parts = version->second.parts;
      for (TreeNode id : command.request.nodes) {
        served.reply.nodes.push_back({id, SharedBytes(node_of(version->second.parts.state, id))});
      }
    }
    emit(std::move(served));
  }
  void run(const StartFetch& command, const Emit& emit) {
    versions_.erase(versions_.upper_bound(committed_), versions_.end());
    fetching_ = command.parts;
    wanted_.clear();
    FetchWants wants;
    for (uint64_t i = 0; i < kNodes; ++i) {
      wants.nodes.push_back({0, i});
      wanted_.insert({0, i});
    }
    emit(std::move(wants));
  }
  void run(const SupplyFetch& command, const Emit& emit) {
    FetchWants wants;
    if (!fetching_) return emit(std::move(wants));
    for (const auto& node : command.reply.nodes) {
      const bool right =
          wanted_.contains(node.id) && node.payload.view() == node_of(fetching_->state, node.id);
      if (right) {
        wanted_.erase(node.id);
      } else {
        ++wants.refused;
        wants.nodes.push_back(node.id);
      }
    }
    wants.nodes.insert(wants.nodes.end(), command.failed.begin(), command.failed.end());
    if (!wanted_.empty()) return emit(std::move(wants));
    install(emit);
  }
  void install(const Emit& emit) {
    const wire::TokenParts parts = *fetching_;
    fetching_.reset();
    committed_ = parts.number;
    const crypto::Digest token = wire::token_of(parts, digester());
    versions_.clear();
    versions_[parts.number] = {parts, token, library().at(parts.state)};
    emit(committed_state());
  }

  std::map<BatchNumber, Version> versions_;
  BatchNumber committed_;
  std::optional<wire::TokenParts> fetching_;
  std::set<TreeNode> wanted_;
};

/// One executor and its runner. The runner works when run() is called, or at once while `eager`.
class Replica {
 public:
  explicit Replica(const ExecutorOptions& options, TimeUs start_us = 1'000'000)
      : executor(std::make_unique<Executor>(options, authenticator, digester())), now(start_us) {
    step([&](Outbox& out) { executor->start(now, out); });
  }

  /// The next process of an executor, with what the one before had left.
  Replica(const ExecutorOptions& options, Recovered recovered, FakeRunner stands, TimeUs start_us)
      : executor(std::make_unique<Executor>(options, authenticator, digester())),
        runner(std::move(stands)),
        now(start_us) {
    executor->recover(std::move(recovered), now);
    step([&](Outbox& out) { executor->start(now, out); });
  }

  /// An executor at the beginning of an epoch.
  Replica(const ExecutorOptions& options, FakeRunner stands, const Fetched& state, TimeUs start_us)
      : executor(std::make_unique<Executor>(options, authenticator, digester())),
        runner(std::move(stands)),
        now(start_us) {
    executor->begin(state, now);
    step([&](Outbox& out) { executor->start(now, out); });
  }

  template <typename Message>
  void receive(Address from, const Message& message) {
    step([&](Outbox& out) { executor->receive(wire::Message(message), from, now, out); });
  }
  void idle() {
    step([&](Outbox& out) { executor->idle(now, out); });
  }
  void tick() {
    step([&](Outbox& out) { executor->tick(now, out); });
  }
  /// Lets time pass, with all ticks that are due.
  void pass(TimeUs us) {
    for (const TimeUs end = now + us; now < end;) {
      const TimeUs due = executor->deadline();
      now = std::min(end, std::max(due, now));
      if (now < due) continue;
      tick();
      EVE_CHECK(executor->deadline() > now, "a tick moves the deadline forward");
    }
  }
  void run() {
    while (!commands.empty()) {
      const Command command = std::move(commands.front());
      commands.pop_front();
      runner.apply(command, [&](Event event) { events.push_back(std::move(event)); });
      while (!events.empty()) {
        Event event = std::move(events.front());
        events.pop_front();
        Outbox out;
        executor->on_event(std::move(event), now, out);
        keep(out);
      }
    }
  }

  /// What was sent since the last call, with whom to; only messages of the type.
  template <typename Message>
  std::vector<std::pair<Address, Message>> sent() {
    std::vector<std::pair<Address, Message>> found;
    std::deque<std::pair<Address, wire::MessagePtr>> rest;
    for (auto& [to, message] : outgoing) {
      if (const auto* body = std::get_if<Message>(message.get()); body != nullptr) {
        found.emplace_back(to, *body);
      } else {
        rest.emplace_back(to, message);
      }
    }
    outgoing = std::move(rest);
    return found;
  }

  NamingAuthenticator authenticator;
  std::unique_ptr<Executor> executor;
  FakeRunner runner;
  TimeUs now;
  bool eager = true;
  std::deque<Command> commands;
  std::deque<Event> events;
  std::deque<std::pair<Address, wire::MessagePtr>> outgoing;

 private:
  template <typename Act>
  void step(const Act& act) {
    Outbox out;
    act(out);
    keep(out);
    if (eager) run();
  }
  void keep(Outbox& out) {
    for (Command& command : out.commands) commands.push_back(std::move(command));
    for (const wire::Send& send : out.sends) {
      for (Address to : send.to) outgoing.emplace_back(to, send.message);
    }
  }
};

inline ExecutorOptions options(uint32_t u, uint32_t r, uint16_t index) {
  ExecutorOptions options;
  options.model = FaultModel(u, r);
  options.index = index;
  options.clients = 4;
  options.genesis = genesis();
  return options;
}

/// A verdict from each of the first `count` verifiers.
template <typename Verdict>
void tell(Replica& replica, size_t count, const Verdict& verdict) {
  for (size_t i = 0; i < count; ++i) replica.receive(Address::verifier(i), verdict);
}

inline wire::Verdict commit(uint64_t number, const crypto::Digest& token, uint64_t view = 0) {
  return {wire::VerdictKind::kCommit, View(view), BatchNumber(number), token};
}
inline wire::Verdict rollback(uint64_t view, uint64_t number, const crypto::Digest& token) {
  return {wire::VerdictKind::kRollback, View(view), BatchNumber(number), token};
}

/// A batch as the primary of `view` makes it.
inline wire::BatchMessage batch(uint64_t view, uint64_t number,
                                std::vector<wire::BundlePtr> bundles, TimeUs time_us = 0) {
  if (time_us == 0) time_us = static_cast<TimeUs>(1'000'000 + number);
  return {wire::make_batch(View(view), BatchNumber(number), time_us, number, std::move(bundles),
                           digester())};
}

}  // namespace eve::execution::executor_testing
