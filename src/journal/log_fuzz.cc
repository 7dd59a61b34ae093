// libFuzzer: a log is written, then its files are overwritten with what the input says: single
// bytes, whole blocks, and headers with wrong fields and right checksums. Reading it ends, visits
// records without gaps, and what resume() makes of it reads the same and undamaged.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "journal/log_reader.h"
#include "journal/log_writer.h"
#include "journal/testing_disk.h"

namespace eve::journal {
namespace {

constexpr size_t kMostSteps = 40;
/// Each costs as much as many other steps: the whole log is read.
constexpr int kMostRestarts = 3;

class Story {
 public:
  explicit Story(FuzzedDataProvider& data)
      : data_(data), disk_(data.ConsumeIntegral<uint8_t>()), options_(testing::small_options()) {
    options_.segment_bytes = data_.ConsumeIntegralInRange<uint64_t>(2, 8) * kBlockBytes;
    disk_.keeps_calls = false;
    auto log = LogWriter::create(disk_, options_, testing::life(1));
    EVE_CHECK(log.ok(), "cannot create");
    log_ = std::move(*log);
  }

  void run() {
    for (size_t i = 0; i < kMostSteps && data_.remaining_bytes() > 0; ++i) step();
    log_.reset();
    for (size_t i = 0; i < 4 && data_.remaining_bytes() > 0; ++i) harm();
    recover();
  }

 private:
  void step() {
    switch (data_.ConsumeIntegralInRange(0, 7)) {
      case 0:
        (void)log_->settle();
        break;
      case 1:
        (void)log_->cut(Position(data_.ConsumeIntegralInRange<uint64_t>(1, 20)));
        break;
      case 2:
      case 3:
        (void)log_->flush();
        break;
      case 4:
        if (++restarts_ > kMostRestarts) break;
        log_.reset();
        if (data_.ConsumeBool()) disk_.crash();
        restart();
        break;
      default: {
        Bytes payload = data_.ConsumeRandomLengthString(40);
        payload.append(data_.ConsumeIntegral<uint8_t>() * 20u, 'x');
        (void)log_->append(data_.ConsumeIntegral<uint8_t>(), 0, payload);
      }
    }
  }

  void harm() {
    const auto names = disk_.names();
    if (names.empty()) return;
    const auto& name = names[data_.ConsumeIntegralInRange(size_t{0}, names.size() - 1)];
    const uint64_t size = disk_.content(name).size();
    const uint64_t block =
        data_.ConsumeIntegralInRange<uint64_t>(0, size / kBlockBytes) * kBlockBytes;
    const int kind = data_.ConsumeIntegralInRange(0, 5);
    disk_.damage(name, [&](Bytes& bytes) {
      if (block + kBlockBytes > bytes.size()) bytes.resize(block + kBlockBytes);
    });
    if (kind == 0) {
      disk_.blank(name, block + data_.ConsumeIntegralInRange(0, 7) * kPieceBytes, kPieceBytes);
    } else if (kind == 1) {
      put(name, block, data_.ConsumeRandomLengthString(300));
    } else if (kind == 2) {
      const uint64_t from = data_.ConsumeIntegralInRange<uint64_t>(0, block / kBlockBytes);
      put(name, block, disk_.content(name).substr(from * kBlockBytes, kBlockBytes));
    } else if (kind == 3 && data_.ConsumeIntegralInRange(0, 3) == 0) {
      disk_.lose(name);
    } else if (block == 0) {
      segment_header(name);
    } else {
      group_header(name, block);
    }
  }
  void segment_header(const std::string& name) {
    auto header = decode_segment_header(disk_.content(name).substr(0, kBlockBytes));
    if (!header) header.emplace();
    uint64_t* fields[] = {&header->serial, &header->after, &header->first_group, &header->settled};
    *fields[data_.ConsumeIntegralInRange(0, 3)] = small();
    if (data_.ConsumeBool()) header->first = Position(small());
    if (data_.ConsumeIntegralInRange(0, 7) == 0) header->life[0] ^= 1;
    if (data_.ConsumeIntegralInRange(0, 7) == 0) header->owner.node = "another";
    header->keeps_replaced = data_.ConsumeBool();
    put(name, 0, encode(*header));
  }
  void group_header(const std::string& name, uint64_t block) {
    auto header = decode_group_header(disk_.content(name).substr(block, kBlockBytes));
    if (!header) header.emplace();
    uint64_t* fields[] = {&header->serial, &header->offset, &header->group, &header->settled};
    *fields[data_.ConsumeIntegralInRange(0, 3)] = small();
    if (data_.ConsumeBool()) header->body_bytes = data_.ConsumeIntegral<uint32_t>();
    if (data_.ConsumeBool()) header->records = data_.ConsumeIntegral<uint32_t>();
    if (data_.ConsumeBool()) header->zero_pieces = data_.ConsumeIntegral<uint32_t>();
    header->closes = data_.ConsumeBool();
    if (data_.ConsumeBool()) {
      const ByteView content = disk_.content(name);
      header->body = checksum(content.substr(block).substr(kGroupHeaderBytes, header->body_bytes));
    }
    put(name, block, encode(*header));
  }
  uint64_t small() {
    return data_.ConsumeIntegralInRange(0, 3) == 0 ? data_.ConsumeIntegral<uint64_t>()
                                                   : data_.ConsumeIntegralInRange<uint64_t>(0, 40);
  }
  void put(const std::string& name, uint64_t offset, const Bytes& bytes) {
    disk_.damage(name, [&](Bytes& content) {
      content.replace(offset, std::min<uint64_t>(bytes.size(), content.size() - offset), bytes);
    });
  }

  /// Nothing has been harmed so far: nothing may look as if it had been.
  void restart() {
    testing::Collector seen;
    const auto recovery = read(seen);
    EVE_CHECK(recovery.ok() && recovery->damage.empty(), "damage without any harm");
    auto log = LogWriter::resume(disk_, options_, *recovery);
    EVE_CHECK(log.ok(), "cannot resume");
    log_ = std::move(*log);
  }
  void recover() {
    testing::Collector seen;
    const auto recovery = read(seen);
    if (!recovery) return start_over();
    auto log = LogWriter::resume(disk_, options_, *recovery, {{1, 1, "note"}});
    if (!log) return start_over();
    testing::Collector again;
    const auto second = read(again);
    EVE_CHECK(second.ok() && second->damage.empty(), "damage is left");
    EVE_CHECK(!again.records.empty() && again.records.back().payload == "note", "no note");
    again.records.pop_back();
    EVE_CHECK(again.records == seen.records, "resumed with other records");
  }
  Result<Recovery> read(testing::Collector& seen) {
    auto recovery = read_log(disk_, options_, seen);
    if (!recovery) return recovery;
    Position position = recovery->begin;
    for (const auto& record : seen.records) {
      EVE_CHECK(record.position == position, "a gap");
      position = position.next();
    }
    EVE_CHECK(position == recovery->end && recovery->settled <= position, "a wrong end");
    return recovery;
  }
  void start_over() {
    EVE_CHECK(set_aside_log(disk_, options_.name).ok(), "cannot set aside");
    auto log = LogWriter::create(disk_, options_, testing::life(1));
    EVE_CHECK(log.ok(), "cannot create");
  }

  FuzzedDataProvider& data_;
  testing::TestDisk disk_;
  LogOptions options_;
  std::unique_ptr<LogWriter> log_;
  int restarts_ = 0;
};

}  // namespace
}  // namespace eve::journal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  FuzzedDataProvider data(bytes, size);
  eve::journal::Story(data).run();
  return 0;
}
