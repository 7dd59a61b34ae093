// Appends records to a log and makes them durable, many with one sync. docs/journal.md, J1 to J9.
//
//   auto recovery = read_log(disk, options, visitor);
//   auto log = recovery->empty ? LogWriter::create(disk, options, life)
//                              : LogWriter::resume(disk, options, *recovery);
//   (*log)->append(kind, number, payload);   // any number of them
//   (*log)->flush();                         // now they may be acknowledged
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "eve/result.h"
#include "journal/disk.h"
#include "journal/log.h"
#include "journal/reserve.h"

namespace eve::journal {

/// How much room there is.
enum class Space : uint8_t {
  kEnough,
  kLow,          ///< accept no more work
  kReserveUsed,  ///< the disk was full; end in order, or wait for kEnough
};

/// A record to append.
struct NewRecord {
  uint16_t kind = 0;
  uint64_t number = 0;
  ByteView payload;
};

/// Every error poisons the writer: all that follow return the first one, and nothing is written any
/// more, because what a failed sync leaves behind is unknown. What had been acknowledged stays so.
/// The way on is the one after a crash: another read_log() and resume(), in this process or the
/// next. An error's kind says why: kNoSpace, wait for room and then go that way; anything else, the
/// disk needs somebody.
///
/// Calls block; one thread at a time. The disk must outlive the writer.
class LogWriter {
 public:
  /// A log that is not there yet: durable, with the records of `first`, when it returns. `life` is
  /// random. Error if there is a segment of this name.
  static Result<std::unique_ptr<LogWriter>> create(Disk& disk, const LogOptions& options,
                                                   const Life& life,
                                                   const std::vector<NewRecord>& first = {});
  /// Goes on with what was read, in a new segment: earlier files are never written again. When it
  /// returns, all that was visited is durable, and so are `first`, as one with the setting aside of
  /// damaged files. If there was damage, `first` must say so: the next process does not see it any
  /// more. Error if nothing of the log was readable (see set_aside_log).
  static Result<std::unique_ptr<LogWriter>> resume(Disk& disk, const LogOptions& options,
                                                   const Recovery& recovery,
                                                   const std::vector<NewRecord>& first = {});

  const Life& life() const { return life_; }
  /// Buffers a record; nothing is written before flush(). Error, without poison, if the payload is
  /// above limits::kMaxJournalRecordBytes, or more than limits::kMaxJournalBufferBytes wait.
  Result<Position> append(uint16_t kind, uint64_t number, ByteView payload);
  /// Writes what is buffered with one sync. On success all records below durable_end() survive.
  Status flush();
  /// Writes what is buffered without a sync: on success it survives this process, but not the
  /// machine, and durable_end() stays.
  Status write();
  /// After the last flush, when the node is idle: says on the disk that it was acknowledged, so
  /// that damage to it cannot pass for a torn tail. Costs a sync, unless nothing was flushed since.
  Status settle();
  /// flush(), and the mark of an orderly end. Nothing can be appended after it.
  Status close();

  /// Removes the segments all of whose records are below `before`, oldest first.
  Status cut(Position before);

  /// The position that the next record gets.
  Position end() const { return end_; }
  Position durable_end() const { return durable_end_; }
  uint64_t buffered_bytes() const { return buffered_bytes_; }
  /// Given to the disk so far by this writer, with headers and padding.
  uint64_t written_bytes() const { return written_bytes_; }
  /// In so many files the log lies: each opening adds one.
  size_t segments() const { return segments_.size(); }
  /// The log's age: how often it has been opened, this time included.
  uint64_t opened() const { return opened_; }
  /// The poison, with its kind; ok while there is none.
  const Status& state() const { return failure_; }

  /// Asks the disk. Takes the reserve again when there is room for it. For once in a while, and
  /// before work is accepted after a pause.
  Result<Space> check_space();

 private:
  struct Segment {
    uint64_t serial = 0;
    Position first;
  };
  struct Group {
    GroupHeader header;
    Bytes bytes;  ///< room for the header, and the body
  };

  LogWriter(Disk& disk, const LogOptions& options);

  static Status clear_way(Disk& disk, const LogOptions& options, uint64_t& highest_serial);
  Status refuse(Status why);
  /// Once more when the reserve has been given up, if there was no room for `attempt`.
  template <typename Attempt>
  auto with_reserve(Attempt attempt);
  Status begin_segment(SegmentHeader header, const Recovery* copy_from,
                       const std::vector<NewRecord>& first);
  void remove_unfinished(const std::vector<std::string>& files);
  Status fill_segment(const SegmentHeader& header, const Recovery* copy_from,
                      const std::vector<NewRecord>& first);
  Status copy_groups(const Recovery& recovery);
  Status retire(const Recovery& recovery);
  Status roll();
  Group& open_group();
  Status write_group(Group group, uint64_t settled);
  Status write_all(uint64_t offset, ByteView bytes);
  Status write_pending(bool to_be_synced);
  Status sync();
  Status extend(uint64_t bytes);
  Status mark(bool closes);

  Disk& disk_;
  const LogOptions options_;
  Reserve reserve_;
  Status failure_;
  Life life_{};
  uint64_t opened_ = 1;

  std::vector<Segment> segments_;  ///< the last is being written
  std::unique_ptr<File> file_;
  uint64_t serial_ = 0;  ///< the highest in any name
  uint64_t offset_ = 0;
  uint64_t extended_ = 0;  ///< zeroes are written up to here
  bool unsynced_ = false;
  Sum chain_{};
  uint64_t next_group_ = 1;
  uint64_t settled_ = 1;       ///< groups below it are acknowledged
  uint64_t said_settled_ = 1;  ///< and the disk says so

  std::vector<Group> pending_;
  uint64_t buffered_bytes_ = 0;
  uint64_t written_bytes_ = 0;
  Position end_{1};
  Position durable_end_{1};
  bool closed_ = false;
};

/// Of the log, oldest first.
Result<std::vector<std::string>> list_segments(const Disk& disk, const std::string& log);

/// Renames every segment of the log to *.damaged: for who gives it up and makes another. One after
/// the other: whoever must not take the rest for a log after a crash amid it puts down beforehand
/// what is about to happen (durability/keeper.h, give_up_log).
Status set_aside_log(Disk& disk, const std::string& log);

}  // namespace eve::journal
