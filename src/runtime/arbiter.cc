#include "runtime/arbiter.h"

#include "runtime/log.h"

namespace eve::runtime {
namespace {

constexpr TimeUs kRetryUs = 200'000;

}  // namespace

void OwnRecord::ask(const pair::Request& request) {
  if (!request.answer) {
    // Somebody else's word; if the disk refuses it, what is there is older, and never newer.
    record_ = request.wanted;
    file_.write_later(request.wanted);
    return;
  }
  asked_ = request;
  begin();
}

void OwnRecord::begin() {
  retry_at_ = kNever;
  if (writing_) return;  // a question of a replica that has started over since
  if (record_ != asked_->expected) return answer();
  writing_ = asked_;
  file_.write_later(asked_->wanted, [this, alive = std::weak_ptr<bool>(alive_), &loop = loop_](
                                        const Status& written, bool there) {
    loop.post([this, alive, written, there] {
      if (!alive.expired()) end(written, there);
    });
  });
}

// What is not durable, but there, may be found after a restart: it is written until it is durable.
void OwnRecord::end(const Status& written, bool there) {
  const pair::Request request = *std::exchange(writing_, std::nullopt);
  if (!written) {
    if (written.message() != logged_) {
      log(LogLevel::kError, "record_not_written", {{"reason", written.message()}});
    }
    trouble_ = logged_ = written.message();
    there_ = there;
    retry_at_ = loop_.now() + kRetryUs;
    return;
  }
  logged_.clear();
  if (record_ == request.expected) record_ = request.wanted;
  if (asked_) begin();
}

void OwnRecord::tick(TimeUs now) {
  if (!asked_ || now < retry_at_) return;
  if (there_) return begin();
  answer();
}

void OwnRecord::answer() {
  trouble_.clear();
  retry_at_ = kNever;
  asked_.reset();
  answer_ = record_;
}

}  // namespace eve::runtime
