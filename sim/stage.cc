#include "sim/stage.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "sim/light_authenticator.h"
#include "sim/violation.h"
#include "wire/codec.h"

namespace eve::sim {
namespace {

constexpr TimeUs kMs = 1000;
constexpr TimeUs kStartUs = 1'700'000'000'000'000;  // an ordinary date
constexpr TimeUs kQuietUs = 10 * kMs;
constexpr const char* kSpoilt = "spoilt";

bool is_any_of(Address node, const std::vector<Address>& nodes) {
  return nodes.empty() || std::count(nodes.begin(), nodes.end(), node) > 0;
}

std::vector<Address> everybody(FaultModel model, uint16_t clients) {
  std::vector<Address> nodes;
  for (uint32_t i = 0; i < model.executors(); ++i) nodes.push_back(Address::executor(i));
  for (uint32_t i = 0; i < model.verifiers(); ++i) nodes.push_back(Address::verifier(i));
  for (uint16_t i = 0; i < clients; ++i) nodes.push_back(Address::client(i));
  return nodes;
}

std::vector<std::unique_ptr<Backstage>> make_backstages(FaultModel model) {
  std::vector<std::unique_ptr<Backstage>> made;
  for (uint32_t i = 0; i < model.executors(); ++i) made.push_back(std::make_unique<Backstage>());
  return made;
}

crypto::Digester make_digester(FaultModel model) {
  const auto algorithm =
      model.byzantine() ? crypto::DigestAlgorithm::kSha256 : crypto::DigestAlgorithm::kXxh3;
  return crypto::Digester(algorithm, crypto::Secret{});
}

crypto::Digest genesis_of(const crypto::Digester& digester, const Backstage& backstage) {
  InlineScheduler scheduler;
  const execution::Runner empty(digester, scheduler, make_stage_service(backstage),
                                [] { return TimeUs(); });
  return wire::genesis_token(empty.empty_root(), digester);
}

/// Clients may send these twice, and it means something each time.
bool folds(const std::string& kind) {
  return kind != "call" && kind != "open" && kind != "reply";
}

}  // namespace

bool Pattern::picks(const Facts& facts, Address sender, Address receiver) const {
  if (kind != "anything" && kind != facts.kind) return false;
  if (!is_any_of(sender, from) || !is_any_of(receiver, to)) return false;
  if (view && view != facts.view) return false;
  if (number && number != facts.number) return false;
  return token.empty() || token == facts.token;
}

/// The requests that the script gives to clients, and the replies that they accept.
class Stage::Script final : public Workload {
 public:
  explicit Script(Stage& stage) : stage_(stage) {}

  execution::MakeService service() const override {
    return make_stage_service(*stage_.backstages_[0]);
  }
  bool right_footprints() const override { return false; }
  Bytes request(uint16_t client, uint64_t, Random&) override {
    Bytes next = waiting_[client].front();
    waiting_[client].pop_front();
    return next;
  }
  void check(uint16_t client, uint64_t, ByteView request, ByteView reply) override {
    Bytes text(reply);
    while (!text.empty() && text.back() <= ' ') text.pop_back();
    replies_[client].push_back(text);
    say(client, '"' + Bytes(request) + "\" is answered \"" + text + '"');
  }
  void quarantined(uint16_t client, uint64_t, uint64_t) override {
    replies_[client].emplace_back("quarantined");
    say(client, "its request is quarantined: it was not executed, and never will be");
  }
  void lost(uint16_t client, uint64_t) override {
    replies_[client].emplace_back("lost");
    say(client, "its session is lost: what became of the request is unknown");
  }

  void add(uint16_t client, const std::string& text) { waiting_[client].push_back(text); }
  std::optional<std::string> reply(uint16_t client, uint64_t request) const {
    const auto found = replies_.find(client);
    if (found == replies_.end() || request > found->second.size()) return std::nullopt;
    return found->second[request - 1];
  }

 private:
  void say(uint16_t client, const std::string& text) {
    stage_.transcript_.change(stage_.now(), Address::client(client), text);
  }

