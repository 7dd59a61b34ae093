// A disk in memory for the tests of this room. What was written is in the cache at once, and on the
// disk after a sync; a crash keeps any subset of the rest, in pieces of 512 bytes, and any subset
// of the changes of names. A failed sync puts a part on the disk, and the cache goes on showing
// all.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "journal/disk.h"
#include "journal/format.h"
#include "journal/log_reader.h"

namespace eve::journal::testing {

struct Inode {
  struct Write {
    uint64_t offset;
    Bytes bytes;
  };
  Bytes cached;
  Bytes durable;
  std::vector<Write> unsynced;

  static void put(Bytes& where, uint64_t offset, ByteView bytes) {
    if (where.size() < offset + bytes.size()) where.resize(offset + bytes.size());
    where.replace(offset, bytes.size(), bytes);
  }
  void keep_some(Random& random) {
    const uint64_t odds = random.below(5);  // of 4; all or nothing now and then
    for (const Write& write : unsynced) {
      for (uint64_t at = 0; at < write.bytes.size();) {
        const uint64_t piece =
            std::min(kPieceBytes - (write.offset + at) % kPieceBytes, write.bytes.size() - at);
        if (random.chance(odds, 4)) {
          put(durable, write.offset + at, ByteView(write.bytes).substr(at, piece));
        }
        at += piece;
      }
    }
    if (random.chance(1, 2)) durable.resize(std::max(durable.size(), cached.size()));
    unsynced.clear();
  }
};

class TestDisk : public Disk {
 public:
  explicit TestDisk(uint64_t seed = 1) : random(seed) {}

  // ---- For tests ----

  Random random;
  std::vector<std::string> calls;  ///< "sync log-1.log", ...; names without zeroes
  bool keeps_calls = true;
  /// Asked before each call; false makes it fail.
  std::function<bool(const std::string& call)> permits;
  ErrorKind fails_with = ErrorKind::kMedium;  ///< what it does not permit
  /// Asked before "open NAME", "size NAME" and "read NAME": what it says is the answer, unless ok.
  std::function<Status(const std::string& call)> reading;
  std::set<std::string> unreadable;
  static constexpr uint64_t kUnlimited = uint64_t{1} << 40;
  uint64_t capacity = kUnlimited;

  void crash() {
    for (auto& [name, inode] : every_inode()) inode->keep_some(random);
    cached_names_ = durable_names_;
    for (const NameChange& change : name_changes_) {
      if (random.chance(1, 2)) change(durable_names_);
    }
    cached_names_ = durable_names_;
    name_changes_.clear();
    for (auto& [name, inode] : cached_names_) inode->cached = inode->durable;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, inode] : cached_names_) names.push_back(name);
    return names;
  }
  bool has(const std::string& name) const { return cached_names_.count(name) > 0; }
  const Bytes& content(const std::string& name) { return cached_names_.at(name)->cached; }
  /// Of cache and disk alike.
  void damage(const std::string& name, const std::function<void(Bytes&)>& change) {
    Inode& inode = *cached_names_.at(name);
    change(inode.cached);
    change(inode.durable);
  }
  void flip(const std::string& name, uint64_t offset) {
    damage(name, [&](Bytes& bytes) {
      if (offset < bytes.size()) bytes[offset] = static_cast<char>(bytes[offset] ^ 0x10);
    });
  }
  /// Never written, although acknowledged.
  void blank(const std::string& name, uint64_t offset, uint64_t size) {
    damage(name, [&](Bytes& bytes) {
      for (uint64_t i = offset; i < offset + size && i < bytes.size(); ++i) bytes[i] = '\0';
    });
  }
  void put_file(const std::string& name, Bytes bytes) {
    auto inode = std::make_shared<Inode>();
    inode->cached = inode->durable = std::move(bytes);
    cached_names_[name] = durable_names_[name] = inode;
  }
  void lose(const std::string& name) {
    cached_names_.erase(name);
    durable_names_.erase(name);
  }
  /// A removed file takes room until its removal is durable.
  uint64_t used() const {
    std::vector<const Inode*> all;
    for (const Names* names : {&durable_names_, &cached_names_}) {
      for (const auto& [name, inode] : *names) all.push_back(inode.get());
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    uint64_t bytes = 0;
    for (const Inode* inode : all) bytes += inode->cached.size();
    return bytes;
  }
  size_t count(const std::string& verb) const {
    return static_cast<size_t>(std::count_if(
        calls.begin(), calls.end(), [&](const auto& call) { return call.rfind(verb, 0) == 0; }));
  }

  // ---- Disk ----

  Result<std::vector<std::string>> list() const override { return names(); }
  Result<std::unique_ptr<File>> create(const std::string& name) override;
  Result<std::unique_ptr<File>> open(const std::string& name) override;
  Status rename(const std::string& from, const std::string& to) override {
    if (auto status = may("rename", from); !status) return status;
    if (!has(from)) return Error{"no file"};
    const auto inode = cached_names_.at(from);
    return change_names([from, to, inode](Names& names) {
      const auto found = names.find(from);
      if (found != names.end() && found->second == inode) names.erase(found);
      names[to] = inode;
    });
  }
  Status remove(const std::string& name) override {
    if (auto status = may("remove", name); !status) return status;
    if (!has(name)) return Error{"no file"};
    const auto inode = cached_names_.at(name);
    return change_names([name, inode](Names& names) {
      const auto found = names.find(name);
      if (found != names.end() && found->second == inode) names.erase(found);
    });
  }
  Status sync_names() override {
    if (auto status = may("sync_names"); !status) return status;
    durable_names_ = cached_names_;
    name_changes_.clear();
    return {};
  }
  Result<uint64_t> free_bytes() const override { return capacity - std::min(capacity, used()); }

  Status may(const char* verb, const std::string& name = "") {
    if (!keeps_calls && !permits) return {};
    const std::string call = name.empty() ? verb : verb + (" " + short_name(name));
    if (keeps_calls) calls.push_back(call);
    if (permits && !permits(call)) return Error{"the disk fails: " + call, fails_with};
    return {};
  }
  Status may_read(const char* verb, const std::string& name) const {
    return reading ? reading(verb + (" " + short_name(name))) : Status();
  }
  static std::string short_name(std::string name) {
    const size_t dash = name.find('-');
    if (dash == std::string::npos) return name;
    const size_t digit = std::min(name.find_first_not_of('0', dash + 1), dash + 16);
    return name.erase(dash + 1, digit - dash - 1);
  }

 private:
  using Names = std::map<std::string, std::shared_ptr<Inode>>;
  using NameChange = std::function<void(Names&)>;

  Status change_names(const NameChange& change) {
    change(cached_names_);
    name_changes_.push_back(change);
    return {};
  }
  Names every_inode() const {
    Names all = durable_names_;
    for (const auto& [name, inode] : cached_names_) all.emplace(name + "?", inode);
    std::set<Inode*> seen;
    std::erase_if(all, [&](const auto& entry) { return !seen.insert(entry.second.get()).second; });
    return all;
  }

  Names cached_names_;
  Names durable_names_;
  std::vector<NameChange> name_changes_;
};

