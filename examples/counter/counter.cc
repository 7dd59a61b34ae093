// The smallest replicated service: a counter. `counter dev` runs a cluster of it on this machine;
// examples/counter/count.cc is a client.
#include <string>

#include "eve/serve.h"
#include "eve/state.h"

class Counter : public eve::Service {
 public:
  explicit Counter(eve::State& state) : value_(state, "value") {}

  void footprint(eve::ByteView request, eve::Footprint& out) const override {
    if (request == "get") {
      out.read("value");
    } else {
      out.write("value");
    }
  }

  void execute(eve::Context& context, eve::ByteView request, eve::Bytes& reply) override {
    if (request == "add") value_.set(context, value_.get(context) + 1);
    reply = std::to_string(value_.get(context));
  }

 private:
  eve::Cell<int64_t> value_;
};

int main(int argc, char** argv) {
  return eve::serve(argc, argv, "counter", [](eve::State& state) -> std::unique_ptr<eve::Service> {
    return std::make_unique<Counter>(state);
  });
}
