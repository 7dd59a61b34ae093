#include "sim/script_line.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace eve::sim {

std::optional<uint64_t> to_number(const std::string& text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

ScriptLine::ScriptLine(const std::string& line) : line_(line) {
  bool quoted = false;
  bool inside = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == ' ' && !quoted) {
      inside = false;
      continue;
    }
    if (!inside) words_.push_back({"", i});
    inside = true;
    if (c == '"') {
      quoted = !quoted;
    } else {
      words_.back().text += c;
    }
  }
  if (quoted) throw ScriptError("a quote is not closed");
}

std::string ScriptLine::found() const {
  return ended() ? "nothing more" : '"' + words_[next_].text + '"';
}

bool ScriptLine::accept(const std::string& word) {
  if (ended() || words_[next_].text != word) return false;
  ++next_;
  return true;
}

void ScriptLine::expect(const std::string& word) {
  if (!accept(word)) throw ScriptError("expected \"" + word + "\", found " + found());
}

std::string ScriptLine::word(const std::string& what) {
  if (ended()) throw ScriptError("expected " + what + ", found nothing more");
  return words_[next_++].text;
}

uint64_t ScriptLine::number(const std::string& what) {
  const auto value = ended() ? std::nullopt : to_number(words_[next_].text);
  if (!value) throw ScriptError("expected " + what + " (a number), found " + found());
  ++next_;
  return *value;
}

TimeUs ScriptLine::duration() {
  const auto count = static_cast<TimeUs>(number("a duration such as 5 ms"));
  if (accept("ms")) return count * 1'000;
  if (accept("s")) return count * 1'000'000;
  if (accept("min")) return count * 60'000'000;
  throw ScriptError("expected ms, s or min, found " + found());
}

std::vector<Address> ScriptLine::nodes(const std::vector<Address>& all) {
  std::string text = word("nodes");
  if (text.ends_with(':')) text.pop_back();
  if (text == "everybody") return all;
  std::istringstream in(text);
  std::vector<Address> chosen;
  for (std::string name; std::getline(in, name, ',');) {
    const size_t before = chosen.size();
    for (const Address node : all) {
      const std::string known = to_string(node);
      if (known == name || known.substr(0, known.find('-')) + 's' == name) chosen.push_back(node);
    }
    if (chosen.size() == before) {
      throw ScriptError("expected nodes such as executor-1, verifiers or everybody, found \"" +
                        name + '"');
    }
  }
  return chosen;
}

Address ScriptLine::node(const std::vector<Address>& all) {
  const std::vector<Address> chosen = nodes(all);
  if (chosen.size() != 1) throw ScriptError("expected one node");
  return chosen.front();
}

Fields ScriptLine::fields() {
  Fields fields;
  while (!ended()) {
    const std::string text = words_[next_++].text;
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw ScriptError("expected key=value, found \"" + text + '"');
    }
    if (!fields.emplace(text.substr(0, equals), text.substr(equals + 1)).second) {
      throw ScriptError(text.substr(0, equals) + "= is there twice");
    }
  }
  return fields;
}

std::string ScriptLine::rest() {
  if (ended()) throw ScriptError("expected more on this line");
  const size_t begin = words_[next_].begin;
  next_ = words_.size();
  return line_.substr(begin);
}

void ScriptLine::end() {
  if (!ended()) throw ScriptError("expected the end of the line, found " + found());
}

}  // namespace eve::sim
