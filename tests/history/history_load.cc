// history_load --port P: random commands over many keys by many connections against a running
// server; then checks every key's history (tests/history/history.h) and reads every key back.
// With --reconnect connections may break, and what was asked on them is of unknown outcome.
// Prints "history: ok ..." and exits with 0, or names the first keys that are wrong.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <vector>

#include "base/random.h"
#include "bench/resp_load.h"
#include "tests/history/history.h"

namespace eve::history {
namespace {

using Clock = std::chrono::steady_clock;
constexpr uint64_t kStopEvery = 64;

struct Options {
  uint16_t port = 0;
  uint64_t operations = 100'000;
  size_t keys = 10'000;
  size_t connections = 50;
  size_t pipeline = 4;
  uint64_t seed = 1;
  double seconds = 0;  ///< at most; 0: as long as the operations take
  std::string host = "127.0.0.1";
  bool reconnect = false;
  std::string stop_file;  ///< nothing new once it is there
};

Kind kind_of(const Options& options, size_t key) {
  // Of a counter nobody can tell which of the unknown additions took effect.
  if (options.reconnect) return key % 2 == 0 ? Kind::kLog : Kind::kRegister;
  return static_cast<Kind>(key % 3);
}

std::string name_of(const Options& options, size_t key) {
  return "h" + std::to_string(options.seed) + ":" + std::to_string(key);
}

/// The value of a simple reply; null replies give nullopt. Errors keep their '-'.
std::optional<std::string> value_of(ByteView reply) {
  if (reply.starts_with("$-1")) return std::nullopt;
  const auto line_end = reply.find("\r\n");
  if (reply[0] == '$') return std::string(reply.substr(line_end + 2, reply.size() - line_end - 4));
  return std::string(reply.substr(reply[0] == ':' ? 1 : 0, line_end - (reply[0] == ':' ? 1 : 0)));
}

class Workload final : public bench::LoadSource {
 public:
  explicit Workload(const Options& options)
      : options_(options),
        random_(options.seed),
        histories_(options.keys),
        pending_(options.connections),
        start_(Clock::now()) {}

  bool next(size_t connection, Bytes& out) override {
    if (issued_ == options_.operations) return false;
    if (options_.seconds > 0 && now_us() > options_.seconds * 1e6) return false;
    if (issued_ % kStopEvery == 0) stopped_ = stopped_ || asked_to_stop();
    if (stopped_) return false;
    ++issued_;
    const size_t key = random_.below(options_.keys);
    Operation operation;
    operation.write = random_.chance(2, 3);
    operation.invoked_us = now_us();
    const auto name = name_of(options_, key);
    if (!operation.write) {
      bench::append_command(out, {"GET", name});
    } else if (kind_of(options_, key) == Kind::kCounter) {
      operation.argument = std::to_string(1 + random_.below(9));
      bench::append_command(out, {"INCRBY", name, operation.argument});
    } else if (kind_of(options_, key) == Kind::kLog) {
      operation.argument = "<" + std::to_string(issued_) + ">";
      bench::append_command(out, {"APPEND", name, operation.argument});
    } else {
      operation.argument = "v" + std::to_string(issued_);
      bench::append_command(out, {"SET", name, operation.argument, "GET"});
    }
    pending_[connection].emplace_back(key, std::move(operation));
    return true;
  }

  void reply(size_t connection, ByteView bytes, double /*latency_us*/) override {
    auto [key, operation] = std::move(pending_[connection].front());
    pending_[connection].pop_front();
    operation.completed_us = now_us();
    longest_silence_us_ = std::max(longest_silence_us_, operation.completed_us - last_reply_us_);
    last_reply_us_ = operation.completed_us;
    const auto value = value_of(bytes);
    if (bytes[0] == '-') {
      error_ = std::string(bytes);
      if (options_.reconnect) return keep_unknown(key, std::move(operation));
    }
    operation.null = !value.has_value();
    operation.reply = value.value_or("");
    histories_[key].push_back(std::move(operation));
  }

  void lost(size_t connection) override {
    for (auto& [key, operation] : pending_[connection]) keep_unknown(key, std::move(operation));
    pending_[connection].clear();
  }

  uint64_t unknown() const { return unknown_; }
  const std::string& error() const { return error_; }
  uint64_t issued() const { return issued_; }
  /// Between two replies, of whatever connections: how long the service was away.
  double longest_silence_us() const { return longest_silence_us_; }
  std::vector<std::vector<Operation>>& histories() { return histories_; }

