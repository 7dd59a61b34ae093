// libFuzzer: what begins a backup. Bytes that are taken are those that would be written again.
#include <cstdint>

#include "base/check.h"
#include "durability/backup_format.h"

namespace eve::durability {
namespace {

void run(ByteView input) {
  // The sum is no secret: with a right one the manifest itself is reached.
  Bytes bytes = Bytes("EVE-BAK\n") + Bytes(16, '\0') + Bytes(input.substr(0, kMaxManifestBytes));
  const auto length = manifest_bytes(bytes);
  if (length && bytes.size() >= kBackupHeadBytes + *length) {
    const auto sum = journal::checksum(ByteView(bytes).substr(24, 4 + *length));
    bytes.replace(8, sum.size(), reinterpret_cast<const char*>(sum.data()), sum.size());
  }
  journal::BadHeader why;
  const auto manifest = decode_manifest(bytes, &why);
  EVE_CHECK(!manifest || length, "a manifest without a length");
  if (manifest) {
    EVE_CHECK(bytes.starts_with(encode(*manifest)), "another manifest than what was read");
  }
}

}  // namespace
}  // namespace eve::durability

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  eve::durability::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
