#include "runtime/peer_connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/limits.h"
#include "runtime/host_limits.h"

namespace eve::runtime {
namespace {

/// Pieces of one gathered write; Linux takes 1,024.
constexpr size_t kPieces = 64;

/// Where encrypted bytes are received to; the loop's thread is the only one that does.
char* receive_buffer() {
  static thread_local Bytes buffer(host_limits::kReadBytes, '\0');
  return buffer.data();
}

}  // namespace

PeerConnection::PeerConnection(asio::ip::tcp::socket socket, std::unique_ptr<TlsSession> tls,
                               const LinkHello& own, Owner& owner, TimeUs now)
    : socket_(std::move(socket)),
      tls_(std::move(tls)),
      own_(own),
      owner_(owner),
      started_(now),
      state_(tls_ ? State::kSecuring : State::kGreeting) {}

void PeerConnection::start() {
  configure_socket();
  if (state_ == State::kGreeting) greet();
  flush();
  if (state_ != State::kClosed) await_readable();
}

void PeerConnection::configure_socket() {
  std::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto set = [this](int option, int value) {
    ::setsockopt(socket_.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
  };
  // A silent peer is probed after 2 s and given up after kPeerGoneMs, with or without data under
  // way.
  set(TCP_KEEPIDLE, 2);
  set(TCP_KEEPINTVL, 2);
  set(TCP_KEEPCNT, host_limits::kPeerGoneMs / 2'000 - 1);
  set(TCP_USER_TIMEOUT, host_limits::kPeerGoneMs);
}

void PeerConnection::close(const std::string& reason, Fault fault) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  if (cipher_bytes() > 0) {
    // The last words of TLS: why the peer was refused. If they do not fit, it has to guess.
    ::send(socket_.native_handle(), tls_->output().data() + cipher_sent_, cipher_bytes(),
           MSG_NOSIGNAL);
  }
  std::error_code ignored;
  socket_.close(ignored);
  plain_.clear();
  owner_.on_closed(*this, reason, fault);
}

void PeerConnection::greet() {
  plain_.append(encode_hello(own_));
}

// ---- Receiving ---------------------------------------------------------------------------------

void PeerConnection::await_readable() {
  socket_.async_wait(asio::socket_base::wait_read,
                     [self = shared_from_this()](const std::error_code& error) {
                       if (self->state_ == State::kClosed) return;
                       if (error) return self->close(error.message());
                       self->on_readable();
                     });
}

void PeerConnection::on_readable() {
  for (size_t i = 0; i < host_limits::kReadsPerTurn; ++i) {
    if (!(tls_ ? receive_encrypted() : receive_plain())) break;
  }
  if (state_ != State::kClosed) await_readable();
}

size_t PeerConnection::read_socket(char* data, size_t size) {
  while (true) {
    const auto got = ::recv(socket_.native_handle(), data, size, 0);
    if (got > 0) return static_cast<size_t>(got);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
    close(got == 0 ? "the peer closed the link" : std::strerror(errno));
    return 0;
  }
}

bool PeerConnection::receive_plain() {
  const auto room = reader_.room();
  const auto got = read_socket(room.data, room.size);
  if (got == 0) return false;
  reader_.filled(got);
  return take_frames() && got == room.size;
}

bool PeerConnection::receive_encrypted() {
  const auto got = read_socket(receive_buffer(), host_limits::kReadBytes);
  if (got == 0) return false;
  if (auto status = tls_->receive({receive_buffer(), got}); !status) {
    close(status.message(), Fault::kPeer);
    return false;
  }
  if (state_ == State::kSecuring && tls_->established()) {
    state_ = State::kGreeting;
    greet();
  }
  while (true) {
    const auto room = reader_.room();
    const auto plain = tls_->read(room.data, room.size);
    if (!plain) {
      close(plain.message(), tls_->ended() ? Fault::kNone : Fault::kPeer);
      return false;
    }
    if (*plain == 0) break;
    reader_.filled(*plain);
    if (!take_frames()) return false;
  }
  // Handshakes advance without a turn of the loop that knows this connection.
  if (state_ != State::kOpen) flush();
  return state_ != State::kClosed && got == host_limits::kReadBytes;
}

bool PeerConnection::take_frames() {
  while (true) {
    auto body = reader_.next();
    if (!body) {
      close(body.message(), Fault::kPeer);
      return false;
    }
    if (!*body) return true;
    if (state_ == State::kGreeting) {
      if (!take_hello(**body)) return false;
    } else {
      owner_.on_frame(*this, std::move(**body));
    }
    if (state_ == State::kClosed) return false;
  }
}

bool PeerConnection::take_hello(const SharedBytes& body) {
  auto hello = parse_hello(body.view());
  if (!hello) {
    close(hello.message(), Fault::kPeer);
    return false;
  }
  reader_.set_limit(limits::kMaxFrameBytes);
  state_ = State::kOpen;
  auto status = owner_.on_hello(*this, *hello, peer_key());
  if (!status) close(status.message(), Fault::kPeer);
  // Our own hello may be waiting.
  flush();
  return state_ == State::kOpen;
}

// ---- Sending -----------------------------------------------------------------------------------

size_t PeerConnection::cipher_bytes() const {
  return tls_ ? tls_->output().size() - cipher_sent_ : 0;
}

void PeerConnection::send(const FrameHeader& header, const SharedBytes& payload) {
  EVE_CHECK(open(), "frames are for open connections");
  plain_.append(ByteView(header.data(), header.size()));
  plain_.append(payload);
  if (queued_bytes() > limits::kMaxLinkQueueBytes) close("the peer reads too slowly");
}

void PeerConnection::flush() {
  if (state_ == State::kClosed || awaiting_writable_) return;
  while (cipher_bytes() > 0 || !plain_.empty()) {
    if (state_ == State::kSecuring && cipher_bytes() == 0) return;
    if (!(tls_ ? write_encrypted() : write_plain())) break;
  }
  if (state_ != State::kClosed && (cipher_bytes() > 0 || !plain_.empty())) await_writable();
}

bool PeerConnection::write_plain() {
  iovec slots[kPieces];
  msghdr message{};
  message.msg_iov = slots;
  message.msg_iovlen = plain_.gather(slots, kPieces);
  const auto sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
  if (sent > 0) {
    plain_.consume(static_cast<size_t>(sent));
    return true;
  }
  if (errno == EINTR) return true;
  if (errno != EAGAIN && errno != EWOULDBLOCK) close(std::strerror(errno));
  return false;
}

bool PeerConnection::write_encrypted() {
  auto& cipher = tls_->output();
  while (!plain_.empty() && tls_->established() && cipher.size() < host_limits::kCipherBytes) {
    const auto piece = plain_.front().substr(0, host_limits::kCipherBytes);
    if (auto status = tls_->write(piece); !status) {
      close(status.message());
      return false;
    }
    plain_.consume(piece.size());
  }
  const auto sent = ::send(socket_.native_handle(), cipher.data() + cipher_sent_,
                           cipher.size() - cipher_sent_, MSG_NOSIGNAL);
  if (sent < 0 && errno == EINTR) return true;
  if (sent < 0) {
    if (errno != EAGAIN && errno != EWOULDBLOCK) close(std::strerror(errno));
    return false;
  }
  cipher_sent_ += static_cast<size_t>(sent);
  if (cipher_sent_ == cipher.size()) {
    cipher.clear();
    cipher_sent_ = 0;
  }
  return true;
}

void PeerConnection::await_writable() {
  awaiting_writable_ = true;
  socket_.async_wait(asio::socket_base::wait_write,
                     [self = shared_from_this()](const std::error_code& error) {
                       self->awaiting_writable_ = false;
                       if (self->state_ == State::kClosed) return;
                       if (error) return self->close(error.message());
                       self->flush();
                     });
}

}  // namespace eve::runtime
