// The small marks beside a log, and what they say of it: for Keeper::open(), and for who only
// looks.
#pragma once

#include <optional>
#include <string>

#include "eve/bytes.h"
#include "journal/log.h"

namespace eve::durability {

/// Names of the files beside log `log` (mark_file.h).
std::string start_mark(const std::string& log);
std::string lost_mark(const std::string& log);
/// What who does not sync writes into start_mark(), as of this start of the machine.
Bytes start_text(const std::string& machine_start);

/// "FILE at 4096: why; ...": empty where nothing is damaged.
std::string in_words(const journal::Recovery& recovery);
/// Why notes that were acknowledged may be missing. Empty: all are there, or what is missing is on
/// record already. `lost`, `start`: what the marks say; `expected`: there has been a log before.
std::string why_not_whole(const journal::Recovery& recovery, const std::optional<Bytes>& lost,
                          const std::optional<Bytes>& start, const std::string& machine_start,
                          bool expected);

}  // namespace eve::durability
