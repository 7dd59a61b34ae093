// Replaces the global allocator of the test program. In a file of its own: where the compiler sees
// both an allocation and this delete, it warns that they do not match.
#include "wire/allocation_test.h"

#include <cstdlib>
#include <new>

namespace {

thread_local size_t bytes_of_this_thread = 0;
thread_local size_t calls_of_this_thread = 0;

}  // namespace

void* operator new(size_t size) {
  bytes_of_this_thread += size;
  ++calls_of_this_thread;
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}

namespace eve::wire::testing {

size_t allocated_bytes() {
  return bytes_of_this_thread;
}
size_t allocations() {
  return calls_of_this_thread;
}

}  // namespace eve::wire::testing
