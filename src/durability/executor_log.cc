#include "durability/executor_log.h"

#include <utility>

#include "durability/executor_recovery.h"
#include "journal/log_writer.h"

namespace eve::durability {
namespace {

/// One reading of the log, into one runner.
class Attempt {
 public:
  Attempt(execution::Runner& runner, const crypto::Digester& digester,
          const crypto::Digest& genesis)
      : recovery_(runner, digester, genesis) {}

  /// Nullopt if the log cannot be followed: trouble() says why.
  Result<std::optional<OpenedExecutor>> run(journal::Disk& disk, const KeeperOptions& options) {
    Found found;
    auto keeper = Keeper::open(disk, options, recovery_, found);
    if (!keeper) {
      if (!recovery_.failed() || recovery_.refused()) return keeper.error();
      return gives_up(keeper.message());
    }
    auto recovered = recovery_.finish(found.whole);
    if (!recovered) return gives_up(recovered.message());

    OpenedExecutor opened;
    opened.keeper = std::move(*keeper);
    opened.restarted = !found.whole;
    opened.trouble = found.trouble;
    if (!found.first_start) opened.recovered = std::move(*recovered);
    const auto kept = opened.keeper->keep(recovery_.opening_notes(), Keeper::Until::kDurable);
    if (!kept) return Error{kept.message()};
    opened.recorder.emplace(recovery_.recorder(opened.keeper->end()));
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

Result<OpenedExecutor> open_executor(journal::Disk& disk, const KeeperOptions& options,
                                     const crypto::Digester& digester,
                                     const crypto::Digest& genesis,
                                     const std::function<execution::Runner&()>& make_runner) {
  Attempt first(make_runner(), digester, genesis);
  auto opened = first.run(disk, options);
  if (!opened) return opened.error();
  if (*opened) return std::move(**opened);

  if (auto status = journal::set_aside_log(disk, options.log.name); !status) {
    return Error{status.message()};
  }
  KeeperOptions again = options;
  again.ran_before = true;
  Attempt second(make_runner(), digester, genesis);
  auto anew = second.run(disk, again);
  if (!anew) return anew.error();
  if (!*anew) return Error{second.trouble()};
  (*anew)->trouble = first.trouble() + "; the log is set aside, as *.damaged";
  return std::move(**anew);
}

}  // namespace eve::durability
