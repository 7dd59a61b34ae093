#include "execution/history.h"

#include "base/check.h"

namespace eve::execution {

const History::Entry* History::find(BatchNumber number) const {
  const BatchNumber oldest = entries_.front().parts.number;
  if (number < oldest || number > last().parts.number) return nullptr;
  return &entries_[number.value() - oldest.value()];
}

void History::append(Entry entry) {
  EVE_CHECK(entry.parts.number == last().parts.number.next(), "batches are numbered without gaps");
  entries_.push_back(std::move(entry));
}

void History::drop_after(BatchNumber number) {
  EVE_CHECK(find(number) != nullptr, "a batch to return to is not known");
  while (last().parts.number > number) entries_.pop_back();
}

void History::forget_before(BatchNumber number) {
  while (entries_.size() > 1 && entries_.front().parts.number < number) entries_.pop_front();
}

}  // namespace eve::execution
