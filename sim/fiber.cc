// Its longjmp goes to another stack, which the checked one of this macro takes for a mistake.
#undef _FORTIFY_SOURCE

#include "sim/fiber.h"

#include <cxxabi.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstdint>
#include <cstring>

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define EVE_FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EVE_FIBER_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define EVE_FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define EVE_FIBER_TSAN 1
#endif
#endif

#ifdef EVE_FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef EVE_FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace eve::sim {
namespace {

constexpr size_t kGuardBytes = 4096;
#if defined(EVE_FIBER_ASAN) || defined(EVE_FIBER_TSAN)
constexpr size_t kStackBytes = 1u << 20;  // instrumented frames are several times larger
#else
constexpr size_t kStackBytes = 256u << 10;
#endif

/// What the C++ runtime keeps for each thread about exceptions in flight. A fiber that leaves while
/// it handles one takes its own along.
struct ExceptionState {
  void* caught = nullptr;
  unsigned uncaught = 0;
};

void exchange_exceptions(ExceptionState& state) {
  ExceptionState current;
  void* globals = abi::__cxa_get_globals();
  std::memcpy(&current, globals, sizeof current);
  std::memcpy(globals, &state, sizeof state);
  state = current;
}

}  // namespace

struct Fibers::Fiber {
  ucontext_t context{};  ///< where it began, or, with a sanitizer, where it left
  jmp_buf left{};        ///< where it left
  bool began = false;
  void* memory = nullptr;  ///< guard page and stack; null for the host
  const void* stack_bottom = nullptr;
  size_t stack_bytes = 0;
  const std::function<void()>* body = nullptr;
  Fibers* owner = nullptr;
  void* fake_stack = nullptr;  ///< AddressSanitizer's
  void* tsan = nullptr;        ///< ThreadSanitizer's name of this fiber
  ExceptionState exceptions;
};

/// swapcontext asks the kernel for the signal mask and sets it, each time. So ucontext only makes
/// stacks and begins on them, and _setjmp changes between them (as QEMU's coroutines do), unless a
/// sanitizer looks on: those take a longjmp for the end of all frames above.
void Fibers::change(Fiber& from, Fiber& to) {
#if defined(EVE_FIBER_ASAN) || defined(EVE_FIBER_TSAN)
  swapcontext(&from.context, &to.context);
#else
  if (_setjmp(from.left) != 0) return;
  if (to.began) _longjmp(to.left, 1);
  to.began = true;
  setcontext(&to.context);
#endif
}

Fibers::Fibers(size_t count) : host_(std::make_unique<Fiber>()) {
  host_->began = true;
  for (size_t i = 0; i < count; ++i) {
    auto fiber = std::make_unique<Fiber>();
    fiber->owner = this;
    fiber->memory = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    EVE_CHECK(fiber->memory != MAP_FAILED, "no memory for a stack");
    EVE_CHECK(mprotect(fiber->memory, kGuardBytes, PROT_NONE) == 0, "no guard page");
    char* stack = static_cast<char*>(fiber->memory) + kGuardBytes;
    fiber->stack_bottom = stack;
    fiber->stack_bytes = kStackBytes;
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = stack;
    fiber->context.uc_stack.ss_size = kStackBytes;
    fiber->context.uc_link = nullptr;
    // makecontext passes ints: the address travels in two halves.
    const auto address = reinterpret_cast<uintptr_t>(fiber.get());
    makecontext(&fiber->context, reinterpret_cast<void (*)()>(&Fibers::enter), 2,
                static_cast<unsigned>(address >> 32), static_cast<unsigned>(address));
#ifdef EVE_FIBER_TSAN
    fiber->tsan = __tsan_create_fiber(0);
#endif
    fibers_.push_back(std::move(fiber));
  }
#ifdef EVE_FIBER_TSAN
  host_->tsan = __tsan_get_current_fiber();
#endif
}

Fibers::~Fibers() {
  for (const auto& fiber : fibers_) {
#ifdef EVE_FIBER_TSAN
    __tsan_destroy_fiber(fiber->tsan);
#endif
    munmap(fiber->memory, kGuardBytes + kStackBytes);
  }
}

void Fibers::assign(size_t fiber, const std::function<void()>* body) {
  EVE_CHECK(!busy(fiber), "the fiber has not ended what it was given before");
  fibers_[fiber]->body = body;
}

bool Fibers::busy(size_t fiber) const {
  return fibers_[fiber]->body != nullptr;
}

void Fibers::resume(size_t fiber) {
  EVE_CHECK(running_ == nullptr && busy(fiber), "only the host resumes, and only busy fibers");
  Fiber& next = *fibers_[fiber];
  running_ = &next;
  exchange_exceptions(next.exceptions);
#ifdef EVE_FIBER_ASAN
  __sanitizer_start_switch_fiber(&host_->fake_stack, next.stack_bottom, next.stack_bytes);
#endif
#ifdef EVE_FIBER_TSAN
  __tsan_switch_to_fiber(next.tsan, 0);
#endif
  change(*host_, next);
#ifdef EVE_FIBER_ASAN
  __sanitizer_finish_switch_fiber(host_->fake_stack, nullptr, nullptr);
#endif
  exchange_exceptions(next.exceptions);
  running_ = nullptr;
}

void Fibers::leave() {
  if (running_ != nullptr) switch_out(*running_);
}

void Fibers::switch_out(Fiber& fiber) {
#ifdef EVE_FIBER_ASAN
  __sanitizer_start_switch_fiber(&fiber.fake_stack, host_->stack_bottom, host_->stack_bytes);
#endif
#ifdef EVE_FIBER_TSAN
  __tsan_switch_to_fiber(host_->tsan, 0);
#endif
  change(fiber, *host_);
#ifdef EVE_FIBER_ASAN
  __sanitizer_finish_switch_fiber(fiber.fake_stack, &host_->stack_bottom, &host_->stack_bytes);
#endif
}

void Fibers::enter(unsigned high, unsigned low) {
  const auto address = (static_cast<uintptr_t>(high) << 32) | low;
  Fiber& fiber = *reinterpret_cast<Fiber*>(address);
#ifdef EVE_FIBER_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &fiber.owner->host_->stack_bottom,
                                  &fiber.owner->host_->stack_bytes);
#endif
  fiber.owner->loop(fiber);
}

/// Never ends: between two bodies the fiber rests in switch_out.
void Fibers::loop(Fiber& fiber) {
  for (;;) {
    (*fiber.body)();
    fiber.body = nullptr;
    switch_out(fiber);
  }
}

}  // namespace eve::sim
