#include "eve/fields.h"

#include <stdexcept>

namespace eve::detail {

void value_beyond_limits() {
  throw std::length_error("a value nests too deep or has too many parts to be stored");
}

void value_without_bytes() {
  throw std::invalid_argument("the elements of a vector have no fields: store their number");
}

}  // namespace eve::detail
