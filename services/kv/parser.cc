#include "services/kv/parser.h"

#include <algorithm>

#include "services/kv/limits.h"
#include "services/kv/numbers.h"

namespace eve::kv {

namespace {

/// What a quiet connection may keep allocated after a large command.
constexpr size_t kKeptBytes = 64u << 10;
constexpr size_t kKeptSpans = 4096;

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = lower_case(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Splits an inline command into words as Redis does, writing each word, without its quotes and
/// escapes, over itself: it never gets longer.
class InlineSplitter {
 public:
  InlineSplitter(char* line, size_t size) : line_(line), size_(size) {}

  /// False if quotes do not pair up, or text follows a closing one.
  bool split(std::vector<ByteView>& words) {
    while (true) {
      while (at_ < size_ && is_space(line_[at_])) ++at_;
      if (at_ == size_) return true;
      const size_t start = out_ = at_;
      if (!read_word()) return false;
      words.emplace_back(line_ + start, out_ - start);
    }
  }

 private:
  bool read_word() {
    while (at_ < size_ && !is_space(line_[at_])) {
      const char c = line_[at_++];
      if (c != '"' && c != '\'') {
        line_[out_++] = c;
        continue;
      }
      if (!(c == '"' ? read_double_quoted() : read_single_quoted())) return false;
      return at_ == size_ || is_space(line_[at_]);
    }
    return true;
  }

  bool read_single_quoted() {
    while (at_ < size_) {
      char c = line_[at_++];
      if (c == '\'') return true;
      if (c == '\\' && at_ < size_ && line_[at_] == '\'') c = line_[at_++];
      line_[out_++] = c;
    }
    return false;
  }

  bool read_double_quoted() {
    while (at_ < size_) {
      const char c = line_[at_++];
      if (c == '"') return true;
      line_[out_++] = c == '\\' && at_ < size_ ? read_escape() : c;
    }
    return false;
  }

  char read_escape() {
    if (line_[at_] == 'x' && at_ + 2 < size_) {
      const int high = hex_digit(line_[at_ + 1]);
      const int low = hex_digit(line_[at_ + 2]);
      if (high >= 0 && low >= 0) {
        at_ += 3;
        return static_cast<char>(high * 16 + low);
      }
    }
    const char c = line_[at_++];
    switch (c) {
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'b':
        return '\b';
      case 'a':
        return '\a';
      default:
        return c;
    }
  }

  char* line_;
  size_t size_;
  size_t at_ = 0;   ///< next octet to read
  size_t out_ = 0;  ///< next octet to write; never beyond at_
};

}  // namespace

void Parser::feed(ByteView bytes) {
  if (command_start_ == buffer_.size()) {
    if (buffer_.capacity() > kKeptBytes) buffer_ = Bytes();
    buffer_.clear();
  } else if (command_start_ > 0) {
    buffer_.erase(0, command_start_);
  }
  position_ -= command_start_;
  searched_ = std::max(searched_, command_start_) - command_start_;
  command_start_ = 0;
  buffer_.append(bytes);
}

Parser::Outcome Parser::next(std::vector<ByteView>& args) {
  if (!error_.empty()) return Outcome::kError;
  while (true) {
    args.clear();
    const Outcome outcome = arguments_left_ > 0 ? read_arguments(args) : read_header(args);
    // An empty line or array is no command.
    if (outcome != Outcome::kCommand || !args.empty()) return outcome;
  }
}

Parser::Outcome Parser::fail(ByteView reason) {
  error_ = "Protocol error: " + Bytes(reason);
  return Outcome::kError;
}

size_t Parser::find_line_end() {
  const size_t from = std::max(searched_, position_);
  const size_t end = buffer_.find('\n', from);
  searched_ = end == Bytes::npos ? buffer_.size() : end;
  return end;
}

Parser::Outcome Parser::read_header(std::vector<ByteView>& args) {
  command_start_ = position_;
  if (position_ == buffer_.size()) return Outcome::kNeedMore;
  if (buffer_[position_] != '*') return read_inline(args);
  const size_t end = find_line_end();
  if (end == Bytes::npos) {
    const bool too_long = buffer_.size() - position_ > kMaxLineBytes;
    return too_long ? fail("too big mbulk count string") : Outcome::kNeedMore;
  }
  ByteView line = ByteView(buffer_).substr(position_ + 1, end - position_ - 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto count = parse_integer(line);
  if (!count || *count > kMaxArguments) return fail("invalid multibulk length");
  position_ = end + 1;
  arguments_left_ = std::max<int64_t>(*count, 0);
  bulk_size_ = -1;
  spans_.clear();
  return arguments_left_ > 0 ? read_arguments(args) : hand_out(args);
}

Parser::Outcome Parser::read_arguments(std::vector<ByteView>& args) {
  while (arguments_left_ > 0) {
    if (bulk_size_ < 0) {
      const Outcome outcome = read_bulk();
      if (outcome != Outcome::kCommand) return outcome;
    }
    const auto size = static_cast<size_t>(bulk_size_);
    if (buffer_.size() - position_ < size + 2) return Outcome::kNeedMore;
    spans_.push_back(
        {static_cast<uint32_t>(position_ - command_start_), static_cast<uint32_t>(size)});
    position_ += size + 2;  // as in Redis, what stands for the line end is not looked at
    bulk_size_ = -1;
    --arguments_left_;
  }
  return hand_out(args);
}

/// kCommand: the line that announces an argument is read.
Parser::Outcome Parser::read_bulk() {
  const size_t end = find_line_end();
  if (end == Bytes::npos) {
    const bool too_long = buffer_.size() - position_ > kMaxLineBytes;
    return too_long ? fail("too big bulk count string") : Outcome::kNeedMore;
  }
  if (buffer_[position_] != '$') {
    return fail("expected '$', got '" + Bytes(1, buffer_[position_]) + "'");
  }
  ByteView line = ByteView(buffer_).substr(position_ + 1, end - position_ - 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto size = parse_integer(line);
  if (!size || *size < 0 || *size > static_cast<int64_t>(kMaxBulkBytes)) {
    return fail("invalid bulk length");
  }
  bulk_size_ = *size;
  position_ = end + 1;
  return Outcome::kCommand;
}

Parser::Outcome Parser::read_inline(std::vector<ByteView>& args) {
  const size_t end = find_line_end();
  const size_t size = std::min(end, buffer_.size()) - position_;
  if (size > kMaxLineBytes) return fail("too big inline request");
  if (end == Bytes::npos) return Outcome::kNeedMore;
  ByteView line = ByteView(buffer_).substr(position_, size);
  // Redis reads the line as a C string.
  line = line.substr(0, line.find('\0'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  InlineSplitter splitter(buffer_.data() + position_, line.size());
  if (!splitter.split(args)) return fail("unbalanced quotes in request");
  command_start_ = position_ = end + 1;
  return Outcome::kCommand;
}

Parser::Outcome Parser::hand_out(std::vector<ByteView>& args) {
  args.reserve(spans_.size());
  for (const Span span : spans_) {
    args.emplace_back(buffer_.data() + command_start_ + span.offset, span.size);
  }
  if (spans_.capacity() > kKeptSpans) spans_ = {};
  command_start_ = position_;
  return Outcome::kCommand;
}

}  // namespace eve::kv
