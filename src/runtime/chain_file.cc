#include "runtime/chain_file.h"

#include "eve/codec.h"
#include "runtime/files.h"
#include "wire/codec.h"

namespace eve::runtime {
namespace {

constexpr ByteView kMagic = "EVECHN01";

}  // namespace

Bytes format_chain(const std::vector<wire::Link>& links, const crypto::Digester& digester) {
  Bytes out(kMagic);
  for (const wire::Link& link : links) {
    const Bytes bytes = wire::encode(wire::Message(wire::Chain{{link}}));
    Codec<uint32_t>::encode(static_cast<uint32_t>(bytes.size()), out);
    out += digester.digest(bytes).view();
    out += bytes;
  }
  return out;
}

Result<std::vector<wire::Link>> parse_chain(ByteView bytes, const crypto::Digester& digester) {
  constexpr size_t kHead = sizeof(uint32_t) + sizeof(crypto::Digest);
  const Error damaged{"is damaged"};
  if (!bytes.starts_with(kMagic)) return damaged;
  bytes.remove_prefix(kMagic.size());
  std::vector<wire::Link> links;
  while (!bytes.empty()) {
    if (bytes.size() < kHead) return damaged;
    const size_t size = *Codec<uint32_t>::decode(bytes.substr(0, sizeof(uint32_t)));
    const ByteView sum = bytes.substr(sizeof(uint32_t), sizeof(crypto::Digest));
    bytes.remove_prefix(kHead);
    if (bytes.size() < size || digester.digest(bytes.substr(0, size)).view() != sum) return damaged;
    const auto message = wire::decode(SharedBytes(Bytes(bytes.substr(0, size))), digester);
    const auto* chain = message ? std::get_if<wire::Chain>(&*message) : nullptr;
    if (chain == nullptr || chain->links.size() != 1) return damaged;
    links.push_back(chain->links.front());
    bytes.remove_prefix(size);
  }
  return links;
}

Result<std::vector<wire::Link>> ChainFile::read(const crypto::Digester& digester) const {
  std::error_code error;
  if (file_.empty() || !std::filesystem::exists(file_, error)) {
    if (error) return Error{file_.string() + ": cannot examine it: " + error.message()};
    return std::vector<wire::Link>();
  }
  const auto bytes = read_file(file_);
  if (!bytes) return bytes.error();
  auto links = parse_chain(*bytes, digester);
  if (!links) {
    return Error{file_.string() + ": " + links.message() +
                 ": copy that of another member of the same role over it (NODE/ROLE-*.chain), "
                 "which says the same"};
  }
  return links;
}

Status ChainFile::write(const std::vector<wire::Link>& links,
                        const crypto::Digester& digester) const {
  if (file_.empty()) return {};
  return replace_file(file_, format_chain(links, digester));
}

}  // namespace eve::runtime
