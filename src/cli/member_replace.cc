// `member replace`: a dry run, the change, and cluster.toml as it is afterwards. Whoever is
// interrupted asks again: the key is there, and the chain of epochs says whether it was done.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "cli/back_again.h"
#include "cli/backup_witness.h"
#include "cli/member.h"
#include "cli/member_forecast.h"
#include "runtime/contact.h"
#include "runtime/files.h"
#include "runtime/member_change.h"
#include "runtime/node.h"
#include "runtime/operator_session.h"

namespace eve::cli {
namespace {

using nlohmann::json;
using runtime::NodeConfig;
using std::filesystem::path;
using Clock = std::chrono::steady_clock;
using Known = runtime::OperatorSession::Known;

constexpr auto kLookEvery = std::chrono::milliseconds(500);

class Replacement {
 public:
  Replacement(const Program& program, const ReplaceOptions& options)
      : program_(program), options_(options) {}

  Status run();

 private:
  Status prepare();
  Status take_key();
  /// Whether it was done already, by this node's key.
  Result<bool> was_done(const Known& known) const;
  Status look_ahead(const Known& known) const;
  Status write_key();
  /// Until the new node, which somebody starts meanwhile, is level.
  Status let_learn(runtime::OperatorSession& session, const Known& known,
                   const wire::Change& change);
  Status change(runtime::OperatorSession& session, const wire::Change& change);
  Status write_down(const Known& known) const;
  void say_what_to_do() const;
  void say_how_to_start() const;
  std::chrono::milliseconds time_left() const;

  const Program& program_;
  const ReplaceOptions& options_;
  Clock::time_point end_ = Clock::now() + std::chrono::seconds(options_.timeout_s);
  runtime::ClusterConfig cluster_;
  path directory_;
  NodeConfig fresh_;
  std::optional<crypto::SigningKey> drawn_;  ///< not written yet
};

std::chrono::milliseconds Replacement::time_left() const {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now());
  return std::max(left, std::chrono::milliseconds(1));
}

Status Replacement::prepare() {
  auto cluster = runtime::read_cluster(options_.cluster);
  if (!cluster) return cluster.status();
  cluster_ = std::move(*cluster);
  directory_ = std::filesystem::absolute(options_.cluster).parent_path();
  if (auto status = runtime::check_changeable(cluster_, options_.node); !status) return status;
  if (!runtime::is_name(options_.with)) {
    return Error{"--with \"" + options_.with + "\": a name is 1 to 32 of a-z, 0-9 and -"};
  }
  const auto* old = cluster_.find(options_.node);
  if (old == nullptr) return Error{options_.cluster + " has no node \"" + options_.node + "\""};
  fresh_.name = options_.with;
  fresh_.host = options_.host;
  fresh_.port = options_.port != 0 ? options_.port : old->port;
  fresh_.status_port = options_.status_port != 0 ? options_.status_port : old->status_port;
  const bool among_nodes =
      std::any_of(cluster_.nodes.begin(), cluster_.nodes.end(),
                  [this](const NodeConfig& node) { return node.name == options_.with; });
  if (among_nodes || options_.with == runtime::kOperatorName) {
    return Error{"--with \"" + options_.with +
                 "\" is, or was, another node's name: choose a new one"};
  }
  return take_key();
}

/// What an interrupted run has drawn is used.
Status Replacement::take_key() {
  const auto file = directory_ / (options_.with + ".key");
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    drawn_ = crypto::SigningKey::generate();
    fresh_.key = drawn_->public_key();
    return {};
  }
  const auto pem = runtime::read_secret_file(file);
  if (!pem) return pem.status();
  const auto key = crypto::SigningKey::from_pem(*pem);
  if (!key) return Error{file.string() + ": " + key.message()};
  fresh_.key = key->public_key();
  return {};
}

Result<bool> Replacement::was_done(const Known& known) const {
  const auto done =
      std::find_if(known.joined.begin(), known.joined.end(),
                   [this](const NodeConfig& node) { return node.name == options_.with; });
  if (done == known.joined.end()) return false;
  const auto epoch = std::to_string(runtime::joined_in(cluster_.model, *done));
  const auto seated = runtime::seated_nodes(cluster_, known.members);
  const bool old_sits = std::any_of(seated.begin(), seated.end(), [this](const auto& entry) {
    return entry.node.name == options_.node;
  });
  if (done->key != fresh_.key || old_sits) {
    return Error{"\"" + options_.with + "\" is the name of the node that joined in epoch " + epoch +
                 ": choose a new one"};
  }
  std::printf("%s has joined in epoch %s already; taking up from there.\n", options_.with.c_str(),
              epoch.c_str());
  return true;
}

