#include "sim/twins.h"

namespace eve::sim {

Twins::Twins(uint64_t seed, EventQueue& queue, size_t nodes, TimeUs change_us)
    : random_(seed), queue_(queue), change_us_(change_us), company_(nodes, 1) {}

void Twins::change() {
  // Mostly a clean split; now and then some hear both, or neither.
  const bool clean = random_.chance(2, 3);
  for (uint8_t& with : company_) {
    with = static_cast<uint8_t>(clean ? 1 + random_.below(2) : random_.below(4));
  }
  const auto wait = 1 + static_cast<TimeUs>(random_.below(2 * static_cast<uint64_t>(change_us_)));
  queue_.after(wait, [this] { change(); });
}

}  // namespace eve::sim
