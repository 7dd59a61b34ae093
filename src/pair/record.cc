#include "pair/record.h"

#include <charconv>

namespace eve::pair {
namespace {

constexpr size_t kLifeDigits = 16;

std::string life_text(uint64_t life) {
  if (life == 0) return "none";
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text(kLifeDigits, '0');
  for (size_t i = kLifeDigits; i > 0; --i, life >>= 4) text[i - 1] = kDigits[life & 15];
  return text;
}

bool skip(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

bool number(std::string_view& text, int base, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return error == std::errc();
}

bool life(std::string_view& text, uint64_t& value) {
  return skip(text, "none") || number(text, 16, value);
}

}  // namespace

std::string format_record(const Record& record) {
  return "epoch " + std::to_string(record.epoch.value()) + ", executor-0 " +
         life_text(record.lives[0]) + ", executor-1 " + life_text(record.lives[1]);
}

Result<Record> parse_record(std::string_view text) {
  std::string_view rest = text;
  Record record;
  uint64_t epoch = 0;
  const bool read = skip(rest, "epoch ") && number(rest, 10, epoch) &&
                    skip(rest, ", executor-0 ") && life(rest, record.lives[0]) &&
                    skip(rest, ", executor-1 ") && life(rest, record.lives[1]);
  record.epoch = View(epoch);
  const bool sound = formed(record) ? record.lives.at(primary_of(record)) != 0 : epoch == 0;
  if (!read || !sound || format_record(record) != text) {
    return Error{"holds no record of who is in sync"};
  }
  return record;
}

}  // namespace eve::pair
