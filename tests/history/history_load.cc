// history_load --port P: random commands over many keys by many connections against a running
// server; then checks every key's history (tests/history/history.h) and reads every key back.
// Prints "history: ok ..." and exits with 0, or names the first keys that are wrong.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <vector>

#include "base/random.h"
#include "bench/resp_load.h"
#include "tests/history/history.h"

namespace eve::history {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  uint16_t port = 0;
  uint64_t operations = 100'000;
  size_t keys = 10'000;
  size_t connections = 50;
  size_t pipeline = 4;
  uint64_t seed = 1;
  double seconds = 0;  ///< at most; 0: as long as the operations take
  std::string host = "127.0.0.1";
};

Kind kind_of(size_t key) {
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
    ++issued_;
    const size_t key = random_.below(options_.keys);
    Operation operation;
    operation.write = random_.chance(2, 3);
    operation.invoked_us = now_us();
    const auto name = name_of(options_, key);
    if (!operation.write) {
      bench::append_command(out, {"GET", name});
    } else if (kind_of(key) == Kind::kCounter) {
      operation.argument = std::to_string(1 + random_.below(9));
      bench::append_command(out, {"INCRBY", name, operation.argument});
    } else if (kind_of(key) == Kind::kLog) {
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
    if (bytes[0] == '-') error_ = std::string(bytes);
    operation.null = !value.has_value();
    operation.reply = value.value_or("");
    histories_[key].push_back(std::move(operation));
  }

  const std::string& error() const { return error_; }
  uint64_t issued() const { return issued_; }
  /// Between two replies, of whatever connections: how long the service was away.
  double longest_silence_us() const { return longest_silence_us_; }
  std::vector<std::vector<Operation>>& histories() { return histories_; }

 private:
  double now_us() const {
    return std::chrono::duration<double, std::micro>(Clock::now() - start_).count();
  }

  const Options& options_;
  Random random_;
  uint64_t issued_ = 0;
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
  if (auto status = bench::run_load({options.port, 1, 64, 30, options.host}, last); !status) {
    return failed("reading back: " + status.message());
  }
  size_t wrong = 0;
  for (size_t key = 0; key < options.keys && wrong < 10; ++key) {
    auto outcome = check(kind_of(key), std::move(workload.histories()[key]));
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
  const bench::LoadOptions load{options.port, options.connections, options.pipeline, 30,
                                options.host};
  if (auto status = bench::run_load(load, workload); !status) return failed(status.message());
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (!workload.error().empty()) return failed("an error reply: " + workload.error());
  if (const int status = check_all(options, workload); status != 0) return status;
  std::printf(
      "history: ok: %llu operations, %zu keys, %zu connections, %.0f operations/s, longest silence "
      "%.2f s\n",
      static_cast<unsigned long long>(workload.issued()), options.keys, options.connections,
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
  CLI11_PARSE(app, argc, argv);
  return eve::history::run(options);
}
