// For the tests of checkpoints: replicas with a state to write down.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "durability/checkpoint_file.h"
#include "durability/checkpoint_reader.h"
#include "execution/runner_testing.h"
#include "execution/state_export.h"
#include "journal/testing_disk.h"

namespace eve::durability::testing {

using execution::testing::digester;
using execution::testing::Replica;
using journal::Position;
using journal::testing::TestDisk;

/// A replica with one session, whose batches write words.
struct Writer {
  explicit Writer(size_t workers = 1) : replica(workers) {
    session = replica.open_session();
    replica.commit(replica.number);
  }

  wire::BatchPtr batch(const std::vector<Bytes>& requests) {
    auto bundle = execution::testing::call(0, session, next, requests, next - 1);
    next += requests.size();
    return replica.batch({bundle});
  }
  /// Writes `count` keys from `first` on, and commits.
  void write(size_t first, size_t count, const std::string& value) {
    std::vector<Bytes> requests;
    for (size_t i = first; i < first + count; ++i) {
      requests.push_back("set key" + std::to_string(i) + " " + value + std::to_string(i));
    }
    replica.run(batch(requests));
    replica.commit(replica.number);
  }

  Replica replica;
  SessionId session;
  uint64_t next = 1;
};

inline CheckpointHeader header() {
  return {{"cluster-1", "executor-2"}, journal::testing::life(7), {}, 0};
}

inline CheckpointFileOptions small_file() {
  return {1000, 0};
}

inline CheckpointWanted wanted() {
  const auto made = header();
  return {made.owner, made.life, made.genesis, Position(1)};
}

/// Writes the state of `replica` down, as it is; the file's name.
inline Result<std::string> write_checkpoint(journal::Disk& disk, Replica& replica,
                                            Position position, size_t chunk_bytes = 300,
                                            const Bytes& context = "context") {
  auto file = CheckpointFile::create(disk, header(), digester(), small_file());
  if (!file) return file.error();
  const auto pieces = replica.runner.start_export(chunk_bytes);
  for (auto piece = pieces->next(); piece; piece = pieces->next()) {
    const CheckpointVersion version{piece->parts.number, piece->parts.state};
    if (auto status = (*file)->add(version, piece->chunk); !status) return Error{status.message()};
    if (!piece->last) continue;
    const Status ended = (*file)->end({piece->parts, piece->token, position, context});
    if (!ended) return Error{ended.message()};
  }
  for (;;) {
    const auto done = (*file)->go_on();
    if (!done) return done.error();
    if (*done) return (*file)->name();
  }
}

}  // namespace eve::durability::testing
