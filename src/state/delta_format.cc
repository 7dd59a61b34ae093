#include "state/delta_format.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "eve/codec.h"
#include "state/references.h"

namespace eve::state {

namespace {

void encode_varint(uint64_t number, Bytes& out) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}

void encode_sized(ByteView bytes, Bytes& out) {
  encode_varint(bytes.size(), out);
  out.append(bytes);
}

uint64_t word_at(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

size_t common_front(ByteView a, ByteView b) {
  const size_t most = std::min(a.size(), b.size());
  size_t size = 0;
  while (size + 8 <= most && word_at(a.data() + size) == word_at(b.data() + size)) size += 8;
  while (size < most && a[size] == b[size]) ++size;
  return size;
}

size_t common_back(ByteView a, ByteView b) {
  const size_t most = std::min(a.size(), b.size());
  const char* a_end = a.data() + a.size();
  const char* b_end = b.data() + b.size();
  size_t size = 0;
  while (size + 8 <= most && word_at(a_end - size - 8) == word_at(b_end - size - 8)) size += 8;
  while (size < most &&
         a_end[-1 - static_cast<ptrdiff_t>(size)] == b_end[-1 - static_cast<ptrdiff_t>(size)]) {
    ++size;
  }
  return size;
}

/// What two values have in common: the most in front, then the most behind.
struct Common {
  Common(ByteView a, ByteView b) : front(common_front(a, b)) {
    a.remove_prefix(front);
    b.remove_prefix(front);
    back = common_back(a, b);
  }
  size_t front;
  size_t back;
};

void encode_splice(ByteView before, ByteView after, Bytes& out) {
  const Common common(before, after);
  encode_varint(common.front, out);
  encode_varint(common.back, out);
  encode_sized(after.substr(common.front, after.size() - common.front - common.back), out);
}

}  // namespace

bool is_same_object(const Leaf& before, const Leaf& after) {
  if (before.free_standing || after.free_standing) {
    return before.free_standing && after.free_standing && before.table == after.table;
  }
  return before.table == after.table && before.key == after.key;
}

void encode_delta_header(const DeltaHeader& header, size_t digest_size, Bytes& out) {
  out.push_back(kDeltaTag);
  out.push_back(kDeltaVersion);
  Codec<uint64_t>::encode(header.number.value(), out);
  out.append(header.before.view().substr(0, digest_size));
  out.append(header.after.view().substr(0, digest_size));
}

void DeltaEncoder::entry(uint64_t slot, const std::optional<Leaf>& before,
                         const std::optional<Leaf>& after, bool is_new, Bytes& out) {
  using Change = DeltaEntry::Change;
  const bool same = before && after && is_same_object(*before, *after);
  const bool refers_alike = same && before->references == after->references;
  if (refers_alike && before->value == after->value) return;
  if (!before && !after && !is_new) return;
  encode_varint(slot + 1 - next_, out);
  next_ = slot + 1;
  const auto tag = [&](Change change) { out.push_back(static_cast<char>(change)); };
  if (!after) {
    tag(Change::kFree);
  } else if (!same) {
    tag(Change::kObject);
    Bytes leaf;
    encode_leaf(*after, leaf);
    encode_sized(leaf, out);
  } else {
    tag(refers_alike ? Change::kValue : Change::kValueAndReferences);
    if (!refers_alike) encode_sized(after->references, out);
    encode_splice(before->value, after->value, out);
  }
}

/// Reads from the front; the first thing that is wrong, or missing, ends it.
class DeltaParser::Cursor {
 public:
  explicit Cursor(ByteView bytes) : rest_(bytes) {}

  bool ran_out() const { return ran_out_; }
  const char* why() const { return why_; }
  size_t left() const { return rest_.size(); }

  ByteView take(uint64_t size) {
    if (size > rest_.size()) ran_out_ = true;
    if (stopped()) return {};
    const ByteView taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  unsigned char byte() {
    const ByteView taken = take(1);
    return taken.empty() ? 0 : static_cast<unsigned char>(taken[0]);
  }
  uint64_t varint() {
    uint64_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
      const unsigned char next = byte();
      if (stopped()) return 0;
      if (shift == 63 && next > 1) return refuse("a number is too large");
      number |= static_cast<uint64_t>(next & 0x7f) << shift;
      if (next >= 0x80) continue;
      if (next == 0 && shift > 0) return refuse("a number is longer than it must be");
      return number;
    }
  }
  ByteView sized() {
    const uint64_t size = varint();
    if (size > kMaxDeltaPartBytes) refuse("a part is larger than an object can be");
    return take(size);
  }
  uint64_t refuse(const char* why) {
    if (!stopped()) why_ = why;
    return 0;
  }

