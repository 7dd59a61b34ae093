#include "runtime/refusal_log.h"

#include <algorithm>

#include "runtime/host_limits.h"
#include "runtime/log.h"

namespace eve::runtime {
namespace {

constexpr const char* kTheRest = "others";

}  // namespace

void RefusalLog::add(const std::string& sender, std::string_view reason, TimeUs now,
                     uint64_t times) {
  const bool peer = peers_.contains(sender);
  const bool known = peer || senders_.contains(sender);
  const bool room = strangers_ < host_limits::kMaxRefusedSenders;
  if (!known && room) ++strangers_;
  auto& entry = senders_[known || room ? sender : kTheRest];
  total_ += times;
  entry.count += times;
  entry.reason = reason.substr(0, host_limits::kMaxReasonBytes);
  if (now < entry.quiet_until) return;
  entry.quiet_until = now + host_limits::kRefusalLogUs;
  ++lines_;
  log(LogLevel::kWarn, "refused",
      {{"node", self_},
       {"sender", known || room ? sender : kTheRest},
       {"reason", entry.reason},
       {"times", entry.count - entry.logged},
       {"in_all", entry.count}});
  entry.logged = entry.count;
}

std::vector<RefusalLog::Entry> RefusalLog::entries() const {
  std::vector<Entry> all;
  for (const auto& [name, sender] : senders_) all.push_back({name, sender.count, sender.reason});
  std::stable_sort(all.begin(), all.end(),
                   [](const Entry& a, const Entry& b) { return a.count > b.count; });
  return all;
}

}  // namespace eve::runtime
