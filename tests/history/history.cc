#include "tests/history/history.h"

#include <algorithm>
#include <limits>

namespace eve::history {
namespace {

/// The writes in the order in which the server applied them, and where each read belongs: `place`
/// is the number of writes before it.
struct Ordered {
  std::vector<const Operation*> writes;
  std::vector<std::pair<size_t, const Operation*>> reads;
  std::vector<std::string> values;  ///< values[i]: after i writes
  std::string error;
};

void place_reads(const std::vector<Operation>& operations, Ordered& ordered) {
  std::map<std::string, size_t> place_of;
  for (size_t i = 1; i < ordered.values.size(); ++i) place_of[ordered.values[i]] = i;
  for (const auto& operation : operations) {
    if (operation.write) continue;
    const auto found = place_of.find(operation.reply);
    if (!operation.null && found == place_of.end()) {
      ordered.error = "a read returned \"" + operation.reply + "\", which was never the value";
      return;
    }
    ordered.reads.emplace_back(operation.null ? 0 : found->second, &operation);
  }
}

/// INCRBY and APPEND: replies grow with every write.
Ordered order_by_number(Kind kind, const std::vector<Operation>& operations) {
  Ordered ordered;
  for (const auto& operation : operations) {
    if (operation.write) ordered.writes.push_back(&operation);
  }
  const auto number = [](const Operation* o) { return std::stoll(o->reply); };
  std::sort(ordered.writes.begin(), ordered.writes.end(),
            [&](auto* a, auto* b) { return number(a) < number(b); });
  std::string value = kind == Kind::kCounter ? "0" : "";
  ordered.values.push_back(value);
  for (const auto* write : ordered.writes) {
    if (kind == Kind::kCounter) {
      value = std::to_string(std::stoll(value) + std::stoll(write->argument));
    } else {
      value += write->argument;
    }
    const auto expected = kind == Kind::kCounter ? value : std::to_string(value.size());
    if (write->reply != expected) {
      ordered.error = "a write returned " + write->reply + ", the model " + expected;
      return ordered;
    }
    ordered.values.push_back(value);
  }
  return ordered;
}

/// SET ... GET with unique values: each write names the one before it.
Ordered order_by_chain(const std::vector<Operation>& operations) {
  Ordered ordered;
  std::map<std::string, const Operation*> after;  // by the value before; "" for none
  size_t writes = 0;
  for (const auto& operation : operations) {
    if (!operation.write) continue;
    ++writes;
    if (!after.emplace(operation.null ? "" : operation.reply, &operation).second) {
      ordered.error = "two writes replaced the same value \"" + operation.reply + "\"";
      return ordered;
    }
  }
  ordered.values.push_back("");
  for (auto next = after.find(""); next != after.end(); next = after.find(next->second->argument)) {
    ordered.writes.push_back(next->second);
    ordered.values.push_back(next->second->argument);
  }
  if (ordered.writes.size() != writes) {
    ordered.error = std::to_string(writes - ordered.writes.size()) +
                    " writes replaced a value that was never there";
  }
  return ordered;
}

/// APPEND, some of unknown outcome: the last read names all that took effect, in order.
Ordered order_by_last_read(const std::vector<Operation>& operations) {
  Ordered ordered;
  std::map<std::string, const Operation*> absent;  // by what was appended
  for (const auto& operation : operations) {
    if (operation.write) absent.emplace(operation.argument, &operation);
  }
  const std::string& all = operations.back().reply;
  ordered.values.push_back("");
  for (size_t from = 0; from < all.size();) {
    const size_t to = std::min(all.find('>', from), all.size() - 1) + 1;
    const auto found = absent.find(all.substr(from, to - from));
    if (found == absent.end()) {
      ordered.error = "nobody appended, or not twice: \"" + all.substr(from, to - from) + "\"";
      return ordered;
    }
    const Operation& write = *found->second;
    if (!write.unknown && write.reply != std::to_string(to)) {
      ordered.error = "a write returned " + write.reply + ", the model " + std::to_string(to);
      return ordered;
    }
    ordered.writes.push_back(&write);
    ordered.values.push_back(all.substr(0, to));
    absent.erase(found);
    from = to;
  }
  for (const auto& [argument, write] : absent) {
    if (!write->unknown) ordered.error = "lost, though acknowledged: \"" + argument + "\"";
  }
  return ordered;
}

/// Writes of a register that follow each other immediately, and the times of all who saw them.
struct Block {
  std::vector<const Operation*> writes;
  double first_completed_us = std::numeric_limits<double>::infinity();
  double last_invoked_us = 0;