 private:
  bool stopped() const { return ran_out_ || why_ != nullptr; }

  ByteView rest_;
  bool ran_out_ = false;
  const char* why_ = nullptr;
};

void DeltaParser::supply(ByteView piece) {
  buffer_.erase(0, at_);
  at_ = 0;
  buffer_.append(piece);
}

const DeltaHeader* DeltaParser::header() {
  if (header_ || !why_.empty()) return header_ ? &*header_ : nullptr;
  const ByteView bytes(buffer_);
  if ((!bytes.empty() && bytes[0] != kDeltaTag) ||
      (bytes.size() > 1 && bytes[1] != kDeltaVersion)) {
    why_ = "it is no delta of a version that this program knows";
    return nullptr;
  }
  const size_t size = 2 + sizeof(uint64_t) + 2 * digest_size_;
  if (bytes.size() < size) return nullptr;
  header_ = {BatchNumber(*Codec<uint64_t>::decode(bytes.substr(2, sizeof(uint64_t)))),
             digest_from(bytes.substr(10, digest_size_)),
             digest_from(bytes.substr(10 + digest_size_, digest_size_))};
  at_ = size;
  return &*header_;
}

void DeltaParser::read(Cursor& in, DeltaEntry& entry) {
  using Change = DeltaEntry::Change;
  const unsigned char change = in.byte();
  entry.change = static_cast<Change>(change);
  switch (entry.change) {
    case Change::kFree:
      return;
    case Change::kObject:
      entry.leaf = in.sized();
      return;
    case Change::kValueAndReferences:
      entry.references = in.sized();
      [[fallthrough]];
    case Change::kValue:
      entry.front = in.varint();
      entry.back = in.varint();
      entry.middle = in.sized();
      return;
  }
  in.refuse("a change is of no known kind");
}

std::optional<DeltaEntry> DeltaParser::next() {
  if (header() == nullptr || !why_.empty()) return std::nullopt;
  if (ended_) {
    if (at_ < buffer_.size()) why_ = "bytes follow its end";
    return std::nullopt;
  }
  Cursor in(ByteView(buffer_).substr(at_));
  DeltaEntry entry;
  const uint64_t gap = in.varint();
  if (gap > kMaxSlots - next_slot_) in.refuse("it tells of more slots than a state may have");
  if (gap > 0) {
    entry.slot = next_slot_ + gap - 1;
    read(in, entry);
  }
  if (in.why() != nullptr) why_ = in.why();
  if (in.why() != nullptr || in.ran_out()) return std::nullopt;
  at_ = buffer_.size() - in.left();
  next_slot_ += gap;
  ended_ = gap == 0;
  return ended_ ? next() : std::optional(entry);
}

std::optional<Leaf> spliced(const Leaf& before, const DeltaEntry& entry, Bytes& value,
                            std::string& why) {
  Leaf after = before;
  const bool refers_alike = entry.change == DeltaEntry::Change::kValue;
  if (!refers_alike) after.references = entry.references;
  const uint64_t size = before.value.size();
  if (entry.front > size || entry.back > size - entry.front) {
    why = "it keeps more of a value than there is";
    return std::nullopt;
  }
  const uint64_t total = entry.front + entry.middle.size() + entry.back;
  if (total + after.references.size() > kMaxValueBytes) {
    why = "a value is larger than an object can hold";
    return std::nullopt;
  }
  if (total == entry.middle.size()) {
    after.value = entry.middle;
  } else {
    value.assign(before.value.substr(0, entry.front));
    value.append(entry.middle);
    value.append(before.value.substr(size - entry.back));
    after.value = value;
  }
  if (!valid_references(after.references, after.value.size())) {
    why = "references lie outside their value";
    return std::nullopt;
  }
  const Common common(before.value, after.value);
  const bool is_shortest = common.front == entry.front && common.back == entry.back;
  const bool differs =
      refers_alike ? before.value != after.value : before.references != after.references;
  if (!is_shortest || !differs) {
    why = "a change is not told in the one way that it can be";
    return std::nullopt;
  }
  return after;
}

}  // namespace eve::state
