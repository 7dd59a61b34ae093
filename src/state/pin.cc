#include "state/pin.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "state/store.h"

namespace eve::state {

void Pin::release() {
  if (state_ != nullptr && state_->store != nullptr) state_->store->unpin(*state_);
  state_.reset();
}

Pin& Pin::operator=(Pin&& other) noexcept {
  if (this != &other) {
    release();
    state_ = std::move(other.state_);
  }
  return *this;
}

Pin::~Pin() {
  release();
}

SlotSet Pin::take_changed() {
  return std::exchange(state_->changed, {});
}

std::shared_ptr<PinState> Pins::add(Store& store, BatchNumber n) {
  pins_.push_back(std::make_shared<PinState>());
  pins_.back()->store = &store;
  pins_.back()->number = n;
  pins_.back()->noted = n;
  return pins_.back();
}

void Pins::remove(const PinState& pin) {
  std::erase_if(pins_, [&](const auto& held) { return held.get() == &pin; });
}

bool Pins::hold(BatchNumber n) const {
  return std::any_of(pins_.begin(), pins_.end(), [&](const auto& pin) { return pin->number == n; });
}

void Pins::note(const History& history, BatchNumber committed) {
  for (const auto& pin : pins_) {
    for (; pin->noted < committed; pin->noted = pin->noted.next()) {
      for (const LeafBefore& leaf : history.after(pin->noted)->leaves) pin->since.add(leaf.slot);
    }
  }
}

void Pins::move(BatchNumber from, BatchNumber to) {
  for (const auto& pin : pins_) {
    if (pin->number != from) continue;
    EVE_CHECK(pin->noted == to, "a pin knows what changed up to where it moves");
    pin->changed.add(std::exchange(pin->since, {}));
    pin->number = to;
    ++pin->moved;
  }
}

void Pins::end_after(BatchNumber n) {
  std::erase_if(pins_, [&](const auto& pin) {
    if (pin->number <= n) return false;
    pin->store = nullptr;
    return true;
  });
}

void Pins::end_all() {
  for (const auto& pin : pins_) pin->store = nullptr;
  pins_.clear();
}

std::optional<Pin> Store::pin(BatchNumber n) {
  if (n < oldest() || n > last_) return std::nullopt;
  return Pin(pins_.add(*this, n));
}

void Store::unpin(const PinState& pin) {
  pins_.remove(pin);
  if (!undo_.is_open()) trim_history(0);
}

}  // namespace eve::state
