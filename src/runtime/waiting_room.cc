#include "runtime/waiting_room.h"

#include <algorithm>

#include "runtime/host_limits.h"

namespace eve::runtime {

template <typename Competes>
std::optional<WaitingRoom::Guest> WaitingRoom::one_too_many(size_t places, Count later,
                                                            Competes competes) {
  std::vector<const Waiting*> all;
  for (auto& entry : waiting_) {
    if (!competes(entry)) continue;
    ++(entry.*later);
    all.push_back(&entry);
  }
  if (all.size() <= places) return std::nullopt;
  all.resize(all.size() - places / 2);
  const auto who = std::max_element(all.begin(), all.end(), [later](const auto* a, const auto* b) {
    return a->*later * a->draw < b->*later * b->draw;
  });
  return (*who)->guest;
}

std::optional<WaitingRoom::Leaver> WaitingRoom::arrive(Guest guest, const std::string& address,
                                                       bool named) {
  const double draw = static_cast<double>(random_.below(kDraws) + 1) / kDraws;
  waiting_.push_back({guest, address, named, draw});
  const auto of_address =
      one_too_many(host_limits::kMaxPendingPerAddress, &Waiting::later_of_address,
                   [&](const Waiting& entry) { return entry.address == address; });
  if (of_address) return Leaver{*of_address, true};
  if (named) return std::nullopt;
  const auto of_strangers =
      one_too_many(host_limits::kMaxPendingStrangers, &Waiting::later_strangers,
                   [](const Waiting& entry) { return !entry.named; });
  if (of_strangers) return Leaver{*of_strangers, false};
  return std::nullopt;
}

void WaitingRoom::leave(Guest guest) {
  std::erase_if(waiting_, [guest](const Waiting& entry) { return entry.guest == guest; });
}

}  // namespace eve::runtime
