// Pages (eve/pages.h) over the engine's tables. A page's key is its index, the number of pages is
// at the empty key.
#include "eve/pages.h"

#include <bit>
#include <stdexcept>
#include <string>

#include "eve/codec.h"
#include "eve/key_codec.h"
#include "state/table.h"

namespace eve {

namespace {

constexpr ByteView kCountKey;

/// What pages that were never written share.
alignas(16) constexpr char kZeroes[Pages::kMaxPageSize] = {};

Bytes key_of(uint64_t index) {
  if (index >= Pages::kMaxPages) throw std::out_of_range("page indexes are below 2^40");
  Bytes key;
  KeyCodec<uint64_t>::encode(index, key);
  return key;
}

}  // namespace

Pages::Pages(State& state, ByteView name, size_t page_size)
    : table_(state.table(name, state::TableKind::kPages)), page_size_(page_size) {
  if (page_size < kMinPageSize || page_size > kMaxPageSize || !std::has_single_bit(page_size)) {
    throw std::invalid_argument("page sizes are powers of two from 512 to 65536, and " +
                                std::to_string(page_size) + " is not");
  }
}

ByteView Pages::read(Context& context, uint64_t index) const {
  context.on_access();
  const auto page = table_.get(key_of(index));
  if (page && page->size() != page_size_) {
    throw std::invalid_argument("what is stored are pages of " + std::to_string(page->size()) +
                                " bytes, not of " + std::to_string(page_size_));
  }
  return page.value_or(ByteView(kZeroes, page_size_));
}

void Pages::write(Context& context, uint64_t index, ByteView page) {
  if (page.size() != page_size_) {
    throw std::invalid_argument("a page is written whole: " + std::to_string(page_size_) +
                                " bytes, not " + std::to_string(page.size()));
  }
  context.on_access();
  table_.put(context.worker(), key_of(index), page);
}

void Pages::patch(Context& context, uint64_t index, size_t offset, ByteView bytes) {
  if (offset > page_size_ || bytes.size() > page_size_ - offset) {
    throw std::out_of_range("bytes " + std::to_string(offset) + " to " +
                            std::to_string(offset + bytes.size()) + " are beyond a page of " +
                            std::to_string(page_size_));
  }
  context.on_access();
  table_.update(context.worker(), key_of(index), [&](std::optional<ByteView> page) {
    Bytes patched(page.value_or(ByteView(kZeroes, page_size_)));
    return patched.replace(offset, bytes.size(), bytes);
  });
}

uint64_t Pages::count(Context& context) const {
  context.on_access();
  const auto found = table_.get(kCountKey);
  return found ? Codec<uint64_t>::decode(*found).value_or(0) : 0;
}

void Pages::resize(Context& context, uint64_t count) {
  if (count > kMaxPages) throw std::out_of_range("there are at most 2^40 pages");
  const uint64_t old = this->count(context);
  Bytes number;
  Codec<uint64_t>::encode(count, number);
  context.on_access();
  table_.put(context.worker(), kCountKey, number);
  if (count < old) erase(context, count, old);
}

void Pages::erase(Context& context, uint64_t from, uint64_t to) {
  context.on_access();
  if (to - from <= table_.size()) {
    for (uint64_t index = from; index < to; ++index) {
      context.on_access();
      table_.erase(context.worker(), key_of(index));
    }
    return;
  }
  // The range is larger than what there is.
  table_.scan(context, 0, [&](const ByteMap::Entry& entry) {
    const auto index = KeyCodec<uint64_t>::decode(entry.key);
    if (index && from <= *index && *index < to) table_.erase(context.worker(), entry.key);
    return true;
  });
}

}  // namespace eve
