#include "base/ids.h"

namespace eve {

std::string to_string(Address address) {
  const char* role = "client";
  if (address.role == Role::kExecutor) role = "executor";
  if (address.role == Role::kVerifier) role = "verifier";
  return std::string(role) + "-" + std::to_string(address.index);
}

}  // namespace eve
