// What a virtual disk is held against: a real one, and what journal/disk.h promises.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "runtime/posix_disk.h"
#include "sim/virtual_disk.h"

namespace eve::sim {
namespace {

using journal::Disk;
using journal::File;

const std::vector<std::string> kNames = {"a", "b", "c", "a/b", ".."};

std::string any_name() {
  return *rc::gen::elementOf(kNames);
}

/// A folder in memory where there is one: syncs are not what is tested here.
struct Folder {
  Folder() {
    const std::filesystem::path memory = "/dev/shm";
    auto parent = std::filesystem::temp_directory_path();
    if (::access(memory.c_str(), W_OK | X_OK) == 0) parent = memory;
    std::string name = parent / "eve-disk-XXXXXX";
    RC_ASSERT(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

/// A disk and the files open on it, so that an operation is a function of them whose outcome can be
/// compared.
struct Process {
  std::unique_ptr<Disk> disk;
  std::vector<std::unique_ptr<File>> files;

  std::string keep(Result<std::unique_ptr<File>> file) {
    if (!file) return "error";
    files.push_back(std::move(*file));
    return "ok";
  }
  std::string names() const {
    auto listed = *disk->list();
    std::sort(listed.begin(), listed.end());
    std::string text;
    for (const auto& name : listed) text += name + " ";
    return text;
  }
};

std::string said(const Status& status) {
  return status ? "ok" : "error";
}

using Operation = std::function<std::string(Process&)>;

Operation operation_on_names() {
  const auto name = any_name();
  const auto other = any_name();
  switch (*rc::gen::inRange(0, 6)) {
    case 0:
      return [=](Process& p) { return p.keep(p.disk->open(name)); };
    case 1:
      return [=](Process& p) { return said(p.disk->rename(name, other)); };
    case 2:
      return [=](Process& p) { return said(p.disk->remove(name)); };
    case 3:
      return [=](Process& p) { return said(p.disk->sync_names()); };
    default:
      return [=](Process& p) { return p.keep(p.disk->create(name)); };
  }
}

Operation operation_on(size_t file) {
  const auto offset = *rc::gen::inRange<uint64_t>(0, 3000);
  const auto size = *rc::gen::inRange<uint64_t>(0, 1500);
  const auto letter = *rc::gen::inRange('a', 'z');
  switch (*rc::gen::inRange(0, 8)) {
    case 0:
      return [=](Process& p) { return said(p.files[file]->sync()); };
    case 1:
      return [=](Process& p) { return said(p.files[file]->truncate(offset)); };
    case 2:
      return [=](Process& p) { return std::to_string(*p.files[file]->size()); };
    case 3:
      return [=](Process& p) { return *p.files[file]->read(offset, UINT64_MAX); };
    case 4:
      return [=](Process& p) { return *p.files[file]->read(offset, size); };
    case 5:
      return [=](Process& p) { return said(p.files[file]->write(UINT64_MAX - offset, "xyz")); };
    default:
      return [=](Process& p) { return said(p.files[file]->write(offset, Bytes(size, letter))); };
  }
}

TEST(VirtualDiskModel, WithoutFaultsItIsARealDisk) {
  EXPECT_TRUE(rc::check([] {
    Folder folder;
    Process real;
    Process simulated{std::make_unique<VirtualDisk>(DiskPlan{}, 1), {}};
    const auto start = [&] {
      real.files.clear();
      simulated.files.clear();
      real.disk.reset();
      auto opened = runtime::PosixDisk::open_directory(folder.path);
      RC_ASSERT(opened.ok());
      real.disk = std::move(*opened);
    };
    start();
    const int operations = *rc::gen::inRange(1, 60);
    for (int i = 0; i < operations; ++i) {
      if (*rc::gen::inRange(0, 20) == 0) {
        static_cast<VirtualDisk&>(*simulated.disk).kill();
        start();
      }
      const auto file = real.files.empty() ? 0 : *rc::gen::inRange<size_t>(0, real.files.size());
      const bool names = real.files.empty() || *rc::gen::inRange(0, 3) == 0;
      const auto operation = names ? operation_on_names() : operation_on(file);
      RC_ASSERT(operation(simulated) == operation(real));
      RC_ASSERT(simulated.names() == real.names());
    }
    RC_ASSERT(simulated.disk->free_bytes().ok() && real.disk->free_bytes().ok());
  }));
}

// ---- what survives

/// All that a file may hold after a crash, by byte: everything since its last good sync.
struct Expected {
  std::vector<std::set<char>> bytes;  ///< beyond: zeroes
  std::set<uint64_t> sizes;
  Bytes now;
  /// A sync failed: what later ones say covers only what is written after it.
  bool doubtful = false;

  explicit Expected(Bytes found = {}) { settle(std::move(found)); }

  void settle(Bytes found) {
    bytes.clear();
    for (const char byte : found) bytes.push_back({byte});
    sizes = {found.size()};
    now = std::move(found);
  }
  void change(Bytes to) {
    bytes.resize(std::max(bytes.size(), to.size()), {'\0'});
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i].insert(i < to.size() ? to[i] : '\0');
    sizes.insert(to.size());
    now = std::move(to);
  }
  void synced() {
    if (!doubtful) settle(now);
  }
  bool allows(const Bytes& found) const {
    if (found.size() < *sizes.begin() || found.size() > *sizes.rbegin()) return false;
    for (size_t i = 0; i < found.size(); ++i) {
      if (i < bytes.size() ? !bytes[i].contains(found[i]) : found[i] != '\0') return false;
    }
    return true;
  }
};

/// One process' life with one file; returns what that may hold after it.
void live(VirtualDisk& disk, Expected& expected) {
  auto opened = disk.open("log");
  RC_ASSERT(opened.ok());
  auto& file = **opened;
  const int operations = *rc::gen::inRange(0, 12);
  for (int i = 0; i < operations; ++i) {
    const auto offset = *rc::gen::inRange<uint64_t>(0, 2500);
    const int kind = *rc::gen::inRange(0, 10);
    if (kind < 2) {
      if (file.sync().ok()) {
        expected.synced();
      } else {
        expected.doubtful = true;
      }
      continue;
    }
    auto bytes = expected.now;
    if (kind == 2) {
      bytes.resize(offset);
      RC_ASSERT(file.truncate(offset).ok());
    } else {
      const Bytes written(*rc::gen::inRange<size_t>(1, 1200), *rc::gen::inRange('a', 'z'));
      bytes.resize(std::max<size_t>(bytes.size(), offset + written.size()));
      bytes.replace(offset, written.size(), written);
      RC_ASSERT(file.write(offset, written).ok());
    }
    expected.change(std::move(bytes));
  }
}

TEST(VirtualDiskModel, ACrashKeepsWhatWasSyncedAndInventsNothing) {
  EXPECT_TRUE(rc::check([] {
    DiskPlan plan;
    plan[DiskFault::kTornWrite] = 500'000;
    plan[DiskFault::kUnsyncedLost] = 500'000;
    plan[DiskFault::kSyncFails] = *rc::gen::element(0u, 300'000u);
    VirtualDisk disk(plan, *rc::gen::arbitrary<uint64_t>());
    RC_ASSERT(disk.create("log").ok());
    disk.crash();  // names are kept: no such fault is on
    Expected expected;
    for (int lives = *rc::gen::inRange(1, 5); lives > 0; --lives) {
      live(disk, expected);
      disk.crash();
      const auto found = disk.copy().at("log");
      RC_ASSERT(expected.allows(found));
      expected = Expected(found);
    }
  }));
}

TEST(VirtualDiskModel, ACrashKeepsTheNamesThatWereSyncedAndInventsNone) {
  EXPECT_TRUE(rc::check([] {
    DiskPlan plan;
    plan[DiskFault::kNamesLost] = 300'000;
    plan[DiskFault::kNamesMixed] = 500'000;
    VirtualDisk disk(plan, *rc::gen::arbitrary<uint64_t>());
    // Files by what they hold, each another; "" where there is none.
    std::map<std::string, std::string> now;
    std::map<std::string, std::set<std::string>> allowed;
    const std::vector<std::string> names = {"a", "b", "c"};
    for (const auto& name : names) allowed[name] = {now[name] = ""};
    const auto set = [&](const std::string& name, const std::string& file) {
      allowed[name].insert(now[name] = file);
    };
    const int operations = *rc::gen::inRange(0, 12);
    for (int i = 0; i < operations; ++i) {
      const auto name = *rc::gen::elementOf(names);
      const auto other = *rc::gen::elementOf(names);
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
          if (auto file = disk.create(name)) {
            RC_ASSERT((*file)->write(0, std::to_string(i)).ok() && (*file)->sync().ok());
            set(name, std::to_string(i));
          }
          break;
        case 1:
          if (disk.rename(name, other).ok() && name != other) {
            set(other, now[name]);
            set(name, "");
          }
          break;
        case 2:
          if (disk.remove(name).ok()) set(name, "");
          break;
        default:
          RC_ASSERT(disk.sync_names().ok());
          for (const auto& each : names) allowed[each] = {now[each]};
      }
    }
    disk.crash();
    const auto found = disk.copy();
    for (const auto& name : names) {
      const auto at = found.find(name);
      RC_ASSERT(allowed[name].contains(at == found.end() ? "" : at->second));
    }
  }));
}

}  // namespace
}  // namespace eve::sim
