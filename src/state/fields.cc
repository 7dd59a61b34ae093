#include "eve/fields.h"

#include "base/check.h"

namespace eve::detail {

void value_beyond_limits() {
  EVE_CHECK(false, "a value nests too deep or is too long: check at the door");
  __builtin_unreachable();
}

}  // namespace eve::detail
