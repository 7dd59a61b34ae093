#include "bench/redis_server.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "bench/resp_load.h"

namespace eve::bench {
namespace {

class PingSource final : public LoadSource {
 public:
  bool next(size_t, Bytes& out) override {
    if (asked_) return false;
    append_command(out, {"PING"});
    return asked_ = true;
  }
  void reply(size_t, ByteView, double) override {}

 private:
  bool asked_ = false;
};

}  // namespace

Result<std::unique_ptr<RedisServer>> RedisServer::start(uint16_t port) {
  const std::string port_text = std::to_string(port);
  const pid_t pid = fork();
  if (pid < 0) return Error{"cannot start a process"};
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    execlp("redis-server", "redis-server", "--port", port_text.c_str(), "--bind", "127.0.0.1",
           "--save", "", "--appendonly", "no", "--loglevel", "warning", "--logfile", "/dev/null",
           static_cast<char*>(nullptr));
    _exit(127);
  }
  std::unique_ptr<RedisServer> server(new RedisServer(port, pid));
  for (int tries = 0; tries < 100; ++tries) {
    PingSource ping;
    if (run_load({port, 1, 1, 1}, ping)) return server;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return Error{"redis-server does not run: install Debian's package redis-server"};
}

RedisServer::~RedisServer() {
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
}

}  // namespace eve::bench
