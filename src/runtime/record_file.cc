#include "runtime/record_file.h"

#include "runtime/files.h"

namespace eve::runtime {

Result<RecordFile> RecordFile::open(const std::filesystem::path& directory, Address address) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return Error{directory.string() + ": cannot make it: " + failed.message()};
  const auto file = directory / (to_string(address) + ".record");
  const bool there = std::filesystem::exists(file, failed);
  if (failed) return Error{file.string() + ": cannot examine it: " + failed.message()};
  if (!there) return RecordFile(file, {});
  auto text = read_file(file);
  if (!text) return text.error();
  if (text->ends_with('\n')) text->pop_back();
  const auto record = pair::parse_record(*text);
  if (!record) {
    return Error{file.string() + ": " + record.message() +
                 "; if the other replica runs, remove it, and this one returns from there"};
  }
  return RecordFile(file, *record);
}

Status RecordFile::write(const pair::Record& record) {
  if (auto status = replace_file(file_, pair::format_record(record) + "\n"); !status) return status;
  record_ = record;
  return {};
}

}  // namespace eve::runtime
