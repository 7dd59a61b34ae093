// Cooperative threads of control on stacks of their own (ucontext), known to AddressSanitizer and
// ThreadSanitizer. All of one Fibers object belong to one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace eve::sim {

/// A fixed set of fibers that are used again and again.
class Fibers {
 public:
  explicit Fibers(size_t count);
  ~Fibers();
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;

  size_t count() const { return fibers_.size(); }

  /// Gives an idle fiber something to do; it starts when it is resumed. `body` does not throw and
  /// outlives its run.
  void assign(size_t fiber, const std::function<void()>* body);
  bool busy(size_t fiber) const;
  /// Runs a busy fiber until it calls leave() or its body has ended.
  void resume(size_t fiber);
  /// From within a fiber: back to whoever resumed it. From outside: nothing.
  void leave();

 private:
  struct Fiber;
  static void enter(unsigned high, unsigned low);
  static void change(Fiber& from, Fiber& to);
  void loop(Fiber& fiber);
  void switch_out(Fiber& fiber);

  std::unique_ptr<Fiber> host_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  Fiber* running_ = nullptr;
};

}  // namespace eve::sim
