// One connection between two nodes, from the connected socket to its end.
//
//   securing --TLS established--> greeting --the peer's hello--> open
//       \------------------------------\---------------------------\--> closed
//
// Without TLS it starts in greeting. Frames are queued in state open only. Closed is final: Links
// makes a new connection.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/event_loop.h"
#include "runtime/frame.h"
#include "runtime/output_queue.h"
#include "runtime/tls.h"

namespace eve::runtime {

class PeerConnection : public std::enable_shared_from_this<PeerConnection> {
 public:
  enum class State { kSecuring, kGreeting, kOpen, kClosed };

  /// Whether a connection ended by what the peer did wrong: malformed, unauthentic, too slow.
  enum class Fault { kNone, kPeer };

  /// Told on the loop's thread. During each of them the connection may be closed.
  class Owner {
   public:
    virtual ~Owner() = default;
    /// The peer has said who it is. An error refuses it. `key` is what it proved to hold; null
    /// without TLS.
    virtual Status on_hello(PeerConnection& connection, const LinkHello& hello,
                            const crypto::PublicKey* key) = 0;
    /// A frame's whole body, route included.
    virtual void on_frame(PeerConnection& connection, SharedBytes body) = 0;
    virtual void on_closed(PeerConnection& connection, const std::string& reason, Fault fault) = 0;
  };

  /// `tls` null: plain. `own` is said to the peer. `owner` outlives the connection's being open.
  PeerConnection(asio::ip::tcp::socket socket, std::unique_ptr<TlsSession> tls,
                 const LinkHello& own, Owner& owner, TimeUs now);

  /// Once, first; may close the connection at once.
  void start();

  State state() const { return state_; }
  bool open() const { return state_ == State::kOpen; }
  /// What the peer has proved to hold; null before that, and without TLS.
  const crypto::PublicKey* peer_key() const {
    return tls_ && tls_->established() ? &tls_->peer_key() : nullptr;
  }
  TimeUs started() const { return started_; }
  size_t queued_bytes() const { return plain_.bytes() + cipher_bytes(); }

  /// Queues a frame; it leaves with the next flush(). Precondition: open().
  void send(const FrameHeader& header, const SharedBytes& payload);
  void flush();
  /// Idempotent. Calls the owner's on_closed unless it was closed already.
  void close(const std::string& reason, Fault fault = Fault::kNone);

 private:
  void configure_socket();
  void await_readable();
  void on_readable();
  /// One read from the socket. False: nothing more to read for now, or closed.
  bool receive_plain();
  bool receive_encrypted();
  bool take_frames();
  bool take_hello(const SharedBytes& body);
  void greet();

  /// Writes what the socket takes. False: it is full, or closed.
  bool write_plain();
  bool write_encrypted();
  void await_writable();
  /// Bytes read into `data`; 0 when there is nothing more, or it was closed.
  size_t read_socket(char* data, size_t size);
  size_t cipher_bytes() const;

  asio::ip::tcp::socket socket_;
  std::unique_ptr<TlsSession> tls_;
  LinkHello own_;
  Owner& owner_;
  TimeUs started_;
  State state_;
  FrameReader reader_;
  OutputQueue plain_;
  size_t cipher_sent_ = 0;  ///< of tls_->output()
  bool awaiting_writable_ = false;
};

}  // namespace eve::runtime
