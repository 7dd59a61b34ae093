#include "durability/genesis_state.h"

#include <gtest/gtest.h>

#include "durability/checkpoint_testing.h"
#include "eve/graph.h"
#include "wire/codec.h"

namespace eve::durability {
namespace {

using execution::Runner;
using execution::testing::call;
using execution::testing::make_words;
using execution::testing::open;
using execution::testing::Replica;
using execution::testing::texts;

/// Of the new cluster: another algorithm, another secret.
const crypto::Digester& other_digester() {
  static const crypto::Digester digester(crypto::DigestAlgorithm::kSha256, crypto::Secret{9});
  return digester;
}

/// A replica of the new cluster.
struct Fresh {
  explicit Fresh(const execution::MakeService& service = make_words,
                 const crypto::Digester& used = other_digester())
      : digester(used), scheduler(1), runner(used, scheduler, service, [] { return TimeUs{0}; }) {}

  /// The replies to `requests` in one batch of a session of its own; commits.
  std::vector<Bytes> ask(const std::vector<Bytes>& requests) {
    const auto opened = run({open(0, ++nonce)});
    const SessionId session = Replica::id_in(opened.replies.front());
    const auto done = run({call(0, session, 1, requests)});
    return texts(done.replies.front(), requests.size());
  }
  execution::BatchExecuted run(std::vector<wire::BundlePtr> bundles) {
    ++number;
    time = std::max(time, runner.last_time_us()) + 1;
    const auto batch =
        wire::make_batch(View(), BatchNumber(number), time, 7, std::move(bundles), digester);
    execution::BatchExecuted executed;
    const auto keep = [&](execution::Event event) {
      if (auto* run = std::get_if<execution::BatchExecuted>(&event)) executed = std::move(*run);
    };
    runner.apply(execution::RunBatch{1, batch, {}, {}}, keep);
    runner.apply(execution::CommitBatches{BatchNumber(number)}, keep);
    return executed;
  }

  const crypto::Digester& digester;
  execution::testing::ThreadScheduler scheduler;
  Runner runner;
  uint64_t number = 0;
  uint64_t nonce = 100;
  TimeUs time = 0;
};

struct Link {
  std::string name;
  Ref<Link> next;
  template <typename A>
  void fields(A& archive) {
    archive(name, next);
  }
};

/// "push NAME" and "list": objects that refer to each other by their slots.
class ListService final : public Service {
 public:
  explicit ListService(State& state) : graph_(state), head_(state, "head") {}

  void execute(Context& context, ByteView request, Bytes& reply) override {
    const auto head = head_.get(context);
    if (request.starts_with("push ")) {
      head_.set(context, graph_.create(context, Link{std::string(request.substr(5)), head}));
      return;
    }
    for (auto link = graph_.get(context, head); link; link = graph_.get(context, link->next)) {
      reply += link->name + " ";
    }
  }

 private:
  Graph graph_;
  Cell<Ref<Link>> head_;
};

std::unique_ptr<Service> make_list(State& state) {
  return std::make_unique<ListService>(state);
}

class GenesisStateTest : public ::testing::Test {
 protected:
  GenesisStateTest() {
    writer.write(0, 40, "old");
    writer.write(5, 3, "new");
    auto written = testing::write_checkpoint(disk, writer.replica, journal::Position(9));
    EXPECT_TRUE(written.ok());
    name = *written;
  }
  Result<CheckpointInfo> begin(Fresh& fresh) {
    return begin_with_checkpoint(disk, name, testing::digester(), fresh.runner);
  }

