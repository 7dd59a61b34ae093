#include "runtime/posix_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "journal/log_reader.h"
#include "journal/log_writer.h"
#include "runtime/disk_error.h"
#include "runtime/test_support.h"

namespace eve::runtime {
namespace {

using testing::TemporaryFolder;

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

template <typename T>
T taken(Result<T> result) {
  EXPECT_TRUE(result.ok()) << result.status().message();
  return std::move(*result);
}

struct PosixDiskTest : ::testing::Test {
  PosixDiskTest() : disk(open_disk(folder.path() / "data")) {}

  static std::unique_ptr<PosixDisk> open_disk(const std::filesystem::path& directory) {
    return taken(PosixDisk::open_directory(directory));
  }
  std::unique_ptr<journal::File> created(const std::string& name, ByteView bytes = {}) {
    auto file = taken(disk->create(name));
    EXPECT_TRUE(file->write(0, bytes).ok());
    return file;
  }
  std::vector<std::string> names() {
    auto listed = *disk->list();
    std::sort(listed.begin(), listed.end());
    return listed;
  }
  std::string path(const std::string& name) const { return folder.path() / "data" / name; }

  TemporaryFolder folder;
  std::unique_ptr<PosixDisk> disk;
};

TEST_F(PosixDiskTest, WritesAndReadsAnywhere) {
  auto file = created("log", "hello");
  ASSERT_TRUE(file->write(8, "world").ok());
  EXPECT_EQ(*file->size(), 13u);
  EXPECT_EQ(*file->read(0, 100), Bytes("hello\0\0\0world", 13));
  EXPECT_EQ(*file->read(3, 4), Bytes("lo\0\0", 4));
  EXPECT_EQ(*file->read(13, 1), "");
  EXPECT_EQ(*file->read(1000, UINT64_MAX), "");
  ASSERT_TRUE(file->truncate(4).ok());
  ASSERT_TRUE(file->truncate(6).ok());
  EXPECT_EQ(*file->read(0, UINT64_MAX), Bytes("hell\0\0", 6));
  ASSERT_TRUE(file->write(100, "").ok());
  EXPECT_EQ(*file->size(), 6u);
  EXPECT_TRUE(file->sync().ok());
  EXPECT_TRUE(mentions(file->write(UINT64_MAX - 1, "too far").message(), "use another file"));
  EXPECT_TRUE(mentions(file->truncate(UINT64_MAX).message(), "use another file"));
}

TEST_F(PosixDiskTest, AFileIsThereForTheNextProcess) {
  const Bytes large(3u << 20, 'x');
  ASSERT_TRUE(created("log", large)->sync().ok());
  ASSERT_TRUE(disk->sync_names().ok());
  disk.reset();
  disk = open_disk(folder.path() / "data");
  auto file = disk->open("log");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(*(*file)->read(0, UINT64_MAX), large);
  EXPECT_TRUE((*file)->write(1, "y").ok());
}

TEST_F(PosixDiskTest, NamesAreMadeOnceReplacedAndRemoved) {
  created("a", "first");
  created("b", "second");
  EXPECT_FALSE(disk->create("a").ok());
  EXPECT_FALSE(disk->open("c").ok());
  ASSERT_TRUE(disk->rename("b", "a").ok());
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
  EXPECT_EQ(*(*disk->open("a"))->read(0, 10), "second");
  EXPECT_FALSE(disk->rename("b", "c").ok());
  ASSERT_TRUE(disk->remove("a").ok());
  EXPECT_FALSE(disk->remove("a").ok());
  EXPECT_TRUE(names().empty());
  EXPECT_TRUE(disk->sync_names().ok());
}

TEST_F(PosixDiskTest, NoNameLeadsOutOfTheDirectory) {
  for (const auto& name : {std::string(), std::string("."), std::string(".."), std::string("../x"),
                           std::string("a/b"), std::string("a\0b", 3), std::string(256, 'n')}) {
    EXPECT_FALSE(disk->create(name).ok()) << name;
    EXPECT_FALSE(disk->open(name).ok()) << name;
    EXPECT_FALSE(disk->remove(name).ok()) << name;
    EXPECT_FALSE(disk->rename(name, "x").ok()) << name;
    created("from");
    EXPECT_FALSE(disk->rename("from", name).ok()) << name;
    ASSERT_TRUE(disk->remove("from").ok());
  }
  created(std::string(255, 'n'));
}

TEST_F(PosixDiskTest, OnlyPlainFilesAreFiles) {
  std::filesystem::create_directory(path("folder"));
  std::filesystem::create_symlink("/etc/passwd", path("link"));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  created("plain");
  EXPECT_EQ(names(), std::vector<std::string>{"plain"});
  for (const auto* name : {"folder", "link", "pipe"}) {
    EXPECT_FALSE(disk->open(name).ok()) << name;
    EXPECT_FALSE(disk->create(name).ok()) << name;
  }
  EXPECT_FALSE(disk->remove("folder").ok());
  EXPECT_FALSE(disk->rename("plain", "folder").ok());
}

TEST_F(PosixDiskTest, OneAtATimeHasTheDirectory) {
  const auto second = PosixDisk::open_directory(folder.path() / "data");
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(mentions(second.message(), "in use by another")) << second.message();
  disk.reset();
  open_disk(folder.path() / "data");
}

TEST_F(PosixDiskTest, WhoOnlyLooksChangesNothing) {
  created("log", "content");
  EXPECT_FALSE(PosixDisk::look_at(folder.path() / "data").ok());
  disk.reset();
  auto looking = taken(PosixDisk::look_at(folder.path() / "data"));
  auto another = taken(PosixDisk::look_at(folder.path() / "data"));
  EXPECT_FALSE(PosixDisk::open_directory(folder.path() / "data").ok());
  auto file = taken(looking->open("log"));
  EXPECT_EQ(*file->read(0, 100), "content");
  EXPECT_EQ(*file->size(), 7u);
  EXPECT_EQ(looking->list()->size(), 1u);
  EXPECT_GT(*looking->free_bytes(), 0u);
  for (const auto& status :
       {file->write(0, "x"), file->sync(), file->truncate(0), looking->create("new").status(),
        looking->rename("log", "new"), looking->remove("log"), looking->sync_names()}) {
    EXPECT_TRUE(mentions(status.message(), "looked at only")) << status.message();
  }
  EXPECT_FALSE(PosixDisk::look_at(folder.path() / "none").ok());
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "none"));
}

