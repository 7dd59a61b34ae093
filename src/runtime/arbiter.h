// Who changes the record of who is in sync (docs/primary-backup.md, P1): asked once, and asked
// again until it is known what the record is.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "pair/replica.h"
#include "runtime/event_loop.h"
#include "runtime/record_file.h"

namespace eve::runtime {

/// On the loop's thread only.
class Arbiter {
 public:
  virtual ~Arbiter() = default;
  /// One at a time; a request that wants no answer may come at any time.
  virtual void ask(const pair::Request& request) = 0;
  /// The record as it is, once for each question; this replica's own copy says so on disk.
  virtual std::optional<pair::Record> take_answer() = 0;
  virtual TimeUs deadline() const { return kNever; }
  virtual void tick(TimeUs /*now*/) {}
  /// What keeps it from answering, for a person; empty if nothing does.
  virtual std::string trouble() const = 0;
};

/// `arbiter = "none"`: the record is this replica's own. Written on another thread: one that waits
/// for its disk goes on beating. A write that failed has changed nothing, and the record as it was
/// is the answer, after a while: what to ask then is to be decided anew.
class OwnRecord final : public Arbiter {
 public:
  OwnRecord(EventLoop& loop, RecordFile file)
      : loop_(loop), record_(file.record()), file_(std::move(file)) {}

  void ask(const pair::Request& request) override;
  std::optional<pair::Record> take_answer() override { return std::exchange(answer_, {}); }
  TimeUs deadline() const override { return retry_at_; }
  void tick(TimeUs now) override;
  std::string trouble() const override { return trouble_; }

 private:
  void begin();
  void end(const Status& written, bool there);
  void answer();

  EventLoop& loop_;
  pair::Record record_;  ///< what this replica is held to
  std::optional<pair::Request> asked_;
  std::optional<pair::Request> writing_;
  bool there_ = false;  ///< what could not be written may be there all the same
  std::optional<pair::Record> answer_;
  TimeUs retry_at_ = kNever;
  std::string trouble_;
  std::string logged_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< for what is posted
  RecordFile file_;
};

}  // namespace eve::runtime
