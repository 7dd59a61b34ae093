#include "runtime/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>

namespace eve::runtime {
namespace {

std::shared_ptr<spdlog::logger> make_logger() {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("eve", std::move(sink));
  logger->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ pid=%P level=%l %v",
                      spdlog::pattern_time_type::utc);
  const char* level = std::getenv("EVE_LOG");
  logger->set_level(level == nullptr ? spdlog::level::warn : spdlog::level::from_str(level));
  return logger;
}

spdlog::logger& logger() {
  static const auto instance = make_logger();
  return *instance;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

void append_value(const std::string& value, std::string& line) {
  const bool plain = !value.empty() && value.find_first_of(" \"=\\") == std::string::npos;
  if (!plain) line += '"';
  for (char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') line += '\\';
    line += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  if (!plain) line += '"';
}

}  // namespace

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!logger().should_log(to_spdlog(level))) return;
  std::string line = "event=";
  line += event;
  for (const auto& field : fields) {
    line.append(" ").append(field.key).append("=");
    append_value(field.value, line);
  }
  logger().log(to_spdlog(level), "{}", line);
}

}  // namespace eve::runtime
