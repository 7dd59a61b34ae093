// The links that a role has entered, on disk: DIRECTORY/NODE/ROLE.chain (docs/membership.md, M6).
//
//   "EVECHN01"  then for each link: u32 length, digest of the bytes, a Chain message of one
//   link (docs/wire.md)
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "eve/result.h"
#include "wire/messages.h"

namespace eve::runtime {

class ChainFile {
 public:
  /// `file` empty: nothing is kept.
  explicit ChainFile(std::filesystem::path file) : file_(std::move(file)) {}

  /// What is there; nothing if there is no file. Errors name the file and say what to do. Whether
  /// the links prove anything is for membership::Succession to find out.
  Result<std::vector<wire::Link>> read(const crypto::Digester& digester) const;
  /// Replaces it; durable when it returns success.
  Status write(const std::vector<wire::Link>& links, const crypto::Digester& digester) const;

 private:
  std::filesystem::path file_;
};

/// For tests and fuzzing: what the file holds.
Bytes format_chain(const std::vector<wire::Link>& links, const crypto::Digester& digester);
Result<std::vector<wire::Link>> parse_chain(ByteView bytes, const crypto::Digester& digester);

}  // namespace eve::runtime
