// Replicated pages: an array of fixed-size blocks, for SQLite and memory-mapped formats (DESIGN 5).
#pragma once

#include <cstdint>
#include <optional>

#include "eve/bytes.h"
#include "eve/context.h"
#include "eve/state.h"

namespace eve {

/// An array of pages of `page_size` bytes; a page is an object of its own, and so is their number.
/// A page that was never written reads as zeroes. The number of pages is what `resize` made it
/// (0 at first), whatever has been written: pages at or beyond it can be read and written like
/// others, and only `resize` looks at it.
///
/// Thread safety: every operation but `resize` is linearizable, and all are safe against each
/// other, whatever the mixer let through.
/// Limits: page sizes are powers of two from 512 to 65536 and indexes are below 2^40. What is not
/// so throws std::invalid_argument (sizes) or std::out_of_range, and does nothing.
class Pages {
 public:
  static constexpr size_t kMinPageSize = 512;
  static constexpr size_t kMaxPageSize = 65536;
  static constexpr uint64_t kMaxPages = uint64_t{1} << 40;

  Pages(State& state, ByteView name, size_t page_size);

  size_t page_size() const { return page_size_; }

  /// The page itself, not a copy: `page_size` bytes at a multiple of 16, valid and unchanged until
  /// the request ends, even if the page is written meanwhile.
  ByteView read(Context& context, uint64_t index) const;
  /// Replaces the whole page. Writing what is there already is a write like any other.
  void write(Context& context, uint64_t index, ByteView page);
  /// Atomically replaces the bytes from `offset` on; the others stay, or are zero if the page was
  /// never written. Costs a copy of the page.
  void patch(Context& context, uint64_t index, size_t offset, ByteView bytes);

  uint64_t count(Context& context) const;
  /// Sets the number of pages to `count` (at most 2^40). Where it shrinks, the pages cut off, from
  /// `count` up to the old number, are erased one by one: they read as zeroes if it grows again.
  /// Costs O(pages cut off), or O(pages written) if those are fewer.
  void resize(Context& context, uint64_t count);

 private:
  void erase(Context& context, uint64_t from, uint64_t to);

  state::Table& table_;
  const size_t page_size_;
};

}  // namespace eve
