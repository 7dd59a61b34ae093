// Connects to one peer: looks up its host, tries its addresses, and after a failure or a broken
// link again, with growing pauses.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/event_loop.h"

namespace eve::runtime {

class Dialer {
 public:
  using OnConnect = std::function<void(asio::ip::tcp::socket)>;

  /// `on_connect` gets each connected socket. The loop outlives the dialer.
  Dialer(EventLoop& loop, std::string host, uint16_t port, OnConnect on_connect);
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  /// When tick() would dial, or give up an attempt; kNever while its connection lives.
  TimeUs due() const;
  void tick(TimeUs now);
  /// The connection of the last attempt is of no use any more: dial again, after the pause.
  void failed(TimeUs now);
  /// It was of use: the next pause is the shortest again.
  void succeeded();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace eve::runtime
