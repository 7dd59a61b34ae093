// A mutex that clang's -Wthread-safety understands (the standard library's is not annotated).
#pragma once

#include <mutex>

#if defined(__clang__)
#define EVE_STATE_ANNOTATION(x) __attribute__((x))
#else
#define EVE_STATE_ANNOTATION(x)
#endif

#define EVE_GUARDED_BY(x) EVE_STATE_ANNOTATION(guarded_by(x))
#define EVE_REQUIRES(x) EVE_STATE_ANNOTATION(requires_capability(x))
#define EVE_NO_LOCK_ANALYSIS EVE_STATE_ANNOTATION(no_thread_safety_analysis)

namespace eve::state {

class EVE_STATE_ANNOTATION(capability("mutex")) Lock {
 public:
  void lock() EVE_STATE_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() EVE_STATE_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// Holds `lock` for a scope.
class EVE_STATE_ANNOTATION(scoped_lockable) Locked {
 public:
  explicit Locked(Lock& lock) EVE_STATE_ANNOTATION(acquire_capability(lock)) : lock_(lock) {
    lock_.lock();
  }
  ~Locked() EVE_STATE_ANNOTATION(release_capability()) { lock_.unlock(); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  Lock& lock_;
};

}  // namespace eve::state
