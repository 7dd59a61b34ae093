// One of the two executors of the primary-backup configuration (DESIGN 6.6): runs batches, compares
// with the other one, answers clients, and decides with the record who may. A state machine without
// I/O: every method takes the time and fills an Outbox. Rules P1 to P14: docs/primary-backup.md.
//
//                 +---------------------- another life, a later record -----------------+
//                 v                                                                      |
//   waiting -> returning --level, recorded--> in sync (backup) --promotion recorded--> leading
//      |                                        ^   |                                    ^
//      +-- forming, recorded -------------------+---+------------------------------------+
//
// Invariants: only the primary of the record's epoch answers, only with its life in the record, and
// only what is committed; nothing that was answered is given up by a replica whose life the record
// names; epochs only grow.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "execution/executor.h"
#include "execution/recovered.h"
#include "pair/record.h"

namespace eve::pair {

struct ReplicaOptions {
  uint16_t index = 0;    ///< 0 or 1
  uint16_t clients = 0;  ///< how many client identities the cluster knows
  uint64_t life = 0;     ///< of its state: random, not 0, drawn when that was empty
  uint64_t process = 0;  ///< random, not 0, drawn by this process
  Record record;         ///< as found: in the arbiter, or in this replica's own copy
  /// The record is changed by compare-and-swap where others change it too. Else it is this
  /// replica's own, and bounds on time stand in for it.
  bool arbiter = false;
  crypto::Digest genesis;             ///< wire::genesis_token of the state at batch 0
  TimeUs genesis_time_us = 0;         ///< batches are later than that
  TimeUs silence_us = 1'000'000;      ///< without a word, then taken for dead
  TimeUs progress_us = 10'000'000;    ///< a batch that one has run, and the other has not
  TimeUs suspect_after_us = 400'000;  ///< how long a bundle waits for one before it
  TimeUs resend_after_us = 100'000;   ///< batches without an answer, questions of state transfer
  size_t pipeline = 2;  ///< batches that a primary keeps in flight unless full ones wait
};

/// A wish to change the record. `answer`: the host calls on_record() with the record as it is then,
/// and asks again until it knows. Else the record is another's word, to be kept in this replica's
/// own copy.
struct Request {
  Record expected;
  Record wanted;
  bool answer = true;
};

struct Outbox : execution::Outbox {
  std::vector<Request> requests;
};

/// For `eve status` and checkers; a value. `view` is the record's epoch.
struct ReplicaStatus : execution::ExecutorStatus {
  Record record;
  bool leading = false;  ///< answers clients
  bool in_sync = false;  ///< the record names its present life, and it has not just restarted
  bool resumed = false;  ///< P14: it has a state of before its start, and was in no term since
  bool in_doubt = false;
  bool asking = false;    ///< the arbiter has not answered
  bool conflict = false;  ///< P11: start over with a new life
  uint64_t terms = 0;     ///< led or joined
  uint64_t promotions = 0;
  uint64_t times_alone = 0;
  uint64_t readmissions = 0;
  uint64_t divergences = 0;
  uint64_t states_taken = 0;  ///< P10: that the backup took because nothing else helped
  uint64_t doubts = 0;
};

class Replica {
 public:
  Replica(const ReplicaOptions& options, const crypto::Authenticator& authenticator,
          const crypto::Digester& digester);
  ~Replica();

  /// P13. Before start(): what an earlier process of this life has left. The runner stands after
  /// it.
  void recover(execution::Recovered recovered);
  /// Once, first.
  void start(TimeUs now, Outbox& out);
  /// A decoded message whose sender's identity the host has authenticated.
  void receive(const wire::Message& message, Address from, TimeUs now, Outbox& out);
  void on_event(execution::Event event, TimeUs now, Outbox& out);
  /// The answer to the request that is open.
  void on_record(const Record& record, TimeUs now, Outbox& out);
  /// Called at or after deadline(); harmless at any other time.
  void tick(TimeUs now, Outbox& out);
  TimeUs deadline() const;
  /// The host has handed over all that had arrived: time for decisions.
  void idle(TimeUs now, Outbox& out);

  ReplicaStatus status() const;
  /// status() but for waiting_for.
  ReplicaStatus glance() const;
  execution::ExecutorLoad load() const;
  const Refusals& refusals() const;
  /// Tokens of the last committed batches, oldest first, at most limits::kHistoryBatches.
  std::vector<execution::Executor::Committed> recent() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eve::pair
