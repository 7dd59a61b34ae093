// A small cluster that does what a script says: the production nodes in virtual time, every message
// in a script's hand. Every message takes one millisecond, running a batch takes another; nothing
// is left to chance.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/client_host.h"
#include "sim/executor_host.h"
#include "sim/stage_eyes.h"
#include "sim/stage_forge.h"
#include "sim/stage_names.h"
#include "sim/stage_service.h"
#include "sim/transcript.h"
#include "sim/verifier_host.h"

namespace eve::sim {

/// Picks messages; what is not set is any.
struct Pattern {
  std::string kind;  ///< as in Facts; "anything": every kind
  std::vector<Address> from;
  std::vector<Address> to;
  std::optional<View> view;
  std::optional<BatchNumber> number;
  std::string token;

  bool picks(const Facts& facts, Address sender, Address receiver) const;
};

/// What a rule does to the messages that it picks. kSpoil: flips bits of what they carry.
enum class Fate { kDrop, kHold, kTwice, kSpoil };

class Stage {
 public:
  /// `fibers` and `transcript` outlive the stage. Everybody starts at once.
  Stage(FaultModel model, uint16_t clients, Fibers& fibers, Transcript& transcript);
  ~Stage();

  FaultModel model() const { return model_; }
  const std::vector<Address>& nodes() const { return nodes_; }
  TimeUs now() const { return queue_.now(); }

  // ---- What a script can do
  void request(uint16_t client, const std::string& text);
  /// Runs for `duration`, or until `done` holds after some event; then it returns true.
  bool run(TimeUs duration, const std::function<bool()>& done);
  /// Nobody but clocks has had anything to do for a while, and clients have their replies.
  bool quiet() const;
  void crash(Address node);
  void restart(Address node);
  void pause(Address node, TimeUs duration);
  void add_rule(Fate fate, const Pattern& pattern) { rules_.push_back({fate, pattern}); }
  /// Messages are delivered again; what is held stays held.
  void drop_rules() { rules_.clear(); }
  void release(const Pattern& pattern);
  /// Sends what `liar` says, in its name. Throws ScriptError where it cannot be made.
  void tell(Address liar, const std::vector<Address>& to, const std::string& kind,
            const Fields& fields);
  Backstage& backstage(uint16_t executor) { return *backstages_.at(executor); }

  // ---- What a script can ask
  /// A field of a node's status as text; nothing if there is no such field for its role.
  std::optional<std::string> field(Address node, const std::string& name);
  std::optional<std::string> reply(uint16_t client, uint64_t request) const;
  /// Whether any message so far names that token.
  bool knows_token(const std::string& name) const { return names_.find_token(name).has_value(); }
  /// Whether such a message went over the wire since the last mark().
  bool sent(const Pattern& pattern) const;
  void mark() { log_.clear(); }
  /// All executors that are up stand at the same batch, and their states, hashed anew, are equal.
  bool executors_agree() const;

 private:
  struct Rule {
    Fate fate;
    Pattern pattern;
  };
  struct Logged {
    Facts facts;
    Address from;
    Address to;
  };
  struct Held {
    wire::MessagePtr message;
    Address from;
    Address to;
  };
  struct Leaving {
    wire::MessagePtr message;
    Address from;
    std::vector<std::pair<Address, std::string>> to;  ///< with what becomes of it
  };
  class Script;

  void add_nodes(Fibers& fibers);
  const crypto::Authenticator& authenticator_of(Address node);
  Host& host(Address node);
  void deliver(const wire::MessagePtr& message, Address from, Address to);
  Network::Delivery carry(const wire::MessagePtr& message, Address from, Address to);
  void send_spoilt(const wire::MessagePtr& message, Address from, Address to);
  void send_as(const std::string& fate, Address from, const wire::Send& send);
  void acted();

  FaultModel model_;
  Transcript& transcript_;
  std::vector<Address> nodes_;
  Roster roster_;
  crypto::Digester digester_;
  EventQueue queue_;
  Network network_;
  Trace trace_;
  Post post_;
  Surroundings around_;
  std::vector<std::unique_ptr<Backstage>> backstages_;
  std::unique_ptr<Script> workload_;
  Ledger ledger_;
  ReplyChecker replies_;
  ReplyGate gate_;
  Names names_;
  std::map<Address, std::unique_ptr<crypto::Authenticator>> authenticators_;
  Forge forge_;
  std::vector<std::unique_ptr<ExecutorHost>> executors_;
  std::vector<std::unique_ptr<VerifierHost>> verifiers_;
  std::vector<std::unique_ptr<ClientHost>> clients_;
  std::unique_ptr<StageEyes> eyes_;

  std::vector<Rule> rules_;
  std::vector<Held> held_;
  std::vector<Logged> log_;
  std::vector<Leaving> leaving_;  ///< of the event that goes on
  std::string sent_as_;           ///< what is said of messages that leave now
  TimeUs last_sent_ = 0;
};

}  // namespace eve::sim