  void saw(const Operation& operation) {
    first_completed_us = std::min(first_completed_us, operation.completed_us);
    last_invoked_us = std::max(last_invoked_us, operation.invoked_us);
  }
};

/// An order of the blocks in which none comes after one that began when it had ended; empty if
/// there is none. As blocks are not interleaved, any such order is as good as another.
std::vector<Block> order_blocks(std::vector<Block> blocks) {
  std::vector<Block> ordered;
  while (!blocks.empty()) {
    const auto first = std::find_if(blocks.begin(), blocks.end(), [&](const Block& block) {
      return std::all_of(blocks.begin(), blocks.end(), [&](const Block& other) {
        return &other == &block || other.first_completed_us >= block.last_invoked_us;
      });
    });
    if (first == blocks.end()) return {};
    ordered.push_back(std::move(*first));
    blocks.erase(first);
  }
  return ordered;
}

/// SET ... GET, some of unknown outcome. Known ones name the one before; each unknown one that
/// somebody saw begins a block, which may stand wherever real time allows.
Ordered order_by_blocks(const std::vector<Operation>& operations) {
  Ordered ordered;
  std::map<std::string, const Operation*> after;   // known writes, by the value before
  std::map<std::string, const Operation*> writer;  // by the value written
  std::map<std::string, std::vector<const Operation*>> readers;
  size_t known = 0;
  for (const auto& operation : operations) {
    if (operation.write) writer[operation.argument] = &operation;
    if (!operation.write) readers[operation.reply].push_back(&operation);
    if (!operation.write || operation.unknown) continue;
    ++known;
    if (!after.emplace(operation.reply, &operation).second) {
      ordered.error = "two writes replaced the same value \"" + operation.reply + "\"";
      return ordered;
    }
  }
  const auto block_from = [&](const Operation* write) {
    Block block;
    std::string value = write == nullptr ? "" : write->argument;
    if (write != nullptr) {
      block.writes.push_back(write);
      block.saw(*write);
    }
    while (true) {
      for (const auto* read : readers[value]) block.saw(*read);
      const auto next = after.find(value);
      if (next == after.end()) return block;
      block.writes.push_back(next->second);
      block.saw(*next->second);
      --known;
      value = next->second->argument;
    }
  };
  const Block first = block_from(nullptr);
  std::vector<Block> blocks;
  for (const auto& [value, write] : writer) {
    const bool seen = after.contains(value) || readers.contains(value);
    if (write->unknown && seen) blocks.push_back(block_from(write));
  }
  if (known > 0) {
    ordered.error = std::to_string(known) + " writes replaced a value that was never there";
    return ordered;
  }
  const size_t count = blocks.size();
  blocks = order_blocks(std::move(blocks));
  if (blocks.size() != count) ordered.error = "no order of the writes respects real time";
  blocks.insert(blocks.begin(), first);
  ordered.values.push_back("");
  for (const auto& block : blocks) {
    for (const auto* write : block.writes) {
      ordered.writes.push_back(write);
      ordered.values.push_back(write->argument);
    }
  }
  return ordered;
}

Ordered order(Kind kind, const std::vector<Operation>& operations) {
  const bool unknown = std::any_of(operations.begin(), operations.end(),
                                   [](const Operation& o) { return o.unknown; });
  if (kind == Kind::kRegister) {
    return unknown ? order_by_blocks(operations) : order_by_chain(operations);
  }
  return unknown ? order_by_last_read(operations) : order_by_number(kind, operations);
}

/// No operation may have ended before one that precedes it in the order began.
std::string check_real_time(const Ordered& ordered) {
  std::vector<std::vector<const Operation*>> reads_at(ordered.writes.size() + 1);
  for (const auto& [place, read] : ordered.reads) reads_at[place].push_back(read);
  double latest_invocation = 0;
  for (size_t place = 0; place <= ordered.writes.size(); ++place) {
    if (place > 0) {
      const auto* write = ordered.writes[place - 1];
      if (write->completed_us < latest_invocation) return "a write took effect after it ended";
      latest_invocation = std::max(latest_invocation, write->invoked_us);
    }
    double latest_read = latest_invocation;
    for (const auto* read : reads_at[place]) {
      if (read->completed_us < latest_invocation) return "a read returned a value of the future";
      latest_read = std::max(latest_read, read->invoked_us);
    }
    latest_invocation = latest_read;
  }
  return {};
}

}  // namespace

Outcome check(Kind kind, std::vector<Operation> operations) {
  for (auto& operation : operations) {
    if (operation.unknown) operation.completed_us = std::numeric_limits<double>::infinity();
  }
  Ordered ordered = order(kind, operations);
  if (ordered.error.empty()) place_reads(operations, ordered);
  if (ordered.error.empty()) ordered.error = check_real_time(ordered);
  Outcome outcome;
  outcome.error = ordered.error;
  if (!ordered.writes.empty()) outcome.final_value = ordered.values.back();
  return outcome;
}

}  // namespace eve::history