  double now_us() const {
    return std::chrono::duration<double, std::micro>(Clock::now() - start_).count();
  }

 private:
  void keep_unknown(size_t key, Operation operation) {
    ++unknown_;
    operation.unknown = true;
    if (operation.write) histories_[key].push_back(std::move(operation));
  }

  bool asked_to_stop() const {
    return !options_.stop_file.empty() && std::filesystem::exists(options_.stop_file);
  }

  const Options& options_;
  Random random_;
  bool stopped_ = false;
  uint64_t issued_ = 0;
  uint64_t unknown_ = 0;
  std::vector<std::vector<Operation>> histories_;
  std::vector<std::deque<std::pair<size_t, Operation>>> pending_;
  std::string error_;
  double last_reply_us_ = 0;
  double longest_silence_us_ = 0;
  Clock::time_point start_;
};

/// Reads every key once, in order, on one connection.
class ReadBack final : public bench::LoadSource {
 public:
  explicit ReadBack(const Options& options) : options_(options) {}
  bool next(size_t, Bytes& out) override {
    if (asked_ == options_.keys) return false;
    bench::append_command(out, {"GET", name_of(options_, asked_++)});
    return true;
  }
  void reply(size_t, ByteView bytes, double) override { values.push_back(value_of(bytes)); }

  std::vector<std::optional<std::string>> values;

 private:
  const Options& options_;
  size_t asked_ = 0;
};

int failed(const std::string& message) {
  std::printf("history: FAILED: %s\n", message.c_str());
  return 1;
}

int check_all(const Options& options, Workload& workload) {
  ReadBack last(options);
  const double read_at = workload.now_us();
  if (auto status = bench::run_load({options.port, 1, 64, 30, options.host}, last); !status) {
    return failed("reading back: " + status.message());
  }
  size_t wrong = 0;
  for (size_t key = 0; key < options.keys && wrong < 10; ++key) {
    auto& history = workload.histories()[key];
    const auto& value = last.values[key];
    history.push_back({false, read_at, read_at, "", value.value_or(""), !value});
    auto outcome = check(kind_of(options, key), std::move(history));
    if (outcome.error.empty() && outcome.final_value != last.values[key]) {
      outcome.error = "the final value is \"" + last.values[key].value_or("(null)") +
                      "\", the model's \"" + outcome.final_value.value_or("(null)") + "\"";
    }
    if (outcome.error.empty()) continue;
    ++wrong;
    std::printf("%s: %s\n", name_of(options, key).c_str(), outcome.error.c_str());
  }
  return wrong == 0 ? 0 : failed("histories that no single-threaded server gives");
}

int run(const Options& options) {
  Workload workload(options);
  const auto start = Clock::now();
  const bench::LoadOptions load{options.port, options.connections, options.pipeline,
                                30,           options.host,        options.reconnect};
  if (auto status = bench::run_load(load, workload); !status) return failed(status.message());
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (!workload.error().empty() && options.reconnect) {
    std::printf("the last of the error replies: %s", workload.error().c_str());
  } else if (!workload.error().empty()) {
    return failed("an error reply: " + workload.error());
  }
  if (const int status = check_all(options, workload); status != 0) return status;
  std::printf(
      "history: ok: %llu operations, %llu of unknown outcome, %zu keys, %zu connections, "
      "%.0f operations/s, longest silence %.2f s\n",
      static_cast<unsigned long long>(workload.issued()),
      static_cast<unsigned long long>(workload.unknown()), options.keys, options.connections,
      static_cast<double>(workload.issued()) / seconds, workload.longest_silence_us() / 1e6);
  return 0;
}

}  // namespace
}  // namespace eve::history

int main(int argc, char** argv) {
  eve::history::Options options;
  CLI::App app{"Load with histories that are checked"};
  app.add_option("--port", options.port)->required();
  app.add_option("--operations", options.operations)->capture_default_str();
  app.add_option("--keys", options.keys)->capture_default_str();
  app.add_option("--connections", options.connections)->capture_default_str();
  app.add_option("--pipeline", options.pipeline)->capture_default_str();
  app.add_option("--seed", options.seed)->capture_default_str();
  app.add_option("--seconds", options.seconds)->capture_default_str();
  app.add_option("--host", options.host)->capture_default_str();
  app.add_flag("--reconnect", options.reconnect);
  app.add_option("--stop-file", options.stop_file);
  CLI11_PARSE(app, argc, argv);
  return eve::history::run(options);
}