/// What those that answer now are enough for.
Status Replacement::look_ahead(const Known& known) const {
  const auto seated = runtime::seated_nodes(cluster_, known.members);
  std::vector<json> statuses;
  std::multiset<uint64_t> committed;
  for (const auto& entry : seated) {
    statuses.push_back(ask_status(entry.node));
    if (const auto number = committed_in(statuses.back()); number > 0) committed.insert(number);
  }
  const auto highest = acknowledged_through(committed, cluster_.model.r());
  const auto judged = [&](const NodeConfig& node, const json& status, MemberSight& sight) {
    sight.name = node.name;
    const auto error = status.find("error");
    if (error == status.end()) return judge(status, known.members.epoch.value(), highest, sight);
    judge_absent("does not answer: " + (error->is_string() ? error->get<std::string>() : "?"),
                 sight);
  };
  std::vector<MemberSight> members;
  for (size_t i = 0; i < seated.size(); ++i) {
    auto& sight = members.emplace_back();
    for (const auto seat : seated[i].seats) {
      (seat.role == Role::kExecutor ? sight.executor : sight.verifier) = true;
    }
    judged(seated[i].node, statuses[i], sight);
  }
  MemberSight fresh;
  fresh.comes = true;
  judged(fresh_, ask_status(fresh_), fresh);
  const auto told = forecast(cluster_.model, members, options_.node, fresh);
  std::printf("Epoch %llu.\n", static_cast<unsigned long long>(known.members.epoch.value()));
  for (const auto& line : told.lines) std::printf("%s\n", line.c_str());
  std::fflush(stdout);
  if (!told.before) {
    return Error{"a quorum is missing now: nothing would be agreed on before more nodes count"};
  }
  if (!told.after) {
    return Error{"a quorum would be missing afterwards, until \"" + options_.with +
                 "\" runs and is level: let more nodes count first"};
  }
  return {};
}

Status Replacement::write_key() {
  if (!drawn_) return {};
  const auto file = directory_ / (options_.with + ".key");
  auto status = runtime::create_file(file, drawn_->to_pem(), runtime::Access::kOwner);
  if (status) drawn_.reset();
  return status;
}

Status Replacement::let_learn(runtime::OperatorSession& session, const Known& known,
                              const wire::Change& change) {
  const auto node = runtime::newcomer(cluster_.model, change);
  if (!node) return node.status();
  const auto text = runtime::read_file(options_.cluster);
  if (!text) return text.status();
  auto joined = known.joined;
  joined.push_back(*node);
  const auto with_it = runtime::with_joined(*text, joined);
  if (!with_it) return with_it.status();
  const auto file = directory_ / ("cluster." + options_.with + ".toml");
  auto status = runtime::replace_file(file, *with_it, runtime::Access::kEveryone);
  if (status) status = write_key();
  if (!status) return status;
  std::printf(
      "Announced: nothing has changed yet. Copy %s, cluster.secret and %s.key to %s, and run "
      "there:\n  %s serve --cluster %s --node %s\n",
      file.filename().c_str(), options_.with.c_str(), fresh_.host.c_str(), program_.name.c_str(),
      file.filename().c_str(), options_.with.c_str());
  std::fflush(stdout);
  session.announce(change);
  std::string told;
  for (;;) {
    const auto why = why_not_level(ask_status(fresh_), options_.with);
    if (why.empty()) break;
    if (Clock::now() >= end_) {
      return Error{"\"" + options_.with + "\" is not level in time: " + why +
                   "; nothing was changed, and what it holds it keeps: ask again"};
    }
    if (why != told) std::printf("Not level yet: %s.\n", why.c_str());
    std::fflush(stdout);
    told = why;
    std::this_thread::sleep_for(kLookEvery);
  }
  std::printf("%s is level.\n", options_.with.c_str());
  return {};
}

