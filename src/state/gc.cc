#include "state/gc.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "eve/fields.h"
#include "state/references.h"

namespace eve::state {

namespace {

constexpr uint64_t bit(uint64_t number) {
  return uint64_t{1} << (number % 64);
}

Bytes chunk_key(uint64_t index) {
  Bytes key(8, '\0');
  for (size_t i = 0; i < 8; ++i) key[i] = static_cast<char>(index >> (56 - 8 * i));
  return key;
}

template <size_t kWords>
bool any(const std::array<uint64_t, kWords>& words) {
  return std::any_of(words.begin(), words.end(), [](uint64_t word) { return word != 0; });
}

}  // namespace

Collector::Collector(const Table& graph, const Table& own, const Slots& slots)
    : graph_(graph), own_(own), slots_(slots) {
  if (const auto found = own_.get({})) {
    stored_ = *found;
    auto control = Codec<Control>::decode(stored_);
    if (control && control->phase <= Phase::kSweep) control_ = *std::move(control);
    // A service that writes to this table can stop or mislead the collector, but not break it.
    control_.limit = std::min(control_.limit, slots_.size());
    auto& words = control_.gray_chunks;
    while (!words.empty() && words.back() == 0) words.pop_back();
  }
  if (control_.phase != Phase::kIdle) return;
  if (graph_.size() < kGrowth * control_.live + kSlack) return;
  control_.phase = Phase::kRoots;
  control_.limit = slots_.size();
  starts_ = true;
}

/// Precondition: `slot` < limit.
Collector::Chunk& Collector::chunk(uint64_t slot) {
  const auto [it, added] = chunks_.try_emplace(slot / kChunk);
  Chunk& chunk = it->second;
  const auto found = added ? own_.get(chunk_key(slot / kChunk)) : std::nullopt;
  if (found) {
    chunk.stored = *found;
    for (size_t i = 0; i * 8 + 8 <= std::min(chunk.stored.size(), 2 * sizeof(Bits)); ++i) {
      Bits& bits = i < chunk.reached.size() ? chunk.reached : chunk.gray;
      bits[i % bits.size()] = reference_at(chunk.stored, i * 8);
    }
  }
  return chunk;
}

/// What is new since the cycle began, or was passed by the sweep, needs no bit.
bool Collector::reached(uint64_t slot) {
  if (slot >= control_.limit) return true;
  if (control_.phase == Phase::kSweep && slot < control_.cursor) return true;
  return (chunk(slot).reached[slot % kChunk / 64] & bit(slot)) != 0;
}

void Collector::reach(uint64_t slot, bool gray) {
  if (reached(slot)) return;
  Chunk& in = chunk(slot);
  in.reached[slot % kChunk / 64] |= bit(slot);
  if (!gray) return;
  in.gray[slot % kChunk / 64] |= bit(slot);
  set_gray_chunk(slot / kChunk, true);
}

void Collector::set_gray_chunk(uint64_t index, bool gray) {
  auto& words = control_.gray_chunks;
  const size_t word = index / 64;
  if (gray) {
    if (words.size() <= word) words.resize(word + 1);
    words[word] |= bit(index);
    gray_from_ = std::min(gray_from_, word);
  } else {
    words[word] &= ~bit(index);
    while (!words.empty() && words.back() == 0) words.pop_back();
  }
}

void Collector::shade(uint64_t handle) {
  const Object* object = graph_.named(handle);
  if (object != nullptr && object->load().present()) reach(object->slot, true);
}

void Collector::scan(const Object& object) {
  const Version& version = *object.load().version();
  each_reference(version.references(), version.bytes(), [this](uint64_t handle) { shade(handle); });
}

void Collector::changed(const Object& object) {
  if (starts_) return;
  scan(object);
  if (!is_free_standing(object)) return;
  reach(object.slot, false);
}

/// Returns what it cost.
uint64_t Collector::scan_lowest_gray() {
  const auto& words = control_.gray_chunks;
  while (gray_from_ < words.size() && words[gray_from_] == 0) ++gray_from_;
  const uint64_t index =
      gray_from_ * 64 + static_cast<uint64_t>(std::countr_zero(words[gray_from_]));
  Bits& gray = chunk(index * kChunk).gray;
  const auto word = std::find_if(gray.begin(), gray.end(), [](uint64_t w) { return w != 0; });
  if (word == gray.end()) {
    set_gray_chunk(index, false);
    return 1;
  }
  const uint64_t slot = index * kChunk + static_cast<uint64_t>(word - gray.begin()) * 64 +
                        static_cast<uint64_t>(std::countr_zero(*word));
  *word &= *word - 1;
  const Object* object = slot < slots_.size() ? slots_.at(slot) : nullptr;
  if (object == nullptr) return 1;
  scan(*object);
  return 1 + object->load().version()->references().size() / kOffsetBytes;
}

/// The cursor passes `slot`. Returns what it cost.
uint64_t Collector::visit(uint64_t slot) {
  Object* object = slots_.at(slot);
  if (object == nullptr) return 1;
  const ByteView references = object->load().version()->references();
  if (control_.phase == Phase::kRoots) {
    if (is_free_standing(*object)) return 1;
    scan(*object);
    return 1 + references.size() / kOffsetBytes;
  }
  if (!is_free_standing(*object) || reached(slot)) return 1;
  if (control_.phase == Phase::kSweep) {
    unreachable_.push_back(object);
  } else if (!references.empty()) {
    severed_.push_back(object);
  }
  return 1;
}

void Collector::drop_chunk_below(uint64_t slot) {
  chunk(slot - 1).dropped = true;
}

void Collector::next_phase() {
  control_.cursor = 0;
  if (control_.phase != Phase::kSweep) {
    control_.phase = control_.phase == Phase::kRoots ? Phase::kSever : Phase::kSweep;
    return;
  }
  control_.phase = Phase::kIdle;
  control_.limit = 0;
  // Nobody knows which of the new ones are garbage by now: none of them keeps the next cycle off.
  const uint64_t old_and_new = graph_.size() - unreachable_.size();
  control_.live = old_and_new - std::min(old_and_new, std::exchange(control_.born, 0));
}

void Collector::step(uint64_t born) {
  if (starts_) born = 0;
  control_.born += born;
  uint64_t budget = kStep + kStepPerNew * born;
  while (budget > 0 && control_.phase != Phase::kIdle) {
    uint64_t cost = 1;
    if (has_gray()) {
      cost = scan_lowest_gray();
    } else if (control_.cursor < control_.limit) {
      cost = visit(control_.cursor);
      ++control_.cursor;
      const bool passed = control_.cursor % kChunk == 0 || control_.cursor == control_.limit;
      if (control_.phase == Phase::kSweep && passed) drop_chunk_below(control_.cursor);
    } else {
      next_phase();
    }
    budget -= std::min(budget, cost);
  }
}

std::vector<std::pair<Bytes, std::optional<Bytes>>> Collector::writes() const {
  std::vector<std::pair<Bytes, std::optional<Bytes>>> result;
  Bytes control;
  Codec<Control>::encode(control_, control);
  if (control != stored_) result.emplace_back(Bytes(), control);
  for (const auto& [index, chunk] : chunks_) {
    Bytes now;
    if (!chunk.dropped && any(chunk.reached)) {
      for (const uint64_t word : chunk.reached) Codec<uint64_t>::encode(word, now);
    }
    if (!now.empty() && any(chunk.gray)) {
      for (const uint64_t word : chunk.gray) Codec<uint64_t>::encode(word, now);
    }
    if (now == chunk.stored) continue;
    result.emplace_back(chunk_key(index), now.empty() ? std::nullopt : std::optional(now));
  }
  return result;
}

}  // namespace eve::state
