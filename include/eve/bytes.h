// Byte strings. Eve uses `std::string_view` for borrowed bytes and `std::string` for owned ones:
// both are 8-bit clean, compare lexicographically as unsigned bytes, and need no conversion at the
// edges where requests and replies are text.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace eve {

/// Borrowed bytes; the owner and the lifetime are the function's that hands them out.
using ByteView = std::string_view;

/// Owned bytes.
using Bytes = std::string;

/// A slice of an immutable, reference-counted buffer. Copying shares the buffer; thread-safe as
/// `std::shared_ptr` is. Used where one received frame is kept alive by the parts cut out of it.
class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(Bytes bytes)
      : owner_(std::make_shared<const Bytes>(std::move(bytes))), view_(*owner_) {}

  /// A part of this slice; shares ownership. Precondition: offset + size <= view().size().
  SharedBytes slice(size_t offset, size_t size) const {
    SharedBytes part;
    part.owner_ = owner_;
    part.view_ = view_.substr(offset, size);
    return part;
  }

  /// The same buffer, seen through `view`, which must lie inside it.
  SharedBytes slice(ByteView view) const {
    SharedBytes part;
    part.owner_ = owner_;
    part.view_ = view;
    return part;
  }

  ByteView view() const { return view_; }
  size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }

 private:
  std::shared_ptr<const Bytes> owner_;
  ByteView view_;
};

}  // namespace eve