  Stage& stage_;
  std::map<uint16_t, std::deque<Bytes>> waiting_;
  std::map<uint16_t, std::vector<std::string>> replies_;
};

Stage::Stage(FaultModel model, uint16_t clients, Fibers& fibers, Transcript& transcript)
    : model_(model),
      transcript_(transcript),
      nodes_(everybody(model, clients)),
      roster_(model, clients),
      digester_(make_digester(model)),
      network_({}, roster_.size(), 1),
      trace_(nullptr),
      post_(roster_, queue_, network_, trace_, digester_,
            [this](const wire::MessagePtr& message, Address from, Address to) {
              deliver(message, from, to);
            }),
      around_{.queue = queue_, .post = post_, .trace = trace_, .steady = true},
      backstages_(make_backstages(model)),
      workload_(std::make_unique<Script>(*this)),
      ledger_(genesis_of(digester_, *backstages_.front())),
      replies_(ledger_),
      gate_(model, ledger_, replies_),
      names_(ledger_.token(BatchNumber())),
      forge_(
          model, names_, digester_,
          [this](Address node) -> const crypto::Authenticator& { return authenticator_of(node); }),
      eyes_(std::make_unique<StageEyes>(queue_, names_, transcript)) {
  transcript_.set_nodes(nodes_);
  post_.set_carrier([this](const wire::MessagePtr& message, Address from, Address to) {
    return carry(message, from, to);
  });
  add_nodes(fibers);
  for (const Address node : nodes_) host(node).start();
  acted();
}

Stage::~Stage() = default;

const crypto::Authenticator& Stage::authenticator_of(Address node) {
  auto& key = authenticators_[node];
  if (key == nullptr) {
    if (model_.byzantine()) {
      key = std::make_unique<LightAuthenticator>(node, digester_);
    } else {
      key = std::make_unique<crypto::NoAuthenticator>();
    }
  }
  return *key;
}

void Stage::add_nodes(Fibers& fibers) {
  const crypto::Digest genesis = ledger_.token(BatchNumber());
  for (uint16_t i = 0; i < model_.executors(); ++i) {
    ExecutorSetup setup;
    setup.options.model = model_;
    setup.options.index = i;
    setup.options.clients =
        static_cast<uint16_t>(nodes_.size() - model_.executors() - model_.verifiers());
    setup.options.genesis = genesis;
    setup.make_service = make_stage_service(*backstages_[i]);
    setup.request_cost_us = kMs;
    setup.switch_every = 1;
    backstages_[i]->note = [this, i](const std::string& text) {
      transcript_.change(now(), Address::executor(i), text);
    };
    executors_.push_back(std::make_unique<ExecutorHost>(around_, setup, kStartUs, i, fibers,
                                                        authenticator_of(Address::executor(i)),
                                                        digester_, ledger_));
  }
  for (uint16_t i = 0; i < model_.verifiers(); ++i) {
    verification::VerifierOptions options;
    options.model = model_;
    options.index = i;
    options.genesis = genesis;
    verifiers_.push_back(std::make_unique<VerifierHost>(
        around_, options, kStartUs, i, authenticator_of(Address::verifier(i)), digester_, ledger_));
  }
  for (const Address node : nodes_) {
    if (node.role != Role::kClient) continue;
    ClientSetup setup;
    setup.options.model = model_;
    setup.options.client = node.index;
    setup.options.nonce = node.index + 1u;
    clients_.push_back(std::make_unique<ClientHost>(around_, setup, node.index,
                                                    authenticator_of(node), digester_, *workload_,
                                                    replies_, gate_));
  }
}

Host& Stage::host(Address node) {
  if (node.role == Role::kExecutor) return *executors_.at(node.index);
  if (node.role == Role::kVerifier) return *verifiers_.at(node.index);
  return *clients_.at(node.index);
}

// ---- Messages ----------------------------------------------------------------------------------

void Stage::deliver(const wire::MessagePtr& message, Address from, Address to) {
  host(to).receive(message, from);
}

/// Every message passes here once for each receiver, and leaves its line.
Network::Delivery Stage::carry(const wire::MessagePtr& message, Address from, Address to) {
  forge_.learn(*message, from);
  const Facts facts = names_.facts(*message);
  const auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& r) {
    return sent_as_.empty() && r.pattern.picks(facts, from, to);
  });
  Network::Delivery delivery{1, {now() + kMs, now() + kMs}};
  std::string fate = sent_as_;
  if (rule != rules_.end()) {
    delivery.copies = rule->fate == Fate::kTwice ? 2 : 0;
    static constexpr const char* kWords[] = {"dropped", "held", "sent twice", kSpoilt};
    fate = kWords[static_cast<size_t>(rule->fate)];
    if (rule->fate == Fate::kHold) held_.push_back({message, from, to});
    if (rule->fate == Fate::kSpoil) send_spoilt(message, from, to);
  }
  const bool same = !leaving_.empty() && leaving_.back().message == message;
  if (!same) leaving_.push_back({message, from, {}});
  leaving_.back().to.emplace_back(to, fate);
  if (delivery.copies > 0 || fate == kSpoilt) log_.push_back({facts, from, to});
  return delivery;
}

/// What it carries is changed behind its sender's back; the sender is the liar.
void Stage::send_spoilt(const wire::MessagePtr& message, Address from, Address to) {
  wire::Message spoilt = *message;
  if (auto* state = std::get_if<wire::StateReply>(&spoilt)) {
    for (auto& node : state->nodes) {
      Bytes bytes(node.payload.view());
      if (!bytes.empty()) bytes.back() = static_cast<char>(bytes.back() ^ 1);
      node.payload = SharedBytes(std::move(bytes));
    }
  } else if (auto* reply = std::get_if<wire::Reply>(&spoilt); reply && reply->payload) {
    reply->payload = SharedBytes(wire::encode_replies({"a lie"}));
  } else {
    throw ScriptError("only state-reply and reply can be spoilt");
  }
  const auto frame = SharedBytes(wire::encode(spoilt));
  auto decoded = wire::decode(frame, digester_);
  if (!decoded.ok()) return;
  queue_.after(kMs, [this, from, to,
                     sent = std::make_shared<const wire::Message>(std::move(decoded).value())] {
    deliver(sent, from, to);
  });
}

