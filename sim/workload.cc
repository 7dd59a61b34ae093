#include "sim/workload.h"

#include "sim/bank.h"
#include "sim/kv_workload.h"
#include "sim/racing.h"
#include "sim/violation.h"

namespace eve::sim {

void Workload::lost(uint16_t client, uint64_t number) {
  throw Violation("completions", to_string(Address::client(client)) +
                                     " lost its session with request " + std::to_string(number));
}

std::unique_ptr<Workload> make_workload(const std::string& name) {
  if (name == "bank") return std::make_unique<Bank>();
  if (name == "racing") return std::make_unique<Racing>();
  if (name == "kv") return std::make_unique<KvWorkload>();
  return nullptr;
}

}  // namespace eve::sim
