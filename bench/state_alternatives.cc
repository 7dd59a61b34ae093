// What could stand in place of the state's tree and its slots, each as the smallest honest
// prototype; docs/state.md says what we learnt. All work on the same objects, held in an array, and
// are asked the same: a new token after 1,000 of them have changed, or as many have come.
#include <algorithm>
#include <memory>

#include "bench/multiset_hash.h"
#include "bench/slot_tree.h"
#include "bench/state.h"
#include "bench/trie.h"

namespace eve::bench {
namespace {

constexpr size_t kArities[] = {2, 4, 8, 16, 32};
constexpr size_t kUsualArity = 16;
/// An object's slot and a slot's object, 8 bytes each: what dense slots take beside their tree.
constexpr double kSlotBytes = 16;
/// One object in so many is deleted before new ones come, to have slots to reuse.
constexpr uint64_t kFreedShare = 16;

/// The objects that all prototypes hash: a key and a value each, in one string.
struct Objects {
  explicit Objects(uint64_t count) : payloads(make_payloads(count)) {}
  void append() {
    std::string value;
    payloads.emplace_back();
    make_key(payloads.size() - 1, payloads.back());
    make_value(payloads.size(), value);
    payloads.back() += value;
  }
  /// `before` gets what was there.
  void change(uint64_t index, Payloads& before) {
    before.push_back(payloads[index]);
    ++payloads[index][kKeyBytes];
  }

