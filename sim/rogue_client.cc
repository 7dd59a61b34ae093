#include "sim/rogue_client.h"

namespace eve::sim {

RogueClient::RogueClient(const Surroundings& around, const RogueSetup& setup, uint64_t seed,
                         const crypto::Authenticator& authenticator,
                         const crypto::Digester& digester, Workload& workload)
    : Host(around, Address::client(setup.options.client), 0, seed),
      setup_(setup),
      workload_(workload),
      session_(setup.options, authenticator, digester) {}

void RogueClient::on_start() {
  client::Outbox out;
  session_.start(local_now(), out);
  send(out.sends);
  make_request();
}

void RogueClient::make_request() {
  if (made_ == setup_.requests) return;
  // Refused if its lies have brought its session to a halt: so be it.
  session_.submit(workload_.rogue_request(self().index, made_, random_), made_);
  ++made_;
  later(1 + static_cast<TimeUs>(random_.below(2 * static_cast<uint64_t>(setup_.every_us))), [this] {
    make_request();
    stepped();
  });
}

void RogueClient::on_message(const wire::Message& message, Address from, TimeUs now) {
  client::Outbox out;
  session_.receive(message, from, now, out);
  send(out.sends);
}

void RogueClient::on_tick(TimeUs now) {
  client::Outbox out;
  session_.tick(now, out);
  send(out.sends);
}

void RogueClient::on_idle(TimeUs now) {
  client::Outbox out;
  session_.idle(now, out);
  send(out.sends);
}

}  // namespace eve::sim
