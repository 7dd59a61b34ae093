#include "sim/scenario.h"

#include <algorithm>
#include <memory>
#include <sstream>
#include <vector>

#include "sim/script_line.h"
#include "sim/stage.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr TimeUs kUntilUs = 10'000'000;
constexpr TimeUs kOpeningUs = 1'000'000;
constexpr TimeUs kStepUs = 1'000;

/// What an `expect` or `until` line asks; the answer of now, and what was seen instead.
struct Question {
  std::function<bool()> holds;
  std::function<std::string()> seen;
};

class Scenario {
 public:
  Scenario(Fibers& fibers, Transcript& transcript) : fibers_(fibers), transcript_(transcript) {}

  /// One line that is not a comment.
  void run(ScriptLine& line);

 private:
  using Step = void (Scenario::*)(ScriptLine&);
  using Deed = void (Scenario::*)(const std::vector<Address>&, ScriptLine&);
  struct NamedStep {
    const char* name;
    Step step;
  };
  struct NamedDeed {
    const char* name;
    Deed deed;
  };

  Stage& stage();
  const std::vector<Address>& all() { return stage().nodes(); }
  Pattern pattern(ScriptLine& line);
  void add_rule(Fate fate, ScriptLine& line) { stage().add_rule(fate, pattern(line)); }
  Question question(ScriptLine& line);
  Question about_messages(bool wanted, ScriptLine& line);
  Question about_reply(const std::vector<Address>& clients, ScriptLine& line);
  Question about_field(const std::vector<Address>& nodes, ScriptLine& line);

  // Lines that begin with their own word.
  void cluster(ScriptLine& line);
  void pass(ScriptLine& line);
  void until(ScriptLine& line);
  void expect(ScriptLine& line);
  void drop(ScriptLine& line) { add_rule(Fate::kDrop, line); }
  void hold(ScriptLine& line) { add_rule(Fate::kHold, line); }
  void twice(ScriptLine& line) { add_rule(Fate::kTwice, line); }
  void spoil(ScriptLine& line) { add_rule(Fate::kSpoil, line); }
  void cut(ScriptLine& line);
  void heal(ScriptLine&) { stage().drop_rules(); }
  void release(ScriptLine& line) { stage().release(pattern(line)); }
  void mark(ScriptLine&) { stage().mark(); }

  // Lines that begin with who does it.
  void sends(const std::vector<Address>& who, ScriptLine& line);
  void crashes(const std::vector<Address>& who, ScriptLine& line);
  void restarts(const std::vector<Address>& who, ScriptLine& line);
  void pauses(const std::vector<Address>& who, ScriptLine& line);
  void races(const std::vector<Address>& who, ScriptLine& line);
  void tells(const std::vector<Address>& who, ScriptLine& line);

  static const std::vector<NamedStep>& steps();
  static const std::vector<NamedDeed>& deeds();

  Fibers& fibers_;
  Transcript& transcript_;
  std::unique_ptr<Stage> stage_;
};

const std::vector<Scenario::NamedStep>& Scenario::steps() {
  static const std::vector<NamedStep> all = {
      {"cluster", &Scenario::cluster}, {"pass", &Scenario::pass},       {"until", &Scenario::until},
      {"expect", &Scenario::expect},   {"drop", &Scenario::drop},       {"hold", &Scenario::hold},
      {"twice", &Scenario::twice},     {"spoil", &Scenario::spoil},     {"cut", &Scenario::cut},
      {"heal", &Scenario::heal},       {"release", &Scenario::release}, {"mark", &Scenario::mark}};
  return all;
}

const std::vector<Scenario::NamedDeed>& Scenario::deeds() {
  static const std::vector<NamedDeed> all = {
      {"sends", &Scenario::sends},      {"crashes", &Scenario::crashes},
      {"crash", &Scenario::crashes},    {"restarts", &Scenario::restarts},
      {"restart", &Scenario::restarts}, {"pauses", &Scenario::pauses},
      {"races", &Scenario::races},      {"race", &Scenario::races},
      {"tells", &Scenario::tells}};
  return all;
}

template <typename Named>
std::string names_of(const std::vector<Named>& all) {
  std::string text;
  for (const auto& one : all) text += (text.empty() ? "" : ", ") + std::string(one.name);
  return text;
}

void Scenario::run(ScriptLine& line) {
  for (const NamedStep& step : steps()) {
    if (!line.accept(step.name)) continue;
    (this->*step.step)(line);
    line.end();
    return;
  }
  if (stage_ == nullptr) {
    throw ScriptError("expected \"cluster u=... r=...\" first, found " + line.found());
  }
  const std::string found = line.found();
  std::vector<Address> who;
  try {
    who = line.nodes(all());
  } catch (const ScriptError&) {
    throw ScriptError("expected " + names_of(steps()) + " or a node, found " + found);
  }
  for (const NamedDeed& deed : deeds()) {
    if (!line.accept(deed.name)) continue;
    (this->*deed.deed)(who, line);
    line.end();
    return;
  }
  throw ScriptError("expected what it does: " + names_of(deeds()) + "; found " + line.found());
}

