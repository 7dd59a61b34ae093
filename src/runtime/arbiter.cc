#include "runtime/arbiter.h"

#include "runtime/log.h"

namespace eve::runtime {
namespace {

constexpr TimeUs kRetryUs = 200'000;

}  // namespace

void OwnRecord::ask(const pair::Request& request) {
  if (!request.answer) {
    // Somebody else's word; if the disk refuses it, what is there is older, and never newer.
    file_.write_later(request.wanted);
    return;
  }
  asked_ = request;
  tick(loop_.now());
}

void OwnRecord::tick(TimeUs now) {
  if (!asked_) return;
  if (file_.record() == asked_->expected) {
    if (auto status = file_.write(asked_->wanted); !status) {
      if (trouble_.empty())
        log(LogLevel::kError, "record_not_written", {{"reason", status.message()}});
      trouble_ = status.message();
      retry_at_ = now + kRetryUs;
      return;
    }
  }
  trouble_.clear();
  retry_at_ = kNever;
  asked_.reset();
  answer_ = file_.record();
}

}  // namespace eve::runtime
