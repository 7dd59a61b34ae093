// The world's faulty nodes that do not just fail: liars, twins, those who forget, rogue clients.
#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "sim/adversary/catalogue.h"
#include "sim/faults.h"
#include "sim/world.h"

namespace eve::sim {

/// Rogue clients are the last.
bool World::has_liar(Address address) const {
  if (address.role == Role::kClient) return address.index >= plan_.clients;
  return plan_.byzantine.faulty(address, plan_.model);
}

std::vector<Host*> World::faulty_hosts() const {
  std::vector<Host*> faulty;
  for (const auto& host : executors_) {
    if (has_liar(host->self())) faulty.push_back(host.get());
  }
  for (const auto& host : verifiers_) {
    if (has_liar(host->self())) faulty.push_back(host.get());
  }
  return faulty;
}

bool World::unaccountable(Address address) const {
  return has_liar(address) &&
         (plan_.byzantine.manner != Manner::kStrategies || post_.lies(address));
}

// ---- Twins -------------------------------------------------------------------------------------

/// Each of two instances speaks through a post of its own, which drops what it may not say.
void World::add_twin_posts() {
  if (plan_.byzantine.manner != Manner::kTwins) return;
  around_twins_.reserve(Twins::kInstances);
  for (size_t instance = 0; instance < Twins::kInstances; ++instance) {
    const auto speak = [this, instance](const wire::MessagePtr& message, Address from, Address to) {
      if (twins_.together(instance, roster_.number(to))) {
        receive(message, from, to);
      } else {
        twins_.count_apart();
      }
    };
    twin_posts_[instance] =
        std::make_unique<Post>(roster_, queue_, network_, trace_, digester_, speak);
    around_twins_.push_back({queue_, *twin_posts_[instance], trace_, false, around_.beyond});
  }
}

const Surroundings& World::around(Address address, size_t instance) const {
  const bool twin = plan_.byzantine.manner == Manner::kTwins && has_liar(address);
  return twin ? around_twins_[instance] : around_;
}

void World::receive_as_twin(const wire::MessagePtr& message, Address from, Address to) {
  Host* first = to.role == Role::kExecutor ? static_cast<Host*>(executors_[to.index].get())
                                           : static_cast<Host*>(verifiers_[to.index].get());
  const std::array<Host*, Twins::kInstances> instances = {first, second_twins_.at(to).get()};
  for (size_t instance = 0; instance < instances.size(); ++instance) {
    if (twins_.together(instance, roster_.number(from))) {
      instances[instance]->receive(message, from);
    } else {
      twins_.count_apart();
    }
  }
}

// ---- Who lies, and how -------------------------------------------------------------------------

void World::add_liars() {
  std::vector<Address> liars;
  for (const Host* host : faulty_hosts()) liars.push_back(host->self());
  for (const auto& rogue : rogues_) liars.push_back(rogue->self());
  const auto wanted = adversary::find_all(plan_.byzantine.strategy);
  std::map<Role, size_t> earlier;
  for (const Address liar : liars) {
    if (liar.role != Role::kClient && plan_.byzantine.manner == Manner::kTwins) {
      twins_.add(liar);
      ledger_.twin(liar);
      if (liar.role == Role::kExecutor) {
        second_twins_[liar] = make_executor(liar.index, 1);
      } else {
        second_twins_[liar] = make_verifier(liar.index, 1);
      }
    }
    if (liar.role != Role::kClient && plan_.byzantine.manner != Manner::kStrategies) continue;
    const adversary::Identity identity{liar,
                                       plan_.model,
                                       static_cast<uint16_t>(plan_.clients + rogues_.size()),
                                       ledger_.token(BatchNumber()),
                                       authenticator_of(liar),
                                       digester_,
                                       conspiracy_};
    std::vector<const adversary::Entry*> chain;
    for (const auto* entry : wanted) {
      if (entry->fits(liar.role)) chain.push_back(entry);
    }
    if (plan_.byzantine.apart && !chain.empty()) {
      chain = {chain[earlier[liar.role]++ % chain.size()]};
    }
    if (chain.empty()) chain = adversary::draw(liar.role, random_);
    post_.set_liar(liar, std::make_unique<adversary::Traitor>(random_.next(), identity, chain));
  }
}

void World::add_rogues() {
  for (uint32_t i = 0; i < plan_.byzantine.clients; ++i) {
    RogueSetup setup;
    setup.options.model = plan_.model;
    setup.options.client = static_cast<uint16_t>(plan_.clients + i);
    setup.options.nonce = random_.next();
    setup.requests = 50;
    setup.every_us = plan_.load_us / 60 + 1;
    rogues_.push_back(std::make_unique<RogueClient>(
        around_, setup, random_.next(), authenticator_of(Address::client(setup.options.client)),
        digester_, *workload_));
  }
}

void World::start_liars() {
  for (const auto& rogue : rogues_) rogue->start();
  for (const auto& [address, twin] : second_twins_) twin->start();
  if (plan_.byzantine.manner == Manner::kTwins) twins_.start();
  if (plan_.byzantine.manner != Manner::kAmnesia) return;
  for (Host* host : faulty_hosts()) forget_again(*host);
}

/// Crashes, and starts again as if for the first time; mostly at once, before anybody notices.
void World::forget_again(Host& host) {
  host.become_amnesiac();
  const auto mean = static_cast<uint64_t>(plan_.byzantine.change_us);
  queue_.after(1 + static_cast<TimeUs>(random_.below(2 * mean)), [this, &host] {
    if (!forgetting_) return;
    if (host.up()) {
      host.crash();
      ++amnesias_;
      for (const auto& client : clients_) client->disconnect(host.self());
    }
    const TimeUs down = random_.chance(2, 3) ? 1 : 1 + static_cast<TimeUs>(random_.below(50'000));
    queue_.after(down, [&host] {
      if (!host.up()) host.start();
    });
    forget_again(host);
  });
}

// ---- An hour later -----------------------------------------------------------------------------

void World::sleep() {
  constexpr TimeUs kNap = limits::kSessionExpiryUs / 3;
  post_.rest_lies(true);
  const TimeUs before = queue_.now();
  for (const auto& rogue : rogues_) rogue->pause_until(before + limits::kSessionExpiryUs + kNap);
  for (TimeUs slept = 0; slept <= limits::kSessionExpiryUs; slept += kNap) {
    queue_.run_until(queue_.now() + kNap, [] { return false; });
    for (const auto& client : clients_) client->nudge();
    finish_requests();
  }
  ++expiries_;
  slept_us_ = queue_.now() - before;
  post_.rest_lies(false);
}

}  // namespace eve::sim
