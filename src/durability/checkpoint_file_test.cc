#include "durability/checkpoint_file.h"

#include <gtest/gtest.h>

#include <set>

#include "durability/checkpoint_testing.h"
#include "state/import.h"

namespace eve::durability {
namespace {

using testing::digester;
using testing::Replica;
using testing::TestDisk;
using testing::write_checkpoint;
using testing::Writer;

constexpr journal::Position kPlace{42};

/// What a fresh replica makes of the disk.
struct Recovered {
  explicit Recovered(journal::Disk& disk, const CheckpointWanted& wanted = testing::wanted())
      : found(read_checkpoint(disk, wanted, replica.runner)) {}
  bool has_state() const { return found.ok() && found->checkpoint.has_value(); }

  Replica replica;
  Result<CheckpointFound> found;
};

TEST(Checkpoint, BringsTheStateBack) {
  for (const size_t keys : {1u, 20u, 700u}) {
    Writer writer;
    writer.write(0, keys, "value");
    TestDisk disk;
    const auto name = write_checkpoint(disk, writer.replica, kPlace);
    ASSERT_TRUE(name.ok()) << name.message();
    EXPECT_EQ(disk.names(), std::vector<std::string>{*name});

    Recovered after(disk);
    ASSERT_TRUE(after.has_state());
    EXPECT_TRUE(after.found->troubles.empty());
    EXPECT_EQ(after.replica.runner.root(), writer.replica.runner.root());
    EXPECT_EQ(after.replica.runner.recompute_root(), writer.replica.runner.root());
    const auto& end = after.found->checkpoint->end;
    EXPECT_EQ(end.parts.number, BatchNumber(writer.replica.number));
    EXPECT_EQ(end.position, kPlace);
    EXPECT_EQ(end.context, "context");
  }
}

TEST(Checkpoint, TheNextBatchLeadsToTheSameToken) {
  Writer writer(4);
  writer.write(0, 300, "value");
  TestDisk disk;
  ASSERT_TRUE(write_checkpoint(disk, writer.replica, kPlace).ok());
  Recovered after(disk);
  ASSERT_TRUE(after.has_state());
  for (int i = 0; i < 3; ++i) {
    const auto batch = writer.batch({"add sum 3", "count", "set key7 changed"});
    const auto here = writer.replica.run(batch);
    const auto there = after.replica.run(batch);
    EXPECT_EQ(there.token, here.token);
    EXPECT_EQ(execution::testing::texts(there.replies[0], 3)[1], "301");
  }
}

TEST(Checkpoint, AnImportOfAnotherStateThanTheTokensIsRefused) {
  Writer writer;
  writer.write(0, 30, "value");
  const auto pieces = writer.replica.runner.start_export(300);
  Replica fresh;
  auto piece = *pieces->next();
  {
    const auto importer = fresh.runner.start_import(piece.parts.state);
    for (;; piece = *pieces->next()) {
      ASSERT_TRUE(importer->supply(piece.chunk).ok());
      if (piece.last) break;
    }
    auto parts = piece.parts;
    parts.state.bytes[0] ^= 1;
    EXPECT_FALSE(fresh.runner.finish_import(*importer, parts).ok());
  }
  EXPECT_EQ(fresh.runner.root(), fresh.runner.empty_root());
}

TEST(Checkpoint, SaysWhatItIsWithoutBeingImported) {
  Writer writer;
  writer.write(0, 100, "value");
  TestDisk disk;
  const auto name = write_checkpoint(disk, writer.replica, kPlace);
  ASSERT_TRUE(name.ok());
  const auto info = inspect_checkpoint(disk, *name);
  ASSERT_TRUE(info.ok()) << info.message();
  EXPECT_EQ(info->header.owner, testing::header().owner);
  EXPECT_EQ(info->header.life, testing::header().life);
  EXPECT_EQ(info->header.serial, 1u);
  EXPECT_EQ(info->end.parts.number, BatchNumber(writer.replica.number));
  EXPECT_EQ(info->end.parts.state, writer.replica.runner.root());
  EXPECT_EQ(info->end.token, writer.replica.runner.token_of(info->end.parts));
  EXPECT_GT(info->end.chunks, 10u);
  EXPECT_EQ(info->file_bytes, disk.content(*name).size());
  const auto verified = verify_checkpoint(disk, *name, digester());
  ASSERT_TRUE(verified.ok()) << verified.message();
  EXPECT_EQ(verified->end.chunk_bytes, info->end.chunk_bytes);
}

TEST(Checkpoint, IsOfTheNewerVersionWhereTheExportHadToMove) {
  Writer writer;
  writer.write(0, 400, "value");
  TestDisk disk;
  auto file = CheckpointFile::create(disk, testing::header(), digester(), testing::small_file());
  ASSERT_TRUE(file.ok());
  const auto pieces = writer.replica.runner.start_export(400);
  std::set<uint64_t> versions;
  for (int step = 0;; ++step) {
    auto piece = pieces->next();
    ASSERT_TRUE(piece.has_value());
    versions.insert(piece->parts.number.value());
    ASSERT_TRUE((*file)->add({piece->parts.number, piece->parts.state}, piece->chunk).ok());
    if (piece->last) {
      ASSERT_TRUE((*file)->end({piece->parts, piece->token, kPlace, ""}).ok());
      break;
    }
    // More batches than a pin may hold, twice; some keys go, some come.
    for (int batch = 0; (step == 10 || step == 40) && batch < 1100; ++batch) {
      writer.write(batch % 300, 2, "other" + std::to_string(step));
    }
    if (step == 20) writer.write(400, 60, "new");
  }
  EXPECT_EQ(versions.size(), 3u);
  for (;;) {
    const auto done = (*file)->go_on();
    ASSERT_TRUE(done.ok()) << done.message();
    if (*done) break;
  }
  Recovered after(disk);
  ASSERT_TRUE(after.has_state());
  EXPECT_EQ(after.found->checkpoint->end.parts.number.value(), *versions.rbegin());
  EXPECT_EQ(after.replica.runner.recompute_root(), after.found->checkpoint->end.parts.state);
}

TEST(Checkpoint, EndsWhereAnotherStateIsInstalled) {
  Writer writer;
  writer.write(0, 100, "value");
  const auto pieces = writer.replica.runner.start_export(300);
  ASSERT_TRUE(pieces->next());
  Writer other;
  other.write(0, 5, "other");
  other.write(5, 5, "other");
  other.write(5, 5, "more");
  // Peers bring another state (as in a repair).
  const auto executed = other.replica.run(other.batch({"set last word"}));
  other.replica.commit(other.replica.number);
  auto wants = writer.replica.apply(execution::StartFetch{executed.parts});
  while (const auto* want = std::get_if<execution::FetchWants>(&wants.at(0))) {
    ASSERT_FALSE(want->nodes.empty());
    EXPECT_EQ(writer.replica.runner.start_export(300), nullptr) << "a fetch is under way";
    wire::StateRequest request;
    request.number = executed.parts.number;
    request.nodes = want->nodes;
    auto served = other.replica.apply(execution::ServeState{{}, request});
    wants = writer.replica.apply(
        execution::SupplyFetch{{}, std::get<execution::StateServed>(served.at(0)).reply, {}});
  }
  EXPECT_TRUE(pieces->ended());
  EXPECT_FALSE(pieces->next());
}

// ---- Damage ----

TEST(Checkpoint, NoDamagePasses) {
  Writer writer;
  writer.write(0, 30, "value");
  TestDisk original;
  const auto name = write_checkpoint(original, writer.replica, kPlace);
  ASSERT_TRUE(name.ok());
  const Bytes good = original.content(*name);
  const auto refused = [&](const Bytes& bytes, const std::string& what) {
    TestDisk disk;
    disk.put_file(*name, bytes);
    CheckpointFault fault = CheckpointFault::kNewer;
    EXPECT_FALSE(verify_checkpoint(disk, *name, digester(), &fault).ok()) << what;
    EXPECT_EQ(fault, CheckpointFault::kDamaged) << what;
    Recovered after(disk);
    EXPECT_TRUE(after.found.ok() && !after.has_state()) << what;
    EXPECT_EQ(after.found->troubles.size(), 1u) << what;
    EXPECT_EQ(disk.names(), std::vector<std::string>{*name + ".damaged"}) << what;
    EXPECT_EQ(after.replica.runner.root(), after.replica.runner.empty_root()) << what;
  };
  for (size_t at = 0; at < good.size(); at += 3) {
    Bytes bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    refused(bytes, "flipped at " + std::to_string(at));
  }
  for (size_t size = 0; size < good.size(); size += 17) {
    refused(good.substr(0, size), "cut at " + std::to_string(size));
  }
  for (size_t at = 0; at < good.size(); at += 512) {
    Bytes bytes = good;
    for (size_t i = at; i < std::min(at + 512, bytes.size()); ++i) bytes[i] = '\0';
    if (bytes != good) refused(bytes, "blank at " + std::to_string(at));
  }
  refused(good + "x", "longer");
  refused(good + good, "twice");
}

/// A file with right sums that says what `change` makes of it.
struct Forged {
  std::vector<std::pair<FrameKind, Bytes>> frames;
  CheckpointHeader header = testing::header();

