#include "tests/lying/lies.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <thread>
#include <utility>

#include "base/limits.h"
#include "eve/service.h"
#include "wire/codec.h"

namespace eve::lying {
namespace {

using wire::Message;
using wire::Send;

const std::map<std::string, Lie>& names() {
  static const std::map<std::string, Lie> all = {
      {"diverge", Lie::kDiverge}, {"token", Lie::kToken},
      {"reply", Lie::kReply},     {"withhold", Lie::kWithhold},
      {"verdict", Lie::kVerdict}, {"bad-signature", Lie::kBadSignature},
      {"silent", Lie::kSilent},   {"slow", Lie::kSlow}};
  return all;
}

/// Every reply gets another last byte, so every batch another token.
class OtherReplies final : public Service {
 public:
  explicit OtherReplies(std::unique_ptr<Service> real) : real_(std::move(real)) {}
  void footprint(ByteView request, Footprint& out) const override {
    real_->footprint(request, out);
  }
  void execute(Context& context, ByteView request, Bytes& reply) override {
    real_->execute(context, request, reply);
    reply += '!';
  }

 private:
  std::unique_ptr<Service> real_;
};

/// Replaces every message of type T by what `change` makes of it.
template <typename T, typename Change>
void change_all(std::vector<Send>& sends, const Change& change) {
  for (auto& send : sends) {
    const auto* content = std::get_if<T>(send.message.get());
    if (content == nullptr) continue;
    T changed = *content;
    change(changed);
    send.message = std::make_shared<const Message>(std::move(changed));
  }
}

template <typename... Ts>
void withhold(std::vector<Send>& sends) {
  std::erase_if(
      sends, [](const Send& send) { return (std::holds_alternative<Ts>(*send.message) || ...); });
}

void flip(crypto::Digest& digest) {
  digest.bytes[0] ^= 1;
}

void lie_about_tokens(std::vector<Send>& sends, const crypto::Digester& digester) {
  change_all<wire::Token>(sends, [&](wire::Token& token) {
    flip(token.parts.state);
    token.token = wire::token_of(token.parts, digester);
  });
}

void lie_about_replies(std::vector<Send>& sends, const crypto::Digester& digester) {
  change_all<wire::Reply>(sends, [&](wire::Reply& reply) {
    Bytes wrong = reply.payload ? Bytes(reply.payload->view()) : Bytes("nothing of the kind");
    if (!wrong.empty()) wrong.back() = static_cast<char>(wrong.back() ^ 1);
    reply.digest = wire::reply_digest(reply.status, wrong, digester);
    if (reply.payload) reply.payload = SharedBytes(std::move(wrong));
  });
}

void lie_about_verdicts(std::vector<Send>& sends) {
  change_all<wire::Verdict>(sends, [](wire::Verdict& verdict) { flip(verdict.token); });
  change_all<wire::Welcome>(sends, [](wire::Welcome& welcome) {
    flip(welcome.last.token);
    flip(welcome.start.token);
  });
}

/// How many forgeries go with each call: enough that a receiver that did not care would drown.
constexpr int kForgeries = 16;

std::vector<Address> others_like(Address from, const FaultModel& model) {
  std::vector<Address> others;
  const auto count = from.role == Role::kVerifier ? model.verifiers() : model.executors();
  for (uint16_t i = 0; i < count; ++i) {
    if (i != from.index) others.push_back({from.role, i});
  }
  return others;
}

/// Bundles in a client's name, to all other executors.
void add_forged_bundles(Address from, const FaultModel& model, std::vector<Send>& sends,
                        uint64_t& counter) {
  for (int i = 0; i < kForgeries; ++i) {
    const wire::BundleFields fields{wire::BundleKind::kCall, 0, SessionId(++counter),
                                    RequestNumber(1), RequestNumber(0)};
    const auto bundle =
        wire::make_bundle(fields, {"forged"}, [](ByteView) { return Bytes(64, '\x5a'); });
    sends.push_back({others_like(from, model),
                     std::make_shared<const Message>(wire::BundleMessage{bundle, true})});
  }
}

/// Its own votes, badly signed, before the right ones, and requests for views that nobody wants.
void add_forged_votes(Address from, const FaultModel& model, std::vector<Send>& sends,
                      uint64_t& counter) {
  std::vector<Send> all;
  for (const auto& send : sends) {
    const auto* vote = std::get_if<wire::Prepare>(send.message.get());
    if (vote == nullptr) continue;
    auto forged = *vote;
    forged.signature = Bytes(64, '\x5a');
    all.push_back({send.to, std::make_shared<const Message>(std::move(forged))});
  }
  for (int i = 0; i < kForgeries; ++i) {
    wire::ViewChange change;
    change.view = View(1'000'000 + ++counter);
    change.verifier = from.index;
    change.signature = Bytes(64, '\x5a');
    all.push_back({others_like(from, model), std::make_shared<const Message>(std::move(change))});
  }
  all.insert(all.end(), sends.begin(), sends.end());
  sends = std::move(all);
}

int64_t cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// Sleeps nine times what the process has computed since the last call.
class Brake {
 public:
  void operator()() {
    const auto computed = cpu_ns() - std::exchange(last_, cpu_ns());
    std::this_thread::sleep_for(std::chrono::nanoseconds(9 * computed));
  }

 private:
  int64_t last_ = cpu_ns();
};

}  // namespace

std::optional<Lie> parse_lie(const std::string& name) {
  const auto found = names().find(name);
  return found == names().end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> lie_names() {
  std::vector<std::string> all;
  for (const auto& [name, lie] : names()) all.push_back(name);
  return all;
}

runtime::Rewrite make_rewrite(Lie lie, const FaultModel& model, const crypto::Digester& digester) {
  switch (lie) {
    case Lie::kDiverge:
      return {};
    case Lie::kToken:
      return [&](Address, std::vector<Send>& sends) { lie_about_tokens(sends, digester); };
    case Lie::kReply:
      return [&](Address, std::vector<Send>& sends) { lie_about_replies(sends, digester); };
    case Lie::kWithhold:
      return [](Address, std::vector<Send>& sends) {
        withhold<wire::Token, wire::Prepare, wire::Commit, wire::ViewChange, wire::NewView,
                 wire::Verdict>(sends);
      };
    case Lie::kVerdict:
      return [](Address, std::vector<Send>& sends) { lie_about_verdicts(sends); };
    case Lie::kBadSignature:
      return [model, counter = uint64_t{0}](Address from, std::vector<Send>& sends) mutable {
        auto* const add = from.role == Role::kVerifier ? add_forged_votes : add_forged_bundles;
        add(from, model, sends, counter);
      };
    case Lie::kSilent:
      return [](Address, std::vector<Send>& sends) { sends.clear(); };
    case Lie::kSlow:
      return [brake = Brake()](Address, std::vector<Send>&) mutable { brake(); };
  }
  return {};
}

execution::MakeService distort_service(Lie lie, execution::MakeService make) {
  if (lie != Lie::kDiverge) return make;
  return [make = std::move(make)](State& state) {
    return std::make_unique<OtherReplies>(make(state));
  };
}

}  // namespace eve::lying
