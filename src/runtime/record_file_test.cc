#include "runtime/record_file.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "execution/executor_testing.h"
#include "runtime/arbiter.h"
#include "runtime/files.h"

namespace eve::runtime {
namespace {

const pair::Record kOld{View(2), {7, 9}};
const pair::Record kNew{View(3), {0, 9}};

class RecordFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "eve-record-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  Result<RecordFile> open() { return RecordFile::open(directory_, Address::executor(1)); }
  std::filesystem::path directory_;
};

/// Turns of the loop until there is an answer.
std::optional<pair::Record> answer_of(EventLoop& loop, OwnRecord& own) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < end) {
    if (const auto answer = own.take_answer()) return answer;
    loop.context().restart();
    loop.context().run_one_for(std::chrono::milliseconds(2));
    if (own.deadline() != kNever) own.tick(own.deadline());
  }
  return std::nullopt;
}

TEST_F(RecordFileTest, KeepsWhatWasWritten) {
  auto file = open();
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->record(), pair::Record{});
  ASSERT_TRUE(file->write(kOld).ok());
  EXPECT_EQ(open()->record(), kOld);
}

TEST_F(RecordFileTest, DamageIsRefused) {
  ASSERT_TRUE(open()->write(kOld).ok());
  ASSERT_TRUE(replace_file(directory_ / "executor-1.record", "epoch 7").ok());
  const auto file = open();
  ASSERT_FALSE(file.ok());
  EXPECT_NE(file.message().find("executor-1.record"), std::string::npos);
}

TEST_F(RecordFileTest, TheOwnRecordIsSwappedOnlyFromWhatIsExpected) {
  EventLoop loop;
  auto file = open();
  OwnRecord own(loop, std::move(*file));
  own.ask({{}, kOld, true});
  EXPECT_EQ(answer_of(loop, own), kOld);
  EXPECT_EQ(own.take_answer(), std::nullopt) << "once";
  own.ask({{}, kNew, true});
  EXPECT_EQ(answer_of(loop, own), kOld) << "it was not empty";
  own.ask({kOld, kNew, false});
  EXPECT_EQ(own.take_answer(), std::nullopt);
  const pair::Record newer{View(5), {0, 9}};
  own.ask({kNew, newer, true});
  EXPECT_EQ(answer_of(loop, own), newer) << "somebody else's word is what it goes on from";
  EXPECT_EQ(open()->record(), newer);
}

TEST_F(RecordFileTest, WhatIsWrittenLaterIsThereInTheEnd) {
  for (uint64_t epoch = 4; epoch < 40; ++epoch) {
    const pair::Record last{View(epoch + 1), {7, 9}};
    const pair::Record now{View(epoch + 2), {7, 9}};
    const bool more = epoch % 2 == 0;
    {
      auto file = open();
      file->write_later({View(epoch), {7, 9}});
      file->write_later(last);
      EXPECT_EQ(file->record(), last);
      if (epoch % 3 == 0) {
        EXPECT_TRUE(file->flush().ok());
        EXPECT_EQ(open()->record(), last);
      }
      if (more) {
        ASSERT_TRUE(file->write(now).ok());
      }
    }
    EXPECT_EQ(open()->record(), more ? now : last) << "nothing older came after it";
  }
}

TEST_F(RecordFileTest, WhatCannotBeWrittenLaterIsSaid) {
  auto file = open();
  std::filesystem::remove_all(directory_);
  file->write_later(kNew);
  EXPECT_FALSE(file->flush().ok());
  EXPECT_EQ(file->record(), kNew);
}

// The replica decides anew: meanwhile the other one may be back, or this one be in doubt (P9).
TEST_F(RecordFileTest, AnOwnRecordThatTheDiskRefusesIsAsItWas) {
  EventLoop loop;
  auto file = open();
  OwnRecord own(loop, std::move(*file));
  std::filesystem::remove_all(directory_);
  own.ask({{}, kOld, true});
  EXPECT_EQ(answer_of(loop, own), pair::Record{});
  std::filesystem::create_directories(directory_);
  own.ask({{}, kOld, true});
  EXPECT_EQ(answer_of(loop, own), kOld);
  EXPECT_TRUE(own.trouble().empty());
  EXPECT_EQ(open()->record(), kOld);
}

