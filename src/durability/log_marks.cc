#include "durability/log_marks.h"

#include "journal/format.h"

namespace eve::durability {
namespace {

constexpr size_t kMostWords = 4000;

}  // namespace

std::string start_mark(const std::string& log) {
  return log + ".start";
}
std::string lost_mark(const std::string& log) {
  return log + ".lost";
}

Bytes start_text(const std::string& machine_start) {
  return "async " + machine_start.substr(0, kMostWords);
}

std::string in_words(const journal::Recovery& recovery) {
  std::string words;
  for (const journal::Damage& damage : recovery.damage) {
    if (!words.empty()) words += "; ";
    words += damage.file + " at " + std::to_string(damage.offset) + ": " + damage.what;
  }
  return words.empty() ? words : words + "; damaged files are kept as *" + journal::kDamagedSuffix;
}

std::string why_not_whole(const journal::Recovery& recovery, const std::optional<Bytes>& lost,
                          const std::optional<Bytes>& start, const std::string& machine_start,
                          bool expected) {
  if (!recovery.damage.empty()) return in_words(recovery);
  if (lost) return "an earlier log was set aside: " + *lost;
  if (recovery.empty) {
    return expected || !recovery.kept.empty() ? "the log that was here is gone" : "";
  }
  // A process that ended in order has synced everything.
  const bool closed = recovery.tail == journal::Tail::kClosed;
  if (start && *start != start_text(machine_start) && !closed) {
    return "the machine has stopped, and the log was not synced: its end may be missing";
  }
  return "";
}

}  // namespace eve::durability
