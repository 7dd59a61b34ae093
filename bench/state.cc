// `eve bench state`: the state engine alone, each row against its baseline in the same run.
#include "bench/state.h"

#include <algorithm>
#include <fstream>
#include <unordered_set>

#include "base/limits.h"
#include "base/scheduler.h"

namespace eve::bench {
namespace {

struct Group {
  const char* name;
  void (*add)(const BenchOptions&, Report&);
  bool by_default;
};

constexpr Group kGroups[] = {
    {"maps", add_map_rows, true},      {"token", add_token_rows, true},
    {"undo", add_undo_rows, true},     {"delta", add_delta_rows, true},
    {"memory", add_memory_rows, true}, {"ordered", add_ordered_rows, true},
    {"pages", add_page_rows, true},    {"alternatives", add_alternative_rows, false},
};

std::string command_of(const BenchOptions& options) {
  std::string command = "eve bench state --runs " + std::to_string(options.runs) + " --threads " +
                        std::to_string(options.threads);
  if (options.quick) command += " --quick";
  for (size_t i = 0; i < options.rows.size(); ++i) {
    command += (i == 0 ? " --rows " : ",") + options.rows[i];
  }
  return command;
}

}  // namespace

void make_key(uint64_t index, std::string& key) {
  const uint64_t parts[2] = {spread(index), spread(~index)};
  static_assert(sizeof parts == kKeyBytes);
  key.assign(reinterpret_cast<const char*>(parts), sizeof parts);
}

void make_value(uint64_t number, std::string& value) {
  value.resize(kValueBytes, 'v');
  for (size_t i = 0; i < sizeof number; ++i) value[i] = static_cast<char>(number >> (8 * i));
}

// Floyd's way: a number that is drawn twice is replaced by the newest one, drawn by none before.
std::vector<uint64_t> draw(Random& random, size_t count, uint64_t bound) {
  std::vector<uint64_t> drawn;
  std::unordered_set<uint64_t> known;
  for (uint64_t newest = bound - count; newest < bound; ++newest) {
    const uint64_t number = random.below(newest + 1);
    drawn.push_back(known.insert(number).second ? number : newest);
    if (drawn.back() == newest) known.insert(newest);
  }
  return drawn;
}

const crypto::Digester& digester_of(crypto::DigestAlgorithm algorithm) {
  static const crypto::Digester sha(crypto::DigestAlgorithm::kSha256, {7});
  static const crypto::Digester xxh(crypto::DigestAlgorithm::kXxh3, {7});
  return algorithm == crypto::DigestAlgorithm::kSha256 ? sha : xxh;
}

const char* name_of(crypto::DigestAlgorithm algorithm) {
  return algorithm == crypto::DigestAlgorithm::kSha256 ? "SHA-256" : "XXH3-128";
}

std::string with_commas(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

uint64_t available_memory() {
  std::ifstream in("/proc/meminfo");
  for (std::string word; in >> word;) {
    uint64_t kilobytes = 0;
    if (word == "MemAvailable:" && in >> kilobytes) return kilobytes << 10;
  }
  return 0;
}

Loaded::Loaded(crypto::DigestAlgorithm algorithm, size_t workers, uint64_t keys)
    : engine_(digester_of(algorithm), workers), state_(engine_), map_(state_, "map"), keys_(keys) {
  load();
}

void Loaded::load() {
  constexpr uint64_t kLoadBatch = 10'000;
  InlineScheduler scheduler;
  Context context({}, 0, nullptr);
  std::string key;
  std::string value;
  for (uint64_t index = 0; index < keys_;) {
    begin();
    for (const uint64_t end = std::min(keys_, index + kLoadBatch); index < end; ++index) {
      make_key(index, key);
      make_value(index, value);
      map_.put(context, key, value);
    }
    engine_.seal(scheduler);
    commit();
  }
}

void Loaded::touch(size_t count) {
  Context context({}, 0, nullptr);
  std::string key;
  std::string value;
  for (const uint64_t index : draw(random_, count, keys_)) {
    make_key(index, key);
    make_value(++written_, value);
    map_.put(context, key, value);
  }
}

void Loaded::age() {
  InlineScheduler scheduler;
  for (uint64_t i = 0; i < limits::kHistoryBatches; ++i) {
    begin();
    touch(1);
    engine_.seal(scheduler);
    commit();
  }
}

Row make_row(const std::string& name, const std::string& unit, const Series& series) {
  Row row;
  row.name = name;
  row.unit = unit;
  row.values = series.cpu;
  row.wall = series.wall;
  return row;
}

void set_baseline(Row& row, const std::string& name, const Series& series) {
  row.baseline = name;
  row.baseline_values = series.cpu;
  row.baseline_wall = series.wall;
}

std::vector<std::string> state_row_groups() {
  std::vector<std::string> names;
  for (const Group& group : kGroups) names.emplace_back(group.name);
  return names;
}

Result<Report> bench_state(const BenchOptions& options) {
  Report report;
  report.name = "state";
  report.command = command_of(options);
  for (const Group& group : kGroups) {
    const auto& wanted = options.rows;
    const bool named = std::find(wanted.begin(), wanted.end(), group.name) != wanted.end();
    if (wanted.empty() ? !group.by_default : !named) continue;
    group.add(options, report);
    if (options.quick) {  // goals are for the sizes that they name
      for (Row& row : report.rows) row.goal.reset();
    }
    report.print();
  }
  if (options.quick) {
    report.remark =
        "--quick: these sizes are too small to compare anything by; it only shows that "
        "all of it runs.";
  }
  return report;
}

}  // namespace eve::bench