Status Replacement::change(runtime::OperatorSession& session, const wire::Change& change) {
  if (auto status = write_key(); !status) return status;
  const auto ended = session.change(change, time_left());
  if (!ended) return ended.status();
  if (ended->by != change) {
    return Error{"another change was executed in this epoch: `" + program_.name +
                 " member list` says who the members are now; ask again if this one is still "
                 "wanted"};
  }
  std::printf("Done: epoch %llu has begun, and %s has the seats of %s.\n",
              static_cast<unsigned long long>(change.epoch.next().value()), options_.with.c_str(),
              options_.node.c_str());
  return write_down(ended->after);
}

Status Replacement::write_down(const Known& known) const {
  const auto text = runtime::read_file(options_.cluster);
  if (!text) return text.status();
  const auto more = runtime::with_joined(*text, known.joined);
  if (!more) {
    std::string tables;
    for (const auto& node : known.joined) tables += runtime::format_joined(node);
    return Error{"the members were changed, but " + options_.cluster +
                 " cannot be brought up to date: " + more.message() +
                 ". It has to have these tables:\n" + tables};
  }
  if (*more != *text) {
    const auto status = runtime::replace_file(options_.cluster, *more, runtime::Access::kEveryone);
    if (!status) return status;
  }
  say_what_to_do();
  return {};
}

void Replacement::say_what_to_do() const {
  if (options_.learn_first) {
    std::printf(
        "Next: when `%s wait --cluster cluster.toml --node %s` says that it counts, stop %s for "
        "good.\nCopy cluster.toml to the machines: the nodes know already, but for `status` and "
        "`backup`.\n",
        program_.name.c_str(), options_.with.c_str(), options_.node.c_str());
  } else {
    say_how_to_start();
  }
  const auto client = runtime::client_role_of(cluster_, options_.node);
  if (client.empty()) return;
  std::printf(
      "%s also plays %s: that is no seat, and does not move. It serves as long as %s runs;\n"
      "afterwards its clients have to use another gateway.\n",
      options_.node.c_str(), client.c_str(), options_.node.c_str());
}

void Replacement::say_how_to_start() const {
  std::printf(
      "Next: copy cluster.toml, cluster.secret and %s.key to %s, and run there:\n"
      "  %s serve --cluster cluster.toml --node %s\n"
      "(with the --durability of the other nodes). When `%s wait --cluster cluster.toml --node "
      "%s`\n"
      "says that it counts, stop %s for good: it is asked for nothing any more.\n"
      "Copy cluster.toml to the other machines too: they know already, but for `status` and "
      "`backup`.\n",
      options_.with.c_str(), fresh_.host.c_str(), program_.name.c_str(), options_.with.c_str(),
      program_.name.c_str(), options_.with.c_str(), options_.node.c_str());
}

Status Replacement::run() {
  if (auto status = prepare(); !status) return status;
  auto session = runtime::OperatorSession::open(cluster_, directory_);
  if (!session) {
    return Error{session.message() +
                 " (changes are signed with operator.key, which `init` wrote beside cluster.toml)"};
  }
  const auto known = (*session)->learn(time_left());
  if (!known) return known.status();
  const auto done = was_done(*known);
  if (!done) return done.status();
  if (*done) return options_.dry_run ? Status() : write_down(*known);
  const auto change = runtime::change_for(cluster_, known->members, options_.node, fresh_);
  if (!change) return change.status();
  if (options_.learn_first && !options_.dry_run) {
    if (auto status = let_learn(**session, *known, *change); !status) return status;
    // What was waited for is not the change's time.
    end_ = Clock::now() + std::chrono::seconds(options_.timeout_s);
  }
  const auto ahead = look_ahead(*known);
  if (!ahead && (options_.dry_run || !options_.force)) {
    return Error{ahead.message() + (options_.dry_run ? "" : "; --force asks for it all the same")};
  }
  if (options_.dry_run) {
    std::printf("The change can be made. Nothing was changed.\n");
    return {};
  }
  return this->change(**session, *change);
}

}  // namespace

int run_member_replace(const Program& program, const ReplaceOptions& options) {
  const auto status = Replacement(program, options).run();
  return status ? 0 : fail(program, status.message());
}

}  // namespace eve::cli
