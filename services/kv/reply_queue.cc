#include "services/kv/reply_queue.h"

#include <utility>

#include "base/check.h"

namespace eve::kv {

void ReplyQueue::grow() {
  std::vector<Expected> larger(ring_.empty() ? 16 : 2 * ring_.size());
  for (size_t i = 0; i < size_; ++i) larger[i] = std::move(ring_[(head_ + i) % ring_.size()]);
  ring_ = std::move(larger);
  head_ = 0;
}

void ReplyQueue::expect(Kind kind, bool silent, uint64_t watch_epoch) {
  if (size_ == ring_.size()) grow();
  Expected& slot = ring_[(head_ + size_) & (ring_.size() - 1)];
  slot.kind = kind;
  slot.silent = silent;
  slot.watch_epoch = watch_epoch;
  ++size_;
}

void ReplyQueue::append(ByteView bytes) {
  EVE_CHECK(size_ > 0, "bytes can only wait behind a reply");
  ring_[(head_ + size_ - 1) & (ring_.size() - 1)].after.append(bytes);
  waiting_bytes_ += bytes.size();
}

ReplyQueue::Expected ReplyQueue::pop() {
  EVE_CHECK(size_ > 0, "a reply came for which nothing was submitted");
  Expected oldest = std::exchange(ring_[head_], Expected());
  head_ = (head_ + 1) & (ring_.size() - 1);
  --size_;
  waiting_bytes_ -= oldest.after.size();
  return oldest;
}

}  // namespace eve::kv
