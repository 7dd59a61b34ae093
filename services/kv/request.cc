#include "services/kv/request.h"

#include "eve/codec.h"

namespace eve::kv {

void Version::append_to(Bytes& out) const {
  Codec<uint64_t>::encode(batch, out);
  Codec<uint32_t>::encode(index, out);
}

Version Version::from(ByteView bytes) {
  return {Codec<uint64_t>::decode(bytes.substr(0, 8)).value_or(0),
          Codec<uint32_t>::decode(bytes.substr(8, 4)).value_or(0)};
}

void append_count(Bytes& out, uint64_t count) {
  while (count >= 0x80) {
    out.push_back(static_cast<char>((count & 0x7f) | 0x80));
    count >>= 7;
  }
  out.push_back(static_cast<char>(count));
}

void append_bytes(Bytes& out, ByteView bytes) {
  append_count(out, bytes.size());
  out.append(bytes);
}

void append_command(Bytes& out, Protocol protocol, Args args) {
  out.push_back(static_cast<char>(protocol));
  append_count(out, args.size());
  for (const ByteView arg : args) append_bytes(out, arg);
}

size_t command_size(Args args) {
  size_t size = 8;
  for (const ByteView arg : args) size += arg.size() + (arg.size() < 0x80 ? 1 : 4);
  return size;
}

Bytes command_request(Protocol protocol, Args args) {
  Bytes request;
  request.reserve(command_size(args));
  request.push_back(static_cast<char>(RequestKind::kCommand));
  append_command(request, protocol, args);
  return request;
}

Bytes versions_request(Args keys) {
  Bytes request;
  request.reserve(command_size(keys));
  request.push_back(static_cast<char>(RequestKind::kVersions));
  append_count(request, keys.size());
  for (const ByteView key : keys) append_bytes(request, key);
  return request;
}

void ArgList::clear() {
  size_ = 0;
  more_.clear();
}

void ArgList::add(ByteView arg) {
  if (more_.empty() && size_ < few_.size()) {
    few_[size_++] = arg;
    return;
  }
  if (more_.empty()) more_.assign(few_.begin(), few_.end());
  more_.push_back(arg);
}

void RequestReader::fail() {
  ok_ = false;
  rest_ = {};
}

ByteView RequestReader::take(uint64_t size) {
  if (size > rest_.size()) {
    fail();
    return {};
  }
  const ByteView taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

uint8_t RequestReader::octet() {
  const ByteView taken = take(1);
  return taken.empty() ? 0 : static_cast<uint8_t>(taken[0]);
}

uint64_t RequestReader::count() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    const uint8_t next = octet();
    value |= static_cast<uint64_t>(next & 0x7f) << shift;
    if ((next & 0x80) != 0) continue;
    if (next == 0 && shift > 0) fail();  // superfluous: not the canonical spelling
    return ok_ ? value : 0;
  }
  fail();
  return 0;
}

ByteView RequestReader::bytes() {
  return take(count());
}

Version RequestReader::version() {
  const ByteView taken = take(Version::kBytes);
  return ok_ ? Version::from(taken) : Version();
}

Protocol RequestReader::protocol() {
  const uint8_t value = octet();
  if (value != 2 && value != 3) fail();
  return value == 3 ? Protocol::kResp3 : Protocol::kResp2;
}

void RequestReader::arguments(ArgList& args) {
  args.clear();
  const uint64_t arguments = count();
  // Every argument takes at least one octet, so this also bounds the loop.
  if (arguments == 0 || arguments > rest_.size()) return fail();
  for (uint64_t i = 0; i < arguments && ok_; ++i) args.add(bytes());
}

}  // namespace eve::kv
