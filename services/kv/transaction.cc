#include "services/kv/transaction.h"

#include "services/kv/limits.h"

namespace eve::kv {

namespace {

/// Watched keys may take this much of the request that EXEC becomes.
constexpr size_t kMaxWatchBytes = limits::kMaxRequestBytes / 4;

}  // namespace

bool Transaction::add(Args args, bool writes) {
  if (failed_) return true;  // it cannot run any more: nothing is kept
  const size_t size = queued_.size() + command_size(args);
  if (commands_ == kMaxTransactionCommands || size > limits::kMaxRequestBytes) {
    failed_ = true;
    return false;
  }
  append_command(queued_, Protocol::kResp2, args);
  ++commands_;
  writes_ |= writes;
  return true;
}

void Transaction::clear() {
  forget_watches();
  open_ = false;
  failed_ = false;
  writes_ = false;
  commands_ = 0;
  queued_ = Bytes();
}

void Transaction::forget_watches() {
  watches_.clear();
  questions_.clear();
  answered_ = 0;
  watch_bytes_ = 0;
  watches_lost_ = false;
  ++watch_epoch_;
}

bool Transaction::watch(Args keys) {
  size_t bytes = watch_bytes_;
  for (const ByteView key : keys) bytes += key.size() + sizeof(Watch);
  if (bytes > kMaxWatchBytes) return false;
  watch_bytes_ = bytes;
  for (const ByteView key : keys) watches_.push_back({Bytes(key), Version()});
  questions_.push_back(keys.size());
  return true;
}

void Transaction::cancel_watch() {
  watches_.resize(watches_.size() - questions_.back());
  questions_.pop_back();
  lose_watches();
}

bool Transaction::set_versions(ByteView versions) {
  const size_t keys = questions_.front();
  questions_.erase(questions_.begin());
  if (versions.size() != keys * Version::kBytes) return false;
  for (size_t i = 0; i < keys; ++i) {
    watches_[answered_++].version = Version::from(versions.substr(i * Version::kBytes));
  }
  return true;
}

void Transaction::append_head(Bytes& request, Protocol protocol) const {
  request.push_back(static_cast<char>(RequestKind::kTransaction));
  request.push_back(static_cast<char>(protocol));
  append_count(request, watches_.size());
  for (const Watch& watch : watches_) {
    append_bytes(request, watch.key);
    watch.version.append_to(request);
  }
}

}  // namespace eve::kv
