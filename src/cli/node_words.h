// Reads what a node says at its status port: it may be anything, and what is not there, or of
// another kind, is nothing.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace eve::cli {

inline nlohmann::json part_of(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return nlohmann::json::object();
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : nlohmann::json::object();
}
inline uint64_t number_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}
inline std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}
inline bool says(const nlohmann::json& object, const char* key, const nlohmann::json& value) {
  const auto found = object.find(key);
  return found != object.end() && *found == value;
}

}  // namespace eve::cli
