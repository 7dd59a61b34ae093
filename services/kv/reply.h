// Writes replies in the Redis protocol, version 2 or 3.
#pragma once

#include <cstdint>

#include "eve/bytes.h"

namespace eve::kv {

/// Which protocol a connection speaks (HELLO).
enum class Protocol : uint8_t { kResp2 = 2, kResp3 = 3 };

/// Appends replies to a buffer that it does not own. Cheap to make; not thread-safe.
class Reply {
 public:
  Reply(Bytes& out, Protocol protocol) : out_(out), protocol_(protocol) {}

  void status(ByteView text);  ///< +text; for fixed texts without line ends
  void ok() { status("OK"); }
  /// -text; `text` starts with its code ("ERR ..."). Line ends become spaces, at the end nothing.
  void error(ByteView text);
  void integer(int64_t value);
  void bulk(ByteView bytes);
  void verbatim(ByteView text);  ///< a text for people: RESP3 says so, RESP2 gets a bulk string
  void null();                   ///< no value
  void null_array();             ///< an aborted transaction
  void array(size_t items);      ///< `items` replies follow
  void set(size_t items);        ///< as array() in RESP2
  void map(size_t pairs);        ///< 2 * `pairs` replies follow

  size_t size() const { return out_.size(); }

 private:
  void line(char type, int64_t value);

  Bytes& out_;
  Protocol protocol_;
};

}  // namespace eve::kv
