#include "sim/poison.h"

#include <memory>
#include <stdexcept>
#include <string>

#include "eve/service.h"
#include "eve/state.h"
#include "sim/request_code.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr uint32_t kCounters = 12;
/// Each costs dozens of views, in which nobody else is answered either.
constexpr size_t kMostPoisonous = 2;

constexpr char kIncrement = 'I';
constexpr char kPoison = 'D';
constexpr char kShy = 'P';
constexpr char kThrow = 'X';

class PoisonService final : public Service {
 public:
  PoisonService(State& state, uint64_t replica)
      : counters_(state, "counters"), served_(state, "served"), hidden_(replica) {}

  void footprint(ByteView bytes, Footprint& out) const override {
    const auto request = decode_request(bytes);
    if (!request) return;
    out.write("served:" + std::to_string(request->id));
    out.write("counter:" + std::to_string(request->first));
  }

  void execute(Context& context, ByteView bytes, Bytes& reply) override {
    const auto request = decode_request(bytes);
    if (!request) return;
    const Inside inside(*this);
    Answer answer;
    answer.times = served_.get(context, request->id).value_or(0) + 1;
    served_.put(context, request->id, answer.times);
    answer.value = counters_.get(context, request->first).value_or(0) + 1;
    counters_.put(context, request->first, answer.value);
    if (request->operation == kThrow) throw std::runtime_error("always");
    const bool differs =
        request->operation == kPoison || (request->operation == kShy && inside.disturbed());
    if (differs) served_.put(context, request->id, static_cast<uint32_t>(hidden_.next()));
    reply = encode(answer);
  }

 private:
  /// Who is inside execute(): no part of the state, as it should be.
  class Inside {
   public:
    explicit Inside(PoisonService& service) : service_(service) {
      ++service_.inside_;
      ++service_.entered_;
      entered_ = service_.entered_;
      alone_ = service_.inside_ == 1;
    }
    ~Inside() { --service_.inside_; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    /// Somebody else is, or was, inside at the same time.
    bool disturbed() const { return !alone_ || service_.entered_ != entered_; }

   private:
    PoisonService& service_;
    uint64_t entered_ = 0;
    bool alone_ = true;
  };

  Map<uint32_t, int64_t> counters_;
  Map<uint64_t, uint32_t> served_;
  Random hidden_;
  uint64_t inside_ = 0;
  uint64_t entered_ = 0;
};

}  // namespace

execution::MakeService Poison::service() const {
  return [replicas = replicas_](State& state) {
    return std::make_unique<PoisonService>(state, ++*replicas);
  };
}

Bytes Poison::request(uint16_t client, uint64_t number, Random& random) {
  Request request;
  request.id = unique_id(client, number);
  request.first = static_cast<uint32_t>(random.below(kCounters));
  const uint64_t kind = random.below(100);
  request.operation = kind < 80 ? kIncrement : kind < 92 ? kShy : kind < 97 ? kThrow : kPoison;
  if (request.operation == kPoison && poisonous_.size() == kMostPoisonous) {
    request.operation = kIncrement;
  }
  if (request.operation == kPoison) poisonous_.emplace(client, number);
  return encode(request);
}

void Poison::check(uint16_t client, uint64_t number, ByteView bytes, ByteView reply) {
  if (poisonous_.contains({client, number})) {
    if (liars_) return;
    throw Violation("quarantine", "replicas agreed on a request that is random on each");
  }
  const bool throws = decode_request(bytes)->operation == kThrow;
  if (throws != (reply == kRequestFailed)) {
    throw Violation("service", "a reply that the counters never give: " + Bytes(reply));
  }
  const auto answer = decode_answer(reply);
  if (!throws && (!answer || answer->times != 1)) {
    throw Violation("exactly once", "a request did not run once");
  }
}

bool Poison::unforeseeable(ByteView bytes) const {
  const auto request = decode_request(bytes);
  return liars_ && request && (request->operation == kPoison || request->operation == kShy);
}

void Poison::quarantined(uint16_t client, uint64_t number, uint64_t end) {
  const auto first = poisonous_.lower_bound({client, number});
  if (first != poisonous_.end() && *first < Name(client, end)) excused_.emplace(client, end);
  if (!excused_.contains({client, end})) {
    throw Violation("quarantine", "a bundle without a poisonous request was quarantined");
  }
}

}  // namespace eve::sim
