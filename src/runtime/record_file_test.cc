#include "runtime/record_file.h"

#include <gtest/gtest.h>

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
  EXPECT_EQ(own.take_answer(), kOld);
  EXPECT_EQ(own.take_answer(), std::nullopt) << "once";
  own.ask({{}, kNew, true});
  EXPECT_EQ(own.take_answer(), kOld) << "it was not empty";
  own.ask({kOld, kNew, false});
  EXPECT_EQ(own.take_answer(), std::nullopt);
  const pair::Record newer{View(5), {0, 9}};
  own.ask({kNew, newer, true});
  EXPECT_EQ(own.take_answer(), newer) << "somebody else's word is what it goes on from";
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

TEST_F(RecordFileTest, ADiskThatRefusesIsAskedAgain) {
  EventLoop loop;
  auto file = open();
  OwnRecord own(loop, std::move(*file));
  std::filesystem::remove_all(directory_);
  own.ask({{}, kOld, true});
  EXPECT_EQ(own.take_answer(), std::nullopt);
  EXPECT_FALSE(own.trouble().empty());
  std::filesystem::create_directories(directory_);
  own.tick(own.deadline());
  EXPECT_EQ(own.take_answer(), kOld);
  EXPECT_TRUE(own.trouble().empty());
}

}  // namespace
}  // namespace eve::runtime
