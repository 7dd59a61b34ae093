#include "state/recycler.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "base/check.h"

namespace eve::state {

namespace {

void free_all(const std::vector<void*>& blocks) {
  for (void* block : blocks) std::free(block);
}

/// At most `budget` of them, which is lowered. Returns how many.
size_t free_some(std::vector<void*>& blocks, size_t& budget) {
  const size_t count = std::min(blocks.size(), budget);
  for (size_t i = blocks.size() - count; i < blocks.size(); ++i) std::free(blocks[i]);
  blocks.resize(blocks.size() - count);
  if (blocks.empty()) blocks.shrink_to_fit();
  budget -= count;
  return count;
}

}  // namespace

void* allocate(size_t size) {
  // All that the class costs, so that any size of the class fits.
  void* block = std::malloc(allocated(size) - 8);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

Recycler::Mode Recycler::default_mode() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return Mode::kPassThrough;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return Mode::kPassThrough;
#endif
#endif
  return Mode::kKeep;
}

Recycler::Recycler(size_t workers, Mode mode) : mode_(mode), magazines_(workers) {}

Recycler::~Recycler() {
  for (auto& blocks : stock_) free_all(blocks);
  for (Magazine& magazine : magazines_) {
    for (auto& blocks : magazine.blocks_) free_all(blocks);
  }
}

void Recycler::give(void* block, size_t size) {
  const size_t cost = allocated(size);
  if (mode_ == Mode::kPassThrough || cost / 16 >= kSizeClasses) return std::free(block);
  if (stock_bytes_ + magazine_bytes_ + cost > limit_) {
    full_ = true;
    return std::free(block);
  }
  stock_[cost / 16].push_back(block);
  stock_bytes_ += cost;
}

/// As much as the worker took in the last batch and a little more; what is beyond twice that goes
/// back, so that others may have it.
void Recycler::fill(Magazine& magazine, size_t size_class) {
  auto& blocks = magazine.blocks_[size_class];
  auto& stock = stock_[size_class];
  const size_t taken = magazine.taken_[size_class];
  const size_t wanted = taken + taken / 8 + 1;
  const auto move = [&](std::vector<void*>& from, std::vector<void*>& to, size_t count) {
    to.insert(to.end(), from.end() - static_cast<ptrdiff_t>(count), from.end());
    from.resize(from.size() - count);
    return count * size_class * 16;
  };
  if (blocks.size() < wanted) {
    const size_t moved = move(stock, blocks, std::min(stock.size(), wanted - blocks.size()));
    stock_bytes_ -= moved;
    magazine.kept_bytes_ += static_cast<int64_t>(moved);
  } else if (blocks.size() > 2 * wanted) {
    const size_t moved = move(blocks, stock, blocks.size() - 2 * wanted);
    stock_bytes_ += moved;
    magazine.kept_bytes_ -= static_cast<int64_t>(moved);
  }
  magazine.taken_[size_class] = 0;
}

void Recycler::free_of_stock(size_t size_class, size_t& budget) {
  stock_bytes_ -= free_some(stock_[size_class], budget) * size_class * 16;
}

void Recycler::free_of(Magazine& magazine, size_t size_class, size_t& budget) {
  const size_t freed = free_some(magazine.blocks_[size_class], budget);
  magazine.kept_bytes_ -= static_cast<int64_t>(freed * size_class * 16);
}

/// Frees what no worker has asked for in the last batch: it takes the place of what could be used.
void Recycler::release_idle(size_t& budget) {
  for (size_t size_class = 0; size_class < kSizeClasses; ++size_class) {
    bool wanted = false;
    for (Magazine& magazine : magazines_) {
      if (magazine.taken_[size_class] > 0) {
        wanted = true;
      } else {
        free_of(magazine, size_class, budget);
      }
    }
    if (!wanted) free_of_stock(size_class, budget);
  }
  full_ = budget == 0;
}

/// What is live has shrunk: large blocks go first.
void Recycler::shrink_to_limit(size_t& budget) {
  for (size_t size_class = kSizeClasses - 1; size_class > 0 && bytes() > limit_; --size_class) {
    // No more than is too much.
    size_t blocks = std::min(budget, (bytes() - limit_) / (size_class * 16) + 1);
    budget -= blocks;
    free_of_stock(size_class, blocks);
    for (Magazine& magazine : magazines_) free_of(magazine, size_class, blocks);
    budget += blocks;
  }
}

void Recycler::begin_batch(size_t live_bytes) {
  limit_ = std::max(kLeastLimit, live_bytes / kLimitShare);
  size_t budget = kFreedAtOnce;
  if (full_ || bytes() > limit_) release_idle(budget);
  if (bytes() > limit_) shrink_to_limit(budget);
  int64_t kept = 0;
  for (Magazine& magazine : magazines_) {
    for (const uint16_t size_class : magazine.touched_) fill(magazine, size_class);
    magazine.touched_.clear();
    kept += magazine.kept_bytes_;
  }
  EVE_CHECK(kept >= 0, "more was taken than put in");
  magazine_bytes_ = static_cast<size_t>(kept);
}

size_t Recycler::bytes() const {
  int64_t kept = static_cast<int64_t>(stock_bytes_);
  for (const Magazine& magazine : magazines_) kept += magazine.kept_bytes_;
  return static_cast<size_t>(kept);
}

}  // namespace eve::state
