#include "sim/stage_service.h"

#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

#include "eve/service.h"
#include "eve/state.h"

namespace eve::sim {
namespace {

/// Reads that give others the time to run: with a switch at every access, more than enough.
constexpr int kDawdle = 64;
constexpr int kDawdleLong = 4 * kDawdle;

struct Words {
  std::string operation;
  std::string key;
  int64_t value = 0;
};

Words parse(ByteView bytes) {
  Words words;
  std::istringstream in{std::string(bytes)};
  in >> words.operation >> words.key >> words.value;
  return words;
}

class StageService final : public Service {
 public:
  StageService(State& state, const Backstage& backstage)
      : counters_(state, "counters"), backstage_(backstage) {}

  void footprint(ByteView request, Footprint& out) const override {
    const Words words = parse(request);
    if (words.operation == "get") {
      out.read(words.key);
    } else if (words.operation != "race" && words.operation != "peek") {
      out.write(words.key);
    }
  }

  void execute(Context& context, ByteView request, Bytes& reply) override {
    const Words words = parse(request);
    if (words.operation == "set") {
      counters_.put(context, words.key, words.value);
      reply = "OK";
    } else if (words.operation == "add") {
      reply = std::to_string(grow(context, words.key, words.value));
    } else if (words.operation == "get") {
      reply = text(counters_.get(context, words.key));
    } else if (words.operation == "erase") {
      reply = counters_.erase(context, words.key) ? "erased" : "was not there";
    } else if (words.operation == "race") {
      reply = std::to_string(race(context, words.key));
    } else if (words.operation == "moody") {
      reply = std::to_string(grow(context, words.key, backstage_.race(context.batch())));
    } else if (words.operation == "peek") {
      dawdle(context, words.key, kDawdle);
      reply = text(counters_.get(context, words.key));
      backstage_.note("batch " + std::to_string(context.batch()) + ": peek " + words.key +
                      " reads " + reply);
    } else if (words.operation == "fail") {
      counters_.put(context, words.key, words.value);
      dawdle(context, words.key, kDawdleLong);
      throw std::runtime_error("fail was asked for");
    } else {
      reply = "no such request";
    }
  }

 private:
  static std::string text(const std::optional<int64_t>& value) {
    return value ? std::to_string(*value) : "nothing";
  }

  void dawdle(Context& context, const std::string& key, int reads) const {
    for (int i = 0; i < reads; ++i) counters_.get(context, key);
  }

  int64_t grow(Context& context, const std::string& key, int64_t by) {
    const int64_t value = counters_.get(context, key).value_or(0) + by;
    counters_.put(context, key, value);
    return value;
  }

  /// Whether two are inside at once is known for sure: a scheduler that switches lets the second
  /// in while the first dawdles, and one that runs in order never does. They leave in the batch's
  /// order, so that nothing but the script decides what comes of it.
  int64_t race(Context& context, const std::string& key) {
    inside_.insert(context.index());
    if (inside_.size() > 1) met_in_ = context.batch();
    dawdle(context, key, kDawdle);
    while (*inside_.begin() != context.index()) dawdle(context, key, 1);
    const bool met = met_in_ == context.batch();
    const int64_t value = grow(context, key, met ? backstage_.race(context.batch()) : 1);
    inside_.erase(context.index());
    if (inside_.empty()) met_in_ = 0;
    return value;
  }

  Map<std::string, int64_t> counters_;
  const Backstage& backstage_;
  // The flaw that is planted: plain memory beside the state. Fibers share one thread.
  std::set<uint32_t> inside_;
  uint64_t met_in_ = 0;
};

}  // namespace

void Backstage::set_race(std::optional<uint64_t> number, int64_t growth) {
  if (number) {
    in_batch_[*number] = growth;
  } else {
    otherwise_ = growth;
  }
}

int64_t Backstage::race(uint64_t number) const {
  const auto found = in_batch_.find(number);
  return found == in_batch_.end() ? otherwise_ : found->second;
}

execution::MakeService make_stage_service(const Backstage& backstage) {
  return [&backstage](State& state) { return std::make_unique<StageService>(state, backstage); };
}

}  // namespace eve::sim
