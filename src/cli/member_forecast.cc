#include "cli/member_forecast.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/back_again.h"
#include "cli/members_said.h"
#include "cli/node_words.h"

namespace eve::cli {
namespace {

using nlohmann::json;

/// What is held by then differs from the newest state by what was done in that time.
constexpr int64_t kLevelMs = 5'000;

std::string learner_trouble(const json& part) {
  const auto learner = part_of(part, "learner");
  const auto level = learner.find("level_ms_ago");
  const bool recent = level != learner.end() && level->is_number_integer() &&
                      level->get<int64_t>() >= 0 && level->get<int64_t>() <= kLevelMs;
  if (recent) return {};
  return "its executor learns: it holds batch " + std::to_string(number_of(learner, "held")) +
         " of " + std::to_string(number_of(learner, "known"));
}

std::string executor_trouble(const json& part, uint64_t highest) {
  if (part.empty()) return "it plays no executor";
  if (says(part, "phase", "learning")) return learner_trouble(part);
  if (!says(part, "silent", false)) return "its executor is silent until the next view";
  if (!says(part, "fetching", false)) return "its executor fetches the state";
  const auto committed = committed_in({{"executor", part}});
  if (committed + kNearlyThere >= highest) return {};
  return "its executor has batch " + std::to_string(committed) + " of " + std::to_string(highest);
}

std::string verifier_trouble(const json& part, bool may_join) {
  if (part.empty()) return "it plays no verifier";
  if (may_join && says(part, "phase", "joining")) return {};
  for (const char* away : {"recovering", "joining", "replaced"}) {
    if (says(part, "phase", away)) return std::string("its verifier is ") + away;
  }
  return {};
}

struct Count {
  size_t there = 0;
  size_t all = 0;
  std::vector<std::string> missing;
};

template <typename Trouble>
Count count(const std::vector<const MemberSight*>& nodes, bool MemberSight::*plays,
            Trouble MemberSight::*trouble) {
  Count count;
  for (const auto* node : nodes) {
    if (!(node->*plays)) continue;
    ++count.all;
    if ((node->*trouble).empty()) {
      ++count.there;
    } else {
      count.missing.push_back(node->name + ": " + node->*trouble);
    }
  }
  return count;
}

/// One line for the role, and those that do not count.
bool tell(const Count& count, uint32_t needed, const char* roles, std::vector<std::string>& lines) {
  const bool enough = count.there >= needed;
  lines.push_back("  " + std::to_string(count.there) + " of " + std::to_string(count.all) + " " +
                  roles + " count, " + std::to_string(needed) + " are needed" +
                  (enough ? "" : ": TOO FEW"));
  for (const auto& missing : count.missing) lines.push_back("    not " + missing);
  return enough;
}

bool tell(const FaultModel& model, const std::vector<const MemberSight*>& nodes,
          std::vector<std::string>& lines) {
  const auto executors = count(nodes, &MemberSight::executor, &MemberSight::executor_trouble);
  const auto verifiers = count(nodes, &MemberSight::verifier, &MemberSight::verifier_trouble);
  // Both lines, whatever the first one says.
  const bool run = tell(executors, model.token_certificate(), "executors", lines);
  const bool agree = tell(verifiers, model.agreement(), "verifiers", lines);
  return run && agree;
}

}  // namespace

void judge(const json& status, uint64_t epoch, uint64_t highest, MemberSight& sight) {
  if (!says(status, "name", sight.name)) {
    return judge_absent("another node answers at its status port", sight);
  }
  const auto members = members_in(status);
  if (!members) return judge_absent("it runs a release that knows no changes of members", sight);
  const auto executor = part_of(status, "executor");
  sight.executor_trouble = executor_trouble(executor, highest);
  // M11: who has promised nothing votes as soon as it has a seat.
  const bool may_join = sight.comes && (executor.empty() || sight.executor_trouble.empty());
  sight.verifier_trouble = verifier_trouble(part_of(status, "verifier"), may_join);
  if (members->epoch >= epoch) return;
  const auto behind = "it is in epoch " + std::to_string(members->epoch) + ", the others in " +
                      std::to_string(epoch);
  judge_absent(behind, sight);
}

std::string why_not_level(const json& status, const std::string& name) {
  const auto error = status.is_object() ? status.find("error") : status.end();
  if (status.is_object() && error != status.end()) {
    return "it does not answer: " + (error->is_string() ? error->get<std::string>() : "?");
  }
  if (!says(status, "name", name)) return "another node answers at its status port";
  const auto executor = part_of(status, "executor");
  if (executor.empty()) return {};  // a verifier has nothing to learn
  if (!says(executor, "phase", "learning")) return "its executor does not learn";
  return learner_trouble(executor);
}

void judge_absent(const std::string& why, MemberSight& sight) {
  sight.executor_trouble = why;
  sight.verifier_trouble = why;
}

Forecast forecast(const FaultModel& model, const std::vector<MemberSight>& members,
                  const std::string& leaving, const MemberSight& fresh) {
  std::vector<const MemberSight*> before;
  std::vector<const MemberSight*> after;
  for (const auto& member : members) {
    before.push_back(&member);
    if (member.name != leaving) after.push_back(&member);
  }
  // The seats that it will have.
  MemberSight comes = fresh;
  for (const auto& member : members) {
    if (member.name != leaving) continue;
    comes.executor = member.executor;
    comes.verifier = member.verifier;
  }
  after.push_back(&comes);
  Forecast told;
  told.lines.push_back("Before the change, to agree on it:");
  told.before = tell(model, before, told.lines);
  told.lines.push_back("After it, with " + fresh.name + " in the place of " + leaving + ":");
  told.after = tell(model, after, told.lines);
  return told;
}

}  // namespace eve::cli