  Payloads payloads;
};

/// One batch of changes, the same for every prototype.
struct Changes {
  Changes(Objects& objects, Random& random, size_t count)
      : indexes(draw(random, count, objects.payloads.size())) {
    for (const uint64_t index : indexes) objects.change(index, before);
  }
  std::vector<uint64_t> indexes;
  Payloads before;
};

/// A prototype behind the questions that are put to all.
struct Candidate {
  std::string name;
  double bytes;  ///< an object, beside the object itself
  std::function<void(const Objects&, const Changes&)> update;
  std::shared_ptr<void> owner;
  Series cost;
};

template <typename Prototype>
Candidate of_slots(const std::string& name, std::shared_ptr<Prototype> tree, const Objects& objects,
                   double more_bytes) {
  const double bytes =
      static_cast<double>(tree->bytes()) / static_cast<double>(objects.payloads.size());
  return {name,
          bytes + more_bytes,
          [tree](const Objects& all, const Changes& changes) {
            tree->update(all.payloads, changes.indexes);
          },
          tree,
          {}};
}

template <typename Prototype>
Candidate of_multiset(const std::string& name, std::shared_ptr<Prototype> hash) {
  return {name,
          0,
          [hash](const Objects& all, const Changes& changes) {
            for (size_t i = 0; i < changes.indexes.size(); ++i) {
              hash->replace(changes.before[i], all.payloads[changes.indexes[i]]);
            }
            keep(hash->token());
          },
          hash,
          {}};
}

void compare(std::vector<Candidate>& candidates, size_t baseline, const std::string& what,
             Objects& objects, const BenchOptions& options, Report& report) {
  Random random(3);
  const size_t count = options.quick ? 100 : kBatchWrites;
  const size_t batches = options.quick ? 2 : 10;
  size_t turn = 0;
  for (size_t round = 0; round <= options.runs; ++round) {
    std::vector<Cost> sums(candidates.size());
    for (size_t batch = 0; batch < batches; ++batch) {
      const Changes changes(objects, random, count);
      std::vector<std::function<void()>> steps;
      for (size_t i = 0; i < candidates.size(); ++i) {
        steps.emplace_back([&, i] {
          const Stopwatch watch;
          candidates[i].update(objects, changes);
          sums[i] += watch.elapsed();
        });
      }
      in_turn(turn++, steps);
    }
    for (size_t i = 0; round > 0 && i < candidates.size(); ++i) {
      candidates[i].cost.add(sums[i], batches * count, 1e-3);
    }
  }
  for (const Candidate& candidate : candidates) {
    Row row = make_row(what + candidate.name, "us/change", candidate.cost);
    set_baseline(row, candidates[baseline].name, candidates[baseline].cost);
    char note[64];
    std::snprintf(note, sizeof note, "%.1f B/object", candidate.bytes);
    row.note = note;
    report.rows.push_back(std::move(row));
  }
}

void add_arities(Objects& objects, crypto::DigestAlgorithm algorithm, const BenchOptions& options,
                 Report& report) {
  std::vector<Candidate> candidates;
  size_t usual = 0;
  for (const size_t arity : kArities) {
    if (arity == kUsualArity) usual = candidates.size();
    candidates.push_back(of_slots(
        "tree of arity " + std::to_string(arity),
        std::make_shared<SlotTree>(digester_of(algorithm), arity, objects.payloads), objects, 0));
  }
  compare(candidates, usual, std::string(name_of(algorithm)) + ": ", objects, options, report);
}

void add_others(Objects& objects, crypto::DigestAlgorithm algorithm, const BenchOptions& options,
                Report& report) {
  const auto& digester = digester_of(algorithm);
  std::vector<Candidate> candidates;
  candidates.push_back(of_slots("dense slots",
                                std::make_shared<SlotTree>(digester, kUsualArity, objects.payloads),
                                objects, kSlotBytes));
  candidates.push_back(of_slots(
      "canonical trie", std::make_shared<Trie>(digester, kKeyBytes, objects.payloads), objects, 0));
  if (algorithm == crypto::DigestAlgorithm::kXxh3) {
    candidates.push_back(of_multiset("sum of keyed XXH3-128", std::make_shared<SumHash>(digester)));
  } else {
    candidates.push_back(
        of_multiset("sum of SHA-256 mod 2^256", std::make_shared<SumHash>(digester)));
    candidates.push_back(of_multiset("LtHash16, 2 KiB, of SHAKE128",
                                     std::make_shared<LtHash>(LtHash::Expand::kShake128)));
    candidates.push_back(of_multiset("LtHash16, 2 KiB, of ChaCha20",
                                     std::make_shared<LtHash>(LtHash::Expand::kChaCha20)));
  }
  compare(candidates, 0, std::string(name_of(algorithm)) + ": ", objects, options, report);
}

/// New objects: dense slots, new and reused, against the trie. All take in the same objects.
void add_inserts(Objects& objects, crypto::DigestAlgorithm algorithm, const BenchOptions& options,
                 Report& report) {
  const auto& digester = digester_of(algorithm);
  SlotTree slots(digester, kUsualArity, objects.payloads);
  SlotTree holes(digester, kUsualArity, objects.payloads);
  Trie trie(digester, kKeyBytes, objects.payloads);
  Random random(7);
  const uint64_t erased = objects.payloads.size() / kFreedShare;
  holes.erase(draw(random, erased, objects.payloads.size()));
  Series of_slots, of_holes, of_trie;
  const size_t count = options.quick ? 100 : kBatchWrites;
  for (size_t round = 0; round <= options.runs; ++round) {
    std::vector<uint64_t> fresh;
    for (size_t i = 0; i < count; ++i) {
      fresh.push_back(objects.payloads.size());
      objects.append();
    }
    const auto measure = [&](Series& series, const std::function<void()>& insert) {
      const Stopwatch watch;
      insert();
      if (round > 0) series.add(watch.elapsed(), count, 1e-3);
    };
    const auto& all = objects.payloads;
    in_turn(round, {[&] { measure(of_slots, [&] { slots.insert(all, fresh); }); },
                    [&] { measure(of_holes, [&] { holes.insert(all, fresh); }); },
                    [&] { measure(of_trie, [&] { trie.update(all, fresh); }); }});
  }
  const std::string prefix = std::string(name_of(algorithm)) + ": new objects, ";
  const auto add = [&](const std::string& name, const Series& series) {
    report.rows.push_back(make_row(prefix + name, "us/object", series));
    set_baseline(report.rows.back(), "dense slots, appended", of_slots);
  };
  add("dense slots, appended", of_slots);
  add("dense slots, 1 in 16 freed before", of_holes);
  add("canonical trie", of_trie);
}

}  // namespace

void add_alternative_rows(const BenchOptions& options, Report& report) {
  for (const auto algorithm : kAlgorithms) {
    Objects objects(options.quick ? 10'000 : 1'000'000);
    add_arities(objects, algorithm, options, report);
    add_others(objects, algorithm, options, report);
    add_inserts(objects, algorithm, options, report);
  }
}

}  // namespace eve::bench
