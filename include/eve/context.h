// What a request sees of its surroundings while it executes. Everything in it is the same on every
// replica: time and randomness come from the batch, never from the machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace eve {

class State;

/// Called before every access to replicated state; the simulator switches between requests here.
/// Implementations outside the simulator do not exist: the pointer is null there.
class AccessHook {
 public:
  virtual ~AccessHook() = default;
  virtual void on_access() = 0;
};

/// Made by Eve for each request, passed to Service::execute, and valid until that returns. Used by
/// one thread at a time.
class Context {
 public:
  struct Origin {
    uint64_t batch = 0;   ///< number of the batch, from 1
    uint32_t index = 0;   ///< position of the request in the batch, from 0
    int64_t time_us = 0;  ///< the batch's time: microseconds since 1970, strictly increasing
    uint64_t seed = 0;    ///< the batch's random seed
  };

  Context(const Origin& origin, size_t worker, AccessHook* hook);

  /// The batch's time in microseconds since 1970 (UTC): strictly increasing from batch to batch.
  int64_t time_us() const { return origin_.time_us; }
  /// Number of the batch (from 1) and position in it: together they name this request.
  uint64_t batch() const { return origin_.batch; }
  uint32_t index() const { return origin_.index; }
  /// The next of this request's own stream of random numbers, a function of batch seed and index.
  uint64_t random();

  /// For Graph: how many objects this request has created before.
  uint32_t next_object() { return objects_++; }
  /// For containers: which worker's undo list to use, and the hook to call before an access.
  size_t worker() const { return worker_; }
  void on_access() {
    if (hook_ != nullptr) hook_->on_access();
  }

 private:
  Origin origin_;
  size_t worker_;
  AccessHook* hook_;
  uint64_t random_state_;
  uint32_t objects_ = 0;
};

}  // namespace eve
