// The numbers of a node's status in the text format that Prometheus reads (version 0.0.4).
#pragma once

#include <string>
#include <string_view>

namespace eve::runtime {

/// `status`: the JSON of GET /status. Every number and truth value in it becomes a line
/// eve_PATH{node="NAME"} VALUE; entries of lists are told apart by a label with their name, peer or
/// sender. Texts, and lists of plain values, are left out.
std::string metrics_text(std::string_view status);

}  // namespace eve::runtime
