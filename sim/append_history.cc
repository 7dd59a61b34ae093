#include "sim/append_history.h"

#include <algorithm>
#include <set>
#include <utility>

#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr const char* kName = "list append";

/// Who must come before whom. The first nodes are transactions, those after them points in time.
class Order {
 public:
  explicit Order(size_t transactions) : transactions_(transactions), after_(transactions) {}

  size_t add_node() {
    after_.emplace_back();
    return after_.size() - 1;
  }
  void before(size_t first, size_t second, const char* why) {
    if (first != second) after_[first].push_back({second, why});
  }
  /// Throws a Violation that names a cycle, if there is one.
  void check() const;

 private:
  struct Edge {
    size_t to;
    const char* why;
  };
  struct Step {
    size_t node;
    size_t next;  ///< which edge to follow
  };
  std::string describe(const std::vector<Step>& path, size_t back_to) const;

  size_t transactions_;
  std::vector<std::vector<Edge>> after_;
};

void Order::check() const {
  enum class Mark : uint8_t { kNew, kOnPath, kDone };
  std::vector<Mark> marks(after_.size(), Mark::kNew);
  std::vector<Step> path;
  for (size_t root = 0; root < after_.size(); ++root) {
    if (marks[root] != Mark::kNew) continue;
    path.push_back({root, 0});
    marks[root] = Mark::kOnPath;
    while (!path.empty()) {
      Step& step = path.back();
      if (step.next == after_[step.node].size()) {
        marks[step.node] = Mark::kDone;
        path.pop_back();
        continue;
      }
      const size_t to = after_[step.node][step.next++].to;
      if (marks[to] == Mark::kOnPath) throw Violation(kName, describe(path, to));
      if (marks[to] == Mark::kDone) continue;
      marks[to] = Mark::kOnPath;
      path.push_back({to, 0});
    }
  }
}

std::string Order::describe(const std::vector<Step>& path, size_t back_to) const {
  std::string text = "a cycle:";
  bool inside = false;
  for (const Step& step : path) {
    inside = inside || step.node == back_to;
    if (!inside) continue;
    if (step.node < transactions_) text += " transaction " + std::to_string(step.node);
    const char* why = after_[step.node][step.next - 1].why;
    if (*why != 0) text += std::string(" -") + why + "->";
  }
  return text;
}

/// One key: the order of its appends as reads show it, and who did what.
struct List {
  struct Read {
    size_t reader;
    const std::vector<uint64_t>* list;
  };
  std::vector<Read> reads;
  std::map<uint64_t, size_t> writers;
  const std::vector<uint64_t>* longest = nullptr;

  void check_prefixes(const std::string& name) const;
  void order(Order& order) const;
};

void List::check_prefixes(const std::string& name) const {
  if (longest == nullptr) return;
  std::set<uint64_t> seen;
  for (const uint64_t value : *longest) {
    if (!writers.contains(value)) throw Violation(kName, name + " holds what nobody appended");
    if (!seen.insert(value).second) throw Violation(kName, name + " holds one append twice");
  }
  for (const Read& read : reads) {
    if (!std::equal(read.list->begin(), read.list->end(), longest->begin())) {
      throw Violation(kName, name + " was read in two orders");
    }
  }
}

void List::order(Order& order) const {
  static const std::vector<uint64_t> kNothing;
  const std::vector<uint64_t>& known = longest == nullptr ? kNothing : *longest;
  for (size_t i = 1; i < known.size(); ++i) {
    order.before(writers.at(known[i - 1]), writers.at(known[i]), "ww");
  }
  // What no read shows came after all that reads show.
  std::vector<size_t> unseen;
  const std::set<uint64_t> seen(known.begin(), known.end());
  for (const auto& [value, writer] : writers) {
    if (!seen.contains(value)) unseen.push_back(writer);
  }
  if (!known.empty()) {
    for (const size_t writer : unseen) order.before(writers.at(known.back()), writer, "ww");
  }
  for (const Read& read : reads) {
    const size_t length = read.list->size();
    if (length > 0) order.before(writers.at(known[length - 1]), read.reader, "wr");
    if (length < known.size()) {
      order.before(read.reader, writers.at(known[length]), "rw");
    } else {
      for (const size_t writer : unseen) order.before(read.reader, writer, "rw");
    }
  }
}

/// Every transaction that completed before another was invoked comes before it: over a chain of
/// points in time, so that the number of edges stays linear.
void order_by_time(const std::vector<AppendHistory::Transaction>& transactions, Order& order) {
  struct Moment {
    TimeUs at;
    bool completion;
    size_t transaction;
  };
  std::vector<Moment> moments;
  for (size_t i = 0; i < transactions.size(); ++i) {
    moments.push_back({transactions[i].invoked, false, i});
    if (transactions[i].completed) moments.push_back({*transactions[i].completed, true, i});
  }
  // What happens at the same time is concurrent: invocations first.
  std::sort(moments.begin(), moments.end(), [](const Moment& a, const Moment& b) {
    return a.at != b.at ? a.at < b.at : a.completion < b.completion;
  });
  std::optional<size_t> latest;
  for (const Moment& moment : moments) {
    if (moment.completion) {
      const size_t point = order.add_node();
      order.before(moment.transaction, point, "real time");
      if (latest) order.before(*latest, point, "");
      latest = point;
    } else if (latest) {
      order.before(*latest, moment.transaction, "");
    }
  }
}

void order_by_client(const std::vector<AppendHistory::Transaction>& transactions, Order& order) {
  std::map<uint16_t, size_t> last;
  for (size_t i = 0; i < transactions.size(); ++i) {
    if (!transactions[i].completed) continue;
    const auto [before, first] = last.emplace(transactions[i].client, i);
    if (!first) order.before(std::exchange(before->second, i), i, "client");
  }
}

}  // namespace

void AppendHistory::check() const {
  std::map<uint32_t, List> lists;
  for (size_t i = 0; i < transactions_.size(); ++i) {
    for (const Operation& operation : transactions_[i].operations) {
      List& list = lists[operation.key];
      if (operation.appended) {
        list.writers.emplace(*operation.appended, i);
      } else if (transactions_[i].completed) {
        list.reads.push_back({i, &operation.list});
        if (list.longest == nullptr || list.longest->size() < operation.list.size()) {
          list.longest = &operation.list;
        }
      }
    }
  }
  Order order(transactions_.size());
  for (const auto& [key, list] : lists) {
    list.check_prefixes("list " + std::to_string(key));
    list.order(order);
  }
  order_by_time(transactions_, order);
  order_by_client(transactions_, order);
  order.check();
}

}  // namespace eve::sim
