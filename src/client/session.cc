#include "client/session.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "base/random.h"
#include "client/flight.h"
#include "client/gatherer.h"
#include "client/primary_guess.h"
#include "eve/codec.h"
#include "wire/codec.h"

namespace eve::client {
namespace {

constexpr TimeUs kNever = std::numeric_limits<TimeUs>::max();
/// The longest wait between two retries, in first waits.
constexpr TimeUs kLongestWait = 8;

}  // namespace

struct Session::Impl {
  Impl(const SessionOptions& session_options, const crypto::Authenticator& session_authenticator,
       const crypto::Digester& session_digester)
      : options(session_options),
        authenticator(session_authenticator),
        digester(session_digester),
        nonces(session_options.nonce),
        waiting(session_options.max_waiting_bytes),
        guess(session_options.model),
        nonce(session_options.nonce) {
    options.max_bundles = std::clamp<size_t>(options.max_bundles, 1, limits::kMaxSessionBundles);
  }

  void open(TimeUs now, Outbox& out);
  void launch(std::deque<Flight>& where, const wire::BundleFields& fields,
              Gatherer::Gathered gathered, TimeUs now, Outbox& out);
  void retry(Flight& flight, TimeUs now, Outbox& out);
  void on_opening_reply(uint16_t executor, const wire::Reply& reply);
  void on_call_reply(uint16_t executor, const wire::Reply& reply, TimeUs now, Outbox& out);
  bool genuine(uint16_t executor, const wire::Reply& reply);
  void complete_in_order(TimeUs now, Outbox& out);
  void complete(Flight& flight, Outbox& out);
  void lose_session(TimeUs now, Outbox& out);
  template <typename Function>
  void for_each_open(const Function& function);

