// What an executor's notes look like, and what is none.
#include "durability/executor_notes.h"

#include <gtest/gtest.h>

#include "crypto/hex.h"
#include "journal/format.h"

namespace eve::durability {
namespace {

crypto::Digest digest(uint8_t byte) {
  crypto::Digest filled;
  for (uint8_t& each : filled.bytes) each = byte;
  return filled;
}

execution::EnterView a_view() {
  return {View(7), BatchNumber(40), {digest(1), digest(2)}};
}

RunNote a_run() {
  RunNote run{View(3), 1'700'000, {BatchNumber(5), {}, digest(3), digest(4), digest(5)}, 2, 1,
              0,       {}};
  AnsweredBundle bundle;
  bundle.acknowledged = RequestNumber(6);
  bundle.requests = 2;
  bundle.reply = {1,
                  SessionId(9),
                  RequestNumber(7),
                  wire::ReplyStatus::kExecuted,
                  digest(6),
                  SharedBytes(Bytes("answer"))};
  run.bundles.push_back(bundle);
  bundle.cached = true;
  run.bundles.push_back(bundle);
  return run;
}

std::vector<Note> one_of_each() {
  execution::SupplyFetch supply;
  supply.peer = Address::executor(2);
  supply.reply.number = BatchNumber(8);
  supply.failed.push_back({1, 4});
  return {note_of_genesis(digest(9)),
          note_of(a_view()),
          piece_note(BatchNumber(5), "first"),
          note_of(a_run(), "last"),
          note_of(execution::CommitBatches{BatchNumber(5)}),
          note_of(execution::RollbackTo{BatchNumber(4)}),
          note_of(execution::StartFetch{{BatchNumber(8), {}, digest(3), digest(4), digest(5)}}),
          note_of(supply),
          note_of(Epoch(3))};
}

/// A log of today must be read by later releases: another version if this changes.
TEST(ExecutorNotes, TodaysBytes) {
  Bytes all;
  for (const Note& note : one_of_each()) {
    all += std::to_string(note.kind) + ':' + std::to_string(note.number) + ':' + note.payload;
  }
  const auto sum = journal::checksum(all);
  EXPECT_EQ(crypto::to_hex({reinterpret_cast<const char*>(sum.data()), sum.size()}),
            "24c2e566ba8f8af9dbcd10bee74d09f5");
}

TEST(ExecutorNotes, AnEpochIsItsNumber) {
  const Note note = note_of(Epoch(3));
  EXPECT_EQ(note.kind, 9);
  EXPECT_EQ(note.number, 3u);
  EXPECT_TRUE(note.payload.empty());
  const auto read = read_epoch(note.number, note.payload);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, Epoch(3));
  EXPECT_FALSE(read_epoch(3, "x").ok());
  EXPECT_FALSE(read_epoch(uint64_t{1} << 32, {}).ok());
}

TEST(ExecutorNotes, AContextOfTheFirstEpochIsAsBeforeThereWereEpochs) {
  const execution::EnterView plain{View(7), BatchNumber(40), {}};
  EXPECT_EQ(crypto::to_hex(context_of({Epoch(), plain})),
            "0700000000000000280000000000000000000000");
  EXPECT_EQ(crypto::to_hex(context_of({Epoch(2), plain})),
            "070000000000000028000000000000000000000002000000");
}

TEST(ExecutorNotes, AContextIsReadBackAsItWas) {
  for (const uint32_t epoch : {0u, 1u, 70'000u}) {
    const Bytes context = context_of({Epoch(epoch), a_view()});
    const auto read = read_context(context);
    ASSERT_TRUE(read.ok()) << read.message();
    EXPECT_EQ(read->epoch, Epoch(epoch));
    EXPECT_EQ(read->view.view, View(7));
    EXPECT_EQ(read->view.start, BatchNumber(40));
    EXPECT_EQ(read->view.quarantine, a_view().quarantine);
    const size_t of_first = context_of({Epoch(), a_view()}).size();
    for (size_t size = 0; size < context.size(); ++size) {
      if (size != of_first) {
        EXPECT_FALSE(read_context(ByteView(context).substr(0, size)).ok()) << size;
      }
    }
    EXPECT_FALSE(read_context(context + 'x').ok());
  }
  EXPECT_FALSE(read_context(context_of({Epoch(), a_view()}) + Bytes(4, '\0')).ok());
}

}  // namespace
}  // namespace eve::durability
