// Structured log lines on standard error: `event=link_up peer=node-1`. Warnings and errors only,
// unless the environment variable EVE_LOG names another level (trace, debug, info, warn, error,
// off). Thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace eve::runtime {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

struct LogField {
  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, uint64_t number) : key(name), value(std::to_string(number)) {}
  std::string_view key;
  std::string value;
};

/// Values with blanks or quotes are quoted; control bytes, which a peer may have sent, are
/// replaced.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace eve::runtime
