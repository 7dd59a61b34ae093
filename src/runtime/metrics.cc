#include "runtime/metrics.h"

#include <nlohmann/json.hpp>

namespace eve::runtime {
namespace {

using nlohmann::ordered_json;

/// What tells the entries of a list apart.
constexpr const char* kLabels[] = {"name", "peer", "sender"};

std::string quoted(const std::string& text) {
  std::string all = "\"";
  for (char c : text) {
    if (c == '\n') {
      all += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') all += '\\';
    all += c;
  }
  return all + '"';
}

void append(const std::string& path, const std::string& labels, const ordered_json& value,
            std::string& out);

void append_list(const std::string& path, const std::string& labels, const ordered_json& list,
                 std::string& out) {
  for (const auto& entry : list) {
    if (!entry.is_object()) continue;
    for (const char* label : kLabels) {
      const auto found = entry.find(label);
      if (found == entry.end() || !found->is_string()) continue;
      append(path, labels + "," + label + "=" + quoted(found->get<std::string>()), entry, out);
    }
  }
}

void append(const std::string& path, const std::string& labels, const ordered_json& value,
            std::string& out) {
  if (value.is_object()) {
    for (const auto& [key, part] : value.items()) append(path + "_" + key, labels, part, out);
  } else if (value.is_array()) {
    append_list(path, labels, value, out);
  } else if (value.is_boolean()) {
    out += path + "{" + labels + "} " + (value.get<bool>() ? "1" : "0") + "\n";
  } else if (value.is_number()) {
    out += path + "{" + labels + "} " + value.dump() + "\n";
  }
}

}  // namespace

std::string metrics_text(std::string_view status) {
  const auto parsed = ordered_json::parse(status, nullptr, false);
  std::string out;
  if (!parsed.is_object()) return out;
  append("eve", "node=" + quoted(parsed.value("name", "")), parsed, out);
  return out;
}

}  // namespace eve::runtime
