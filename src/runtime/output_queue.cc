#include "runtime/output_queue.h"

#include "base/check.h"
#include "runtime/host_limits.h"

namespace eve::runtime {
namespace {

/// A buffer takes no more small pieces beyond this.
constexpr size_t kBufferBytes = 64u << 10;

}  // namespace

void OutputQueue::append(ByteView bytes) {
  if (bytes.empty()) return;
  if (pieces_.empty() || !pieces_.back().shared.empty() ||
      pieces_.back().owned.size() >= kBufferBytes) {
    pieces_.emplace_back();
  }
  pieces_.back().owned += bytes;
  bytes_ += bytes.size();
}

void OutputQueue::append(const SharedBytes& payload) {
  if (payload.size() < host_limits::kShareBytes) return append(payload.view());
  // An empty buffer that was kept must not stand in front of it.
  if (!pieces_.empty() && pieces_.back().view().empty()) pieces_.pop_back();
  pieces_.push_back({{}, payload});
  bytes_ += payload.size();
}

size_t OutputQueue::gather(iovec* slots, size_t most) const {
  size_t count = 0;
  for (const auto& piece : pieces_) {
    if (count == most) break;
    auto view = piece.view();
    if (count == 0) view.remove_prefix(consumed_);
    slots[count++] = {const_cast<char*>(view.data()), view.size()};
  }
  return count;
}

ByteView OutputQueue::front() const {
  auto view = pieces_.front().view();
  view.remove_prefix(consumed_);
  return view;
}

void OutputQueue::consume(size_t size) {
  EVE_CHECK(size <= bytes_, "only what is queued can leave");
  bytes_ -= size;
  while (size > 0) {
    const auto left = pieces_.front().view().size() - consumed_;
    if (size < left) {
      consumed_ += size;
      return;
    }
    size -= left;
    consumed_ = 0;
    // The last buffer is kept for the next turn, unless it has grown large.
    auto& piece = pieces_.front();
    if (pieces_.size() == 1 && piece.shared.empty() && piece.owned.capacity() <= 2 * kBufferBytes) {
      piece.owned.clear();
    } else {
      pieces_.pop_front();
    }
  }
}

void OutputQueue::clear() {
  pieces_.clear();
  consumed_ = 0;
  bytes_ = 0;
}

}  // namespace eve::runtime
