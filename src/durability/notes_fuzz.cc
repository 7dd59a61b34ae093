// libFuzzer: the notes of executors and verifiers as a log of another release, or of a program that
// is not Eve, may hold them. Reading ends; what was read is written as the same bytes; what notes
// add up to is one note, and that note leads to the same.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>

#include "base/check.h"
#include "crypto/digest.h"
#include "durability/executor_notes.h"
#include "durability/promise_notes.h"

namespace eve::durability {
namespace {

constexpr int kMostNotes = 20;

const crypto::Digester& digester() {
  static const crypto::Digester chosen(crypto::DigestAlgorithm::kXxh3, {});
  return chosen;
}

void same(const Note& note, uint64_t number, ByteView payload) {
  EVE_CHECK(note.number == number && note.payload == payload, "read and written differently");
}

void read_executors(FuzzedDataProvider& data) {
  const int kind = data.ConsumeIntegralInRange(0, 6);
  const auto number = data.ConsumeIntegral<uint64_t>();
  const Bytes payload = data.ConsumeRemainingBytesAsString();
  switch (kind) {
    case 0:
      if (const auto genesis = read_genesis(payload)) same(note_of_genesis(*genesis), 0, payload);
      break;
    case 1:
      if (const auto view = read_view(number, payload)) same(note_of(*view), number, payload);
      break;
    case 2:
      if (const auto fetch = read_fetch(payload)) {
        same(note_of(*fetch), fetch->parts.number.value(), payload);
      }
      break;
    case 3:
      if (const auto supply = read_supply(payload, digester())) {
        const Note note = note_of(*supply);
        same(note, note.number, payload);
      }
      break;
    case 5:
      if (const auto epoch = read_epoch(number, payload)) same(note_of(*epoch), number, payload);
      break;
    case 6:
      if (const auto context = read_context(payload)) {
        EVE_CHECK(context_of(*context) == payload, "read and written differently");
      }
      break;
    default:
      if (const auto run = read_run(payload)) {
        same(note_of(run->run, run->last_piece), run->run.parts.number.value(), payload);
      }
  }
}

void read_promises(FuzzedDataProvider& data) {
  const crypto::Digest genesis;
  verification::Promises all(genesis);
  for (int i = 0; i < kMostNotes && data.remaining_bytes() > 0; ++i) {
    const auto kind = data.ConsumeIntegralInRange<uint16_t>(0, 10);
    const auto number = data.ConsumeIntegralInRange<uint64_t>(0, 20);
    const Bytes payload = data.ConsumeRandomLengthString(600);
    // What a note that is refused has left of it does not count.
    verification::Promises next = all;
    const auto fits = apply_note(kind, number, payload, genesis, digester(), next);
    if (fits.ok() && *fits) all = std::move(next);
  }
  const Note whole = note_of(all);
  verification::Promises again(genesis);
  const auto read = apply_note(whole.kind, whole.number, whole.payload, genesis, digester(), again);
  EVE_CHECK(read.ok() && *read, "what it comes to cannot be read");
  const Note second = note_of(again);
  EVE_CHECK(second.number == whole.number && second.payload == whole.payload, "another story");
}

}  // namespace
}  // namespace eve::durability

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  FuzzedDataProvider data(bytes, size);
  if (data.ConsumeBool()) {
    eve::durability::read_executors(data);
  } else {
    eve::durability::read_promises(data);
  }
  return 0;
}
