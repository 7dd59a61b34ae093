#include "journal/segment_file.h"

#include <algorithm>

#include "base/limits.h"

namespace eve::journal {
namespace {

constexpr uint64_t kMaxBodyBytes =
    kGroupBytes + kRecordHeaderBytes + limits::kMaxJournalRecordBytes;

bool belongs(const GroupHeader& header, const Life& life, uint64_t serial, uint64_t offset) {
  return header.life == life && header.serial == serial && header.offset == offset;
}

bool continues(const GroupHeader& header, const Expected& expected) {
  return header.group == expected.group && header.first == expected.first &&
         header.chain == expected.chain;
}

Found wrong(const char* what) {
  Found found;
  found.kind = Found::Kind::kWrong;
  found.what = what;
  return found;
}

void unreadable(Found& found, const Error& why) {
  found.kind = why.kind == ErrorKind::kMedium ? Found::Kind::kUnreadable : Found::Kind::kRefused;
  found.what = why.message;
}

template <typename Attempt>
auto attempted(int attempts, Attempt attempt) {
  auto result = attempt();
  while (result.kind() == ErrorKind::kMedium && --attempts > 0) result = attempt();
  return result;
}

}  // namespace

Result<Bytes> read_patiently(const File& file, uint64_t offset, uint64_t most, int attempts) {
  return attempted(attempts, [&] { return file.read(offset, most); });
}

Result<std::unique_ptr<File>> open_patiently(Disk& disk, const std::string& name) {
  return attempted(kReadAttempts, [&] { return disk.open(name); });
}

Result<ByteView> SegmentFile::bytes(uint64_t offset, uint64_t size) {
  const uint64_t window_end = window_at_ + window_.size();
  if (offset < window_at_ || offset + size > window_end) {
    auto read = file_->read(offset, std::max(size, kWindowBytes));
    // What cannot be read may lie beyond what is wanted.
    if (!read) {
      patience_ -= patience_ > 0 ? 1 : 0;
      read = read_patiently(*file_, offset, size, patience_ > 0 ? kReadAttempts : 1);
    }
    if (!read) return read.error();
    window_ = std::move(*read);
    window_at_ = offset;
  }
  return ByteView(window_).substr(offset - window_at_, size);
}

Found SegmentFile::header_at(uint64_t offset) {
  const auto block = bytes(offset, kBlockBytes);
  Found found;
  if (!block) {
    unreadable(found, block.error());
    return found;
  }
  if (all_zero(*block)) return found;
  if (block->size() < kGroupHeaderBytes || all_zero(block->substr(0, kPieceBytes))) {
    found.kind = Found::Kind::kPartial;
    found.what = "the beginning of a group is missing";
    return found;
  }
  const auto header = decode_group_header(*block);
  if (!header) return wrong("not a group");
  if (header->body_bytes > kMaxBodyBytes) return wrong("a group that is too large");
  found.kind = Found::Kind::kGroup;
  found.header = *header;
  found.chain = chain_of(block->substr(0, kGroupHeaderBytes));
  return found;
}

void SegmentFile::body_of(uint64_t offset, Found& found) {
  const uint64_t whole = kGroupHeaderBytes + found.header.body_bytes;
  const auto group = bytes(offset, whole);
  if (!group) {
    unreadable(found, group.error());
    return;
  }
  const bool all_there = group->size() == whole;
  if (all_there) {
    found.body = group->substr(kGroupHeaderBytes);
    const bool sound = checksum(found.body) == found.header.body &&
                       for_each_record(found.body, found.header.records,
                                       [](uint16_t, uint64_t, ByteView) { return true; });
    if (sound) return;
  }
  const bool interrupted = !all_there || count_zero_pieces(*group) > found.header.zero_pieces;
  found.kind = interrupted ? Found::Kind::kPartial : Found::Kind::kWrong;
  found.what = interrupted ? "a part of a group is missing" : "the checksum of a group is wrong";
}

Found SegmentFile::expect(uint64_t offset, const Expected& expected) {
  Found found = header_at(offset);
  if (found.kind != Found::Kind::kGroup) return found;
  if (!belongs(found.header, expected.life, expected.serial, offset)) {
    return wrong("a group of another place or another log");
  }
  if (!continues(found.header, expected)) return wrong("a group that does not continue the log");
  body_of(offset, found);
  return found;
}

Found SegmentFile::any(uint64_t offset, const Life& life, uint64_t serial) {
  Found found = header_at(offset);
  if (found.kind != Found::Kind::kGroup) return found;
  if (!belongs(found.header, life, serial, offset)) return wrong("a group of another place");
  body_of(offset, found);
  return found;
}

}  // namespace eve::journal
