#include "runtime/node_status.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace eve::runtime {
namespace {

using nlohmann::ordered_json;

int64_t to_us(const timeval& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000 + time.tv_usec;
}

const char* name_of(journal::Space space) {
  switch (space) {
    case journal::Space::kEnough:
      return "enough";
    case journal::Space::kLow:
      return "low";
    case journal::Space::kReserveUsed:
      break;
  }
  return "full";
}

ordered_json journal_json(const JournalStatus& status) {
  return {{"notes", status.notes},
          {"syncs", status.syncs},
          {"bytes", status.bytes},
          {"longest_sync_us", status.longest_sync_us},
          {"waiting_notes", status.waiting_notes},
          {"waiting_bytes", status.waiting_bytes},
          {"oldest_wait_us", status.oldest_wait_us},
          {"space", name_of(status.space)},
          {"low", status.space != journal::Space::kEnough},
          {"errors", status.errors},
          {"failing", !status.trouble.empty()},
          {"trouble", status.trouble},
          {"broken", status.broken}};
}

ordered_json executor_json(const execution::ExecutorStatus& status,
                           const ExecutionStage::Counts& counts,
                           const std::vector<execution::Executor::Committed>& batches) {
  ordered_json recent = ordered_json::array();
  for (const auto& batch : batches) {
    recent.push_back({{"number", batch.number.value()},
                      {"token", batch.token.hex()},
                      {"state_root", batch.state_root.hex()}});
  }
  ordered_json containers = ordered_json::array();
  for (const auto& container : counts.containers) {
    containers.push_back({{"name", container.name},
                          {"objects", container.objects},
                          {"bytes", container.bytes},
                          {"memory_bytes", container.memory_bytes}});
  }
  return {{"view", status.view.value()},
          {"primary", status.primary},
          {"committed", status.committed.value()},
          {"token", status.token.hex()},
          {"state_root", status.state_root.hex()},
          {"executed", status.executed.value()},
          {"silent", status.silent},
          {"fetching", status.fetching},
          {"waiting_for", status.waiting_for},
          {"commits", status.commits},
          {"rollbacks", status.rollbacks},
          {"repairs", status.repairs},
          {"transfers", status.transfers},
          {"transfer_bytes", status.transfer_bytes},
          {"requests", status.requests},
          {"failed_requests", status.failed_requests},
          {"last_failure", status.last_failure},
          {"quarantined_requests", status.quarantined_requests},
          {"batches_sequential", status.batches_sequential},
          {"parallel_batches", status.parallel_batches},
          {"refused_messages", status.refused_messages},
          {"busy_us", status.busy_us},
          {"objects", counts.objects},
          {"memory_bytes", counts.memory_bytes},
          {"containers", std::move(containers)},
          {"recent", std::move(recent)}};
}

/// Before it has a seat.
ordered_json learner_json(const execution::LearnerStatus& status, TimeUs now) {
  ordered_json level = nullptr;  // never
  if (status.level_at > 0) level = std::max<TimeUs>(now - status.level_at, 0) / 1'000;
  return {{"held", status.held.value()},
          {"known", status.known.value()},
          {"level_ms_ago", std::move(level)}};
}

ordered_json checkpoints_json(const durability::CheckpointTaker::Counts& counts) {
  return {{"taken", counts.taken},
          {"failed", counts.failed},
          {"written_bytes", counts.written_bytes},
          {"moved", counts.moved},
          {"longest_step_us", counts.longest_step_us},
          {"trouble", counts.trouble},
          {"under_way", counts.under_way.value()},
          {"last_name", counts.last_name},
          {"last_number", counts.last_number.value()}};
}

ordered_json pair_json(const PairHost& host) {
  const auto status = host.replica().glance();
  return {{"record", pair::format_record(status.record)},
          {"epoch", status.record.epoch.value()},
          {"leading", status.leading},
          {"in_sync", status.in_sync},
          {"both_in_sync", status.in_sync && pair::names_both(status.record)},
          {"in_doubt", status.in_doubt},
          {"resumed", status.resumed},
          {"asking", status.asking},
          {"arbiter_trouble", host.arbiter().trouble()},
          {"terms", status.terms},
          {"promotions", status.promotions},
          {"times_alone", status.times_alone},
          {"readmissions", status.readmissions},
          {"divergences", status.divergences},
          {"states_taken", status.states_taken},
          {"doubts", status.doubts}};
}

ordered_json verifier_json(const VerifierHost& host) {
  const auto status = host.status();
  ordered_json suspecting = ordered_json::array();
  for (const auto executor : status.suspecting) {
    suspecting.push_back(to_string(Address::executor(executor)));
  }
  return {{"view", status.view.value()},
          {"promised", status.promised.value()},
          {"phase", status.phase},
          {"committed", status.committed.value()},
          {"token", status.token.hex()},
          {"commits", status.commits},
          {"view_changes", status.view_changes},
          {"divergences", status.divergences},
          {"quarantined", status.quarantined},
          {"last_reason", status.last_reason},
          {"refused_messages", status.refused_messages},
          {"waiting_for", status.waiting_for},
          {"suspecting", std::move(suspecting)},
          {"journal", journal_json(host.journal())}};
}

/// As the role of this node knows them that has entered the latest epoch.
ordered_json members_json(const NodeParts& parts) {
  const MemberGate* newest = nullptr;
  for (const MemberGate* gate : {parts.executor_gate, parts.verifier_gate, parts.client_gate}) {
    if (gate != nullptr && (newest == nullptr || gate->epoch() > newest->epoch())) newest = gate;
  }
  if (newest == nullptr) return nullptr;
  return {{"epoch", newest->epoch().value()},
          {"start", newest->start().value()},
          {"executors", newest->names(Role::kExecutor)},
          {"verifiers", newest->names(Role::kVerifier)}};
}

/// What a role says of itself beside its state machine.
void add_gate(ordered_json& role, const MemberGate& gate) {
  role["epoch"] = gate.epoch().value();
  role["replaced"] = gate.replaced();
  if (!role.contains("committed")) role["committed"] = 0;
  role["cannot_begin"] = gate.cannot_begin();
  if (const std::string why = gate.idle_because(); !why.empty()) role["waiting_for"] = why;
}

ordered_json gateway_json(ClientHost& client, const Gateway& gateway, TimeUs now) {
  const auto status = client.status();
  const auto& stats = gateway.stats();
  const auto low_disks = client.low_disks(now);
  return {{"port", stats.port},
          {"open", status.open},
          {"primary", status.primary},
          {"outstanding", status.outstanding},
          {"completed", status.completed},
          {"retries", status.retries},
          {"sessions_lost", status.sessions_lost},
          {"quarantined", status.quarantined},
          {"writes_refused", !low_disks.empty()},
          {"low_disks", low_disks},
          {"connections", stats.connections},
          {"connections_total", stats.connections_total},
          {"connections_refused", stats.connections_refused},
          {"requests", stats.requests},
          {"bytes_in", stats.bytes_in},
          {"bytes_out", stats.bytes_out}};
}

ordered_json links_json(const Links& links) {
  ordered_json all = ordered_json::array();
  for (const auto& link : links.status()) {
    all.push_back(
        {{"peer", link.peer}, {"connected", link.connected}, {"queued_bytes", link.queued_bytes}});
  }
  return all;
}

ordered_json refused_json(const RefusalLog& refusals) {
  ordered_json by_sender = ordered_json::array();
  for (const auto& entry : refusals.entries()) {
    by_sender.push_back(
        {{"sender", entry.sender}, {"count", entry.count}, {"reason", entry.reason}});
  }
  return {{"total", refusals.total()}, {"by_sender", std::move(by_sender)}};
}

}  // namespace

