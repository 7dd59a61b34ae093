#include "bench/report.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

namespace eve::bench {
namespace {

std::string first_value(const char* file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const auto colon = line.find(':');
    if (colon != std::string::npos) return line.substr(std::min(colon + 2, line.size()));
  }
  return "unknown";
}

std::string machine() {
  utsname system{};
  uname(&system);
  return std::to_string(std::thread::hardware_concurrency()) + " x " +
         first_value("/proc/cpuinfo", "model name") + ", " + system.sysname + " " + system.release;
}

/// The commit of the tree that we run in, when there is one.
std::string commit() {
  FILE* pipe = popen("git rev-parse --short HEAD 2>/dev/null", "r");
  if (pipe == nullptr) return "unknown";
  char text[64] = {};
  const size_t got = fread(text, 1, sizeof text - 1, pipe);
  pclose(pipe);
  const std::string all(text, got);
  return all.empty() ? "unknown" : all.substr(0, all.find('\n'));
}

std::vector<double> ratios(const Row& row) {
  std::vector<double> found;
  for (size_t i = 0; i < std::min(row.values.size(), row.baseline_values.size()); ++i) {
    if (row.baseline_values[i] != 0) found.push_back(row.values[i] / row.baseline_values[i]);
  }
  return found;
}

nlohmann::json median_or_null(const std::vector<double>& values) {
  return values.empty() ? nlohmann::json() : nlohmann::json(median(values));
}

/// The figure that the goal is about; nullopt if it was not measured.
std::optional<double> judged(const Row& row) {
  const bool of_value = row.goal && row.goal->of == Goal::Of::kValue;
  const auto figures = of_value ? row.values : ratios(row);
  if (!row.goal || figures.empty()) return std::nullopt;
  return median(figures);
}

bool met(const Row& row, double figure) {
  return row.better == "lower" ? figure <= row.goal->limit : figure >= row.goal->limit;
}

nlohmann::json goal_to_object(const Row& row) {
  if (!row.goal) return nullptr;
  const auto figure = judged(row);
  return {{"of", row.goal->of == Goal::Of::kValue ? "value" : "ratio"},
          {"limit", row.goal->limit},
          {"met", figure ? nlohmann::json(met(row, *figure)) : nlohmann::json()},
          {"text", verdict(row)}};
}

nlohmann::json to_object(const Row& row) {
  nlohmann::json object = {{"name", row.name},
                           {"unit", row.unit},
                           {"value", median_or_null(row.values)},
                           {"min", nullptr},
                           {"max", nullptr},
                           {"wall", median_or_null(row.wall)},
                           {"baseline", nullptr},
                           {"baseline_value", nullptr},
                           {"baseline_wall", median_or_null(row.baseline_wall)},
                           {"ratio", nullptr},
                           {"better", row.better},
                           {"goal", goal_to_object(row)},
                           {"others", nlohmann::json::object()},
                           {"note", row.note}};
  if (!row.values.empty()) {
    const auto [low, high] = std::minmax_element(row.values.begin(), row.values.end());
    object["min"] = *low;
    object["max"] = *high;
  }
  if (!row.baseline.empty()) {
    object["baseline"] = row.baseline;
    object["baseline_value"] = median_or_null(row.baseline_values);
    object["ratio"] = median_or_null(ratios(row));
  }
  for (const auto& [other, value] : row.others) object["others"][other] = value;
  return object;
}

/// A column of the table; blank if there is nothing to show.
std::string column(const std::vector<double>& values, double shown) {
  if (values.empty()) return std::string(11, ' ');
  char text[32];
  std::snprintf(text, sizeof text, shown < 10 ? " %10.3f" : " %10.1f", shown);
  return text;
}

/// What is as wide as the widest row needs.
struct Widths {
  size_t name = 4;
  size_t unit = 4;
  size_t baseline = 8;
};

Widths widths_of(const std::vector<Row>& rows, size_t first) {
  Widths widths;
  for (size_t i = first; i < rows.size(); ++i) {
    widths.name = std::max(widths.name, rows[i].name.size());
    widths.unit = std::max(widths.unit, rows[i].unit.size());
    widths.baseline = std::max(widths.baseline, rows[i].baseline.size());
  }
  return widths;
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string trimmed(const std::string& text) {
  return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
}

std::string heading(const Widths& widths) {
  char columns[64];
  std::snprintf(columns, sizeof columns, " %10s %10s %10s %10s  ", "median", "min", "max", "wall");
  std::string text = padded("what", widths.name) + columns;
  std::snprintf(columns, sizeof columns, "  %-6s %10s %10s  ", "better", "ratio to", "value of");
  return trimmed(text + padded("unit", widths.unit) + columns + "baseline");
}

std::string line(const Row& row, const Widths& widths) {
  const auto& values = row.values;
  const auto& others = row.baseline_values;
  std::string text = padded(row.name, widths.name);
  text += column(values, median(values));
  text += column(values, values.empty() ? 0 : *std::min_element(values.begin(), values.end()));
  text += column(values, values.empty() ? 0 : *std::max_element(values.begin(), values.end()));
  text += column(row.wall, median(row.wall));
  text += "  " + padded(row.unit, widths.unit) + "  ";
  text += padded(values.empty() ? "" : row.better, 6);
  const auto all = ratios(row);
  text += column(all, median(all)) + column(others, median(others));
  text += "  " + padded(row.baseline, widths.baseline);
  if (row.goal) text += "  [" + verdict(row) + "]";
  if (!row.note.empty()) text += "  " + row.note;
  return trimmed(text);
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string verdict(const Row& row) {
  const auto figure = judged(row);
  if (!figure) return row.goal ? "not measured" : "";
  char text[96];
  std::snprintf(text, sizeof text, "goal: %s at %s %.2f: %s",
                row.goal->of == Goal::Of::kValue ? "value" : "ratio",
                row.better == "lower" ? "most" : "least", row.goal->limit,
                met(row, *figure) ? "met" : "not met");
  return text;
}

std::string Report::to_json() const {
  nlohmann::json all = {{"name", name},       {"machine", machine()},
                        {"commit", commit()}, {"command", command},
                        {"remark", remark},   {"rows", nlohmann::json::array()}};
  for (const auto& row : rows) all["rows"].push_back(to_object(row));
  return all.dump(2);
}

std::string Report::to_table(size_t first) const {
  if (first >= rows.size()) return "";
  const Widths widths = widths_of(rows, first);
  std::string text = heading(widths);
  for (size_t i = first; i < rows.size(); ++i) text += line(rows[i], widths);
  return text;
}

void Report::print() {
  const std::string table = to_table(printed_);
  if (printed_ > 0 && !table.empty()) std::fputs("\n", stdout);
  std::fputs(table.c_str(), stdout);
  std::fflush(stdout);
  printed_ = rows.size();
}

Status Report::write(const std::string& file) const {
  std::ofstream out(file);
  out << to_json() << "\n";
  out.close();
  if (out.fail()) return Error{"cannot write " + file};
  return {};
}

}  // namespace eve::bench
