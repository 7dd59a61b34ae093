#include "durability/log_places.h"

#include <algorithm>

namespace eve::durability {
namespace {

/// Batches between two places: so many notes too many are read again at most.
constexpr uint64_t kBatchesApart = 16;

}  // namespace

void LogPlaces::begin_at(journal::Position position, BatchNumber number, LogContext context) {
  std::lock_guard lock(mutex_);
  places_.assign(1, {position, number});
  contexts_.clear();
  contexts_.emplace_back(journal::Position(), std::move(context));
  most_ = number;
  end_ = position;
}

void LogPlaces::reaches(BatchNumber number, journal::Position first) {
  std::lock_guard lock(mutex_);
  if (number <= most_) return;
  if (places_.empty() || most_.value() >= places_.back().before.value() + kBatchesApart) {
    places_.push_back({first, most_});
  }
  most_ = number;
}

void LogPlaces::entered(execution::EnterView view, journal::Position position) {
  std::lock_guard lock(mutex_);
  contexts_.emplace_back(position, LogContext{contexts_.back().second.epoch, std::move(view)});
}

void LogPlaces::entered(Epoch epoch, journal::Position position) {
  std::lock_guard lock(mutex_);
  contexts_.emplace_back(position, LogContext{epoch, {}});
}

void LogPlaces::ends_at(journal::Position end) {
  std::lock_guard lock(mutex_);
  end_ = end;
}

std::optional<CheckpointPlace> LogPlaces::place_of(BatchNumber number,
                                                   journal::Position most) const {
  std::lock_guard lock(mutex_);
  journal::Position position = end_;
  if (most_ > number) {
    const auto beyond = [&](const Place& place) { return place.before <= number; };
    const auto next = std::partition_point(places_.begin(), places_.end(), beyond);
    if (next == places_.begin()) return std::nullopt;
    position = std::prev(next)->position;
  }
  position = std::min(position, most);
  const auto earlier = [&](const auto& context) { return context.first < position; };
  const auto next = std::partition_point(contexts_.begin(), contexts_.end(), earlier);
  if (next == contexts_.begin()) return std::nullopt;
  return CheckpointPlace{position, context_of(std::prev(next)->second)};
}

void LogPlaces::cut(journal::Position position, BatchNumber number) {
  std::lock_guard lock(mutex_);
  while (!places_.empty() && places_.front().position <= position) places_.pop_front();
  places_.push_front({position, number});
  while (contexts_.size() > 1 && contexts_[1].first < position) contexts_.pop_front();
}

size_t LogPlaces::remembered() const {
  std::lock_guard lock(mutex_);
  return places_.size() + contexts_.size();
}

}  // namespace eve::durability
