#include "state/pin.h"

#include <algorithm>
#include <iterator>
#include <utility>

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

std::vector<uint64_t> Pin::take_changed() {
  return std::exchange(state_->changed, {});
}

std::shared_ptr<PinState> Pins::add(Store& store, BatchNumber n) {
  pins_.push_back(std::make_shared<PinState>());
  pins_.back()->store = &store;
  pins_.back()->number = n;
  return pins_.back();
}

void Pins::remove(const PinState& pin) {
  std::erase_if(pins_, [&](const auto& held) { return held.get() == &pin; });
}

bool Pins::hold(BatchNumber n) const {
  return std::any_of(pins_.begin(), pins_.end(), [&](const auto& pin) { return pin->number == n; });
}

void Pins::move(BatchNumber from, BatchNumber to, const std::vector<uint64_t>& changed) {
  for (const auto& pin : pins_) {
    if (pin->number != from) continue;
    std::vector<uint64_t> both;
    std::set_union(pin->changed.begin(), pin->changed.end(), changed.begin(), changed.end(),
                   std::back_inserter(both));
    pin->changed = std::move(both);
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
