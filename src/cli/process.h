// Child processes of `eve dev` and `eve bench`: started, waited for, stopped; never restarted.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "eve/result.h"

namespace eve::cli {

struct ChildProcess {
  std::string name;
  pid_t pid = -1;
  int ready_fd = -1;  ///< readable end: the child writes a line when it serves
};

/// A child that has ended.
struct EndedProcess {
  std::string name;
  pid_t pid = -1;
  int status = 0;  ///< as waitpid() gives it
};
/// "was killed by signal 9 (Killed)", "ended with status 1".
std::string how_it_ended(int status);

/// Starts this very program with `arguments` plus `--ready-fd N`. Standard streams are inherited.
Result<ChildProcess> start_self(const std::string& name, std::vector<std::string> arguments);

/// Waits for the child's line. Fails if it ends first or `timeout_ms` passes.
Status wait_ready(ChildProcess& child, int timeout_ms);

/// Those that have ended since the last time, if any; does not wait.
std::vector<EndedProcess> reap_ended(std::vector<ChildProcess>& children);

/// SIGTERM to all, then, after `grace_ms`, SIGKILL to those that remain; reaps all.
void stop_all(std::vector<ChildProcess>& children, int grace_ms);

}  // namespace eve::cli
