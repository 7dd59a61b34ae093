// What goes wrong in a cluster that changes its members: at any time, and more so around the ends
// of epochs.
#include <algorithm>

#include "sim/member_world.h"

namespace eve::sim {
namespace {

constexpr TimeUs kLeastDownUs = 2'000;
constexpr TimeUs kAmidEndUs = 20;
constexpr uint64_t kUntilFirstWordUs = 500;

}  // namespace

// ---- Faults ------------------------------------------------------------------------------------

TimeUs MemberWorld::around_us(TimeUs mean) {
  return 1 + static_cast<TimeUs>(random_.below(static_cast<uint64_t>(2 * mean)));
}

void MemberWorld::repeat(TimeUs every, std::function<void()> fault) {
  if (every == 0) return;
  queue_.at(queue_.now() + around_us(every), [this, every, fault] {
    if (stopped_) return;
    fault();
    repeat(every, fault);
  });
}

MemberHost& MemberWorld::at_seat(Address seat) const {
  const Address node = chain_.present().members.node_at(seat);
  if (node.role == Role::kExecutor) return *executors_.at(node);
  return *verifiers_.at(node);
}

/// Seats of the present epoch whose member is down, has lost something that it has not got back, or
/// has not come yet; or lies.
size_t MemberWorld::faulty(Role role) const {
  const size_t seats = role == Role::kExecutor ? plan_.model.executors() : plan_.model.verifiers();
  size_t count = 0;
  for (uint16_t i = 0; i < seats; ++i) {
    const MemberHost& host = at_seat({role, i});
    count += !host.recovered() || host.liar() ? 1 : 0;
  }
  return count;
}

void MemberWorld::crash_one(Role role) {
  if (faulty(role) >= plan_.model.u()) return;
  const size_t seats = role == Role::kExecutor ? plan_.model.executors() : plan_.model.verifiers();
  MemberHost& host = at_seat({role, static_cast<uint16_t>(random_.below(seats))});
  if (host.up()) crash(host);
}

void MemberWorld::crash(MemberHost& host) {
  host.crash();
  const auto seat = chain_.present().members.seat_of(host.self());
  if (seat && seat->role == Role::kExecutor) disconnect_clients(*seat);
  const TimeUs down = std::max(plan_.faults.down_us, kLeastDownUs);
  queue_.at(queue_.now() + around_us(down), [this, &host] {
    if (!host.up() && !dead_.contains(host.self())) host.start();
  });
}

/// What executors keep is all that there is of it.
bool MemberWorld::stay_through_crashes() const {
  const StoragePlan& storage = plan_.storage;
  return storage.lasting() && (storage.verifiers_too() || storage.machine_per_mille == 0);
}

/// Those who forget nothing: all of them, whether they have a seat, had one or wait for one.
void MemberWorld::crash_together() {
  around_.trace.hit(Site::kCrashTogether);
  const auto strike = [this](MemberHost& host) {
    if (host.up() && !host.liar()) crash(host);
  };
  for (const auto& [node, host] : executors_) strike(*host);
  if (!plan_.storage.verifiers_too()) return;
  for (const auto& [node, host] : verifiers_) strike(*host);
}

// ---- Around the end of an epoch ----------------------------------------------------------------

/// The first evidence of it was told.
void MemberWorld::end_begins(Epoch epoch) {
  if (epoch.value() < ends_told_) return;
  ends_told_ = epoch.value() + 1;
  strike_soon();
}

/// Between its link and its note, or between that and its first words.
void MemberWorld::strike_one_soon(MemberHost& host) {
  if (stopped_ || plan_.faults.down_us == 0 || !random_.chance(1, 6)) return;
  const auto when = queue_.now() + static_cast<TimeUs>(random_.below(kUntilFirstWordUs));
  queue_.at(when, [this, &host] {
    const Role role = host.self().role;
    const bool keeps_all =
        role == Role::kExecutor ? stay_through_crashes() : plan_.storage.verifiers_too();
    if (stopped_ || !host.up()) return;
    if (keeps_all || faulty(role) < plan_.model.u()) crash(host);
  });
}

/// Evidence is on its way, farewells are gathered, links kept, notes written, states fetched: all
/// of that takes from some 10 us to some 100 ms. Whatever it is that goes down then: some of it.
void MemberWorld::strike_soon() {
  if (stopped_ || plan_.faults.down_us == 0) return;
  const auto within = [this] {
    return queue_.now() + static_cast<TimeUs>(random_.below(kAmidEndUs << random_.below(14)));
  };
  if (stay_through_crashes() && random_.chance(1, 2)) {
    queue_.at(within(), [this] {
      if (stopped_) return;
      around_.trace.hit(Site::kTogetherAmidEnd);
      crash_together();
    });
  }
  for (const Role role : {Role::kExecutor, Role::kVerifier}) {
    if (!random_.chance(1, 2)) continue;
    queue_.at(within(), [this, role] {
      if (!stopped_) crash_one(role);
    });
  }
}

/// Any links, one way or both.
void MemberWorld::cut_some() {
  const size_t nodes = roster_.size();
  std::vector<bool> links(nodes * nodes, false);
  const auto lone = random_.chance(1, 2) ? random_.below(nodes) : nodes;
  for (size_t link = 0; link < links.size(); ++link) {
    const bool of_lone = link / nodes == lone || link % nodes == lone;
    links[link] = lone < nodes ? of_lone : random_.chance(1, 4);
  }
  network_.cut(std::move(links));
  queue_.at(queue_.now() + around_us(plan_.faults.partition_us), [this] { network_.heal(); });
}

void MemberWorld::start_faults() {
  repeat(plan_.faults.executor_crash_every_us, [this] { crash_one(Role::kExecutor); });
  repeat(plan_.faults.verifier_crash_every_us, [this] { crash_one(Role::kVerifier); });
  if (stay_through_crashes()) {
    repeat(plan_.storage.together_every_us, [this] { crash_together(); });
  }
  repeat(plan_.faults.partition_every_us, [this] { cut_some(); });
  repeat(plan_.faults.pause_every_us, [this] {
    const Role role = random_.chance(1, 2) ? Role::kExecutor : Role::kVerifier;
    const size_t seats =
        role == Role::kExecutor ? plan_.model.executors() : plan_.model.verifiers();
    at_seat({role, static_cast<uint16_t>(random_.below(seats))})
        .pause_until(queue_.now() + around_us(plan_.faults.pause_us));
  });
}

void MemberWorld::stop_faults() {
  stopped_ = true;
  network_.calm();
  network_.heal();
  const auto restart = [this](MemberHost& host, bool had_seat) {
    host.calm();
    if (!host.up() && had_seat && !dead_.contains(host.self())) host.start();
  };
  for (const auto& [node, host] : executors_) {
    restart(*host, node.index < plan_.model.executors());
  }
  for (const auto& [node, host] : verifiers_) {
    restart(*host, node.index < plan_.model.verifiers());
  }
}

}  // namespace eve::sim