  SessionOptions options;
  const crypto::Authenticator& authenticator;
  const crypto::Digester& digester;
  Random nonces;  ///< of later sessions, should this one be lost
  Gatherer waiting;
  PrimaryGuess guess;
  uint64_t nonce;
  std::optional<SessionId> session;
  std::deque<Flight> opening;  ///< the bundle that opens the session, until it is answered
  std::deque<Flight> flights;  ///< oldest first
  RequestNumber next{1};       ///< number of the next request that leaves
  RequestNumber received;      ///< every reply up to this one has been handed out
  uint64_t completed = 0;
  uint64_t retries = 0;
  uint64_t quarantined = 0;
  uint64_t sessions_lost = 0;
  Refusals refusals;
};

/// Bundles that still want an answer.
template <typename Function>
void Session::Impl::for_each_open(const Function& function) {
  for (Flight& flight : opening) function(flight);
  for (Flight& flight : flights) {
    if (!flight.accepted()) function(flight);
  }
}

void Session::Impl::open(TimeUs now, Outbox& out) {
  wire::BundleFields fields;
  fields.kind = wire::BundleKind::kOpen;
  fields.client = options.client;
  fields.first = RequestNumber(nonce);
  launch(opening, fields, {}, now, out);
}

/// Signs a bundle and sends it to the primary, or to all if the primary is known to be away.
void Session::Impl::launch(std::deque<Flight>& where, const wire::BundleFields& fields,
                           Gatherer::Gathered gathered, TimeUs now, Outbox& out) {
  const auto sign = [this](ByteView bytes) {
    return authenticator.sign(crypto::Domain::kBundle, bytes);
  };
  where.emplace_back(wire::make_bundle(fields, gathered.requests, sign),
                     std::move(gathered.tickets));
  Flight& flight = where.back();
  const uint16_t primary = guess.primary();
  flight.sent_to_one(primary, now, options.retry_after_us);
  if (!guess.reachable()) {
    retry(flight, now, out);
    return;
  }
  out.sends.push_back({{Address::executor(primary)},
                       std::make_shared<const wire::Message>(
                           wire::BundleMessage{flight.bundle(), /*retry=*/false})});
}

void Session::Impl::retry(Flight& flight, TimeUs now, Outbox& out) {
  std::vector<Address> everyone;
  for (uint32_t i = 0; i < options.model.executors(); ++i) {
    everyone.push_back(Address::executor(i));
  }
  out.sends.push_back({std::move(everyone), std::make_shared<const wire::Message>(
                                                wire::BundleMessage{flight.bundle(), true})});
  flight.sent_to_all(now, kLongestWait * options.retry_after_us);
  ++retries;
}

/// A payload that is not what the digest says proves a liar; its digest is worth nothing either.
bool Session::Impl::genuine(uint16_t executor, const wire::Reply& reply) {
  if (!reply.payload ||
      wire::reply_digest(reply.status, reply.payload->view(), digester) == reply.digest) {
    return true;
  }
  refusals.add(Address::executor(executor), "a reply that is not what its digest says");
  return false;
}

void Session::Impl::on_opening_reply(uint16_t executor, const wire::Reply& reply) {
  Flight& flight = opening.front();
  if (reply.session != SessionId() || reply.first != flight.bundle()->first) return;
  if (!genuine(executor, reply)) return;
  flight.add(executor, reply);
  const auto answer = flight.vouched_answer(options.model.vouched());
  if (!answer) return;
  const auto id = Codec<uint64_t>::decode(answer->payload.view());
  if (!id || *id == 0) return;
  session = SessionId(*id);
  opening.clear();
}

void Session::Impl::on_call_reply(uint16_t executor, const wire::Reply& reply, TimeUs now,
                                  Outbox& out) {
  const auto flight = std::find_if(flights.begin(), flights.end(), [&reply](const Flight& f) {
    return f.bundle()->first == reply.first;
  });
  if (flight == flights.end() || flight->accepted() || !genuine(executor, reply)) return;
  flight->add(executor, reply);
  const size_t quorum = options.model.vouched();
  if (flight->refused(wire::ReplyStatus::kUnknownSession, quorum)) {
    lose_session(now, out);
    return;
  }
  auto answer = flight->vouched_answer(quorum);
  if (!answer) {
    // Who was to send the payload has sent another: the others have it, and are not told to wait.
    const bool lied = flight->was_sent_to_one() && !flight->contradicted(quorum).empty();
    if (lied) retry(*flight, now, out);
    return;
  }
  for (const auto liar : flight->contradicted(quorum)) {
    refusals.add(Address::executor(liar), "a reply that enough others contradict");
  }
  flight->accept(std::move(*answer));
  complete_in_order(now, out);
}

void Session::Impl::complete_in_order(TimeUs now, Outbox& out) {
  while (!flights.empty() && flights.front().accepted()) {
    received = flights.front().last();
    complete(flights.front(), out);
    flights.pop_front();
  }
  if (flights.empty()) return;
  // A bundle that overtook its predecessor was refused; its turn is now, and waiting out its time
  // would only add latency.
  Flight& head = flights.front();
  if (head.refused(wire::ReplyStatus::kOutOfOrder, options.model.vouched())) {
    retry(head, now, out);
  }
}

/// Hands out one bundle's completions; without an accepted answer their outcome is unknown.
void Session::Impl::complete(Flight& flight, Outbox& out) {
  std::vector<ByteView> replies;
  const auto& answer = flight.accepted();
  const bool refused = answer && answer->status == wire::ReplyStatus::kQuarantined;
  if (answer && !refused) {
    auto decoded = wire::decode_replies(answer->payload.view(), flight.tickets().size());
    if (decoded.ok()) replies = std::move(decoded).value();
  }
  for (size_t i = 0; i < flight.tickets().size(); ++i) {
    Completion completion;
    completion.ticket = flight.tickets()[i];
    completion.executed = !replies.empty();
    completion.quarantined = refused;
    if (completion.executed) {
      completion.payload = answer->payload;
      completion.reply = replies[i];
    }
    out.completions.push_back(std::move(completion));
    ++completed;
    quarantined += refused ? 1 : 0;
  }
}

/// C5. What had left may or may not have been executed; what had not left goes to the new session.
void Session::Impl::lose_session(TimeUs now, Outbox& out) {
  for (Flight& flight : flights) complete(flight, out);
  flights.clear();
  session.reset();
  next = RequestNumber(1);
  received = RequestNumber();
  nonce = nonces.next();
  ++sessions_lost;
  open(now, out);
}

Session::Session(const SessionOptions& options, const crypto::Authenticator& authenticator,
                 const crypto::Digester& digester)
    : impl_(std::make_unique<Impl>(options, authenticator, digester)) {}
Session::~Session() = default;

void Session::start(TimeUs now, Outbox& out) {
  impl_->open(now, out);
}

bool Session::submit(Bytes request, Ticket ticket) {
  EVE_CHECK(request.size() <= limits::kMaxRequestBytes, "the caller checks sizes at the door");
  return impl_->waiting.add(std::move(request), ticket);
}

void Session::idle(TimeUs now, Outbox& out) {
  Impl& self = *impl_;
  while (self.session && !self.waiting.empty() && self.flights.size() < self.options.max_bundles) {
    wire::BundleFields fields;
    fields.client = self.options.client;
    fields.session = *self.session;
    fields.first = self.next;
    fields.acknowledged = self.received;
    auto gathered = self.waiting.take();
    self.next = RequestNumber(self.next.value() + gathered.requests.size());
    self.launch(self.flights, fields, std::move(gathered), now, out);
  }
}

void Session::receive(const wire::Message& message, Address from, TimeUs now, Outbox& out) {
  Impl& self = *impl_;
  const auto* reply = std::get_if<wire::Reply>(&message);
  if (reply == nullptr || from.role != Role::kExecutor) return;
  if (from.index >= self.options.model.executors()) return;
  self.guess.heard(from.index, reply->view);
  if (!self.opening.empty()) {
    self.on_opening_reply(from.index, *reply);
  } else if (self.session && reply->session == *self.session) {
    self.on_call_reply(from.index, *reply, now, out);
  }
}

void Session::on_disconnect(Address executor, TimeUs now, Outbox& out) {
  Impl& self = *impl_;
  if (executor.role != Role::kExecutor) return;
  if (executor.index >= self.options.model.executors()) return;
  self.guess.lost(executor.index);
  self.for_each_open([&](Flight& flight) {
    if (flight.was_sent_only_to(executor.index)) self.retry(flight, now, out);
  });
}

void Session::on_new_members(TimeUs now, Outbox& out) {
  Impl& self = *impl_;
  self.guess = PrimaryGuess(self.options.model);
  self.for_each_open([&](Flight& flight) {
    flight.forget_answers();
    self.retry(flight, now, out);
  });
}

void Session::tick(TimeUs now, Outbox& out) {
  impl_->for_each_open([&](Flight& flight) {
    if (flight.retry_at() <= now) impl_->retry(flight, now, out);
  });
}

TimeUs Session::deadline() const {
  TimeUs earliest = kNever;
  impl_->for_each_open(
      [&](const Flight& flight) { earliest = std::min(earliest, flight.retry_at()); });
  return earliest;
}

Session::Status Session::status() const {
  const Impl& self = *impl_;
  Status status;
  status.open = self.session.has_value();
  status.primary = self.guess.primary();
  status.outstanding = self.waiting.size();
  for (const Flight& flight : self.flights) status.outstanding += flight.tickets().size();
  status.completed = self.completed;
  status.retries = self.retries;
  status.quarantined = self.quarantined;
  status.sessions_lost = self.sessions_lost;
  return status;
}

const Refusals& Session::refusals() const {
  return impl_->refusals;
}

}  // namespace eve::client