  testing::Writer writer;
  testing::TestDisk disk;
  std::string name;
};

TEST_F(GenesisStateTest, ServicesObjectsAreThereAndSessionsAreGone) {
  Fresh fresh;
  const auto info = begin(fresh);
  ASSERT_TRUE(info.ok()) << info.message();
  EXPECT_EQ(info->end.parts.number, BatchNumber(writer.replica.number));
  EXPECT_EQ(fresh.runner.root(), fresh.runner.recompute_root());
  for (const auto& container : fresh.runner.containers()) {
    if (container.name == "eve.sessions" || container.name == "eve.replies") {
      EXPECT_EQ(container.objects, 0u) << container.name;
    }
  }
  // The old cluster's session is nobody's here.
  const auto stranger = fresh.run({call(0, writer.session, writer.next, {"get key5"})});
  EXPECT_EQ(stranger.replies.front().status, wire::ReplyStatus::kUnknownSession);
  EXPECT_EQ(fresh.ask({"get key5", "get key39", "get key40", "count"}),
            (std::vector<Bytes>{"new5", "old39", "none", "40"}));
}

// Slots are what references are made of: they must not move.
TEST_F(GenesisStateTest, ReferencesBetweenObjectsLeadToTheSame) {
  Fresh old(make_list, testing::digester());
  for (int i = 0; i < 30; ++i) old.ask({"push a" + std::to_string(i), "push b"});
  const Bytes expected = old.ask({"list"}).front();
  testing::TestDisk of_list;
  auto file = CheckpointFile::create(of_list, testing::header(), testing::digester(),
                                     testing::small_file());
  ASSERT_TRUE(file.ok());
  const auto pieces = old.runner.start_export(300);
  for (auto piece = pieces->next(); piece; piece = pieces->next()) {
    ASSERT_TRUE((*file)->add({piece->parts.number, piece->parts.state}, piece->chunk).ok());
    if (!piece->last) continue;
    ASSERT_TRUE((*file)->end({piece->parts, piece->token, journal::Position(1), {}}).ok());
  }
  for (auto done = (*file)->go_on(); !*done; done = (*file)->go_on()) ASSERT_TRUE(done.ok());

  Fresh fresh(make_list);
  const auto begun =
      begin_with_checkpoint(of_list, (*file)->name(), testing::digester(), fresh.runner);
  ASSERT_TRUE(begun.ok()) << begun.message();
  EXPECT_EQ(fresh.ask({"list"}).front(), expected);
  EXPECT_EQ(fresh.ask({"push new", "list"}).back(), "new " + expected);
  // And the collector goes on, too.
  for (int i = 0; i < 30; ++i) fresh.ask({"push c" + std::to_string(i)});
  EXPECT_EQ(fresh.runner.root(), fresh.runner.recompute_root());
}

TEST_F(GenesisStateTest, TimeGoesOn) {
  Fresh fresh;
  ASSERT_TRUE(begin(fresh).ok());
  EXPECT_EQ(fresh.runner.last_time_us(), writer.replica.time);
  EXPECT_EQ(Fresh().runner.last_time_us(), 0);
}

TEST_F(GenesisStateTest, EveryExecutorBeginsAlike) {
  Fresh first;
  ASSERT_TRUE(begin(first).ok());
  const crypto::Digest root = first.runner.root();
  testing::TestDisk genesis;
  const auto written = write_genesis(genesis, "cluster-2", other_digester(), first.runner);
  ASSERT_TRUE(written.ok()) << written.message();
  EXPECT_EQ(written->end.parts.number, BatchNumber());
  EXPECT_EQ(written->end.token, wire::genesis_token(root, other_digester()));
  Fresh second;
  const auto imported = import_genesis(genesis, root, second.runner);
  ASSERT_TRUE(imported.ok()) << imported.message();
  EXPECT_EQ(second.runner.root(), root);
  EXPECT_EQ(second.runner.last_time_us(), writer.replica.time);
  // And they go on alike, the free slots included; the chain of tokens too.
  for (int i = 0; i < 3; ++i) {
    const Bytes request = "set more" + std::to_string(i) + " x";
    EXPECT_EQ(first.ask({request}), second.ask({request}));
    EXPECT_EQ(first.runner.root(), second.runner.root());
  }
  EXPECT_EQ(first.runner.resume().token, second.runner.resume().token);
}

TEST_F(GenesisStateTest, AnotherStateIsNotTakenForIt) {
  Fresh first;
  ASSERT_TRUE(begin(first).ok());
  testing::TestDisk genesis;
  ASSERT_TRUE(write_genesis(genesis, "cluster-2", other_digester(), first.runner).ok());
  Fresh second;
  crypto::Digest wrong = first.runner.root();
  wrong.bytes[31] ^= 1;
  EXPECT_FALSE(import_genesis(genesis, wrong, second.runner).ok());
  testing::TestDisk empty;
  EXPECT_FALSE(import_genesis(empty, first.runner.root(), second.runner).ok());
  // A later batch of a cluster is no beginning, whatever its root.
  const auto later = import_genesis(disk, writer.replica.runner.root(), second.runner);
  EXPECT_FALSE(later.ok());
  EXPECT_EQ(second.runner.root(), second.runner.empty_root());
}

TEST_F(GenesisStateTest, DamageIsRefusedAndLeavesTheRunnerEmpty) {
  const Bytes whole = disk.content(name);
  Fresh fresh;
  for (size_t at = 0; at < whole.size(); at += 37) {
    disk.flip(name, at);
    const auto info = begin(fresh);
    EXPECT_FALSE(info.ok()) << "byte " << at;
    EXPECT_EQ(fresh.runner.root(), fresh.runner.empty_root());
    disk.flip(name, at);
  }
  ASSERT_TRUE(begin(fresh).ok());
}

TEST_F(GenesisStateTest, WithoutTheSecretAnXxh3BackupIsNotBelieved) {
  const crypto::Digester stranger(crypto::DigestAlgorithm::kXxh3, crypto::Secret{8});
  Fresh fresh;
  EXPECT_FALSE(begin_with_checkpoint(disk, name, stranger, fresh.runner).ok());
  EXPECT_EQ(fresh.runner.root(), fresh.runner.empty_root());
}

TEST_F(GenesisStateTest, TablesOfAnotherServiceAreRefused) {
  Fresh fresh;
  BackupManifest manifest;
  for (const auto& container : writer.replica.runner.containers()) {
    manifest.tables.emplace_back(container.name);
  }
  EXPECT_TRUE(check_tables(manifest, fresh.runner).ok());
  manifest.tables.push_back("more");
  EXPECT_NE(check_tables(manifest, fresh.runner).message().find("\"more\""), std::string::npos);
  manifest.tables.pop_back();
  manifest.tables.back() = "other";
  EXPECT_NE(check_tables(manifest, fresh.runner).message().find("\"words\""), std::string::npos);
  manifest.tables.pop_back();
  EXPECT_FALSE(check_tables(manifest, fresh.runner).ok());
}

}  // namespace
}  // namespace eve::durability
