// The journal's disk in the simulator: in memory, in virtual time, with the faults of its plan, all
// of it drawn from a seed. Equal seeds and equal calls give equal answers.
//
// What may be assumed is what journal/disk.h says, and that what a new process finds is durable, as
// with runtime/posix_disk.h: open() writes back and then shows what the disk holds. Faults beyond
// that (DiskScope::kDamage) happen only if the plan has them.
//
// Files that a process held when crash(), kill(), refresh() or restore() came give errors from then
// on. Files
// may outlive their disk.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "journal/disk.h"
#include "sim/disk_plan.h"

namespace eve::sim {

class DiskDevice;

class VirtualDisk final : public journal::Disk {
 public:
  VirtualDisk(const DiskPlan& plan, uint64_t seed);
  ~VirtualDisk() override;

  Result<std::vector<std::string>> list() const override;
  Result<std::unique_ptr<journal::File>> create(const std::string& name) override;
  Result<std::unique_ptr<journal::File>> open(const std::string& name) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& name) override;
  Status sync_names() override;
  Status refresh() override;
  Result<uint64_t> free_bytes() const override;

  // ---- what becomes of the machine
  /// The power fails and comes back: of what was not synced there is what the plan leaves.
  void crash();
  /// The process dies, the machine goes on: all that was written is there for the next one.
  void kill();
  /// The power fails amid the `operations`-th operation from now (1 is the next), which then gives
  /// an error, as all do until crash(). What it wrote may be there, what it synced is not durable.
  void fail_power_after(uint64_t operations);
  bool power_failed() const;

  /// The files as the disk holds them; to come back after some time, or to somebody else.
  using Copy = std::map<std::string, Bytes>;
  Copy copy() const;
  /// The machine has come up with these.
  void restore(const Copy& files);

  // ---- faults
  /// `fault` happens at its `chance`-th chance from now (1 is the next), whatever the plan says.
  void inject(DiskFault fault, uint64_t chance = 1);
  /// Nothing goes wrong any more, and there is space again. What is wrong stays wrong.
  void calm();
  void set_capacity(uint64_t bytes);
  uint64_t count(DiskFault fault) const;

  /// How long the operations took since this was last asked.
  TimeUs take_elapsed();

 private:
  class OpenFile;
  std::shared_ptr<DiskDevice> device_;
};

}  // namespace eve::sim
