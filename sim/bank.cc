#include "sim/bank.h"

#include <stdexcept>
#include <string>

#include "eve/service.h"
#include "eve/state.h"
#include "sim/request_code.h"
#include "sim/violation.h"

namespace eve::sim {
namespace {

constexpr uint32_t kAccounts = 16;
constexpr uint32_t kNotes = 8;
constexpr int64_t kOpeningBalance = 100;

constexpr char kTransfer = 'T';
constexpr char kAudit = 'A';
constexpr char kWriteNote = 'N';
constexpr char kReadNote = 'R';
constexpr char kEraseNote = 'E';

Bytes account_key(uint32_t account) {
  return "account:" + std::to_string(account);
}
Bytes note_key(uint32_t note) {
  return "note:" + std::to_string(note);
}

class BankService final : public Service {
 public:
  explicit BankService(State& state)
      : balances_(state, "balances"), notes_(state, "notes"), served_(state, "served") {}

  void footprint(ByteView bytes, Footprint& out) const override {
    const auto request = decode_request(bytes);
    if (!request) return;
    out.write("served:" + std::to_string(request->id));
    switch (request->operation) {
      case kTransfer:
        out.write(account_key(request->first));
        out.write(account_key(request->second));
        break;
      case kWriteNote:
      case kEraseNote:
        out.write(note_key(request->first));
        break;
      case kReadNote:
        out.read(note_key(request->first));
        break;
      default:
        out.alone();
    }
  }

  void execute(Context& context, ByteView bytes, Bytes& reply) override {
    const auto request = decode_request(bytes);
    if (!request) return;
    Answer answer;
    answer.times = served_.get(context, request->id).value_or(0) + 1;
    served_.put(context, request->id, answer.times);
    answer.value = carry_out(context, *request);
    reply = encode(answer);
  }

 private:
  int64_t carry_out(Context& context, const Request& request) {
    switch (request.operation) {
      case kTransfer:
        return transfer(context, request.first, request.second, request.amount);
      case kAudit:
        return audit(context);
      case kWriteNote:
        notes_.put(context, request.first,
                   std::to_string(context.time_us()) + ' ' + std::to_string(context.random()));
        return context.time_us();
      case kEraseNote:
        return notes_.erase(context, request.first) ? 1 : 0;
      case kReadNote:
        return static_cast<int64_t>(
            std::hash<std::string>()(notes_.get(context, request.first).value_or("")) >> 1);
      default:
        return 0;
    }
  }

  int64_t balance(Context& context, uint32_t account) const {
    return balances_.get(context, account).value_or(kOpeningBalance);
  }

  int64_t transfer(Context& context, uint32_t from, uint32_t to, uint32_t amount) {
    const int64_t left = balance(context, from) - amount;
    balances_.put(context, from, left);
    if (left < 0) throw std::runtime_error("not enough money");
    balances_.put(context, to, balance(context, to) + amount);
    return left;
  }

  int64_t audit(Context& context) const {
    int64_t sum = 0;
    for (uint32_t account = 0; account < kAccounts; ++account) sum += balance(context, account);
    return sum;
  }

  Map<uint32_t, int64_t> balances_;
  Map<uint32_t, std::string> notes_;
  Map<uint64_t, uint32_t> served_;
};

}  // namespace

execution::MakeService Bank::service() const {
  return [](State& state) { return std::make_unique<BankService>(state); };
}

Bytes Bank::request(uint16_t client, uint64_t number, Random& random) {
  Request request;
  request.id = unique_id(client, number);
  const uint64_t kind = random.below(100);
  if (kind < 60) {
    request.operation = kTransfer;
    request.first = static_cast<uint32_t>(random.below(kAccounts));
    request.second = static_cast<uint32_t>(random.below(kAccounts));
    // A tenth asks for more than most accounts have.
    request.amount = static_cast<uint32_t>(random.below(random.chance(1, 10) ? 400 : 20));
  } else if (kind < 65) {
    request.operation = kAudit;
  } else {
    request.operation = kind < 80 ? kWriteNote : kind < 90 ? kReadNote : kEraseNote;
    request.first = static_cast<uint32_t>(random.below(kNotes));
  }
  return encode(request);
}

void Bank::check(uint16_t, uint64_t, ByteView request_bytes, ByteView reply) {
  const Request request = *decode_request(request_bytes);
  const auto answer = decode_answer(reply);
  if (!answer) {
    const bool may_throw = request.operation == kTransfer;
    if (may_throw && reply == kRequestFailed) return;
    throw Violation("service", "a reply that the bank never gives: " + Bytes(reply));
  }
  if (answer->times != 1) {
    throw Violation("exactly once", "a request ran " + std::to_string(answer->times) + " times");
  }
  if (request.operation == kAudit && answer->value != kAccounts * kOpeningBalance) {
    throw Violation("conservation", "the accounts add up to " + std::to_string(answer->value));
  }
}

}  // namespace eve::sim