void Stage::send_as(const std::string& fate, Address from, const wire::Send& send) {
  sent_as_ = fate;
  post_.slip_in(from, send);
  sent_as_.clear();
  acted();
}

void Stage::release(const Pattern& pattern) {
  std::vector<std::pair<Address, wire::Send>> released;
  for (const Held& held : std::exchange(held_, {})) {
    if (!pattern.picks(names_.facts(*held.message), held.from, held.to)) {
      held_.push_back(held);
    } else if (!released.empty() && released.back().second.message == held.message) {
      released.back().second.to.push_back(held.to);
    } else {
      released.push_back({held.from, {{held.to}, held.message}});
    }
  }
  for (const auto& [from, send] : released) send_as("held until now", from, send);
  std::erase_if(rules_, [](const Rule& rule) { return rule.fate == Fate::kHold; });
}

void Stage::tell(Address liar, const std::vector<Address>& to, const std::string& kind,
                 const Fields& fields) {
  const TimeUs clock = kStartUs + now();
  wire::Message made = forge_.make(liar, kind, fields, clock);
  const auto decoded = wire::decode(SharedBytes(wire::encode(made)), digester_);
  if (!decoded.ok()) throw ScriptError("the gate refuses that: " + decoded.message());
  send_as("a lie", liar, {to, std::make_shared<const wire::Message>(std::move(made))});
}

// ---- Time --------------------------------------------------------------------------------------

/// After every event: first what it changed, then what it sent.
void Stage::acted() {
  for (const auto& node : executors_) eyes_->look(*node);
  for (const auto& node : verifiers_) eyes_->look(*node);
  for (const Leaving& one : std::exchange(leaving_, {})) {
    last_sent_ = now();
    const std::string text = names_.describe(*one.message);
    const std::string kind = names_.facts(*one.message).kind;
    std::map<std::string, std::vector<Address>> by_fate;
    for (const auto& [to, fate] : one.to) by_fate[fate].push_back(to);
    for (auto& [fate, to] : by_fate) {
      transcript_.message(now(), one.from, std::move(to), text, fate, folds(kind));
    }
  }
}

bool Stage::run(TimeUs duration, const std::function<bool()>& done) {
  bool held = false;
  queue_.run_until(now() + duration, [&] {
    acted();
    held = done();
    return held;
  });
  return held;
}

bool Stage::quiet() const {
  return now() - last_sent_ >= kQuietUs &&
         std::all_of(clients_.begin(), clients_.end(), [](const auto& client) {
           return client->status().open && client->status().outstanding == 0;
         });
}

void Stage::request(uint16_t client, const std::string& text) {
  workload_->add(client, text);
  clients_.at(client)->nudge();
}

void Stage::crash(Address node) {
  if (node.role == Role::kClient || !host(node).up()) throw ScriptError("it cannot crash");
  host(node).crash();
  eyes_->forget(node);
  for (const auto& client : clients_) client->disconnect(node);
  acted();
}

void Stage::restart(Address node) {
  if (host(node).up()) throw ScriptError("it is up");
  host(node).start();
  acted();
}

void Stage::pause(Address node, TimeUs duration) {
  host(node).pause_until(now() + duration);
}

// ---- Questions ---------------------------------------------------------------------------------

std::optional<std::string> Stage::field(Address node, const std::string& name) {
  if (name == "up") return host(node).up() ? "yes" : "no";
  if (!host(node).up()) return "down";
  if (node.role == Role::kExecutor) return eyes_->field(*executors_.at(node.index), name);
  if (node.role == Role::kVerifier) return eyes_->field(*verifiers_.at(node.index), name);
  return eyes_->field(*clients_.at(node.index), name);
}

std::optional<std::string> Stage::reply(uint16_t client, uint64_t request) const {
  return workload_->reply(client, request);
}

bool Stage::sent(const Pattern& pattern) const {
  return std::any_of(log_.begin(), log_.end(), [&pattern](const Logged& one) {
    return pattern.picks(one.facts, one.from, one.to);
  });
}

bool Stage::executors_agree() const {
  std::optional<std::pair<BatchNumber, crypto::Digest>> first;
  for (const auto& node : executors_) {
    if (!node->up()) continue;
    node->check_state();
    const std::pair here(node->status().committed, node->status().state_root);
    if (!first) first = here;
    if (*first != here) return false;
  }
  return true;
}

}  // namespace eve::sim