  Bytes bytes() {
    header.serial = 1;
    Bytes out = encode(header);
    const auto file = file_id(out);
    uint64_t index = 0;
    uint64_t end_offset = 0;
    for (const auto& [kind, body] : frames) {
      end_offset = out.size();
      out += encode(
          FrameHead{kind, static_cast<uint32_t>(body.size()), index++, journal::checksum(body)},
          file);
      out += body;
    }
    return out + encode(CheckpointFooter{end_offset, index}, file);
  }
};

class ForgedCheckpoint : public ::testing::Test {
 protected:
  ForgedCheckpoint() {
    writer.write(0, 60, "value");
    TestDisk disk;
    const auto name = write_checkpoint(disk, writer.replica, kPlace);
    auto reader = CheckpointReader::open(disk, *name);
    for (auto frame = (*reader)->next(); *frame; frame = (*reader)->next()) {
      file.frames.emplace_back((*frame)->kind, (*frame)->body);
    }
    file.header = (*reader)->info().header;
    end = (*reader)->info().end;
    file.frames.emplace_back(FrameKind::kEnd, encode(end));
  }
  void set_end() { file.frames.back().second = encode(end); }
  bool passes() {
    TestDisk disk;
    disk.put_file(checkpoint_name(1), file.bytes());
    const bool verified = verify_checkpoint(disk, checkpoint_name(1), digester()).ok();
    Recovered after(disk);
    EXPECT_EQ(after.has_state(), verified);
    if (!after.has_state()) {
      EXPECT_EQ(after.replica.runner.root(), after.replica.runner.empty_root());
    }
    return verified;
  }

