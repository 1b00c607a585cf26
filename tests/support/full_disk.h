#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>

#include "tests/support/failure.h"

namespace fi {

/// Runs `body` in a child that may write at most `max_bytes` to a file, as on a full disk. Returns the code of its error: 0 for
/// none, 98 if the message does not name `file`.
inline int code_on_full_disk(rlim_t max_bytes, const std::string& file, const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{max_bytes, max_bytes};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(99);
    const Failure failure = failure_of(body);
    const bool names_the_file = failure.message.find(file) != std::string::npos;
    ::_exit(failure.code ? (names_the_file ? static_cast<int>(*failure.code) : 98) : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace fi
