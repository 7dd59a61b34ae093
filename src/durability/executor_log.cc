#include "durability/executor_log.h"

#include <utility>

#include "durability/executor_recovery.h"

namespace eve::durability {
namespace {

/// One reading of the log, into one runner.
class Attempt {
 public:
  Attempt(execution::Runner& runner, const crypto::Digester& digester,
          const crypto::Digest& genesis)
      : recovery_(runner, digester, genesis) {}

  /// Nullopt if the log cannot be followed: trouble() says why.
  Result<std::optional<OpenedExecutor>> run(const ExecutorLogAccess& log, bool ran_before) {
    Found found;
    if (const auto status = log.open(ran_before, recovery_, found); !status) {
      if (!recovery_.failed() || recovery_.refused()) return Error{status.message()};
      return gives_up(status.message());
    }
    auto recovered = recovery_.finish(found.whole);
    if (!recovered) return gives_up(recovered.message());

    OpenedExecutor opened;
    opened.restarted = !found.whole;
    opened.trouble = found.trouble;
    if (!found.first_start) opened.recovered = std::move(*recovered);
    opened.opening_notes = recovery_.opening_notes();
    opened.recorder.emplace(recovery_.recorder());
    return std::optional(std::move(opened));
  }

  const std::string& trouble() const { return trouble_; }

 private:
  std::optional<OpenedExecutor> gives_up(std::string why) {
    trouble_ = std::move(why);
    return std::nullopt;
  }

  ExecutorRecovery recovery_;
  std::string trouble_;
};

}  // namespace

Result<OpenedExecutor> open_executor(const ExecutorLogAccess& log, bool ran_before,
                                     const crypto::Digester& digester,
                                     const crypto::Digest& genesis,
                                     const std::function<execution::Runner&()>& make_runner) {
  Attempt first(make_runner(), digester, genesis);
  auto opened = first.run(log, ran_before);
  if (!opened) return opened.error();
  if (*opened) return std::move(**opened);

  if (const auto status = log.set_aside(); !status) return Error{status.message()};
  Attempt second(make_runner(), digester, genesis);
  auto anew = second.run(log, true);
  if (!anew) return anew.error();
  if (!*anew) return Error{second.trouble()};
  (*anew)->trouble = first.trouble() + "; the log is set aside, as *.damaged";
  return std::move(**anew);
}

}  // namespace eve::durability
