#include "sim/adversary/traitor.h"

#include <array>
#include <utility>

namespace eve::sim::adversary {
namespace {

/// Who lies always is soon found out; who lies rarely is hard to find.
constexpr std::array<uint32_t, 4> kShares = {1000, 1000, 500, 100};

bool same(const std::vector<Utterance>& said, const Utterance& truth) {
  return said.size() == 1 && said[0].message == truth.message && said[0].to == truth.to &&
         said[0].delay_us == truth.delay_us && said[0].frame == truth.frame;
}

}  // namespace

Traitor::Traitor(uint64_t seed, const Identity& identity, const std::vector<const Entry*>& entries)
    : random_(seed), identity_(identity) {
  identity_.known.join(identity.self);
  for (const Entry* entry : entries) {
    const uint32_t share = kShares[random_.below(kShares.size())];
    links_.push_back({entry, entry->make(random_), share});
  }
}

std::vector<Utterance> Traitor::distort(const std::vector<wire::Send>& truth, TimeUs now) {
  std::vector<Utterance> said;
  for (const wire::Send& send : truth) {
    identity_.known.learn(send.message, identity_.self);
    said.push_back({send.to, send.message, 0, {}});
  }
  for (Link& link : links_) through(link, said, now);
  return said;
}

void Traitor::through(Link& link, std::vector<Utterance>& said, TimeUs now) {
  std::vector<Utterance> changed;
  for (Utterance& truth : said) {
    if (!random_.chance(link.per_mille, 1000)) {
      changed.push_back(std::move(truth));
      continue;
    }
    std::vector<Utterance> instead;
    Turn turn(identity_, now, random_, instead);
    link.strategy->send(truth, turn);
    if (!same(instead, truth)) ++link.touched;
    for (Utterance& utterance : instead) changed.push_back(std::move(utterance));
  }
  said = std::move(changed);
}

std::vector<Utterance> Traitor::hear(const wire::MessagePtr& message, Address from, TimeUs now) {
  std::vector<Utterance> said;
  if (!identity_.known.member(from)) identity_.known.learn(message, from);
  for (Link& link : links_) {
    const size_t before = said.size();
    Turn turn(identity_, now, random_, said);
    link.strategy->hear(*message, from, turn);
    link.touched += said.size() - before;
  }
  return said;
}

std::vector<Utterance> Traitor::tick(TimeUs now) {
  std::vector<Utterance> said;
  for (Link& link : links_) {
    if (!random_.chance(link.per_mille, 1000)) continue;
    const size_t before = said.size();
    Turn turn(identity_, now, random_, said);
    link.strategy->tick(turn);
    link.touched += said.size() - before;
  }
  return said;
}

void Traitor::add_to(DeedsByName& deeds) const {
  for (const Link& link : links_) {
    Deeds& of = deeds[link.entry->name];
    ++of.nodes;
    of.touched += link.touched;
  }
}

}  // namespace eve::sim::adversary
