#include "sim/moody.h"

#include <string>

#include "eve/service.h"
#include "eve/state.h"
#include "sim/request_code.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr uint32_t kValues = 16;
/// One execution in so many gives something else: rare enough that most batches agree.
constexpr uint64_t kMood = 2000;

class MoodyService final : public Service {
 public:
  explicit MoodyService(State& state) : values_(state, "values"), served_(state, "served") {}

  void footprint(ByteView bytes, Footprint& out) const override {
    const auto request = decode_request(bytes);
    if (!request) return;
    out.write("served:" + std::to_string(request->id));
    out.write("value:" + std::to_string(request->first));
  }

  void execute(Context& context, ByteView bytes, Bytes& reply) override {
    const auto request = decode_request(bytes);
    if (!request) return;
    Answer answer;
    answer.times = served_.get(context, request->id).value_or(0) + 1;
    served_.put(context, request->id, answer.times);
    // What replicas do not share, and no rollback takes back: how much this one has run.
    answer.value = ++executions_ % kMood == 0 ? static_cast<int64_t>(executions_) : 0;
    values_.put(context, request->first, answer.value);
    reply = encode(answer);
  }

 private:
  Map<uint32_t, int64_t> values_;
  Map<uint64_t, uint32_t> served_;
  uint64_t executions_ = 0;  // fibers take turns: no two threads are here
};

}  // namespace

execution::MakeService Moody::service() const {
  return [](State& state) { return std::make_unique<MoodyService>(state); };
}

void Moody::quarantined(uint16_t client, uint64_t number, uint64_t end) {
  quarantined_.emplace(client, end);
  if (quarantined_.size() > most_quarantined_) Workload::quarantined(client, number, end);
}

Bytes Moody::request(uint16_t client, uint64_t number, Random& random) {
  Request request;
  request.operation = 'M';
  request.id = unique_id(client, number);
  request.first = static_cast<uint32_t>(random.below(kValues));
  return encode(request);
}

void Moody::check(uint16_t, uint64_t, ByteView, ByteView reply) {
  const auto answer = decode_answer(reply);
  // A request that keeps diverging may be refused in the end, with the error for all that fails.
  if (!answer) {
    if (reply.starts_with("-ERR ")) return;
    throw Violation("service", "a reply that nobody gives: " + Bytes(reply));
  }
  if (answer->times != 1) {
    throw Violation("exactly once", "a request ran " + std::to_string(answer->times) + " times");
  }
}

}  // namespace eve::sim
