// The fuzzer's seeds (and what it has found) are replayed by every build.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "base/source_file.h"
#include "wire/codec.h"

namespace eve::wire {
namespace {

TEST(Corpus, IsRefusedOrCanonicalAndHasEveryKind) {
  const crypto::Digester digester(crypto::DigestAlgorithm::kXxh3, {});
  std::set<size_t> kinds;
  std::ostringstream refused;
  const auto folder = source_file(__FILE__).parent_path() / "corpus";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const Bytes bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    auto message = decode(SharedBytes(bytes), digester);
    if (!message.ok()) {
      refused << entry.path().filename() << ": " << message.message() << '\n';
      continue;
    }
    EXPECT_EQ(encode(*message), bytes) << entry.path();
    kinds.insert(message->index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Message>) << refused.str();
}

}  // namespace
}  // namespace eve::wire
