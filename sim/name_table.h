// The directory of a virtual disk: what its process sees, what the disk holds, and the changes in
// between. As SectorFile, it decides nothing.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "sim/sector_file.h"

namespace eve::sim {

using FilePtr = std::shared_ptr<SectorFile>;
using Names = std::map<std::string, FilePtr>;

class NameTable {
 public:
  const Names& now() const { return now_; }
  const Names& disk() const { return disk_; }
  /// Null if `name` is not there.
  FilePtr find(const std::string& name) const;
  /// Creations, renames and removals that are not durable.
  size_t unsynced() const { return changes_.size(); }

  /// Each precondition is the caller's: `name` is not there, or `from` or `name` is.
  void create(const std::string& name, FilePtr file);
  void rename(const std::string& from, const std::string& to);
  void remove(const std::string& name);

  void write_back();
  /// Any of the names are durable, the others count as if they were.
  void lose(Random& random);

  // ---- a crash: what is there is what the disk holds, ...
  /// ... the first `changes` since the last sync among it.
  void keep(size_t changes);
  /// ... each name as any that it was since.
  void mix(Random& random);

  /// The disk holds these, and nothing else.
  void restore(Names names);

 private:
  /// Names that became what they now are (null: gone), at once.
  using Change = std::vector<std::pair<std::string, FilePtr>>;
  /// Beyond, the oldest become durable: a system writes them back by itself.
  static constexpr size_t kMaxChanges = 256;

  static void apply(const Change& change, Names& names);
  void change(Change change);
  Names mixed(Random& random) const;

  Names now_;
  Names disk_;
  std::vector<Change> changes_;
};

}  // namespace eve::sim
