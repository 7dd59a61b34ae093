#include "sim/disk_plan.h"

namespace eve::sim {
namespace {

struct Kind {
  const char* name;
  DiskScope scope;
  uint32_t usual_per_million;
};

// In the order of DiskFault. Those of a crash are likely, as crashes are few; operations are many.
constexpr std::array kKinds = {
    Kind{"unsynced lost", DiskScope::kContract, 300'000},
    Kind{"torn write", DiskScope::kContract, 500'000},
    Kind{"names lost", DiskScope::kContract, 300'000},
    Kind{"names mixed", DiskScope::kContract, 300'000},
    Kind{"sync fails", DiskScope::kContract, 500},
    Kind{"read fails", DiskScope::kContract, 1'000},
    Kind{"disk full", DiskScope::kContract, 300},
    Kind{"stall", DiskScope::kContract, 500},
    Kind{"call refused", DiskScope::kContract, 500},
    Kind{"lost write", DiskScope::kDamage, 500},
    Kind{"misdirected write", DiskScope::kDamage, 300},
    Kind{"stale sector", DiskScope::kDamage, 500'000},
    Kind{"rot at rest", DiskScope::kDamage, 200},
    Kind{"rot at a read", DiskScope::kDamage, 500},
    Kind{"bad sector", DiskScope::kDamage, 200},
    Kind{"old copy", DiskScope::kDamage, 50'000},
    Kind{"files lost", DiskScope::kDamage, 100'000},
};
static_assert(kKinds.size() == DiskPlan::kFaults);

const Kind& kind_of(DiskFault fault) {
  return kKinds[static_cast<size_t>(fault)];
}

}  // namespace

const char* name_of(DiskFault fault) {
  return kind_of(fault).name;
}

DiskScope scope_of(DiskFault fault) {
  return kind_of(fault).scope;
}

DiskPlan DiskPlan::draw(Random& random, DiskScope scope) {
  DiskPlan plan;
  const bool calm = random.chance(1, 6);
  for (size_t i = 0; i < kFaults; ++i) {
    // Drawn whether it is on or not: a scope more does not change the others.
    const bool on = random.chance(1, 2) && !calm && kKinds[i].scope <= scope;
    const auto usual = kKinds[i].usual_per_million;
    const auto drawn = static_cast<uint32_t>(usual / 4 + random.below(usual * 7 / 4 + 1));
    if (on) plan.per_million[i] = drawn;
  }
  return plan;
}

std::string to_string(const DiskPlan& plan) {
  std::string text;
  for (size_t i = 0; i < DiskPlan::kFaults; ++i) {
    if (plan.per_million[i] == 0) continue;
    if (!text.empty()) text += ", ";
    text += std::string(kKinds[i].name) + "=" + std::to_string(plan.per_million[i]);
  }
  return text;
}

}  // namespace eve::sim
