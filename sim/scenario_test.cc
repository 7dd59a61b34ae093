// The language of scenario scripts: what it says of mistakes, and what it shows. Scenarios
// themselves are in tests/scenarios.
#include "sim/scenario.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/run_seed.h"
#include "sim/script_line.h"
#include "sim/transcript.h"

namespace eve::sim {
namespace {

ScenarioOutcome run(const std::string& script) {
  Fibers fibers(kWorkers);
  return run_scenario(script, fibers);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kRequest =
    "cluster opened u=1 r=1\n"
    "client-0 sends add x 5; get x\n"
    "until quiet\n";

TEST(Scenario, ShowsEveryMessageWithShortNames) {
  const ScenarioOutcome outcome = run(kRequest);
  EXPECT_TRUE(outcome.ok) << outcome.failure;
  for (const char* line : {
           "> cluster opened u=1 r=1",
           "client-0 -> executor-0: call client-0#1 \"add x 5\" \"get x\"",
           "executor-0 -> other executors: batch 2 in view 0: B2 (client-0#1)",
           "executor-1, executor-2 -> verifiers: token 2 in view 0: T2",
           "verifiers -> other verifiers: PREPARE 2 in view 0: T2",
           "executors: committed batch 2 T2",
           "client-0: \"get x\" is answered \"5\"",
       }) {
    EXPECT_TRUE(contains(outcome.transcript, line)) << line << " in\n" << outcome.transcript;
  }
}

TEST(Scenario, TheSameScriptGivesTheSameTranscript) {
  EXPECT_EQ(run(kRequest).transcript, run(kRequest).transcript);
}

TEST(Scenario, DrawsADiagram) {
  const std::string drawn = run(kRequest).mermaid;
  EXPECT_EQ(drawn.find("sequenceDiagram\n  participant c0 as client-0\n"), 0u);
  EXPECT_TRUE(contains(drawn, "  c0->>e0: call client-0#35;1 \"add x 5\""));
  EXPECT_TRUE(contains(drawn, "  e0->>e2: batch 2"));
  EXPECT_TRUE(contains(drawn, "  Note over v0,v3: verifiers -> other verifiers: "));
  const ScenarioOutcome lost = run("cluster opened u=1\ndrop call\nclient-0 sends x\npass 1 ms\n");
  EXPECT_TRUE(contains(lost.mermaid, "  c0--xe0: call")) << lost.mermaid;
}

TEST(Scenario, AnExpectationThatFailsSaysWhatIsSo) {
  const ScenarioOutcome outcome =
      run(std::string(kRequest) + "\nexpect executors committed 3\nexpect agreement\n");
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.failure,
            "line 5: that is not so: executor-0 committed 2; executor-1 committed 2; "
            "executor-2 committed 2; ");
  EXPECT_FALSE(contains(outcome.transcript, "agreement")) << "stops at the first failure";
}

struct Mistake {
  const char* line;  ///< after a cluster line
  const char* complaint;
};

TEST(Scenario, MistakesAreReportedWithWhatIsExpected) {
  const std::vector<Mistake> mistakes = {
      {"jump", "line 2: expected cluster, pass, until"},
      {"cluster u=1", "there is a cluster already"},
      {"pass 5", "expected ms, s or min, found nothing more"},
      {"pass long", "expected a duration such as 5 ms (a number), found \"long\""},
      {"pass 5 ms more", "expected the end of the line, found \"more\""},
      {"executor-3 crashes", "or a node, found \"executor-3\""},
      {"executor-0 dances", "expected what it does: sends, crashes"},
      {"executor-0 sends x", "only clients send requests"},
      {"client-0 races by 2", "only executors race"},
      {"client-0 crashes", "it cannot crash"},
      {"executor-0 restarts", "it is up"},
      {"drop tokens", "expected a kind of message (anything, open, call,"},
      {"drop token from nobody", "expected nodes such as executor-1"},
      {"drop token height=3", "expected view=, number= or token=, found height="},
      {"drop token view=x", "view= needs a number"},
      {"drop token view=1 view=2", "view= is there twice"},
      {"expect executors height 3", "executor-0 has no field \"height\"; see docs/scenarios.md"},
      {"expect executors committed at-least x", "at-least needs a number"},
      {"expect executors reply 1 x", "only clients get replies"},
      {"expect client-0 reply 0 x", "requests count from 1"},
      {"expect no PREPARE token=T7", "no token is called T7 so far"},
      {"expect some suspect", "that is not so: none was sent"},
      {"expect no suspect \"", "a quote is not closed"},
      {"until executors committed 9 within 5 ms", "it did not come to that: executor-0 committed"},
      {"executor-2 tells verifiers: song", "nobody can tell a \"song\"; known: token, PREPARE"},
      {"executor-2 tells verifiers: token", "a token needs number=..."},
      {"executor-2 tells verifiers: token number=2 colour=red", "a token has no field colour; it "},
      {"executor-2 tells verifiers: token number=x", "number= needs a number, not \"x\""},
      {"executor-2 tells verifiers: token as=T7", "no token is called T7 so far"},
      {"verifier-1 tells verifiers: NEW-VIEW view=1 proof=0", "no VIEW-CHANGE of verifier-0"},
      {"executor-0 tells executors: batch number=2 bundles=client-0#9", "no bundle is called"},
      {"client-0 tells executors: call first=1 request=x", "that client has no session so far"},
  };
  for (const Mistake& mistake : mistakes) {
    const ScenarioOutcome outcome =
        run("cluster opened u=1 r=1\n" + std::string(mistake.line) + '\n');
    EXPECT_FALSE(outcome.ok) << mistake.line;
    EXPECT_EQ(outcome.failure.find("line 2: "), 0u) << outcome.failure;
    EXPECT_TRUE(contains(outcome.failure, mistake.complaint))
        << mistake.line << ": " << outcome.failure;
  }
}

TEST(Scenario, BeginsWithACluster) {
  EXPECT_EQ(run("# words\nexecutor-0 crashes\n").failure,
            "line 2: expected \"cluster u=... r=...\" first, found \"executor-0\"");
  EXPECT_EQ(run("heal\n").failure, "line 1: expected \"cluster u=... r=...\" first");
  EXPECT_TRUE(contains(run("cluster u=1 r=2\n").failure, "r <= u"));
  EXPECT_TRUE(contains(run("cluster u=9\n").failure, "u= needs a number up to 8"));
  EXPECT_TRUE(contains(run("cluster n=4\n").failure, "expected u=, r= or clients="));
}

/// A checker of the simulator that is not content stops the scenario like any expectation: here a
/// reply that was never committed, vouched for by r+1 liars.
TEST(Scenario, CheckersOfTheSimulatorWatch) {
  const ScenarioOutcome outcome =
      run("cluster opened u=1 r=1\n"
          "client-0 sends add x 5\n"
          "pass 1 ms\n"
          "executor-1,executor-2 tells client-0: reply first=1 text=7\n"
          "until quiet\n");
  EXPECT_FALSE(outcome.ok);
  EXPECT_TRUE(contains(outcome.failure, "line 5: ")) << outcome.failure;
  EXPECT_FALSE(contains(outcome.failure, "it did not come to that")) << outcome.failure;
}

TEST(ScriptLine, WordsQuotesAndFields) {
  ScriptLine line("tells key=\"a b\" 7 \"one word\"");
  line.expect("tells");
  EXPECT_EQ(line.word("a word"), "key=a b");
  EXPECT_EQ(line.number("a number"), 7u);
  EXPECT_EQ(line.rest(), "\"one word\"");
  line.end();
  EXPECT_THROW(line.word("more"), ScriptError);
}

TEST(ScriptLine, Durations) {
  EXPECT_EQ(ScriptLine("5 ms").duration(), 5'000);
  EXPECT_EQ(ScriptLine("2 s").duration(), 2'000'000);
  EXPECT_EQ(ScriptLine("61 min").duration(), 3'660'000'000);
}

TEST(Transcript, WhatSeveralDoAtOnceIsOneLine) {
  Transcript transcript;
  transcript.set_nodes({Address::executor(0), Address::executor(1), Address::executor(2)});
  transcript.change(1000, Address::executor(0), "stops");
  transcript.change(1000, Address::executor(2), "stops");
  EXPECT_EQ(transcript.text(), "     1 ms  executor-0, executor-2: stops\n");
  transcript.change(2000, Address::executor(1), "stops");
  EXPECT_EQ(transcript.text(),
            "     1 ms  executor-0, executor-2: stops\n"
            "     2 ms  executor-1: stops\n");
}

TEST(Transcript, RepeatedMessagesAreCountedWhereTheyMeanNothingNew) {
  Transcript transcript;
  transcript.set_nodes({Address::executor(0), Address::executor(1)});
  for (const TimeUs at : {1000, 2000, 3000}) {
    transcript.message(at, Address::executor(0), {Address::executor(1)}, "token", "", true);
  }
  transcript.message(3000, Address::executor(0), {Address::executor(1)}, "token", "held", true);
  transcript.message(4000, Address::executor(0), {Address::executor(1)}, "call", "", false);
  transcript.message(5000, Address::executor(0), {Address::executor(1)}, "call", "", false);
  EXPECT_EQ(transcript.text(),
            "     1 ms  executor-0 -> executor-1: token\n"
            "     3 ms  executor-0 -> executor-1: token (held)\n"
            "     4 ms  executor-0 -> executor-1: call\n"
            "     5 ms  executor-0 -> executor-1: call\n"
            "           (sent again: 2)\n");
}

}  // namespace
}  // namespace eve::sim
