// A bank: accounts, transfers, and the sum of all money, which transfers never change.
//
//   open NAME AMOUNT | transfer FROM TO AMOUNT | balance NAME | total
//
// Transfers between different accounts run side by side; the footprint names both accounts.
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "eve/serve.h"
#include "eve/state.h"

namespace {

std::vector<std::string> words(eve::ByteView request) {
  std::istringstream in{std::string(request)};
  std::vector<std::string> found;
  for (std::string word; found.size() < 5 && in >> word;) found.push_back(word);
  return found;
}

/// Amounts are whole cents, up to 10^15.
std::optional<int64_t> amount(const std::string& word) {
  if (word.empty() || word.size() > 15) return std::nullopt;
  if (word.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return std::stoll(word);
}

class Bank : public eve::Service {
 public:
  explicit Bank(eve::State& state) : accounts_(state, "accounts"), total_(state, "total") {}

  void footprint(eve::ByteView request, eve::Footprint& out) const override {
    const auto parts = words(request);
    if (parts.size() == 3 && parts[0] == "open") {
      out.write("account:" + parts[1]);
      out.write("total");
    } else if (parts.size() == 4 && parts[0] == "transfer") {
      out.write("account:" + parts[1]);
      out.write("account:" + parts[2]);
    } else if (parts.size() == 2 && parts[0] == "balance") {
      out.read("account:" + parts[1]);
    } else if (parts.size() == 1 && parts[0] == "total") {
      out.read("total");
    }
  }

  void execute(eve::Context& context, eve::ByteView request, eve::Bytes& reply) override {
    const auto parts = words(request);
    if (parts.size() == 3 && parts[0] == "open") {
      reply = open(context, parts[1], amount(parts[2]));
    } else if (parts.size() == 4 && parts[0] == "transfer") {
      reply = transfer(context, parts[1], parts[2], amount(parts[3]));
    } else if (parts.size() == 2 && parts[0] == "balance") {
      const auto balance = accounts_.get(context, parts[1]);
      reply = balance ? std::to_string(*balance) : "error: no such account";
    } else if (parts.size() == 1 && parts[0] == "total") {
      reply = std::to_string(total_.get(context));
    } else {
      reply = "error: open NAME AMOUNT | transfer FROM TO AMOUNT | balance NAME | total";
    }
  }

 private:
  std::string open(eve::Context& context, const std::string& name, std::optional<int64_t> first) {
    if (!first) return "error: the amount must be a whole number";
    if (accounts_.get(context, name)) return "error: the account exists";
    accounts_.put(context, name, *first);
    total_.set(context, total_.get(context) + *first);
    return "ok";
  }

  std::string transfer(eve::Context& context, const std::string& from, const std::string& to,
                       std::optional<int64_t> sum) {
    const auto source = accounts_.get(context, from);
    const auto target = accounts_.get(context, to);
    if (!sum) return "error: the amount must be a whole number";
    if (!source || !target) return "error: no such account";
    if (*source < *sum) return "error: not enough money";
    if (from == to) return "ok";
    accounts_.put(context, from, *source - *sum);
    accounts_.put(context, to, *target + *sum);
    return "ok";
  }

  eve::Map<std::string, int64_t> accounts_;
  eve::Cell<int64_t> total_;
};

}  // namespace

int main(int argc, char** argv) {
  return eve::serve(argc, argv, "bank", [](eve::State& state) -> std::unique_ptr<eve::Service> {
    return std::make_unique<Bank>(state);
  });
}