std::string status_json(NodeCore& core, const NodeParts& parts, TimeUs uptime_us) {
  const auto& model = core.cluster().model;
  ordered_json roles = ordered_json::array();
  for (auto address : core.node().roles) roles.push_back(to_string(address));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  ordered_json status = {{"name", core.node().name},
                         {"pid", ::getpid()},
                         {"config", {{"u", model.u()}, {"r", model.r()}}},
                         {"roles", std::move(roles)},
                         {"uptime_s", uptime_us / 1'000'000},
                         {"cpu_user_us", to_us(usage.ru_utime)},
                         {"cpu_system_us", to_us(usage.ru_stime)}};
  if (parts.executor != nullptr) {
    status["executor"] =
        executor_json(parts.executor->status(), parts.executor->counts(), parts.executor->recent());
    if (const auto journal = parts.executor->journal()) {
      status["executor"]["journal"] = journal_json(*journal);
    }
    if (const auto learning = parts.executor->learner()) {
      status["executor"]["phase"] = "learning";
      status["executor"]["learner"] = learner_json(*learning, core.loop().now());
    }
    if (const auto counts = parts.executor->checkpoints()) {
      status["executor"]["checkpoints"] = checkpoints_json(*counts);
    }
  }
  if (parts.pair != nullptr) {
    status["executor"] =
        executor_json(parts.pair->status(), parts.pair->counts(), parts.pair->replica().recent());
    if (const auto journal = parts.pair->journal()) {
      status["executor"]["journal"] = journal_json(*journal);
    }
    if (const auto counts = parts.pair->checkpoints()) {
      status["executor"]["checkpoints"] = checkpoints_json(*counts);
    }
    status["pair"] = pair_json(*parts.pair);
  }
  if (parts.executor_gate != nullptr) add_gate(status["executor"], *parts.executor_gate);
  if (parts.verifier != nullptr) {
    status["verifier"] = verifier_json(*parts.verifier);
  } else if (parts.verifier_gate != nullptr) {
    status["verifier"] = {{"phase", parts.verifier_gate->replaced() ? "replaced" : "joining"}};
  }
  if (parts.verifier_gate != nullptr) add_gate(status["verifier"], *parts.verifier_gate);
  if (parts.gateway != nullptr)
    status["gateway"] = gateway_json(*parts.client, *parts.gateway, core.loop().now());
  if (auto members = members_json(parts); !members.is_null()) status["members"] = members;
  status["links"] = links_json(core.router().links());
  status["refused"] = refused_json(core.router().links().refusals());
  status["refused_frames"] =
      core.router().links().refused_frames() + core.router().refused_messages();
  status["refused_connections"] = core.router().links().refused_connections();
  // What a peer or the disk put into a text may not be UTF-8.
  return status.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace eve::runtime
