// A small file that is whole or not there: written beside, synced, renamed.
#pragma once

#include <optional>
#include <string>

#include "eve/bytes.h"
#include "eve/result.h"
#include "journal/disk.h"

namespace eve::durability {

/// Nullopt: there is none. Empty: it is damaged, or the device cannot read it. Other errors say
/// nothing about it.
Result<std::optional<Bytes>> read_mark(journal::Disk& disk, const std::string& name);
/// Durable when it returns success. `text`: not empty, at most 4,000 bytes.
Status write_mark(journal::Disk& disk, const std::string& name, ByteView text);
/// Gone for good when it returns success.
Status remove_mark(journal::Disk& disk, const std::string& name);

}  // namespace eve::durability
