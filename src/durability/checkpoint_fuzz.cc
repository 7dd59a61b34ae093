// libFuzzer: a directory with a checkpoint that the input has changed: single bytes, pieces, or
// frames with any body and right sums. Reading it ends, and ends with a state whose root is that of
// a token, or with none; what is inspected, verified and imported agrees.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "durability/checkpoint_testing.h"

namespace eve::durability {
namespace {

using testing::digester;
using testing::TestDisk;
using Frames = std::vector<std::pair<FrameKind, Bytes>>;

struct Original {
  Original() {
    testing::Writer writer;
    writer.write(0, 12, "v");
    TestDisk disk;
    const auto name = testing::write_checkpoint(disk, writer.replica, journal::Position(9), 500);
    EVE_CHECK(name.ok(), "no checkpoint");
    auto reader = CheckpointReader::open(disk, *name);
    header = (*reader)->info().header;
    end = (*reader)->info().end;
    for (auto frame = (*reader)->next(); *frame; frame = (*reader)->next()) {
      frames.emplace_back((*frame)->kind, (*frame)->body);
    }
    frames.emplace_back(FrameKind::kEnd, encode(end));
  }
  CheckpointHeader header;
  CheckpointEnd end;
  Frames frames;
};

Bytes assemble(const CheckpointHeader& header, const Frames& frames) {
  Bytes out = encode(header);
  const auto file = file_id(out);
  uint64_t index = 0;
  uint64_t end_offset = 0;
  for (const auto& [kind, body] : frames) {
    end_offset = out.size();
    out += encode(
        FrameHead{kind, static_cast<uint32_t>(body.size()), index++, journal::checksum(body)},
        file);
    out += body;
  }
  return out + encode(CheckpointFooter{end_offset, index}, file);
}

void change(FuzzedDataProvider& data, Bytes& bytes) {
  const auto at = data.ConsumeIntegralInRange<size_t>(0, bytes.size());
  switch (data.ConsumeIntegralInRange(0, 3)) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(data.ConsumeIntegral<uint8_t>());
      break;
    case 1:
      bytes.resize(at);
      break;
    case 2:
      bytes.insert(at, data.ConsumeRandomLengthString(64));
      break;
    default:
      bytes.replace(at, data.ConsumeIntegralInRange<size_t>(0, 64),
                    data.ConsumeRandomLengthString(64));
  }
}

void change_frames(FuzzedDataProvider& data, const Original& original, Frames& frames) {
  const auto any = [&] { return data.ConsumeIntegralInRange<size_t>(0, frames.size() - 1); };
  switch (data.ConsumeIntegralInRange(0, 5)) {
    case 0:
      if (frames.size() > 1) frames.erase(frames.begin() + static_cast<std::ptrdiff_t>(any()));
      break;
    case 1:
      frames.insert(frames.begin() + static_cast<std::ptrdiff_t>(any()), frames[any()]);
      break;
    case 2:
      std::swap(frames[any()], frames[any()]);
      break;
    case 3: {
      CheckpointEnd end = original.end;
      end.chunks = data.ConsumeIntegralInRange<uint64_t>(0, 40);
      if (data.ConsumeBool()) end.chunk_bytes = data.ConsumeIntegral<uint64_t>();
      if (data.ConsumeBool()) end.parts.number = BatchNumber(data.ConsumeIntegral<uint64_t>());
      end.context = data.ConsumeRandomLengthString(40);
      frames.back() = {FrameKind::kEnd, encode(end)};
      break;
    }
    case 4:
      frames[any()].first = static_cast<FrameKind>(data.ConsumeIntegralInRange(0, 4));
      break;
    default:
      change(data, frames[any()].second);
  }
}

/// Verifying asks for more than importing does: that the chunks after the last version bring or
/// keep every leaf. A forged file may name a version twice, and bring nothing after that.
void read(const std::string& name, const Bytes& bytes, bool one_version) {
  TestDisk disk;
  disk.put_file(name, bytes);
  const auto info = inspect_checkpoint(disk, name);
  const auto verified = verify_checkpoint(disk, name, digester());
  EVE_CHECK(info.ok() || !verified.ok(), "verified, but not inspected");
  testing::Replica replica;
  CheckpointWanted wanted = testing::wanted();
  wanted.owner.reset();
  wanted.life.reset();
  const auto found = read_checkpoint(disk, wanted, replica.runner);
  if (found.ok() && found->checkpoint) {
    EVE_CHECK(verified.ok() || !one_version, "imported, but not verified");
    EVE_CHECK(replica.runner.root() == found->checkpoint->end.parts.state, "a wrong root");
    EVE_CHECK(replica.runner.recompute_root() == replica.runner.root(), "a wrong state");
  } else {
    EVE_CHECK(replica.runner.root() == replica.runner.empty_root(), "half a state");
  }
}

}  // namespace
}  // namespace eve::durability

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  using namespace eve::durability;
  static const Original original;
  FuzzedDataProvider data(input, size);
  Frames frames = original.frames;
  for (int i = data.ConsumeIntegralInRange(0, 3); i > 0; --i) {
    change_frames(data, original, frames);
  }
  eve::Bytes bytes = assemble(original.header, frames);
  for (int i = data.ConsumeIntegralInRange(0, 2); i > 0; --i) change(data, bytes);
  const auto versions = std::count_if(frames.begin(), frames.end(), [](const auto& frame) {
    return frame.first == FrameKind::kVersion;
  });
  read(checkpoint_name(1), bytes, versions == 1);
  return 0;
}
