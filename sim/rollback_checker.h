// Invariant 5: a rollback restores the exact root. Follows one replica: what root it had after each
// batch, and what it has after it was rolled back there.
#pragma once

#include <map>

#include "base/ids.h"
#include "crypto/digest.h"
#include "execution/commands.h"
#include "wire/messages.h"

namespace eve::sim {

class RollbackChecker {
 public:
  void ran(const wire::TokenParts& parts, execution::RunMode mode);
  /// The state of that batch was installed in place of what was there.
  void fetched(const wire::TokenParts& parts);
  /// Whether batches that ran in parallel lie beyond `number`.
  bool undoes_parallel(BatchNumber number) const;
  /// Throws a Violation if `root` is not what the replica had after `number`.
  void rolled_back(Address replica, BatchNumber number, const crypto::Digest& root);
  /// Nobody goes back below `number` any more.
  void committed(BatchNumber number);

 private:
  struct Ran {
    crypto::Digest root;
    execution::RunMode mode;
  };
  std::map<BatchNumber, Ran> ran_;
};

}  // namespace eve::sim
