#include "cli/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

namespace eve::cli {
namespace {

[[noreturn]] void become(std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  // A node must not outlive the command that started it.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv("/proc/self/exe", argv.data());
  _exit(127);
}

bool all_reaped(const std::vector<ChildProcess>& children) {
  return std::all_of(children.begin(), children.end(),
                     [](const auto& child) { return child.pid <= 0; });
}

}  // namespace

std::string how_it_ended(int status) {
  if (!WIFSIGNALED(status)) return "ended with status " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  return "was killed by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
}

std::vector<EndedProcess> reap_ended(std::vector<ChildProcess>& children) {
  std::vector<EndedProcess> ended;
  for (auto& child : children) {
    int status = 0;
    if (child.pid <= 0 || waitpid(child.pid, &status, WNOHANG) == 0) continue;
    ended.push_back({child.name, child.pid, status});
    child.pid = -1;
  }
  return ended;
}

Result<ChildProcess> start_self(const std::string& name, std::vector<std::string> arguments) {
  int fds[2];
  if (pipe(fds) != 0) return Error{std::string("pipe: ") + std::strerror(errno)};
  fcntl(fds[0], F_SETFD, FD_CLOEXEC);
  arguments.push_back("--ready-fd");
  arguments.push_back(std::to_string(fds[1]));
  const pid_t pid = fork();
  if (pid < 0) {
    const int reason = errno;
    close(fds[0]);
    close(fds[1]);
    return Error{std::string("cannot start a process: ") + std::strerror(reason)};
  }
  if (pid == 0) become(arguments);
  close(fds[1]);
  return ChildProcess{name, pid, fds[0]};
}

Status wait_ready(ChildProcess& child, int timeout_ms) {
  pollfd waiting{child.ready_fd, POLLIN, 0};
  char line[16];
  const bool served =
      poll(&waiting, 1, timeout_ms) == 1 && read(child.ready_fd, line, sizeof line) > 0;
  close(child.ready_fd);
  child.ready_fd = -1;
  if (served) return {};
  return Error{child.name + " did not start; its messages above say why"};
}

void stop_all(std::vector<ChildProcess>& children, int grace_ms) {
  for (auto& child : children) {
    if (child.pid > 0) kill(child.pid, SIGTERM);
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(grace_ms);
  while (reap_ended(children), !all_reaped(children)) {
    if (std::chrono::steady_clock::now() >= deadline) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (auto& child : children) {
    if (child.pid > 0) {
      kill(child.pid, SIGKILL);
      waitpid(child.pid, nullptr, 0);
      child.pid = -1;
    }
  }
}

}  // namespace eve::cli
