#include "sim/workload.h"

#include <utility>

#include "sim/append_workload.h"
#include "sim/bank.h"
#include "sim/kv_workload.h"
#include "sim/misled.h"
#include "sim/moody.h"
#include "sim/poison.h"
#include "sim/racing.h"
#include "sim/throwing.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

template <typename T>
std::unique_ptr<Workload> make() {
  return std::make_unique<T>();
}

using Make = std::unique_ptr<Workload> (*)();
const std::vector<std::pair<std::string, Make>> kWorkloads = {
    {"bank", make<Bank>},     {"racing", make<Racing>},
    {"kv", make<KvWorkload>}, {"append", make<AppendWorkload>},
    {"narrow", make<Narrow>}, {"wide", make<Wide>},
    {"moody", make<Moody>},   {"throwing", make<Throwing>},
    {"poison", make<Poison>},
};

}  // namespace

void Workload::quarantined(uint16_t client, uint64_t number, uint64_t) {
  throw Violation("quarantine", "request " + std::to_string(number) + " of client " +
                                    std::to_string(client) + " was quarantined");
}

void Workload::lost(uint16_t client, uint64_t number) {
  throw Violation("completions", to_string(Address::client(client)) +
                                     " lost its session with request " + std::to_string(number));
}

std::unique_ptr<Workload> make_workload(const std::string& name) {
  for (const auto& [known, make_it] : kWorkloads) {
    if (known == name) return make_it();
  }
  return nullptr;
}

const std::vector<std::string>& workload_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, make_it] : kWorkloads) all.push_back(name);
    return all;
  }();
  return names;
}

}  // namespace eve::sim
