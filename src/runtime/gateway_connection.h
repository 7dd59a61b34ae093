// One client's connection to a gateway.
//
//   reading <--few enough requests and bytes under way--> paused
//      \--end of input, or the front end closes--> finishing --all said--> closed
//
// Finishing after the end of input waits for the replies under way; a connection that breaks, or
// whose client leaves too much unread, closes at once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/event_loop.h"
#include "runtime/front_end.h"
#include "runtime/output_queue.h"

namespace eve::runtime {

class GatewayConnection final : public FrontEnd::Host,
                                public std::enable_shared_from_this<GatewayConnection> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual bool submit(uint64_t connection, Bytes request) = 0;
    /// Calls flush() at the end of the turn, and lets go of the connection if it is closed then.
    virtual void wants_flush(GatewayConnection& connection) = 0;
    virtual GatewayStats& counters() = 0;
    virtual TimeUs now() = 0;
    virtual std::vector<std::string> low_disks() { return {}; }
  };

  GatewayConnection(asio::ip::tcp::socket socket, uint64_t id, Owner& owner);

  void start(std::unique_ptr<FrontEnd> front_end);
  uint64_t id() const { return id_; }
  bool closed() const { return closed_; }

  /// The next of this connection's completions.
  void on_reply(Outcome outcome, ByteView reply);
  /// Writes what waits, and goes on reading or closes, as the state says.
  void flush();
  /// At once, whatever waits.
  void drop();

  // FrontEnd::Host
  bool submit(Bytes request) override;
  void send(ByteView bytes) override;
  void close() override;
  int64_t now_us() const override { return owner_.now(); }
  std::vector<std::string> low_disks() override { return owner_.low_disks(); }

 private:
  void await_readable();
  void on_readable();
  /// False: nothing more to read for now.
  bool read_once();
  bool may_read() const;
  bool done() const;
  void write();
  void await_writable();

  asio::ip::tcp::socket socket_;
  uint64_t id_;
  Owner& owner_;
  std::unique_ptr<FrontEnd> front_end_;
  OutputQueue output_;
  size_t outstanding_ = 0;
  bool dirty_ = false;
  bool awaiting_readable_ = false;
  bool awaiting_writable_ = false;
  bool input_ended_ = false;  ///< the client will send nothing more
  bool closing_ = false;      ///< the front end wants to close once output_ has left
  bool closed_ = false;
};

}  // namespace eve::runtime