  Writer writer;
  Forged file;
  CheckpointEnd end;
};

TEST_F(ForgedCheckpoint, PassesAsItWas) {
  EXPECT_TRUE(passes());
}
TEST_F(ForgedCheckpoint, LacksAChunk) {
  const Bytes lost = file.frames[2].second;
  file.frames.erase(file.frames.begin() + 2);
  EXPECT_FALSE(passes());
  --end.chunks;
  end.chunk_bytes -= lost.size();
  set_end();
  EXPECT_FALSE(passes()) << "its end does not know of the chunk";
}
TEST_F(ForgedCheckpoint, BringsAChunkTwice) {
  file.frames.insert(file.frames.begin() + 2, file.frames[2]);
  EXPECT_FALSE(passes());
}
TEST_F(ForgedCheckpoint, NamesAnotherRoot) {
  end.parts.state.bytes[0] ^= 1;
  end.token = writer.replica.runner.token_of(end.parts);
  set_end();
  EXPECT_FALSE(passes());
}
TEST_F(ForgedCheckpoint, NamesAnotherToken) {
  end.token.bytes[0] ^= 1;
  set_end();
  EXPECT_FALSE(passes());
}
TEST_F(ForgedCheckpoint, NamesAnotherNumber) {
  end.parts.number = end.parts.number.next();
  end.token = writer.replica.runner.token_of(end.parts);
  set_end();
  EXPECT_FALSE(passes());
}
TEST_F(ForgedCheckpoint, IsOfAnotherState) {
  Writer other;
  other.write(0, 60, "other");
  const auto pieces = other.replica.runner.start_export(1 << 20);
  file.frames[1].second = pieces->next()->chunk;
  EXPECT_FALSE(passes());
}
TEST_F(ForgedCheckpoint, SaysKeptOfWhatItNeverBrought) {
  // Parts of the second version are said to have come with the first.
  TestDisk disk;
  const auto pieces = writer.replica.runner.start_export(300);
  std::vector<execution::StateExport::Piece> first;
  for (int i = 0; i < 5; ++i) first.push_back(*pieces->next());
  for (int i = 0; i < 1100; ++i) writer.write(7, 1, "again");
  std::vector<execution::StateExport::Piece> rest;
  while (auto piece = pieces->next()) rest.push_back(std::move(*piece));
  ASSERT_GT(rest.size(), 1u);
  ASSERT_EQ(pieces->moved(), 1u);
  file.frames.clear();
  const auto add = [&](const execution::StateExport::Piece& piece, bool version) {
    if (version) {
      file.frames.emplace_back(FrameKind::kVersion,
                               encode(CheckpointVersion{piece.parts.number, piece.parts.state}));
    }
    file.frames.emplace_back(FrameKind::kChunk, piece.chunk);
  };
  for (const auto& piece : first) add(piece, &piece == &first.front());
  for (const auto& piece : rest) add(piece, &piece == &rest.front());
  end.parts = rest.back().parts;
  end.token = rest.back().token;
  end.chunks = first.size() + rest.size();
  end.chunk_bytes = 0;
  for (const auto& piece : first) end.chunk_bytes += piece.chunk.size();
  for (const auto& piece : rest) end.chunk_bytes += piece.chunk.size();
  file.frames.emplace_back(FrameKind::kEnd, encode(end));
  ASSERT_TRUE(passes());
  file.frames.erase(file.frames.begin() + 4);
  --end.chunks;
  end.chunk_bytes -= first[3].chunk.size();
  set_end();
  EXPECT_FALSE(passes());
}
TEST_F(ForgedCheckpoint, BeginsWithoutAVersion) {
  file.frames.erase(file.frames.begin());
  EXPECT_FALSE(passes());
}
TEST_F(ForgedCheckpoint, HasNothingButAnEnd) {
  file.frames.erase(file.frames.begin() + 1, file.frames.end() - 1);
  end.chunks = end.chunk_bytes = 0;
  set_end();
  EXPECT_FALSE(passes());
}

// ---- Whose it is ----

TEST(Checkpoint, OfAnotherNodeServiceOrReleaseIsLeftAlone) {
  Writer writer;
  writer.write(0, 10, "value");
  TestDisk disk;
  const auto name = write_checkpoint(disk, writer.replica, kPlace);
  ASSERT_TRUE(name.ok());
  const auto refused = [&](const CheckpointWanted& wanted) {
    Recovered after(disk, wanted);
    EXPECT_FALSE(after.found.ok());
    EXPECT_EQ(disk.names(), std::vector<std::string>{*name});
    return after.found.ok() ? "" : after.found.message();
  };
  auto wanted = testing::wanted();
  wanted.owner->node = "executor-1";
  EXPECT_NE(refused(wanted).find("executor-2"), std::string::npos);
  wanted = testing::wanted();
  wanted.owner->cluster = "cluster-2";
  refused(wanted);
  wanted = testing::wanted();
  wanted.genesis.bytes[5] = 1;
  EXPECT_NE(refused(wanted).find("another service"), std::string::npos);
  wanted.genesis = {};
  wanted.owner.reset();
  EXPECT_TRUE(Recovered(disk, wanted).has_state());
}

TEST(Checkpoint, OfAnotherLogOrOfOneThatIsCutIsNotUsed) {
  Writer writer;
  writer.write(0, 10, "value");
  TestDisk disk;
  const auto name = write_checkpoint(disk, writer.replica, kPlace);
  ASSERT_TRUE(name.ok());
  auto wanted = testing::wanted();
  wanted.log_begin = kPlace;
  EXPECT_TRUE(Recovered(disk, wanted).has_state());
  wanted.log_begin = kPlace.next();
  Recovered cut(disk, wanted);
  EXPECT_FALSE(cut.has_state());
  EXPECT_EQ(cut.found->troubles.size(), 1u);
  wanted = testing::wanted();
  wanted.life = journal::testing::life(8);
  Recovered other(disk, wanted);
  EXPECT_FALSE(other.has_state());
  EXPECT_EQ(disk.names(), std::vector<std::string>{*name});
}

TEST(Checkpoint, TheOneBeforeIsTakenWhereTheNewestIsDamaged) {
  Writer writer;
  writer.write(0, 50, "value");
  TestDisk disk;
  ASSERT_TRUE(write_checkpoint(disk, writer.replica, kPlace).ok());
  const auto root = writer.replica.runner.root();
  writer.write(50, 50, "value");
  const auto newest = write_checkpoint(disk, writer.replica, journal::Position(99));
  ASSERT_TRUE(newest.ok());
  disk.flip(*newest, 1500);
  Recovered after(disk);
  ASSERT_TRUE(after.has_state());
  EXPECT_EQ(after.found->checkpoint->end.position, kPlace);
  EXPECT_EQ(after.replica.runner.root(), root);
  ASSERT_EQ(after.found->troubles.size(), 1u);
  EXPECT_NE(after.found->troubles[0].find(".damaged"), std::string::npos);
  EXPECT_TRUE(disk.has(*newest + ".damaged"));
  // Its serial is not used again.
  EXPECT_EQ(*write_checkpoint(disk, writer.replica, kPlace), checkpoint_name(3));
}

TEST(Checkpoint, WhatCannotBeReadNowIsNotSetAside) {
  Writer writer;
  writer.write(0, 50, "value");
  TestDisk disk;
  const auto name = write_checkpoint(disk, writer.replica, kPlace);
  disk.unreadable.insert(*name);
  Recovered after(disk);
  EXPECT_FALSE(after.has_state());
  EXPECT_EQ(after.found->troubles.size(), 1u);
  disk.unreadable.clear();
  EXPECT_TRUE(Recovered(disk).has_state());
}

TEST(Checkpoint, UnfinishedOnesAreRemoved) {
  TestDisk disk;
  disk.put_file(checkpoint_name(9) + ".new", "half");
  disk.put_file("log-0000000000000001.log", "not mine");
  Recovered after(disk);
  EXPECT_TRUE(after.found.ok() && !after.has_state());
  EXPECT_EQ(disk.names(), std::vector<std::string>{"log-0000000000000001.log"});
}

// ---- Writing ----

TEST(Checkpoint, IsRefusedWhereWhatTheDiskHoldsIsNotWhatWasWritten) {
  Writer writer;
  writer.write(0, 50, "value");
  TestDisk disk;
  auto file = CheckpointFile::create(disk, testing::header(), digester(), testing::small_file());
  const auto pieces = writer.replica.runner.start_export(300);
  while (auto piece = pieces->next()) {
    ASSERT_TRUE((*file)->add({piece->parts.number, piece->parts.state}, piece->chunk).ok());
    if (!piece->last) continue;
    ASSERT_TRUE((*file)->end({piece->parts, piece->token, kPlace, ""}).ok());
  }
  disk.flip(checkpoint_name(1) + ".new", 2000);
  Result<bool> done = false;
  while (done.ok() && !*done) done = (*file)->go_on();
  EXPECT_FALSE(done.ok());
  file->reset();
  EXPECT_TRUE(disk.names().empty());
}

TEST(Checkpoint, IsNamedOnlyAfterItWasSyncedAndRead) {
  Writer writer;
  writer.write(0, 50, "value");
  TestDisk disk;
  ASSERT_TRUE(write_checkpoint(disk, writer.replica, kPlace).ok());
  const auto& calls = disk.calls;
  size_t last_write = 0;
  size_t last_sync = 0;
  size_t rename = 0;
  size_t names = 0;
  for (size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].rfind("write", 0) == 0) last_write = i;
    if (calls[i].rfind("sync check", 0) == 0) last_sync = i;
    if (calls[i].rfind("rename", 0) == 0) rename = i;
    if (calls[i] == "sync_names") names = i;
  }
  EXPECT_LT(last_write, last_sync);
  EXPECT_LT(last_sync, rename);
  EXPECT_LT(rename, names);
  EXPECT_GT(disk.count("sync check"), disk.content(checkpoint_name(1)).size() / 2000);
}

