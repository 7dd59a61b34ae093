#include "execution/reply_store.h"

#include <algorithm>

#include "base/limits.h"

namespace eve::execution {
namespace {

/// Buffers that one huge batch has grown are given back; ordinary ones are kept.
constexpr size_t kKeptCapacity = 4u << 20;

void reuse(Bytes& buffer) {
  if (buffer.capacity() > kKeptCapacity) buffer = Bytes();
  buffer.clear();
}

ByteView within_limit(ByteView reply) {
  return reply.size() <= limits::kMaxReplyBytes ? reply : kReplyTooLarge;
}

}  // namespace

ReplyStore::ReplyStore(size_t workers)
    : workers_(workers),
      worker_limit_(std::max(kMaxBatchReplyBytes / workers, 2 * limits::kMaxReplyBytes)) {}

void ReplyStore::start(size_t requests) {
  for (Worker& worker : workers_) {
    reuse(worker.kept);
    reuse(worker.scratch);
  }
  places_.resize(requests);
}

Bytes& ReplyStore::scratch(size_t worker) {
  Bytes& scratch = workers_[worker].scratch;
  scratch.clear();
  return scratch;
}

bool ReplyStore::keep(size_t worker, size_t request, ByteView reply) {
  append(worker, request, within_limit(reply));
  return workers_[worker].kept.size() <= worker_limit_;
}

void ReplyStore::keep_in_order(size_t worker, size_t request, ByteView reply) {
  reply = within_limit(reply);
  const bool fits = workers_[worker].kept.size() + reply.size() <= kMaxBatchReplyBytes;
  append(worker, request, fits ? reply : kReplyTooLarge);
}

ByteView ReplyStore::at(size_t request) const {
  const Place& place = places_[request];
  return ByteView(workers_[place.worker].kept).substr(place.offset, place.size);
}

uint64_t ReplyStore::bytes() const {
  uint64_t sum = 0;
  for (const Worker& worker : workers_) sum += worker.kept.size();
  return sum;
}

void ReplyStore::append(size_t worker, size_t request, ByteView reply) {
  Bytes& kept = workers_[worker].kept;
  places_[request] = {static_cast<uint32_t>(worker), static_cast<uint32_t>(kept.size()),
                      static_cast<uint32_t>(reply.size())};
  kept.append(reply);
}

}  // namespace eve::execution
