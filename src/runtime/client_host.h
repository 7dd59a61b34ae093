// Drives one client Session: for a gateway, or for the native client.
#pragma once

#include "client/session.h"
#include "runtime/host.h"
#include "runtime/outlet.h"
#include "runtime/room_book.h"

namespace eve::runtime {

class ClientHost final : public Host {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    /// Once, when the session is first open.
    virtual void on_open() = 0;
    virtual void on_completion(const client::Completion& completion) = 0;
  };

  /// `sink` outlives the host.
  ClientHost(Outlet& outlet, const crypto::Authenticator& authenticator,
             const crypto::Digester& digester, const client::SessionOptions& options, Sink& sink);

  void start(TimeUs now) override;
  void receive(const wire::Message& message, Address from, TimeUs now) override;
  void on_link(Address peer, bool up, TimeUs now) override;
  TimeUs deadline() const override;
  void tick(TimeUs now) override;
  bool idle(TimeUs now) override;
  /// Other nodes may sit at the seats now.
  void on_new_members(TimeUs now);

  /// Queues a request; its completion goes to the sink with `ticket`. False: too much waits, or the
  /// request is larger than limits::kMaxRequestBytes.
  bool submit(Bytes request, client::Ticket ticket);
  client::Session::Status status() const { return session_.status(); }
  /// The nodes because of whose disks requests that change data should be refused; none: they need
  /// not (ADR 0015).
  std::vector<std::string> low_disks(TimeUs now);

 private:
  bool hand_out();
  bool all_executors_reachable() const;
  /// Opens the session once the executors can be reached, or after a short wait for the rest:
  /// an opening that is sent into the void costs a whole retry time.
  void open_session(TimeUs now);

  Outlet& outlet_;
  FaultModel model_;
  client::Session session_;
  client::Outbox outbox_;
  Sink& sink_;
  bool started_ = false;
  bool open_reported_ = false;
  RoomBook room_;
  RefusalsSeen refusals_seen_;
  TimeUs start_by_ = 0;
};

}  // namespace eve::runtime
