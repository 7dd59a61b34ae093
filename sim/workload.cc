#include "sim/workload.h"

#include "sim/bank.h"
#include "sim/kv_workload.h"
#include "sim/racing.h"

namespace eve::sim {

std::unique_ptr<Workload> make_workload(const std::string& name) {
  if (name == "bank") return std::make_unique<Bank>();
  if (name == "racing") return std::make_unique<Racing>();
  if (name == "kv") return std::make_unique<KvWorkload>();
  return nullptr;
}

}  // namespace eve::sim
