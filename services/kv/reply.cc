#include "services/kv/reply.h"

#include <array>
#include <charconv>

namespace eve::kv {

void Reply::line(char type, int64_t value) {
  std::array<char, 24> text;
  text[0] = type;
  char* end = std::to_chars(text.data() + 1, text.data() + text.size() - 2, value).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out_.append(text.data(), static_cast<size_t>(end - text.data()));
}

void Reply::status(ByteView text) {
  out_.push_back('+');
  out_.append(text);
  out_.append("\r\n");
}

void Reply::error(ByteView text) {
  while (text.ends_with('\r') || text.ends_with('\n')) text.remove_suffix(1);
  out_.push_back('-');
  for (const char c : text) out_.push_back(c == '\r' || c == '\n' ? ' ' : c);
  out_.append("\r\n");
}

void Reply::integer(int64_t value) {
  line(':', value);
}

void Reply::bulk(ByteView bytes) {
  line('$', static_cast<int64_t>(bytes.size()));
  out_.append(bytes);
  out_.append("\r\n");
}

void Reply::verbatim(ByteView text) {
  if (protocol_ == Protocol::kResp2) return bulk(text);
  line('=', static_cast<int64_t>(text.size() + 4));
  out_.append("txt:");
  out_.append(text);
  out_.append("\r\n");
}

void Reply::null() {
  out_.append(protocol_ == Protocol::kResp2 ? "$-1\r\n" : "_\r\n");
}

void Reply::null_array() {
  out_.append(protocol_ == Protocol::kResp2 ? "*-1\r\n" : "_\r\n");
}

void Reply::array(size_t items) {
  line('*', static_cast<int64_t>(items));
}

void Reply::set(size_t items) {
  line(protocol_ == Protocol::kResp2 ? '*' : '~', static_cast<int64_t>(items));
}

void Reply::map(size_t pairs) {
  if (protocol_ == Protocol::kResp2) return array(2 * pairs);
  line('%', static_cast<int64_t>(pairs));
}

}  // namespace eve::kv
