// Reads what a node says at its status port: it may be anything, and what is not there, or of
// another kind, is nothing.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace eve::cli {

/// As json::parse without exceptions. What is nested deeper than any status is left out: copying
/// and printing go down as deep as the words do.
inline nlohmann::json parse_words(const std::string& text) {
  constexpr int kDeepest = 16;
  const auto keep = [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    return depth <= kDeepest;
  };
  return nlohmann::json::parse(text, keep, false);
}

inline nlohmann::json part_of(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return nlohmann::json::object();
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : nlohmann::json::object();
}
inline nlohmann::json list_of(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return nlohmann::json::array();
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : nlohmann::json::array();
}
inline uint64_t number_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  const bool counts = found != object.end() && found->is_number_integer() &&
                      (found->is_number_unsigned() || found->get<int64_t>() >= 0);
  return counts ? found->get<uint64_t>() : 0;
}
inline std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}
inline bool says(const nlohmann::json& object, const char* key, const nlohmann::json& value) {
  const auto found = object.find(key);
  return found != object.end() && *found == value;
}

/// On a line of a terminal: no control characters, and not without end.
inline std::string for_eyes(std::string text) {
  constexpr size_t kLongest = 300;
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return text;
}

}  // namespace eve::cli
