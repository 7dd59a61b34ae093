#include "sim/backlog.h"

#include <algorithm>
#include <map>
#include <utility>

namespace eve::sim {

std::vector<Backlog::Message> Backlog::read(TimeUs now, Random& random) {
  std::vector<Message> messages = std::exchange(messages_, {});
  if (messages.empty()) return messages;
  if (random.chance(1, 2)) {
    const Role role = random.chance(7, 8) ? Role::kVerifier : Role::kExecutor;
    const TimeUs since = messages.front().came_at;
    const auto slept = static_cast<uint64_t>(now - since);
    const TimeUs broke_at = since + static_cast<TimeUs>(random.below(slept + 1));
    std::erase_if(messages, [&](const Message& message) {
      return message.from.role == role && message.came_at < broke_at;
    });
  }
  std::map<Address, uint64_t> turns;
  for (const Message& message : messages) turns.try_emplace(message.from, 0);
  const bool verdicts_first = random.chance(1, 2);
  for (auto& [from, turn] : turns) {
    const uint64_t later = verdicts_first && from.role != Role::kVerifier ? 1 : 0;
    turn = later << 63 | random.next() >> 1;
  }
  std::stable_sort(messages.begin(), messages.end(), [&](const Message& a, const Message& b) {
    return turns.at(a.from) < turns.at(b.from);
  });
  return messages;
}

}  // namespace eve::sim
