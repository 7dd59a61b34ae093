// What came for a process that stood still. It finds it in its sockets, and reads these one after
// the other: word of later events may then come before word of earlier ones, over another link. A
// link that broke meanwhile and was made anew has lost its beginning.
#pragma once

#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "wire/messages.h"

namespace eve::sim {

class Backlog {
 public:
  struct Message {
    wire::MessagePtr body;
    Address from;
    TimeUs came_at = 0;
  };

  bool empty() const { return messages_.empty(); }
  void add(const wire::MessagePtr& body, Address from, TimeUs now) {
    messages_.push_back({body, from, now});
  }
  void clear() { messages_.clear(); }
  /// Everything, in the order in which it is read: link by link, each in its own order, and as
  /// often as not those from verifiers first. Half of the time the links of all nodes of one role
  /// broke, at a time that `random` chooses, and what had come before is lost.
  std::vector<Message> read(TimeUs now, Random& random);

 private:
  std::vector<Message> messages_;
};

}  // namespace eve::sim
