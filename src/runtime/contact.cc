#include "runtime/contact.h"

#include <algorithm>
#include <limits>

#include "base/limits.h"
#include "runtime/host_limits.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace eve::runtime {
namespace {

constexpr uint8_t kFormat = 1;
constexpr size_t kMaxNameBytes = 32;

static_assert(64 + kMaxNameBytes + host_limits::kMaxHostBytes < limits::kMaxContactBytes);

/// A host goes into a configuration and into logs.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

Bytes encode_contact(const NodeConfig& node) {
  wire::Writer out;
  out.integer(kFormat);
  out.sized(node.name);
  out.sized(node.host);
  out.integer(node.port);
  out.integer(node.status_port);
  for (const uint8_t byte : node.key) out.integer(byte);
  return out.take();
}

Result<NodeConfig> decode_contact(ByteView bytes) {
  wire::Reader in(bytes);
  if (in.integer<uint8_t>() != kFormat) {
    return Error{"a contact of a format that this release does not know: run the newest one"};
  }
  NodeConfig node;
  node.name = in.sized(kMaxNameBytes);
  node.host = in.sized(host_limits::kMaxHostBytes);
  node.port = in.integer<uint16_t>();
  node.status_port = in.integer<uint16_t>();
  for (uint8_t& byte : node.key) byte = in.integer<uint8_t>();
  if (in.failed() || in.remaining() > 0) return Error{"a contact that is cut off, or too long"};
  if (!is_name(node.name)) return Error{"a contact whose name is none: 1 to 32 of a-z, 0-9 and -"};
  if (node.host.empty() || !is_plain(node.host)) {
    return Error{"the contact of \"" + node.name +
                 "\" has no host: it is a name or an address, of letters without blanks"};
  }
  if (node.port == 0 || node.port == node.status_port) {
    return Error{"the contact of \"" + node.name +
                 "\" has no port, or the same one for links and for its status"};
  }
  return node;
}

Result<NodeConfig> newcomer(const FaultModel& model, const wire::Change& change) {
  auto node = decode_contact(change.contact);
  if (!node) return node;
  const auto join = [&](Role role, size_t seats) -> bool {
    // membership::Members names it so: the first to join is the one after the seats.
    const uint64_t index = seats + uint64_t{change.epoch.value()};
    node->roles.push_back({role, static_cast<uint16_t>(index)});
    return index <= std::numeric_limits<uint16_t>::max();
  };
  const bool fits = (!change.executor || join(Role::kExecutor, model.executors())) &&
                    (!change.verifier || join(Role::kVerifier, model.verifiers()));
  if (!fits) return Error{"more members have joined than there are addresses"};
  if (auto status = validate_joined(model, *node); !status) return Error{status.message()};
  return node;
}

}  // namespace eve::runtime
