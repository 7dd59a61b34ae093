// A replicated outline: headings below headings, each an object that others refer to. What is cut
// off is collected by Eve. `outline dev` runs a cluster of it on this machine.
//
//   add PATH TITLE    a heading below the one at PATH, such as 1.2 ("." is the top)
//   cut PATH          that heading, and all below it
//   show              all headings
#include <algorithm>
#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include "eve/graph.h"
#include "eve/serve.h"
#include "eve/state.h"

struct Heading {
  std::string title;
  std::vector<eve::Ref<Heading>> below;
  template <typename A>
  void fields(A& archive) {
    archive(title, below);
  }
};

class Outline : public eve::Service {
 public:
  explicit Outline(eve::State& state) : graph_(state), top_(state, "top") {}

  void footprint(eve::ByteView request, eve::Footprint& out) const override {
    if (request.substr(0, 4) == "show") {
      out.read("outline");
    } else {
      out.write("outline");
    }
  }

  void execute(eve::Context& context, eve::ByteView request, eve::Bytes& reply) override {
    const eve::ByteView verb = word(request);
    if (verb == "add" && !top_.get(context)) top_.set(context, graph_.create<Heading>(context));
    if (verb == "show") {
      show(context, top_.get(context), 0, reply);
    } else if (verb == "add" || verb == "cut") {
      const bool done = verb == "add" ? add(context, request) : cut(context, request);
      reply = done ? "done" : "no such heading";
    } else {
      reply = "say add PATH TITLE, cut PATH, or show";
    }
  }

 private:
  static constexpr size_t kMaxDepth = 32;

  /// Cuts the first word off `rest`.
  static eve::ByteView word(eve::ByteView& rest, char end = ' ') {
    const eve::ByteView first = rest.substr(0, rest.find(end));
    rest.remove_prefix(std::min(rest.size(), first.size() + 1));
    return first;
  }
  /// The heading at `path`; null if there is none.
  eve::Ref<Heading> find(eve::Context& context, eve::ByteView path) {
    eve::Ref<Heading> at = top_.get(context);
    for (size_t depth = 0; !path.empty() && path != "."; ++depth) {
      const eve::ByteView part = word(path, '.');
      size_t number = 0;
      std::from_chars(part.data(), part.data() + part.size(), number);
      const auto heading = graph_.get(context, at);
      if (!heading || number == 0 || number > heading->below.size()) return {};
      if (depth + 1 == kMaxDepth) return {};
      at = heading->below[number - 1];
    }
    return at;
  }
  bool add(eve::Context& context, eve::ByteView rest) {
    const eve::Ref<Heading> parent = find(context, word(rest));
    auto heading = graph_.get(context, parent);
    if (!heading) return false;
    heading->below.push_back(graph_.create(context, Heading{std::string(rest), {}}));
    return graph_.set(context, parent, *heading);
  }
  bool cut(eve::Context& context, eve::ByteView path) {
    const size_t dot = path.rfind('.');
    const bool nested = dot != eve::ByteView::npos;
    const eve::Ref<Heading> parent = find(context, nested ? path.substr(0, dot) : ".");
    const eve::Ref<Heading> child = find(context, path);
    auto heading = graph_.get(context, parent);
    if (!heading || !child) return false;
    return std::erase(heading->below, child) > 0 && graph_.set(context, parent, *heading);
  }
  void show(eve::Context& context, eve::Ref<Heading> at, size_t depth, eve::Bytes& out) {
    const auto heading = graph_.get(context, at);
    if (!heading) return;
    for (const eve::Ref<Heading>& child : heading->below) {
      out.append(2 * depth, ' ').append(graph_.get(context, child)->title).append("\n");
      show(context, child, depth + 1, out);
    }
  }

  eve::Graph graph_;
  eve::Cell<eve::Ref<Heading>> top_;
};

int main(int argc, char** argv) {
  return eve::serve(argc, argv, "outline", [](eve::State& state) -> std::unique_ptr<eve::Service> {
    return std::make_unique<Outline>(state);
  });
}