Stage& Scenario::stage() {
  if (stage_ == nullptr) throw ScriptError("expected \"cluster u=... r=...\" first");
  return *stage_;
}

// ---- The cluster, and time ---------------------------------------------------------------------

void Scenario::cluster(ScriptLine& line) {
  if (stage_ != nullptr) throw ScriptError("there is a cluster already");
  uint64_t u = 1;
  uint64_t r = 1;
  uint64_t clients = 1;
  const bool opened = line.accept("opened");
  for (const auto& [key, value] : line.fields()) {
    const auto number = to_number(value);
    if (!number || *number > 8) throw ScriptError(key + "= needs a number up to 8");
    if (key == "u") u = *number;
    if (key == "r") r = *number;
    if (key == "clients") clients = *number;
    if (key != "u" && key != "r" && key != "clients") {
      throw ScriptError("expected u=, r= or clients=, found " + key + '=');
    }
  }
  if (u == 0 || r > u || clients == 0) throw ScriptError("expected u >= 1, r <= u, clients >= 1");
  transcript_.mute(opened);
  stage_ = std::make_unique<Stage>(FaultModel(static_cast<uint32_t>(u), static_cast<uint32_t>(r)),
                                   static_cast<uint16_t>(clients), fibers_, transcript_);
  if (!opened) return;
  while (!stage_->quiet() && stage_->now() < kOpeningUs) {
    stage_->run(kStepUs, [] { return false; });
  }
  stage_->mark();
  transcript_.mute(false);
}

void Scenario::pass(ScriptLine& line) {
  stage().run(line.duration(), [] { return false; });
}

void Scenario::until(ScriptLine& line) {
  const bool quiet = line.accept("quiet");
  const Question asked =
      quiet ? Question{[this] { return stage().quiet(); }, [] { return std::string("they go on"); }}
            : question(line);
  const TimeUs within = line.accept("within") ? line.duration() : kUntilUs;
  const TimeUs end = stage().now() + within;
  // Quiet is what holds when nothing happens, so somebody must look now and then.
  while (!asked.holds()) {
    if (stage().now() >= end) throw ScriptError("it did not come to that: " + asked.seen());
    stage().run(std::min(kStepUs, end - stage().now()), asked.holds);
  }
}

void Scenario::expect(ScriptLine& line) {
  const Question asked = question(line);
  if (!asked.holds()) throw ScriptError("that is not so: " + asked.seen());
}

// ---- Questions ---------------------------------------------------------------------------------

Question Scenario::question(ScriptLine& line) {
  if (line.accept("no")) return about_messages(false, line);
  if (line.accept("some")) return about_messages(true, line);
  if (line.accept("agreement")) {
    return {[this] { return stage().executors_agree(); },
            [] { return std::string("executors stand at different batches or states"); }};
  }
  const std::vector<Address> nodes = line.nodes(all());
  if (line.accept("reply")) return about_reply(nodes, line);
  return about_field(nodes, line);
}

Question Scenario::about_messages(bool wanted, ScriptLine& line) {
  const Pattern wished = pattern(line);
  if (!wished.token.empty() && !stage().knows_token(wished.token)) {
    throw ScriptError("no token is called " + wished.token + " so far");
  }
  return {[this, wanted, wished] { return stage().sent(wished) == wanted; },
          [wanted] { return std::string(wanted ? "none was sent" : "one was sent"); }};
}

Question Scenario::about_reply(const std::vector<Address>& clients, ScriptLine& line) {
  for (const Address client : clients) {
    if (client.role != Role::kClient) throw ScriptError("only clients get replies");
  }
  const uint64_t request = line.number("which request, from 1");
  const std::string text = line.word("the reply");
  if (request == 0) throw ScriptError("requests count from 1");
  const auto reply = [this, request](Address client) {
    return stage().reply(client.index, request).value_or("(none yet)");
  };
  return {[clients, text, reply] {
            return std::all_of(clients.begin(), clients.end(),
                               [&](Address client) { return reply(client) == text; });
          },
          [clients, reply] {
            std::string seen;
            for (const Address client : clients) {
              seen += to_string(client) + " got \"" + reply(client) + "\" ";
            }
            return seen;
          }};
}

Question Scenario::about_field(const std::vector<Address>& nodes, ScriptLine& line) {
  const std::string name = line.word("a field of its status, or \"reply\"");
  const bool at_least = line.accept("at-least");
  const std::string value = line.word("the value of " + name);
  const auto least = to_number(value);
  if (at_least && !least) throw ScriptError("at-least needs a number");
  for (const Address node : nodes) {
    if (stage().field(node, name)) continue;
    throw ScriptError(to_string(node) + " has no field \"" + name + "\"; see docs/scenarios.md");
  }
  const auto here = [this, name](Address node) { return *stage().field(node, name); };
  return {[=] {
            return std::all_of(nodes.begin(), nodes.end(), [&](Address node) {
              if (!at_least) return here(node) == value;
              return to_number(here(node)).value_or(0) >= *least;
            });
          },
          [=] {
            std::string seen;
            for (const Address node : nodes) {
              seen += to_string(node) + ' ' + name + ' ' + here(node) + "; ";
            }
            return seen;
          }};
}

