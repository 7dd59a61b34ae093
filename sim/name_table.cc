#include "sim/name_table.h"

namespace eve::sim {

FilePtr NameTable::find(const std::string& name) const {
  const auto at = now_.find(name);
  return at == now_.end() ? nullptr : at->second;
}

void NameTable::apply(const Change& change, Names& names) {
  for (const auto& [name, file] : change) {
    if (file == nullptr) {
      names.erase(name);
    } else {
      names[name] = file;
    }
  }
}

void NameTable::change(Change change) {
  apply(change, now_);
  changes_.push_back(std::move(change));
  if (changes_.size() <= kMaxChanges) return;
  apply(changes_.front(), disk_);
  changes_.erase(changes_.begin());
}

void NameTable::create(const std::string& name, FilePtr file) {
  change({{name, std::move(file)}});
}

void NameTable::rename(const std::string& from, const std::string& to) {
  if (from != to) change({{to, now_.at(from)}, {from, nullptr}});
}

void NameTable::remove(const std::string& name) {
  change({{name, nullptr}});
}

void NameTable::write_back() {
  for (const auto& change : changes_) apply(change, disk_);
  changes_.clear();
}

void NameTable::lose(Random& random) {
  disk_ = mixed(random);
  changes_.clear();
}

void NameTable::keep(size_t changes) {
  for (size_t i = 0; i < changes; ++i) apply(changes_[i], disk_);
  changes_.clear();
  now_ = disk_;
}

void NameTable::mix(Random& random) {
  disk_ = mixed(random);
  changes_.clear();
  now_ = disk_;
}

Names NameTable::mixed(Random& random) const {
  std::map<std::string, std::vector<FilePtr>> versions;
  for (const auto& change : changes_) {
    for (const auto& [name, file] : change) versions[name].push_back(file);
  }
  Names names = disk_;
  for (const auto& [name, files] : versions) {
    const uint64_t drawn = random.below(files.size() + 1);
    if (drawn > 0) apply({{name, files[drawn - 1]}}, names);
  }
  return names;
}

void NameTable::restore(Names names) {
  now_ = disk_ = std::move(names);
  changes_.clear();
}

}  // namespace eve::sim
