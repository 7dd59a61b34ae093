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

nlohmann::json to_object(const Row& row) {
  const auto [low, high] = std::minmax_element(row.values.begin(), row.values.end());
  nlohmann::json object = {{"name", row.name},
                           {"unit", row.unit},
                           {"value", median(row.values)},
                           {"min", row.values.empty() ? 0 : *low},
                           {"max", row.values.empty() ? 0 : *high},
                           {"baseline", nullptr},
                           {"baseline_value", nullptr},
                           {"ratio", nullptr},
                           {"better", row.better}};
  if (!row.baseline.empty()) {
    object["baseline"] = row.baseline;
    object["baseline_value"] = median(row.baseline_values);
    object["ratio"] = median(ratios(row));
  }
  return object;
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string Report::to_json() const {
  nlohmann::json all = {{"name", name},
                        {"machine", machine()},
                        {"commit", commit()},
                        {"command", command},
                        {"rows", nlohmann::json::array()}};
  for (const auto& row : rows) all["rows"].push_back(to_object(row));
  return all.dump(2);
}

void Report::print() const {
  std::printf("%-52s %10s %10s %10s %-12s %8s  %s\n", "what", "median", "min", "max", "unit",
              "ratio", "to baseline");
  for (const auto& row : rows) {
    const auto object = to_object(row);
    std::printf("%-52s %10.2f %10.2f %10.2f %-12s", row.name.c_str(), object["value"].get<double>(),
                object["min"].get<double>(), object["max"].get<double>(), row.unit.c_str());
    if (!row.baseline.empty()) {
      std::printf(" %8.2f  %s (%.2f)", object["ratio"].get<double>(), row.baseline.c_str(),
                  object["baseline_value"].get<double>());
    }
    std::printf("\n");
  }
}

Status Report::write(const std::string& file) const {
  std::ofstream out(file);
  out << to_json() << "\n";
  out.close();
  if (out.fail()) return Error{"cannot write " + file};
  return {};
}

}  // namespace eve::bench
