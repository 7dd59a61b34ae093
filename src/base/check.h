// Broken invariants stop the process, in release builds too. Never for what a peer, a client or a
// disk can cause: those get a Status.
#pragma once

namespace eve {

/// Prints file, line, condition and message to standard error, then aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const char* message);

}  // namespace eve

#define EVE_CHECK(condition, message)                               \
  do {                                                              \
    if (!(condition)) [[unlikely]] {                                \
      ::eve::check_failed(__FILE__, __LINE__, #condition, message); \
    }                                                               \
  } while (false)