// ---- Messages ----------------------------------------------------------------------------------

/// KIND [from NODES] [to NODES] [view=V] [number=N] [token=T]
Pattern Scenario::pattern(ScriptLine& line) {
  static const std::vector<std::string> kKinds = {
      "anything",      "open",       "call",   "batch",          "reply",
      "token",         "suspect",    "hello",  "commit-verdict", "rollback-verdict",
      "welcome",       "PREPARE",    "COMMIT", "VIEW-CHANGE",    "NEW-VIEW",
      "state-request", "state-reply"};
  Pattern made;
  made.kind = line.word("a kind of message");
  if (std::count(kKinds.begin(), kKinds.end(), made.kind) == 0) {
    std::string known;
    for (const std::string& kind : kKinds) known += (known.empty() ? "" : ", ") + kind;
    throw ScriptError("expected a kind of message (" + known + "), found \"" + made.kind + '"');
  }
  if (line.accept("from")) made.from = line.nodes(all());
  if (line.accept("to")) made.to = line.nodes(all());
  for (const auto& [key, value] : line.fields()) {
    const auto number = to_number(value);
    if (key != "token" && !number) throw ScriptError(key + "= needs a number");
    if (key == "token") {
      made.token = value;
    } else if (key == "view") {
      made.view = View(*number);
    } else if (key == "number") {
      made.number = BatchNumber(*number);
    } else {
      throw ScriptError("expected view=, number= or token=, found " + key + '=');
    }
  }
  return made;
}

/// cut NODES [from NODES]: nothing passes between them, either way.
void Scenario::cut(ScriptLine& line) {
  const std::vector<Address> apart = line.nodes(all());
  const auto rest = line.accept("from") ? line.nodes(all()) : std::vector<Address>();
  Pattern out{"anything", apart, rest, {}, {}, {}};
  Pattern in{"anything", rest, apart, {}, {}, {}};
  stage().add_rule(Fate::kDrop, out);
  stage().add_rule(Fate::kDrop, in);
}

// ---- What nodes do -----------------------------------------------------------------------------

/// client-0 sends add x 1; get x
void Scenario::sends(const std::vector<Address>& who, ScriptLine& line) {
  std::istringstream in(line.rest());
  for (std::string request; std::getline(in, request, ';');) {
    const size_t begin = request.find_first_not_of(' ');
    if (begin == std::string::npos) throw ScriptError("a request is empty");
    const size_t end = request.find_last_not_of(' ');
    for (const Address client : who) {
      if (client.role != Role::kClient) throw ScriptError("only clients send requests");
      stage().request(client.index, request.substr(begin, end - begin + 1));
    }
  }
}

void Scenario::crashes(const std::vector<Address>& who, ScriptLine&) {
  for (const Address node : who) stage().crash(node);
}

void Scenario::restarts(const std::vector<Address>& who, ScriptLine&) {
  for (const Address node : who) stage().restart(node);
}

void Scenario::pauses(const std::vector<Address>& who, ScriptLine& line) {
  const TimeUs duration = line.duration();
  for (const Address node : who) stage().pause(node, duration);
}

/// executor-1 races by 7 [in 2]
void Scenario::races(const std::vector<Address>& who, ScriptLine& line) {
  line.expect("by");
  const auto growth = static_cast<int64_t>(line.number("what a race adds"));
  std::optional<uint64_t> batch;
  if (line.accept("in")) batch = line.number("a batch");
  for (const Address node : who) {
    if (node.role != Role::kExecutor) throw ScriptError("only executors race");
    stage().backstage(node.index).set_race(batch, growth);
  }
}

/// verifier-3 tells verifier-0: PREPARE view=0 number=2 token=T2'
void Scenario::tells(const std::vector<Address>& who, ScriptLine& line) {
  const std::vector<Address> to = line.nodes(all());
  const std::string kind = line.word("a kind of message");
  const Fields fields = line.fields();
  for (const Address liar : who) stage().tell(liar, to, kind, fields);
}

}  // namespace

ScenarioOutcome run_scenario(const std::string& script, Fibers& fibers) {
  Transcript transcript;
  Scenario scenario(fibers, transcript);
  ScenarioOutcome outcome;
  std::istringstream in(script);
  std::string text;
  for (uint64_t number = 1; outcome.ok && std::getline(in, text); ++number) {
    const bool comment = text.empty() || text.front() == '#';
    transcript.script(comment ? text : "> " + text);
    if (comment) continue;
    try {
      ScriptLine line(text);
      scenario.run(line);
    } catch (const std::runtime_error& error) {
      outcome.ok = false;
      outcome.failure = "line " + std::to_string(number) + ": " + error.what();
    }
  }
  outcome.transcript = transcript.text();
  outcome.mermaid = transcript.mermaid();
  return outcome;
}

}  // namespace eve::sim
