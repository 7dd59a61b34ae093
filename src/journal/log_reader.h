// Recovery of a log: what every process does before it writes (LogWriter::resume), and what an
// operator's tools do. Only reads.
#pragma once

#include "eve/result.h"
#include "journal/disk.h"
#include "journal/log.h"

namespace eve::journal {

class Visitor {
 public:
  virtual ~Visitor() = default;
  /// Before the first record, if anything of the log can be read: which log this is, and where it
  /// begins. An error ends the reading.
  virtual Status begins(const Life& /*life*/, Position /*begin*/) { return {}; }
  /// Records in the order of their positions, without gaps. An error ends the reading.
  virtual Status record(const Record& record) = 0;
  /// After damage: a record that is whole, but beyond what is lost. It had not necessarily been
  /// acknowledged, and there may be two of one position. For upper bounds only, such as of a view
  /// that may have been promised.
  virtual void stray(const Record&) {}
};

/// Visits every record that has a place in the log, one group in memory at a time. What is visited
/// may be in the disk's cache only: act on it only when LogWriter::resume() has returned success.
///
/// Damage is not an error but part of the Recovery. What the disk cannot read is asked for again
/// and then damage. Errors: the disk refuses without saying anything about what it holds (too many
/// open files, no rights: mend that, and read again); files of another owner, or of a later
/// release; `visitor` failed; `options` make no sense.
Result<Recovery> read_log(Disk& disk, const LogOptions& options, Visitor& visitor);

/// Nothing if `options` can be used.
Status check_options(const LogOptions& options);

}  // namespace eve::journal
