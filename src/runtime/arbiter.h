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

/// `arbiter = "none"`: the record is this replica's own.
class OwnRecord final : public Arbiter {
 public:
  OwnRecord(EventLoop& loop, RecordFile file) : loop_(loop), file_(std::move(file)) {}

  void ask(const pair::Request& request) override;
  std::optional<pair::Record> take_answer() override { return std::exchange(answer_, {}); }
  TimeUs deadline() const override { return retry_at_; }
  void tick(TimeUs now) override;
  std::string trouble() const override { return trouble_; }

 private:
  EventLoop& loop_;
  RecordFile file_;
  std::optional<pair::Request> asked_;
  std::optional<pair::Record> answer_;
  TimeUs retry_at_ = kNever;
  std::string trouble_;
};

}  // namespace eve::runtime