class TestFile : public File {
 public:
  TestFile(TestDisk& disk, std::string name, std::shared_ptr<Inode> inode)
      : disk_(disk), name_(std::move(name)), inode_(std::move(inode)) {}

  Result<uint64_t> size() const override {
    if (auto status = disk_.may_read("size", name_); !status) return status.error();
    return inode_->cached.size();
  }
  Status write(uint64_t offset, ByteView bytes) override {
    if (auto status = disk_.may("write", name_); !status) return status;
    const uint64_t end = offset + bytes.size();
    const uint64_t more = end - std::min<uint64_t>(end, inode_->cached.size());
    // What is used is not counted for nothing: fuzzers write much.
    const bool limited = disk_.capacity != TestDisk::kUnlimited;
    if (limited && disk_.used() + more > disk_.capacity) {
      return Error{"no space is left", ErrorKind::kNoSpace};
    }
    Inode::put(inode_->cached, offset, bytes);
    inode_->unsynced.push_back({offset, Bytes(bytes)});
    return {};
  }
  Status sync() override {
    if (auto status = disk_.may("sync", name_); !status) {
      inode_->keep_some(disk_.random);  // the cache is clean now, whatever the disk has
      return status;
    }
    for (const auto& write : inode_->unsynced) {
      Inode::put(inode_->durable, write.offset, write.bytes);
    }
    inode_->unsynced.clear();
    return {};
  }
  Result<Bytes> read(uint64_t offset, uint64_t most) const override {
    if (auto status = disk_.may_read("read", name_); !status) return status.error();
    if (disk_.unreadable.count(name_) > 0) return Error{"input/output error", ErrorKind::kMedium};
    if (offset >= inode_->cached.size()) return Bytes();
    return inode_->cached.substr(offset, most);
  }
  Status truncate(uint64_t size) override {
    inode_->cached.resize(size);
    inode_->durable.resize(size);
    return {};
  }

 private:
  TestDisk& disk_;
  const std::string name_;
  const std::shared_ptr<Inode> inode_;
};

inline Result<std::unique_ptr<File>> TestDisk::create(const std::string& name) {
  if (auto status = may("create", name); !status) return status.error();
  if (has(name)) return Error{name + " is there"};
  const auto inode = std::make_shared<Inode>();
  (void)change_names([name, inode](Names& names) { names[name] = inode; });
  return std::unique_ptr<File>(std::make_unique<TestFile>(*this, name, inode));
}

inline Result<std::unique_ptr<File>> TestDisk::open(const std::string& name) {
  if (auto status = may_read("open", name); !status) return status.error();
  if (!has(name)) return Error{name + " is not there"};
  return std::unique_ptr<File>(std::make_unique<TestFile>(*this, name, cached_names_.at(name)));
}

// ---- Reading ----

struct Seen {
  Position position;
  uint16_t kind;
  uint64_t number;
  Bytes payload;
  bool operator==(const Seen&) const = default;
};

class Collector : public Visitor {
 public:
  Status record(const Record& record) override {
    records.push_back({record.position, record.kind, record.number, Bytes(record.payload)});
    return {};
  }
  void stray(const Record& record) override {
    strays.push_back({record.position, record.kind, record.number, Bytes(record.payload)});
  }
  std::vector<Seen> records;
  std::vector<Seen> strays;
};

inline LogOptions small_options() {
  LogOptions options;
  options.owner = {"cluster-1", "verifier-2"};
  options.segment_bytes = 6 * kBlockBytes;
  options.extend_bytes = 0;
  options.reserve_bytes = 0;
  options.low_bytes = 0;
  return options;
}

inline Life life(uint8_t number) {
  Life life;
  life.fill(number);
  return life;
}

}  // namespace eve::journal::testing
