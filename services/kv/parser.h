// Reads the Redis protocol's requests (arrays of bulk strings, and inline commands) from a stream
// that may arrive in any pieces. Pure; errors are worded as Redis words them.
#pragma once

#include <cstdint>
#include <vector>

#include "eve/bytes.h"

namespace eve::kv {

class Parser {
 public:
  enum class Outcome {
    kNeedMore,  ///< the next command is not complete
    kCommand,   ///< `args` holds one, with at least one argument
    kError,     ///< error() says what; nothing that follows can be understood
  };

  /// Takes the next piece of the stream. Ends the life of arguments handed out before.
  void feed(ByteView bytes);
  /// The next command; its arguments live until the next feed().
  Outcome next(std::vector<ByteView>& args);
  /// "Protocol error: ..."
  const Bytes& error() const { return error_; }
  /// Bytes taken that no command handed out contains.
  size_t buffered() const { return buffer_.size() - command_start_; }

 private:
  struct Span {
    uint32_t offset;  ///< from command_start_
    uint32_t size;
  };

  Outcome read_header(std::vector<ByteView>& args);
  Outcome read_arguments(std::vector<ByteView>& args);
  Outcome read_bulk();
  Outcome read_inline(std::vector<ByteView>& args);
  Outcome hand_out(std::vector<ByteView>& args);
  Outcome fail(ByteView reason);
  /// Where the line that starts at position_ ends ('\n'); npos: not arrived, or too long.
  size_t find_line_end();

  Bytes buffer_;
  size_t command_start_ = 0;    ///< everything before it was handed out
  size_t position_ = 0;         ///< everything before it is understood
  size_t searched_ = 0;         ///< no line end between position_ and here
  int64_t arguments_left_ = 0;  ///< of the array being read
  int64_t bulk_size_ = -1;      ///< announced for the argument being read; -1: not yet
  std::vector<Span> spans_;     ///< arguments read so far
  Bytes error_;
};

}  // namespace eve::kv
