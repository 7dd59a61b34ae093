#include "runtime/gateway_connection.h"

#include <sys/socket.h>

#include <cerrno>

#include "runtime/host_limits.h"

namespace eve::runtime {
namespace {

constexpr size_t kPieces = 64;

char* receive_buffer() {
  static thread_local Bytes buffer(host_limits::kReadBytes, '\0');
  return buffer.data();
}

}  // namespace

GatewayConnection::GatewayConnection(asio::ip::tcp::socket socket, uint64_t id, Owner& owner)
    : socket_(std::move(socket)), id_(id), owner_(owner) {}

void GatewayConnection::start(std::unique_ptr<FrontEnd> front_end) {
  front_end_ = std::move(front_end);
  std::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  await_readable();
}

// ---- The client ---------------------------------------------------------------------------------

bool GatewayConnection::may_read() const {
  return !closed_ && !closing_ && !input_ended_ &&
         outstanding_ < host_limits::kMaxClientOutstanding &&
         output_.bytes() < host_limits::kPauseClientUnread;
}

void GatewayConnection::await_readable() {
  if (awaiting_readable_ || !may_read()) return;
  awaiting_readable_ = true;
  socket_.async_wait(asio::socket_base::wait_read,
                     [self = shared_from_this()](const std::error_code& error) {
                       self->awaiting_readable_ = false;
                       if (self->closed_) return;
                       if (error) return self->drop();
                       self->on_readable();
                     });
}

void GatewayConnection::on_readable() {
  for (size_t i = 0; i < host_limits::kReadsPerTurn && may_read(); ++i) {
    if (!read_once()) break;
  }
  await_readable();
}

bool GatewayConnection::read_once() {
  const auto got = ::recv(socket_.native_handle(), receive_buffer(), host_limits::kReadBytes, 0);
  if (got > 0) {
    const auto size = static_cast<size_t>(got);
    owner_.counters().bytes_in += size;
    front_end_->on_bytes(*this, {receive_buffer(), size});
    return size == host_limits::kReadBytes;
  }
  if (got == 0) {
    input_ended_ = true;
    dirty_ = true;
    owner_.wants_flush(*this);
  } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
    drop();
  }
  return false;
}

bool GatewayConnection::done() const {
  if (!output_.empty()) return false;
  return closing_ || (input_ended_ && outstanding_ == 0);
}

void GatewayConnection::flush() {
  dirty_ = false;
  if (closed_) return;
  if (!awaiting_writable_) write();
  if (closed_) return;
  if (done()) return drop();
  // Replies may have made room.
  await_readable();
}

void GatewayConnection::write() {
  while (!output_.empty()) {
    iovec slots[kPieces];
    msghdr message{};
    message.msg_iov = slots;
    message.msg_iovlen = output_.gather(slots, kPieces);
    const auto sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
    if (sent > 0) {
      owner_.counters().bytes_out += static_cast<uint64_t>(sent);
      output_.consume(static_cast<size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return await_writable();
    } else if (errno != EINTR) {
      return drop();
    }
  }
}

void GatewayConnection::await_writable() {
  awaiting_writable_ = true;
  socket_.async_wait(asio::socket_base::wait_write,
                     [self = shared_from_this()](const std::error_code& error) {
                       self->awaiting_writable_ = false;
                       if (self->closed_) return;
                       if (error) return self->drop();
                       self->flush();
                     });
}

void GatewayConnection::drop() {
  if (closed_) return;
  closed_ = true;
  std::error_code ignored;
  socket_.close(ignored);
  output_.clear();
  owner_.wants_flush(*this);
}

// ---- The front end ------------------------------------------------------------------------------

bool GatewayConnection::submit(Bytes request) {
  if (closed_ || !owner_.submit(id_, std::move(request))) return false;
  ++outstanding_;
  ++owner_.counters().requests;
  return true;
}

void GatewayConnection::send(ByteView bytes) {
  if (closed_ || closing_) return;
  output_.append(bytes);
  if (output_.bytes() > host_limits::kMaxClientUnread) return drop();
  if (!std::exchange(dirty_, true)) owner_.wants_flush(*this);
}

void GatewayConnection::close() {
  closing_ = true;
  if (!std::exchange(dirty_, true)) owner_.wants_flush(*this);
}

void GatewayConnection::on_reply(Outcome outcome, ByteView reply) {
  --outstanding_;
  if (closed_ || closing_) return;
  front_end_->on_reply(*this, outcome, reply);
  // Reading may have been paused, or the end of input may have waited for this.
  if (!std::exchange(dirty_, true)) owner_.wants_flush(*this);
}

}  // namespace eve::runtime
