// Stands between the router and the host of one role: its Steward sees to epochs, and the host
// knows seats only (docs/membership.md).
//
//   router -> gate -> (what is of the present epoch, from a seat) -> host
//   router <- gate <- (to seats) <- host
//
//   no seat yet --a link that gives one--> seated --a link that takes it--> replaced
//        \_______________________________ entering: the link is on disk, the role sits again
//
// Invariant (M6): nothing of an epoch is said or done before the link that begins it is on disk.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "membership/steward.h"
#include "runtime/chain_file.h"
#include "runtime/host.h"
#include "runtime/outlet.h"
#include "runtime/router.h"
#include "runtime/seating.h"

namespace eve::runtime {

struct MemberGateOptions {
  FaultModel model{1, 0};
  Address node;            ///< the role's address, for ever
  crypto::Digest genesis;  ///< the token of batch 0; clients need none
  ChainFile chain;
  /// Nodes that joined later, as the configuration has it: asked for links until one has come.
  std::vector<Address> later;
};

/// On the loop's thread only.
class MemberGate final : public Host, public Outlet {
 public:
  /// The role sits anew: the host of the epoch before is to be ended, or to go on at another seat.
  /// Given before start() once, by sit(). An error: it could not; asked again later.
  using Sit = std::function<Status(const Seating& seating)>;
  /// Who is a member now is known: links to new ones can be made.
  using Learn = std::function<void(const membership::Members& members)>;

  /// `authenticator` knows nodes by their addresses for ever; all references outlive the gate.
  /// Errors: the chain on disk is damaged, or proves nothing.
  static Result<std::unique_ptr<MemberGate>> create(Router& router,
                                                    const crypto::Authenticator& authenticator,
                                                    const crypto::Digester& digester,
                                                    const MemberGateOptions& options, Learn learn);

  /// Once, before start(): begins at the seat of the present epoch, if there is or was one.
  Status sit(Sit sit);
  /// What hears and is ticked, and is started when that is due; null: nothing. Not owned.
  void occupy(Host* host) {
    host_ = host;
    fresh_ = host != nullptr;
  }
  /// Beside a verifier: what it knows to be committed last, and its disk too: a farewell leaves at
  /// once.
  void set_committed(std::function<std::pair<BatchNumber, crypto::Digest>()> committed) {
    committed_ = std::move(committed);
  }

  Epoch epoch() const { return steward_.epoch(); }
  BatchNumber start() const { return steward_.present().number; }
  const membership::Members& members() const { return steward_.present().members; }
  /// The seats' nodes by name, in the order of the seats.
  std::vector<std::string> names(Role role) const;
  /// Another node has taken its seat.
  bool replaced() const { return steward_.retired(); }
  /// Empty, or why it has not entered the epoch that it knows of: for people.
  std::string cannot_begin() const;
  /// Empty, or why this role does nothing: likewise.
  std::string idle_because() const;

  void start(TimeUs now) override;
  void receive(const wire::Message& message, Address from, TimeUs now) override;
  void on_link(Address peer, bool up, TimeUs now) override;
  TimeUs deadline() const override;
  void tick(TimeUs now) override;
  bool idle(TimeUs now) override;

  void send(std::vector<wire::Send>& sends) override;
  void flush() override { router_.flush_links(); }
  std::string name_of(Address seat) const override;
  bool reachable(Address seat) const override;
  RefusalLog& refusals() override { return router_.links().refusals(); }

 private:
  MemberGate(Router& router, const crypto::Authenticator& authenticator,
             const crypto::Digester& digester, const MemberGateOptions& options, Learn learn,
             membership::Succession chain);
  void carry_out(membership::Outbox& out, TimeUs now);
  /// Keeps what was entered, and sits. False: not yet.
  bool settle(TimeUs now);
  void start_host(TimeUs now);
  Seating seating() const;
  void ask_for_links(TimeUs now);

  Router& router_;
  const crypto::Authenticator& authenticator_;
  const crypto::Digester& digester_;
  const MemberGateOptions options_;
  const Learn learn_;
  membership::Steward steward_;
  Sit sit_;
  Host* host_ = nullptr;
  std::function<std::pair<BatchNumber, crypto::Digest>()> committed_;
  bool fresh_ = false;        ///< host_ is not started yet
  bool kept_ = true;          ///< all links are on disk
  bool settled_ = true;       ///< and the role sits where they say
  std::string trouble_;       ///< why not
  TimeUs again_at_ = kNever;  ///< settle()
  TimeUs ask_at_ = kNever;    ///< for links
};

}  // namespace eve::runtime