TEST_F(PosixDiskTest, OnlyTheOwnerReads) {
  created("log");
  struct stat info {};
  ASSERT_EQ(::stat(path("log").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(path("").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(PosixDiskTest, ErrorsNameTheFileAndTheOperation) {
  EXPECT_TRUE(mentions(disk->open("log").message(), path("log") + ": cannot open: "));
  const auto nowhere = PosixDisk::open_directory(folder.path() / "no" / "such");
  ASSERT_FALSE(nowhere.ok());
  EXPECT_TRUE(mentions(nowhere.message(), "no/such: cannot make the directory"));
  std::ofstream(path("plain")) << "no directory";
  EXPECT_FALSE(PosixDisk::open_directory(path("plain")).ok());
}

TEST(DiskError, SaysWhatToDo) {
  const auto said = [](int error) { return disk_error("/d/log", "write", error).message; };
  EXPECT_EQ(said(ENOSPC),
            "/d/log: cannot write: No space left on device: free space on this file system, or move"
            " the directory to a larger one");
  EXPECT_TRUE(mentions(said(EDQUOT), "quota"));
  EXPECT_TRUE(mentions(said(EIO), "dmesg"));
  EXPECT_TRUE(mentions(said(EROFS), "remount"));
  EXPECT_TRUE(mentions(said(EACCES), "mode"));
  EXPECT_TRUE(mentions(said(EMFILE), "ulimit -n"));
  EXPECT_TRUE(mentions(said(EFBIG), "ulimit -f"));
}

TEST(DiskError, OnlyAFullDiskAndABrokenOneHaveAKind) {
  const auto kind = [](int error) { return disk_error("/d/log", "write", error).kind; };
  for (const int error : {ENOSPC, EDQUOT}) EXPECT_EQ(kind(error), ErrorKind::kNoSpace) << error;
  for (const int error : {EIO, ENODATA, EREMOTEIO, EILSEQ, EUCLEAN, EBADMSG}) {
    EXPECT_EQ(kind(error), ErrorKind::kMedium) << error;
  }
  for (const int error : {EMFILE, ENFILE, ENOMEM, EACCES, EPERM, EINTR, EAGAIN, EBUSY, ENOENT,
                          EROFS, ESTALE, ENODEV, ENXIO, ETIMEDOUT}) {
    EXPECT_EQ(kind(error), ErrorKind::kOther) << error;
  }
}

/// The lowest number that no descriptor has is the limit: none can be opened.
struct NoDescriptors {
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before);
    const int lowest = ::open("/dev/null", O_RDONLY);
    ::close(lowest);
    rlimit none = before;
    none.rlim_cur = static_cast<rlim_t>(lowest);
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before); }
  rlimit before{};
};

TEST_F(PosixDiskTest, ALogThatCannotBeOpenedNowIsNotDamaged) {
  journal::LogOptions options;
  options.reserve_bytes = 0;
  auto log = taken(journal::LogWriter::create(*disk, options, journal::Life{}));
  ASSERT_TRUE(log->append(1, 1, "record").ok() && log->close().ok());
  log.reset();
  struct Visitor : journal::Visitor {
    Status record(const journal::Record&) override { return ++records, Status(); }
    int records = 0;
  } visitor;
  {
    const NoDescriptors none;
    const auto refused = journal::read_log(*disk, options, visitor);
    ASSERT_FALSE(refused.ok());
    EXPECT_TRUE(mentions(refused.message(), "ulimit -n")) << refused.message();
  }
  const auto recovery = taken(journal::read_log(*disk, options, visitor));
  EXPECT_TRUE(recovery.damage.empty());
  EXPECT_EQ(visitor.records, 1);
}

/// Mounts that only this process sees and that go away with it. False where that takes more rights.
bool may_mount() {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool mount_memory(const std::filesystem::path& at, const char* options) {
  std::filesystem::create_directory(at);
  return may_mount() && ::mount("none", at.c_str(), "tmpfs", 0, options) == 0;
}

/// Unmounts before the folder goes away.
struct Unmount {
  ~Unmount() { ::umount2(at.c_str(), MNT_DETACH); }
  std::filesystem::path at;
};

TEST(PosixDiskOnASmallFileSystem, AFullDiskSaysSoAndGoesOnWhenThereIsSpace) {
  TemporaryFolder folder;
  const Unmount mounted{folder.path() / "small"};
  if (!mount_memory(mounted.at, "size=256k")) GTEST_SKIP() << "mounts are not permitted here";
  auto disk = taken(PosixDisk::open_directory(mounted.at / "data"));
  auto reserve = taken(disk->create("reserve"));
  ASSERT_TRUE(reserve->write(0, Bytes(128 << 10, 'r')).ok());
  auto log = taken(disk->create("log"));
  ASSERT_TRUE(log->write(0, "kept").ok());
  EXPECT_LE(*disk->free_bytes(), 128u << 10);

  const auto full = log->write(4, Bytes(200 << 10, 'x'));
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.kind(), ErrorKind::kNoSpace);
  EXPECT_TRUE(mentions(full.message(), "log: cannot write ")) << full.message();
  EXPECT_TRUE(mentions(full.message(), "No space left on device: free space")) << full.message();
  EXPECT_EQ(*disk->free_bytes(), 0u);
  EXPECT_EQ(*log->read(0, 4), "kept");

  reserve.reset();
  ASSERT_TRUE(disk->remove("reserve").ok());
  EXPECT_GE(*disk->free_bytes(), 100u << 10);
  EXPECT_TRUE(log->write(4, Bytes(200 << 10, 'y')).ok());
  EXPECT_TRUE(log->sync().ok());
}

/// A file system in a file that finds no room: writing to it succeeds, writing back does not.
bool mount_hollow(const std::filesystem::path& at) {
  const auto image = (at / "image").string();
  const auto folder = (at / "fs").string();
  const std::string make = "{ truncate -s 8M " + image + " && mkfs.ext4 -q -F -O ^has_journal " +
                           image + " && mkdir " + folder + " && mount -o loop " + image + " " +
                           folder + "; } >/dev/null 2>&1";
  return std::system(make.c_str()) == 0;
}

TEST(PosixDiskOnASmallFileSystem, AFailedSyncIsFinal) {
  TemporaryFolder folder;
  const Unmount memory{folder.path() / "memory"};
  if (!mount_memory(memory.at, "size=1200k")) GTEST_SKIP() << "mounts are not permitted here";
  const Unmount hollow{memory.at / "fs"};
  if (!mount_hollow(memory.at)) GTEST_SKIP() << "no loop device, or no mkfs.ext4";
  auto disk = taken(PosixDisk::open_directory(hollow.at / "data"));
  auto log = taken(disk->create("log"));
  ASSERT_TRUE(log->write(0, Bytes(3 << 20, 'x')).ok());
  const auto failed = log->sync();
  ASSERT_FALSE(failed.ok());
  EXPECT_TRUE(mentions(failed.message(), "log: cannot sync: ")) << failed.message();
  EXPECT_EQ(log->read(0, 3)->size(), 3u);
  for (const auto& status : {log->sync(), log->write(0, "y"), log->truncate(0)}) {
    ASSERT_FALSE(status.ok());
    EXPECT_TRUE(mentions(status.message(), "an earlier sync failed")) << status.message();
  }
}

}  // namespace
}  // namespace eve::runtime
