// What a verifier keeps: its promises (verification/promises.h), one note each, and now and then
// all of them as one, so that the log before it can be cut.
//
//   note = kind, number (the highest view asked for or joined so far), payload
//
// The format of the payloads is pinned by golden bytes in promise_notes_test.cc.
#pragma once

#include <cstdint>

#include "crypto/digest.h"
#include "durability/keeper.h"
#include "eve/result.h"
#include "verification/promises.h"

namespace eve::durability {

enum class PromiseNote : uint16_t {
  kStands = 1,     ///< its view is the number
  kAsked = 2,      ///< VIEW-CHANGE
  kJoined = 3,     ///< NEW-VIEW
  kPrepared = 4,   ///< PREPARE
  kCertified = 5,  ///< certificate; COMMIT rests on it
  kLearnt = 6,     ///< a commit
  kStarted = 7,    ///< a start point is committed
  kBlamed = 8,     ///< a bundle made views fail
  kAll = 9,        ///< all of them
};

/// Precondition: a Stands of `highest`, if it is one.
Note note_of(const verification::Promise& promise, View highest);
Note note_of(const verification::Promises& all);

/// Adds what a note says to `all`. From bytes that the log's sums vouch for, but perhaps of another
/// release's making; an error says what is wrong.
Status apply_note(uint16_t kind, uint64_t number, ByteView payload, const crypto::Digest& genesis,
                  const crypto::Digester& digester, verification::Promises& all);

}  // namespace eve::durability
