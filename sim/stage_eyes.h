// Looks at nodes after every event and says what has changed.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "sim/client_host.h"
#include "sim/event_queue.h"
#include "sim/executor_host.h"
#include "sim/stage_names.h"
#include "sim/transcript.h"
#include "sim/verifier_host.h"

namespace eve::sim {

class StageEyes {
 public:
  /// The references outlive this.
  StageEyes(const EventQueue& queue, Names& names, Transcript& transcript)
      : queue_(queue), names_(names), transcript_(transcript) {}

  void look(const ExecutorHost& node);
  void look(const VerifierHost& node);
  /// The node loses its memory: the next look is the first.
  void forget(Address node);

  /// A field of the node's status as text; nothing if there is none of that name.
  std::optional<std::string> field(const ExecutorHost& node, const std::string& name);
  std::optional<std::string> field(const VerifierHost& node, const std::string& name);
  std::optional<std::string> field(const ClientHost& node, const std::string& name);

 private:
  void say(Address node, const std::string& text) { transcript_.change(queue_.now(), node, text); }

  const EventQueue& queue_;
  Names& names_;
  Transcript& transcript_;
  std::map<Address, execution::ExecutorStatus> executors_;
  std::map<Address, verification::VerifierStatus> verifiers_;
};

}  // namespace eve::sim
