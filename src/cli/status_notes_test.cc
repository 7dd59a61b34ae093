#include "cli/status_notes.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/node_words.h"

namespace eve::cli {
namespace {

using nlohmann::json;

json healthy() {
  return json::parse(R"([
    {"name": "executor-0", "config": {"u": 1, "r": 1},
     "executor": {"committed": 100, "waiting_for": "the verdict on batch 101"},
     "links": [{"peer": "verifier-0", "connected": true}, {"peer": "client", "connected": false}],
     "refused": {"total": 0, "by_sender": []}},
    {"name": "verifier-0", "config": {"u": 1, "r": 1},
     "verifier": {"view": 4, "committed": 103, "phase": "normal", "suspecting": []},
     "links": [{"peer": "executor-0", "connected": true}],
     "refused": {"total": 0, "by_sender": []}}])");
}

using Notes = std::vector<std::string>;

TEST(StatusNotes, AreSilentWhenAllIsWell) {
  EXPECT_EQ(status_notes(healthy()), Notes{});
}

TEST(StatusNotes, SayWhoIsBehindAndWhatItWaitsFor) {
  auto nodes = healthy();
  nodes[1]["verifier"]["committed"] = 200;
  EXPECT_EQ(status_notes(nodes), Notes{"executor-0 (executor) is 100 batches behind: waits for the "
                                       "verdict on batch 101"});
  nodes = healthy();
  nodes[0]["executor"]["silent"] = true;
  nodes[0]["executor"]["waiting_for"] = "a new view, after the restart";
  nodes[1]["verifier"]["phase"] = "changing";
  EXPECT_EQ(status_notes(nodes), (Notes{"executor-0 (executor) is not back: waits for a new view, "
                                        "after the restart",
                                        "verifier-0 (verifier) is not back"}));
}

TEST(StatusNotes, SayWhoWasReplacedAndNotThatItIsBehind) {
  auto nodes = healthy();
  nodes[0]["executor"]["committed"] = 3;
  nodes[0]["executor"]["replaced"] = true;
  nodes[0]["executor"]["waiting_for"] = "another node has taken its seat";
  EXPECT_EQ(status_notes(nodes),
            Notes{"executor-0 (executor) was replaced: another node has taken its seat"});
}

TEST(StatusNotes, NameThePrimaryThatIsSuspected) {
  auto nodes = healthy();
  nodes[1]["verifier"]["suspecting"] = {"executor-2", "executor-0"};
  const auto notes = status_notes(nodes);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_TRUE(notes[0].starts_with("executor-1 (primary) is suspected by executor-0, executor-2"))
      << notes[0];
}

TEST(StatusNotes, NameLinksThatAreDownBetweenNodesThatServe) {
  auto nodes = healthy();
  nodes[1]["links"][0]["connected"] = false;
  EXPECT_EQ(status_notes(nodes), Notes{"executor-0 has no link with verifier-0"});
  nodes[0] = {{"name", "executor-0"}, {"error", "connection refused"}};
  EXPECT_EQ(status_notes(nodes), Notes{}) << "that it does not answer is said elsewhere";
}

TEST(StatusNotes, CountLies) {
  auto nodes = healthy();
  nodes[0]["refused"]["by_sender"] = {
      {{"sender", "verifier-0"}, {"count", 7}, {"reason", "a verdict of no verifier"}}};
  EXPECT_EQ(status_notes(nodes),
            Notes{"executor-0 refused 7 of verifier-0, last: a verdict of no verifier"});
}

/// Each field of `words`, however deep, with something else in its place: `look` at every one.
void with_each_field_replaced(const json& words, const json& shape,
                              const std::function<void(const json&)>& look) {
  const json flat = words.flatten();
  std::set<std::string> places;
  for (const auto& [place, value] : flat.items()) {
    for (auto end = place.size(); end != std::string::npos && end > 0;
         end = place.rfind('/', end - 1)) {
      places.insert(place.substr(0, end));
    }
  }
  for (const auto& place : places) {
    json other = words;
    other[json::json_pointer(place)] = shape;
    look(other);
  }
}

TEST(StatusNotes, BearAnyShape) {
  EXPECT_EQ(status_notes(json::array({json::object()})), Notes{});
  auto nodes = healthy();
  nodes[0]["pair"] = {{"leading", true}};
  nodes[0]["executor"]["replaced"] = false;
  nodes[0]["executor"]["silent"] = true;
  nodes[0]["executor"]["quarantined_requests"] = 1;
  nodes[0]["refused"]["by_sender"] = {{{"sender", "x"}, {"count", 7}, {"reason", "y"}}};
  nodes[1]["verifier"]["suspecting"] = {"executor-2"};
  nodes[1]["verifier"]["waiting_for"] = "a verdict";
  size_t looks = 0;
  for (const char* shape : {"null", "7", "-7", "1.5", "18446744073709551615", "true", "\"text\"",
                            "[]", "[3]", "[[3]]", "{}", "{\"a\":3}", "[{\"peer\":3}]"}) {
    with_each_field_replaced(nodes, json::parse(shape), [&](const json& odd) {
      EXPECT_NO_THROW(status_notes(odd)) << odd.dump();
      ++looks;
    });
  }
  EXPECT_GT(looks, 300u);
}

TEST(StatusNotes, ABoastOfTheLastNumberIsNotBehind) {
  auto nodes = healthy();
  nodes[1]["verifier"]["committed"] = std::numeric_limits<uint64_t>::max();
  const auto notes = status_notes(nodes);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_TRUE(notes[0].starts_with("executor-0 (executor) is ")) << notes[0];
}

TEST(NodeWords, WhatIsNestedTooDeepIsLeftOut) {
  const size_t depth = 1'000'000;
  const auto words =
      parse_words("{\"name\":\"a\",\"executor\":{\"committed\":7,\"x\":" + std::string(depth, '[') +
                  std::string(depth, ']') + "}}");
  EXPECT_EQ(text_of(words, "name"), "a");
  const json copy = part_of(words, "executor");
  EXPECT_EQ(number_of(copy, "committed"), 7u);
  EXPECT_LT(copy.dump().size(), 100u);
  EXPECT_TRUE(parse_words("{\"a\":").is_discarded());
}

TEST(NodeWords, WhatIsPrintedCannotSteerATerminal) {
  EXPECT_EQ(for_eyes("a\x1b[2Jb\n"), "a?[2Jb?");
  EXPECT_EQ(for_eyes(std::string(1'000, 'x')).size(), 303u);
}

TEST(StatusNotes, SayThatRequestsWereQuarantined) {
  auto nodes = healthy();
  nodes[0]["executor"]["quarantined_requests"] = 3;
  nodes[1]["executor"] = {{"committed", 100}, {"quarantined_requests", 2}};
  EXPECT_EQ(status_notes(nodes), Notes{"quarantined, not executed: 3: replicas never agreed on "
                                       "what the service does with such requests"});
}

}  // namespace
}  // namespace eve::cli
