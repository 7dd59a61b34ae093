#include "sim/throwing.h"

#include <stdexcept>
#include <string>

#include "eve/service.h"
#include "eve/state.h"
#include "sim/request_code.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr uint32_t kCounters = 8;
constexpr char kIncrement = 'I';
constexpr char kThrow = 'X';
/// What a thrower leaves for a moment: whoever sees it has read what must be undone.
constexpr int64_t kPoison = 1'000'000'000;

class ThrowingService final : public Service {
 public:
  explicit ThrowingService(State& state) : counters_(state, "counters"), served_(state, "served") {}

  void footprint(ByteView bytes, Footprint& out) const override {
    const auto request = decode_request(bytes);
    if (!request) return;
    out.write("served:" + std::to_string(request->id));
    out.write("counter:" + std::to_string(request->first));
  }

  void execute(Context& context, ByteView bytes, Bytes& reply) override {
    const auto request = decode_request(bytes);
    if (!request) return;
    Answer answer;
    answer.times = served_.get(context, request->id).value_or(0) + 1;
    served_.put(context, request->id, answer.times);
    const int64_t before = counters_.get(context, request->first).value_or(0);
    const bool throws = request->operation == kThrow;
    answer.value = before + (throws ? kPoison : 1);
    counters_.put(context, request->first, answer.value);
    if (throws) throw std::runtime_error("always");
    reply = encode(answer);
  }

 private:
  Map<uint32_t, int64_t> counters_;
  Map<uint64_t, uint32_t> served_;
};

}  // namespace

execution::MakeService Throwing::service() const {
  return [](State& state) { return std::make_unique<ThrowingService>(state); };
}

Bytes Throwing::request(uint16_t client, uint64_t number, Random& random) {
  Request request;
  request.operation = random.chance(1, 10) ? kThrow : kIncrement;
  request.id = unique_id(client, number);
  request.first = static_cast<uint32_t>(random.below(kCounters));
  ++increments_;
  return encode(request);
}

void Throwing::check(uint16_t, uint64_t, ByteView request, ByteView reply) {
  if (decode_request(request)->operation == kThrow) {
    if (reply == kRequestFailed) return;
    throw Violation("service", "a request that always throws was answered");
  }
  const auto answer = decode_answer(reply);
  if (!answer) throw Violation("service", "a reply that counters never give: " + Bytes(reply));
  if (answer->times != 1) {
    throw Violation("exactly once", "a request ran " + std::to_string(answer->times) + " times");
  }
  if (answer->value < 1 || answer->value > increments_) {
    throw Violation("counter", "a counter says " + std::to_string(answer->value));
  }
}

}  // namespace eve::sim