// It is in the file, and a restart may find it there: no other answer is true.
TEST_F(RecordFileTest, AnOwnRecordThatIsThereAndNotDurableIsWrittenAgain) {
  EventLoop loop;
  auto file = open();
  std::atomic<int> refused = 0;
  file->write_with([&refused](const std::filesystem::path& path, const pair::Record& record) {
    auto written = replace_file(path, pair::format_record(record) + "\n");
    return refused++ < 2 ? Status(Error{"the folder cannot be synced"}) : written;
  });
  OwnRecord own(loop, std::move(*file));
  own.ask({{}, kOld, true});
  EXPECT_EQ(answer_of(loop, own), kOld);
  EXPECT_EQ(refused, 3);
}

/// A replica with its own record, as PairHost drives it; nobody hears it.
class Lonely : public EventLoop::Member {
 public:
  Lonely(EventLoop& loop, OwnRecord& own, pair::Replica& replica, TimeUs lasts)
      : loop_(loop), own_(own), replica_(replica), end_(loop.now() + lasts) {
    replica_.start(loop.now(), out_);
    hand_out(loop.now());
  }
  TimeUs deadline() const override { return std::min(own_.deadline(), replica_.deadline()); }
  void tick(TimeUs now) override {
    own_.tick(now);
    if (now >= replica_.deadline()) replica_.tick(now, out_);
    hand_out(now);
  }
  bool idle(TimeUs now) override {
    if (const auto answer = own_.take_answer()) replica_.on_record(*answer, now, out_);
    replica_.idle(now, out_);
    hand_out(now);
    if (replica_.status().leading && answered_at_ == 0) answered_at_ = now;
    if (now >= end_) loop_.stop();
    return false;
  }
  bool led() const { return answered_at_ != 0; }
  TimeUs longest_pause() const { return longest_; }

 private:
  void hand_out(TimeUs now) {
    for (const auto& request : std::exchange(out_.requests, {})) own_.ask(request);
    for (const wire::Send& send : std::exchange(out_.sends, {})) {
      if (!std::holds_alternative<wire::PairBeat>(*send.message)) continue;
      if (beat_at_ != 0) longest_ = std::max(longest_, now - beat_at_);
      beat_at_ = now;
    }
  }

  EventLoop& loop_;
  OwnRecord& own_;
  pair::Replica& replica_;
  const TimeUs end_;
  pair::Outbox out_;
  TimeUs beat_at_ = 0;
  TimeUs longest_ = 0;
  TimeUs answered_at_ = 0;
};

// Who does not beat for a silence is replaced (P6), though it may have written that it is alone.
TEST_F(RecordFileTest, AReplicaBeatsWhileItsDiskStalls) {
  constexpr TimeUs kSilence = 600'000;
  const pair::Record both{View(2), {7, 9}};
  EventLoop loop;
  auto file = open();
  ASSERT_TRUE(file->write(both).ok());
  std::atomic<int> writes = 0;
  file->write_with([&writes](const std::filesystem::path& path, const pair::Record& record) {
    ++writes;
    std::this_thread::sleep_for(std::chrono::microseconds(2 * kSilence));
    return replace_file(path, pair::format_record(record) + "\n");
  });
  OwnRecord own(loop, std::move(*file));
  pair::ReplicaOptions options;
  options.clients = 1;
  options.life = 7;
  options.process = 1;
  options.record = both;
  options.silence_us = kSilence;
  const execution::executor_testing::NamingAuthenticator authenticator;
  pair::Replica replica(options, authenticator, execution::executor_testing::digester());
  Lonely lonely(loop, own, replica, 5 * kSilence);
  loop.add(lonely);
  loop.run();
  EXPECT_EQ(writes, 1);
  EXPECT_LT(lonely.longest_pause(), kSilence) << "the other one would take it for silent";
  EXPECT_TRUE(lonely.led()) << replica.status().waiting_for;
  EXPECT_EQ(open()->record(), (pair::Record{View(4), {7, 0}}));
}

}  // namespace
}  // namespace eve::runtime
