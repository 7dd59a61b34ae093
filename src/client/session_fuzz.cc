// libFuzzer: a client's session among executors that answer whatever the input says. Every request
// is completed at most once, in order, and never by fewer executors than the protocol demands.
#include <map>
#include <set>

#include "client/session.h"
#include "wire/message_fuzzing.h"

namespace eve::client {
namespace {

using namespace wire;
using wire::fuzzing::Keys;
using wire::fuzzing::MessageSource;

constexpr size_t kMostSteps = 200;

struct Client {
  explicit Client(const FaultModel& fault_model) : model(fault_model), keys(Address::client(0)) {
    SessionOptions options;
    options.model = model;
    options.nonce = 1;
    options.max_waiting_bytes = 1000;
    session.emplace(options, keys, wire::fuzzing::digester());
    session->start(now, out);
    settle();
  }
  void submit(size_t size) {
    if (session->submit(Bytes(size, 'r'), next_ticket)) ++next_ticket;
  }
  void settle() {
    for (const Send& send : out.sends) {
      wire::fuzzing::check_encodes(*send.message);
      const auto* message = std::get_if<BundleMessage>(send.message.get());
      EVE_CHECK(message != nullptr, "a client sends bundles only");
      asked[{message->bundle->session, message->bundle->first}] = message->bundle;
    }
    for (const Completion& completion : out.completions) {
      EVE_CHECK(completion.ticket == completed, "each request once, in order");
      EVE_CHECK(completion.ticket < next_ticket, "nothing that was not asked");
      ++completed;
      if (completion.executed) EVE_CHECK(vouched(completion.reply), "too few vouch for a reply");
      if (completion.quarantined) {
        EVE_CHECK(!completion.executed && completion.reply.empty(), "it was not executed");
        EVE_CHECK(quarantined_by.size() >= model.vouched(), "too few quarantined it");
      }
    }
    out = {};
    const Session::Status status = session->status();
    EVE_CHECK(status.outstanding == next_ticket - completed, "no request is lost");
    EVE_CHECK(status.primary < model.executors(), "the primary is an executor");
  }
  void wait(TimeUs us) {
    now += us;
    if (session->deadline() > now) return;
    session->tick(now, out);
    EVE_CHECK(session->deadline() > now, "a timer that does not move on");
  }
  /// Remembers who said what about a payload that holds `reply`.
  bool vouched(ByteView reply) const {
    for (const auto& [payload, voters] : said) {
      if (voters.size() >= model.vouched() && payload.find(reply) != Bytes::npos) return true;
    }
    return false;
  }

  FaultModel model;
  Keys keys;
  std::optional<Session> session;
  TimeUs now = 1'000'000;
  Outbox out;
  Ticket next_ticket = 0;
  Ticket completed = 0;
  std::map<std::pair<SessionId, RequestNumber>, BundlePtr> asked;
  std::map<Bytes, std::set<uint16_t>> said;
  std::set<uint16_t> quarantined_by;  ///< executors that said so of any bundle
};

Bytes payload_for(const Bundle& bundle, MessageSource& source, FuzzedDataProvider& data) {
  if (bundle.kind == BundleKind::kOpen) {
    const uint64_t id = 1 << 16 | source.small(1);
    return Bytes(reinterpret_cast<const char*>(&id), sizeof id).substr(0, 8 - source.small(7) / 7);
  }
  std::vector<Bytes> replies;
  size_t count = bundle.requests.size();
  if (source.small(7) == 0) count = source.small(4);
  const Bytes body = data.ConsumeBytesAsString(source.small(4));
  for (size_t i = 0; i < count; ++i) replies.push_back(body);
  return encode_replies(replies);
}

void answer(Client& client, MessageSource& source, FuzzedDataProvider& data) {
  if (client.asked.empty()) return;
  auto position = client.asked.begin();
  std::advance(position, static_cast<long>(source.small(client.asked.size() - 1)));
  const Bundle& bundle = *position->second;
  Bytes payload = payload_for(bundle, source, data);
  const auto status = static_cast<ReplyStatus>(source.small(7) == 0 ? 1 + source.small(4) : 1);
  if (status == ReplyStatus::kQuarantined && source.small(7) != 7) payload.clear();
  Reply reply{bundle.session, bundle.first, status, source.view(), {}, {}};
  reply.digest = reply_digest(status, payload, wire::fuzzing::digester());
  if (source.small(15) == 0) reply.digest = source.digest();
  const uint64_t first = source.small(client.model.executors() - 1);
  for (uint64_t i = 0; i <= source.small(2); ++i) {
    const auto from = static_cast<uint16_t>((first + i) % client.model.executors());
    reply.payload.reset();
    if (data.ConsumeBool()) reply.payload = SharedBytes(payload);
    if (status == ReplyStatus::kExecuted) client.said[payload].insert(from);
    if (status == ReplyStatus::kQuarantined) client.quarantined_by.insert(from);
    client.session->receive(reply, Address::executor(from), client.now, client.out);
  }
}

}  // namespace
}  // namespace eve::client

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace eve;
  using namespace eve::client;
  FuzzedDataProvider data(bytes, size);
  Client client(FaultModel(1, data.ConsumeIntegralInRange<uint32_t>(0, 1)));
  MessageSource source(data, client.model, {});
  for (size_t step = 0; step < kMostSteps && data.remaining_bytes() > 0; ++step) {
    switch (data.ConsumeIntegralInRange(0, 7)) {
      case 0:
        client.wait(data.ConsumeIntegralInRange<TimeUs>(0, 3'000'000));
        break;
      case 1:
      case 2:
        client.submit(source.small(300));
        break;
      case 3:
        client.session->on_disconnect(source.executor(), client.now, client.out);
        break;
      case 4:
        client.session->receive(source.verdict(), source.verifier(), client.now, client.out);
        break;
      default:
        answer(client, source, data);
    }
    if (source.small(3) != 0) client.session->idle(client.now, client.out);
    client.settle();
  }
  return 0;
}
