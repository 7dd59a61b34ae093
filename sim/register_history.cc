#include "sim/register_history.h"

#include <algorithm>
#include <limits>

#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr TimeUs kBefore = std::numeric_limits<TimeUs>::min();
constexpr TimeUs kAfter = std::numeric_limits<TimeUs>::max();

struct Zone {
  TimeUs from;
  TimeUs to;
  std::string value;
};

void complain(const std::string& key, const std::string& what) {
  throw Violation("linearizability", "register " + key + ": " + what);
}

}  // namespace

void RegisterHistory::wrote(ByteView key, ByteView value, TimeUs invoked,
                            std::optional<TimeUs> completed) {
  Cluster& cluster = registers_[Bytes(key)][Bytes(value)];
  const TimeUs end = completed.value_or(kAfter);
  cluster.first_completion = cluster.is_read ? std::min(cluster.first_completion, end) : end;
  cluster.last_invocation = cluster.is_read ? std::max(cluster.last_invocation, invoked) : invoked;
  cluster.written = true;
  cluster.certain = completed.has_value();
  cluster.write_invoked = invoked;
}

void RegisterHistory::read(ByteView key, std::optional<ByteView> value, TimeUs invoked,
                           TimeUs completed) {
  Cluster& cluster = registers_[Bytes(key)][Bytes(value.value_or(""))];
  const bool known = cluster.written || cluster.is_read;
  const TimeUs first = known ? cluster.first_completion : kAfter;
  cluster.first_completion = std::min(first, completed);
  cluster.last_invocation = std::max(known ? cluster.last_invocation : kBefore, invoked);
  cluster.first_read_completion =
      cluster.is_read ? std::min(cluster.first_read_completion, completed) : completed;
  cluster.is_read = true;
}

void RegisterHistory::check() const {
  for (const auto& [key, clusters] : registers_) check(key, clusters);
}

void RegisterHistory::check(const std::string& key, const Clusters& clusters) {
  std::vector<Zone> forward;   // its value was there at least from ... to
  std::vector<Zone> backward;  // at some time between ... and
  for (const auto& [value, cluster] : clusters) {
    if (value.empty()) {
      forward.push_back({kBefore, cluster.last_invocation, "nothing"});
      continue;
    }
    if (!cluster.written) complain(key, value + " was read, but never written");
    if (!cluster.is_read && !cluster.certain) continue;
    if (cluster.is_read && cluster.first_read_completion < cluster.write_invoked) {
      complain(key, value + " was read before it was written");
    }
    if (cluster.first_completion < cluster.last_invocation) {
      forward.push_back({cluster.first_completion, cluster.last_invocation, value});
    } else {
      backward.push_back({cluster.last_invocation, cluster.first_completion, value});
    }
  }
  std::sort(forward.begin(), forward.end(),
            [](const Zone& a, const Zone& b) { return a.from < b.from; });
  for (size_t i = 1; i < forward.size(); ++i) {
    if (forward[i].from < forward[i - 1].to) {
      complain(key, forward[i - 1].value + " came back after " + forward[i].value);
    }
  }
  for (const Zone& zone : backward) {
    // The one that starts last before it is the only one that may hold it.
    const auto after =
        std::upper_bound(forward.begin(), forward.end(), zone.from,
                         [](TimeUs from, const Zone& other) { return from <= other.from; });
    if (after == forward.begin()) continue;
    const Zone& holder = *std::prev(after);
    if (zone.to < holder.to) complain(key, zone.value + " came between reads of " + holder.value);
  }
}

}  // namespace eve::sim
