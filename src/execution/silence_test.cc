// E10: from which view on a restarted executor speaks again.
#include "execution/silence.h"

#include <gtest/gtest.h>

namespace eve::execution {
namespace {

const FaultModel kModel(1, 1);

TEST(Silence, OneThatDidNotRestartSpeaks) {
  EXPECT_FALSE(Silence(kModel, false).silent());
}

TEST(Silence, LastsUntilAViewAboveAllThatAQuorumPromised) {
  Silence silence(kModel, true);
  silence.welcome(0, View(2), View(0));
  silence.welcome(1, View(5), View(0));
  EXPECT_FALSE(silence.answered());
  silence.entered(View(9));
  EXPECT_TRUE(silence.silent()) << "nobody knows yet what was promised";
  silence.welcome(2, View(3), View(0));
  EXPECT_TRUE(silence.answered());
  silence.entered(View(5));
  EXPECT_TRUE(silence.silent());
  silence.entered(View(6));
  EXPECT_FALSE(silence.silent());
}

TEST(Silence, OneMoreAnswerMayLowerTheFloorButOnlyToWhatAQuorumPromised) {
  Silence silence(kModel, true);
  silence.welcome(0, View(2), View(0));
  silence.welcome(1, View(100), View(0));
  silence.welcome(2, View(3), View(0));
  silence.welcome(3, View(7), View(7));
  EXPECT_TRUE(silence.silent());
  silence.entered(View(8));
  EXPECT_FALSE(silence.silent());
}

TEST(Silence, AVerifiersFirstAnswerCounts) {
  Silence silence(kModel, true);
  silence.welcome(0, View(2), View(0));
  silence.welcome(0, View(0), View(0));
  silence.welcome(1, View(2), View(0));
  silence.welcome(2, View(2), View(0));
  silence.entered(View(2));
  EXPECT_TRUE(silence.silent());
  silence.entered(View(3));
  EXPECT_FALSE(silence.silent());
}

}  // namespace
}  // namespace eve::execution
