// Stands beside the core of one role of one node, or of a client, and sees to epochs
// (docs/membership.md): passes to the core what is of its epoch and from a seat of it, addresses
// what the core says, answers who is behind, asks who is ahead, and, beside a verifier, says
// farewell and gathers farewells. A state machine without I/O.
//
//   waiting (no seat) --link that gives it one--> seated --link that takes it--> retired
//
// When receive() or committed() gives links in `entered`, the host keeps them (synced), ends its
// core and begins another one at present(); only then does it send what `sends` holds.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/quorum.h"
#include "crypto/authenticator.h"
#include "crypto/digest.h"
#include "membership/succession.h"
#include "wire/membership.h"
#include "wire/messages.h"

namespace eve::membership {

/// Beyond the model's executors a core hears two more, about state only: who has left, and who is
/// about to come, in this order (M10, M14). ExecutorOptions::guests.
inline constexpr uint16_t kGuests = 2;

struct StewardOptions {
  FaultModel model{1, 0};
  Address self;  ///< the node's, for ever
  TimeUs resend_after_us = 100'000;
};

struct Outbox {
  std::vector<wire::Send> sends;  ///< to nodes
  std::vector<wire::Link> entered;
  /// Who may come with the next epoch is another one than before: links to it may be made.
  std::optional<wire::Change> candidate;
};

class Steward {
 public:
  /// `keys` signs as this node, and `digester`: both outlive this.
  Steward(const StewardOptions& options, Succession succession, const crypto::Authenticator& keys,
          const crypto::Digester& digester);

  const Succession& succession() const { return succession_; }
  const Beginning& present() const { return succession_.present(); }
  Epoch epoch() const { return succession_.epoch(); }
  /// Where this node sits in the present epoch.
  std::optional<Address> seat() const { return present().members.seat_of(options_.self); }
  /// It had a seat, and has none in this epoch.
  bool retired() const;
  /// Who the operator says is about to come (M14), and its executor's address.
  const std::optional<wire::Change>& candidate() const { return candidate_; }
  const std::optional<Address>& coming() const { return coming_; }

  /// What the core of the present epoch is to hear, and from which seat; or from which of the
  /// guests, whose indexes follow those of the model's executors.
  struct Heard {
    const wire::Message* message;  ///< within the one that was received
    Address from;
  };
  std::optional<Heard> receive(const wire::Message& message, Address from, TimeUs now, Outbox& out);
  /// What the core of the present epoch says, as it goes to nodes.
  std::vector<wire::Send> address(const std::vector<wire::Send>& sends) const;
  /// Beside a verifier: the last commit of the present epoch that it knows, and will know after a
  /// crash: what it rests on is on its disk.
  void committed(BatchNumber number, const crypto::Digest& token);

  void tick(TimeUs now, Outbox& out);
  TimeUs deadline() const;

 private:
  struct Voice {
    wire::Farewell said;
    bool authentic = false;  ///< false: it was not checked yet
  };
  std::optional<Heard> within(Epoch epoch, const wire::Message& message, Address from, TimeUs now,
                              Outbox& out);
  std::optional<Heard> seated(const wire::Message& message, Address from) const;
  void on(const wire::EpochEnd& end, Address from, TimeUs now, Outbox& out);
  void on(const wire::Farewell& farewell, Address from, TimeUs now, Outbox& out);
  void on(const wire::ChainWanted& wanted, Address from, TimeUs now, Outbox& out);
  void on(const wire::Chain& chain, Address from, TimeUs now, Outbox& out);
  void on(const wire::Candidate& announced, Address from, TimeUs now, Outbox& out);
  bool sits(Role role, Address node) const;
  bool barred(Address node, TimeUs now) const;
  bool is_new(std::map<Address, TimeUs>& quiet, Address node, TimeUs now) const;
  void show(Epoch behind, Address node, TimeUs now, Outbox& out);
  void ask(Address node, TimeUs now, Outbox& out);
  void say_farewell(Outbox& out);
  void keep(const wire::Farewell& farewell, bool authentic);
  void gather(TimeUs now, Outbox& out);
  void enter(const wire::Link& link, Outbox& out);
  void send(std::vector<Address> nodes, wire::Message message, Outbox& out) const;
  std::vector<Address> others(bool executors_too) const;

  const StewardOptions options_;
  Succession succession_;
  const crypto::Authenticator& keys_;
  const crypto::Digester& digester_;

  // Of the present epoch.
  BatchNumber committed_;
  crypto::Digest token_;
  std::optional<wire::Evidence> evidence_;  ///< of that commit: said farewell
  std::map<uint16_t, Voice> heard_;         ///< by verifier, the last
  std::optional<wire::Change> candidate_;   ///< signed by the operator
  std::optional<Address> coming_;           ///< the candidate's executor, if it has one

  std::map<Address, TimeUs> shown_;  ///< links, until when not again
  std::map<Address, TimeUs> asked_;
  std::map<Address, TimeUs> barred_;  ///< sent a wrong one: one check a resend time
  std::map<Address, TimeUs> judged_;  ///< announced a candidate: likewise
  TimeUs repeat_at_;
};

}  // namespace eve::membership