TEST(Checkpoint, LeavesRoomForTheLog) {
  Writer writer;
  writer.write(0, 50, "value");
  TestDisk disk;
  disk.capacity = 20'000;
  CheckpointFileOptions options{500, 18'500};
  auto file = CheckpointFile::create(disk, testing::header(), digester(), options);
  ASSERT_TRUE(file.ok());
  const auto pieces = writer.replica.runner.start_export(300);
  Status status;
  while (status.ok()) {
    const auto piece = pieces->next();
    ASSERT_TRUE(piece.has_value()) << "the disk was never too full";
    status = (*file)->add({piece->parts.number, piece->parts.state}, piece->chunk);
  }
  EXPECT_NE(status.message().find("left on the disk"), std::string::npos);
  file->reset();
  EXPECT_TRUE(disk.names().empty());
}

TEST(Checkpoint, OlderOnesGoAndDamagedOnesStay) {
  Writer writer;
  writer.write(0, 10, "value");
  TestDisk disk;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(write_checkpoint(disk, writer.replica, kPlace).ok());
  disk.put_file(checkpoint_name(1) + ".damaged", "evidence");
  disk.put_file("log-0000000000000001.log", "not mine");
  ASSERT_TRUE(remove_older_checkpoints(disk, 3).ok());
  EXPECT_EQ(disk.names(),
            (std::vector<std::string>{checkpoint_name(1) + ".damaged", checkpoint_name(3),
                                      "log-0000000000000001.log"}));
}

}  // namespace
}  // namespace eve::durability
