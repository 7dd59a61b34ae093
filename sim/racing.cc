#include "sim/racing.h"

#include <string>

#include "eve/service.h"
#include "eve/state.h"
#include "sim/request_code.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr uint32_t kCounters = 24;

class RacingService final : public Service {
 public:
  explicit RacingService(State& state) : counters_(state, "counters"), served_(state, "served") {}

  void footprint(ByteView bytes, Footprint& out) const override {
    const auto request = decode_request(bytes);
    if (request) out.write("served:" + std::to_string(request->id));
  }

  void execute(Context& context, ByteView bytes, Bytes& reply) override {
    const auto request = decode_request(bytes);
    if (!request) return;
    Answer answer;
    answer.times = served_.get(context, request->id).value_or(0) + 1;
    served_.put(context, request->id, answer.times);
    answer.value = counters_.get(context, request->first).value_or(0) + 1;
    counters_.put(context, request->first, answer.value);
    reply = encode(answer);
  }

 private:
  Map<uint32_t, int64_t> counters_;
  Map<uint64_t, uint32_t> served_;
};

}  // namespace

execution::MakeService Racing::service() const {
  return [](State& state) { return std::make_unique<RacingService>(state); };
}

Bytes Racing::request(uint16_t client, uint64_t number, Random& random) {
  Request request;
  request.operation = 'I';
  request.id = unique_id(client, number);
  request.first = static_cast<uint32_t>(random.below(kCounters));
  ++increments_;
  return encode(request);
}

void Racing::check(uint16_t, uint64_t, ByteView, ByteView reply) {
  const auto answer = decode_answer(reply);
  if (!answer) throw Violation("service", "a reply that counters never give: " + Bytes(reply));
  if (answer->times != 1) {
    throw Violation("exactly once", "a request ran " + std::to_string(answer->times) + " times");
  }
  if (answer->value < 1 || answer->value > increments_) {
    throw Violation("counter", "a counter says " + std::to_string(answer->value) + " after " +
                                   std::to_string(increments_) + " increments");
  }
}

}  // namespace eve::sim
