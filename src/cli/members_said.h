// Who the members are, by what nodes say in their status: one of them may lie.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace eve::cli {

struct MembersSaid {
  uint64_t epoch = 0;
  std::vector<std::string> executors;  ///< names, by seat
  std::vector<std::string> verifiers;
  bool operator==(const MembersSaid&) const = default;

  bool has(const std::string& name) const;
};

/// What one node says; nullopt if it says nothing of that.
std::optional<MembersSaid> members_in(const nlohmann::json& status);

/// The latest that r+1 of the nodes say alike; nullopt if there is none. `statuses`: an array.
std::optional<MembersSaid> members_said(const nlohmann::json& statuses, uint32_t r);

}  // namespace eve::cli
