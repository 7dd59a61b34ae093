// libFuzzer: what a verifier reads at its start of what it promised. Anything is a view that is
// written in the same bytes, or an error.
#include <cstdint>

#include "base/check.h"
#include "runtime/promise_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace eve::runtime;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto view = parse_promise(text);
  if (!view.ok()) {
    EVE_CHECK(!view.message().empty(), "an error says what to do");
    return 0;
  }
  EVE_CHECK(view->value() <= kMaxPromise && format_promise(*view) == text, "another view");
  return 0;
}
