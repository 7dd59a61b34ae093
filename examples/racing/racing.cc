// A service with a planted concurrency bug, to see Eve repair what it does.
//
// `add COUNTER` reads a counter, thinks for a while, and writes it back plus one; but the footprint
// claims that every request touches something of its own. So two adds to one counter may run at
// once and lose an update, on one replica and not on another. Verification sees that the replicas
// differ, all roll back, and the batch runs again in order. `get COUNTER` reads one.
#include <chrono>
#include <string>

#include "eve/serve.h"
#include "eve/state.h"

namespace {

constexpr auto kThinking = std::chrono::microseconds(100);

class Racing : public eve::Service {
 public:
  explicit Racing(eve::State& state) : counters_(state, "counters") {}

  void footprint(eve::ByteView request, eve::Footprint& out) const override {
    if (request.starts_with("get ")) out.read(request.substr(4));
    // The lie: an add writes its counter, and does not say so.
  }

  void execute(eve::Context& context, eve::ByteView request, eve::Bytes& reply) override {
    if (request.size() < 5) {
      reply = "error: add COUNTER | get COUNTER";
      return;
    }
    const std::string name(request.substr(4));
    auto value = counters_.get(context, name).value_or(0);
    if (request.starts_with("add ")) {
      think();
      counters_.put(context, name, ++value);
    }
    reply = std::to_string(value);
  }

 private:
  /// Keeps the core busy: the window in which another request may slip in.
  static void think() {
    const auto until = std::chrono::steady_clock::now() + kThinking;
    while (std::chrono::steady_clock::now() < until) {
    }
  }

  eve::Map<std::string, int64_t> counters_;
};

}  // namespace

int main(int argc, char** argv) {
  return eve::serve(argc, argv, "racing", [](eve::State& state) -> std::unique_ptr<eve::Service> {
    return std::make_unique<Racing>(state);
  });
}
