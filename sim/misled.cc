#include "sim/misled.h"

#include <functional>
#include <string>
#include <utility>

#include "base/random.h"
#include "eve/service.h"
#include "sim/request_code.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr uint64_t kMissedPerMille = 150;
constexpr uint64_t kInvented = 4;

/// Serves as another service does, and names other keys.
class MisledService final : public Service {
 public:
  using Mislead = std::function<void(const Footprint& right, Random& random, Footprint& out)>;
  MisledService(std::unique_ptr<Service> inner, Mislead mislead)
      : inner_(std::move(inner)), mislead_(std::move(mislead)) {}

  /// The same on every replica: a function of the request.
  void footprint(ByteView request, Footprint& out) const override {
    Footprint right;
    inner_->footprint(request, right);
    Random random(std::hash<ByteView>()(request));
    mislead_(right, random, out);
  }
  void execute(Context& context, ByteView request, Bytes& reply) override {
    inner_->execute(context, request, reply);
  }

 private:
  std::unique_ptr<Service> inner_;
  Mislead mislead_;
};

void name_key(const Footprint::Key& key, Footprint& out) {
  const std::string name = std::to_string(key.hash);
  key.write ? out.write(name) : out.read(name);
}

void miss(const Footprint& right, Random& random, Footprint& out) {
  if (right.is_alone() && !random.chance(kMissedPerMille, 1000)) out.alone();
  for (const Footprint::Key& key : right.keys()) {
    if (!random.chance(kMissedPerMille, 1000)) name_key(key, out);
  }
}

void invent(const Footprint& right, Random& random, Footprint& out) {
  if (right.is_alone()) out.alone();
  for (const Footprint::Key& key : right.keys()) name_key(key, out);
  const std::string invented = "invented:" + std::to_string(random.below(kInvented));
  if (random.chance(1, 3)) out.write(invented);
  if (random.chance(1, 50)) out.alone();
}

execution::MakeService misled_bank(MisledService::Mislead mislead) {
  return [mislead = std::move(mislead), make = Bank().service()](State& state) {
    return std::make_unique<MisledService>(make(state), mislead);
  };
}

}  // namespace

execution::MakeService Narrow::service() const {
  return misled_bank(miss);
}

void Narrow::check(uint16_t, uint64_t, ByteView, ByteView reply) {
  const auto answer = decode_answer(reply);
  if (!answer && reply != kRequestFailed) {
    throw Violation("service", "a reply that the bank never gives: " + Bytes(reply));
  }
  if (answer && answer->times != 1) {
    throw Violation("exactly once", "a request ran " + std::to_string(answer->times) + " times");
  }
}

execution::MakeService Wide::service() const {
  return misled_bank(invent);
}

}  // namespace eve::sim
