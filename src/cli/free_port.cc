#include "cli/free_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace eve::cli {

PortSource::~PortSource() {
  for (int fd : sockets_) close(fd);
}

uint16_t PortSource::next() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || bind(fd, generic, size) != 0 || getsockname(fd, generic, &size) != 0) {
    ok_ = false;
    if (fd >= 0) close(fd);
    return 0;
  }
  sockets_.push_back(fd);
  return ntohs(address.sin_port);
}

}  // namespace eve::cli
