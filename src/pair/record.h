// Questions about the record of who is in sync (docs/primary-backup.md, "The record").
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "eve/result.h"
#include "wire/messages.h"

namespace eve::pair {

using Record = wire::PairRecord;

inline bool formed(const Record& record) {
  return record != Record{};
}
inline uint16_t primary_of(View epoch) {
  return static_cast<uint16_t>(epoch.value() % 2);
}
inline uint16_t primary_of(const Record& record) {
  return primary_of(record.epoch);
}
inline uint16_t other_than(uint16_t index) {
  return static_cast<uint16_t>(1 - index);
}
inline bool names(const Record& record, uint16_t index, uint64_t life) {
  return formed(record) && record.lives.at(index) == life;
}
inline bool names_both(const Record& record) {
  return formed(record) && record.lives[0] != 0 && record.lives[1] != 0;
}
/// The record after `before` in which executor `index` leads: one later, or two.
inline View next_epoch(View before, uint16_t index) {
  const View next = before.next();
  return primary_of(next) == index ? next : next.next();
}

/// "epoch 4, executor-0 0123456789abcdef, executor-1 none": one line of text, and back. What
/// format_record did not write is an error.
std::string format_record(const Record& record);
Result<Record> parse_record(std::string_view text);

}  // namespace eve::pair
