#include "runtime/client_host.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace eve::runtime {
namespace {

/// How long the session's opening waits for links that are not up yet.
constexpr TimeUs kWaitForLinksUs = 200'000;

}  // namespace

ClientHost::ClientHost(Outlet& outlet, const crypto::Authenticator& authenticator,
                       const crypto::Digester& digester, const client::SessionOptions& options,
                       Sink& sink)
    : outlet_(outlet),
      model_(options.model),
      session_(options, authenticator, digester),
      sink_(sink),
      room_(options.model) {}

void ClientHost::start(TimeUs now) {
  start_by_ = now + kWaitForLinksUs;
  if (all_executors_reachable()) open_session(now);
}

bool ClientHost::all_executors_reachable() const {
  for (uint32_t i = 0; i < model_.executors(); ++i) {
    if (!outlet_.reachable(Address::executor(i))) return false;
  }
  return true;
}

void ClientHost::open_session(TimeUs now) {
  if (std::exchange(started_, true)) return;
  session_.start(now, outbox_);
  hand_out();
}

void ClientHost::receive(const wire::Message& message, Address from, TimeUs now) {
  const auto* room = std::get_if<wire::Room>(&message);
  if (room != nullptr && from.role == Role::kExecutor) return room_.heard(*room, from, now);
  if (!started_) return;
  session_.receive(message, from, now, outbox_);
  hand_out();
}

void ClientHost::on_new_members(TimeUs now) {
  room_ = RoomBook(model_);
  if (!started_) return;
  session_.on_new_members(now, outbox_);
  hand_out();
}

void ClientHost::on_link(Address peer, bool up, TimeUs now) {
  if (peer.role != Role::kExecutor) return;
  if (!started_) {
    if (up && all_executors_reachable()) open_session(now);
    return;
  }
  if (up) return;
  session_.on_disconnect(peer, now, outbox_);
  hand_out();
}

TimeUs ClientHost::deadline() const {
  return started_ ? session_.deadline() : start_by_;
}

void ClientHost::tick(TimeUs now) {
  open_session(now);
  session_.tick(now, outbox_);
  hand_out();
}

bool ClientHost::idle(TimeUs now) {
  if (!started_) return false;
  session_.idle(now, outbox_);
  refusals_seen_.pass_on(
      session_.refusals(), [this](Address sender) { return outlet_.name_of(sender); },
      outlet_.refusals(), now);
  return hand_out();
}

std::vector<std::string> ClientHost::low_disks(TimeUs now) {
  std::vector<std::string> names;
  for (const Address node : room_.in_the_way(now)) names.push_back(outlet_.name_of(node));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool ClientHost::submit(Bytes request, client::Ticket ticket) {
  if (request.size() > limits::kMaxRequestBytes) return false;
  return session_.submit(std::move(request), ticket);
}

bool ClientHost::hand_out() {
  // Sending may close a link, and what follows from that fills the outbox again.
  auto sends = std::exchange(outbox_.sends, {});
  const bool any = !sends.empty();
  outlet_.send(sends);
  if (!open_reported_ && session_.status().open) {
    open_reported_ = true;
    sink_.on_open();
  }
  // The sink may submit more, and what follows from that may fill the outbox again.
  const auto completions = std::exchange(outbox_.completions, {});
  for (const auto& completion : completions) sink_.on_completion(completion);
  return any || !completions.empty();
}

}  // namespace eve::runtime
