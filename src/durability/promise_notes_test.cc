#include "durability/promise_notes.h"

#include <gtest/gtest.h>

#include "crypto/hex.h"
#include "durability/promise_testing.h"
#include "journal/format.h"

namespace eve::durability {
namespace {

using testing::a_life;
using testing::all_of;
using testing::bytes_of;
using verification::Promise;
using verification::Promises;
using verification::testing::digester;
using verification::testing::kGenesis;

Result<bool> apply(const Note& note, Promises& all) {
  return apply_note(note.kind, note.number, note.payload, kGenesis, digester(), all);
}

std::vector<Note> notes_of_a_life() {
  std::vector<Note> notes;
  Promises all(kGenesis);
  for (const Promise& promise : a_life()) {
    EXPECT_TRUE(all.apply(promise));
    notes.push_back(note_of(promise, all.promised));
  }
  return notes;
}

TEST(PromiseNotes, ReadBackTheyLeadToTheSame) {
  const auto promises = a_life();
  const auto notes = notes_of_a_life();
  Promises read(kGenesis);
  Promises made(kGenesis);
  for (size_t i = 0; i < notes.size(); ++i) {
    ASSERT_TRUE(made.apply(promises[i]));
    const auto follows = apply(notes[i], read);
    ASSERT_TRUE(follows.ok()) << follows.message();
    EXPECT_TRUE(*follows);
    EXPECT_EQ(bytes_of(read), bytes_of(made)) << i;
    EXPECT_EQ(View(notes[i].number), made.promised);
    Promises at_once(kGenesis);  // from the note of everything
    ASSERT_TRUE(apply(note_of(made), at_once).ok());
    EXPECT_EQ(bytes_of(at_once), bytes_of(made)) << i;
  }
}

TEST(PromiseNotes, WhatIsKeptOfALife) {
  const Promises all = all_of(a_life());
  EXPECT_EQ(all.promised, View(3));
  EXPECT_EQ(all.view(), View(2));
  ASSERT_TRUE(all.asked);
  EXPECT_EQ(all.asked->view, View(3));
  EXPECT_EQ(all.held.number, BatchNumber(4));
  EXPECT_FALSE(all.start_is_open());
  std::vector<uint64_t> prepares;
  for (const auto& [number, prepare] : all.prepares) prepares.push_back(number.value());
  EXPECT_EQ(prepares, (std::vector<uint64_t>{3, 4, 5}));
  EXPECT_EQ(all.certificates.size(), 2u);
  ASSERT_EQ(all.blamed.size(), 1u);
  EXPECT_EQ(all.blamed[0].views, 3u);
}

TEST(PromiseNotes, TheChosenCertificateIsHeldFromTheJoiningOn) {
  Promises all(kGenesis);
  ASSERT_TRUE(all.apply(testing::new_view(2, testing::certificate(0, 3))));
  EXPECT_EQ(all.held.number, BatchNumber(3));
}

TEST(PromiseNotes, WhatCannotFollowIsRefused) {
  const auto refused = [](std::vector<Promise> before, const Promise& promise) {
    Promises all = all_of(before);
    return !all.apply(promise);
  };
  EXPECT_TRUE(refused({testing::prepare(0, 1)}, testing::prepare(0, 1)));
  EXPECT_TRUE(refused({}, testing::prepare(1, 1)));
  EXPECT_TRUE(refused({}, testing::certificate(1, 1)));
  EXPECT_TRUE(refused(a_life(), testing::new_view(2, testing::certificate(0, 3))));
  EXPECT_TRUE(refused(
      a_life(),
      verification::testing::Signer(testing::kModel, 0).change(2, testing::certificate(0, 3))));
  EXPECT_FALSE(refused(a_life(), testing::new_view(3, testing::certificate(2, 4))));
}

TEST(PromiseNotes, DamagedOnesAreErrors) {
  auto notes = notes_of_a_life();
  notes.push_back(note_of(all_of(a_life())));
  for (const Note& note : notes) {
    for (size_t size = 0; size < note.payload.size(); ++size) {
      Promises all(kGenesis);
      const Note cut{note.kind, note.number, note.payload.substr(0, size)};
      EXPECT_FALSE(apply(cut, all).ok()) << note.kind << " at " << size;
    }
    Promises all(kGenesis);
    EXPECT_FALSE(apply({note.kind, note.number, note.payload + 'x'}, all).ok()) << note.kind;
  }
  for (const uint16_t kind : {0, 10, 77}) {
    Promises all(kGenesis);
    EXPECT_FALSE(apply({kind, 0, {}}, all).ok());
  }
}

/// A log of today must be read by later releases: another version if this changes.
TEST(PromiseNotes, TodaysBytes) {
  const auto notes = notes_of_a_life();
  EXPECT_EQ(crypto::to_hex(notes[0].payload), "0100000000");
  Bytes all;
  for (const Note& note : notes) {
    all += std::to_string(note.kind) + ':' + std::to_string(note.number) + ':' + note.payload;
  }
  all += bytes_of(all_of(a_life()));
  const auto sum = journal::checksum(all);
  EXPECT_EQ(crypto::to_hex({reinterpret_cast<const char*>(sum.data()), sum.size()}),
            "20efc2898d179aca8f409c3c004eb221");
}

}  // namespace
}  // namespace eve::durability
