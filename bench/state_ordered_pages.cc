// Ordered maps against std::map, and pages against memcpy. The baselines are neither replicated nor
// safe to share between threads: they are what the machine can do.
#include <algorithm>
#include <cstring>
#include <map>

#include "base/scheduler.h"
#include "bench/state.h"
#include "eve/ordered.h"
#include "eve/pages.h"

namespace eve::bench {
namespace {

constexpr size_t kScan = 100;  // entries
constexpr size_t kPageBytes = 4096;
constexpr size_t kPagesWritten = 100;  // in a batch

/// A batch around `body`, whose cost is returned; that of the batch itself goes to `upkeep`.
template <typename Body>
Cost in_batch(state::Engine& engine, Cost& upkeep, const Body& body) {
  InlineScheduler scheduler;
  const Stopwatch opening;
  engine.begin(engine.last().next());
  upkeep += opening.elapsed();
  const Stopwatch watch;
  body();
  const Cost cost = watch.elapsed();
  const Stopwatch closing;
  engine.seal(scheduler);
  engine.commit(engine.last());
  upkeep += closing.elapsed();
  return cost;
}

template <typename Body>
Cost timed(const Body& body) {
  const Stopwatch watch;
  body();
  return watch.elapsed();
}

/// The same keys in an ordered map of an engine and in a std::map.
class Ordered {
 public:
  explicit Ordered(uint64_t keys)
      : engine_(digester_of(crypto::DigestAlgorithm::kXxh3), 1),
        state_(engine_),
        bytes_(state_, "ordered"),
        typed_(state_, "ordered"),
        keys_(keys) {
    std::vector<std::string> batch;
    for (uint64_t index = 0; index < keys;) {
      batch.clear();
      for (; index < keys && batch.size() < kBatchWrites; ++index) {
        make_key(index, batch.emplace_back());
      }
      new_value(index);
      put(batch);
      put_baseline(batch);
    }
    upkeep_ = Cost();
  }

  std::vector<std::string> draw_keys(size_t count) {
    std::vector<std::string> keys(count);
    for (auto& key : keys) make_key(random_.below(keys_), key);
    return keys;
  }

  /// For the next puts.
  void new_value(uint64_t number) { make_value(number, value_); }
  Cost put(const std::vector<std::string>& keys) {
    return in_batch(engine_, upkeep_, [&] {
      for (const auto& key : keys) bytes_.put(context_, key, value_);
    });
  }
  Cost put_baseline(const std::vector<std::string>& keys) {
    return timed([&] {
      for (const auto& key : keys) map_[key] = value_;
    });
  }
  Cost get(const std::vector<std::string>& keys) {
    return timed([&] {
      std::string out;
      for (const auto& key : keys) keep(out = *bytes_.get(context_, key));
    });
  }
  Cost get_baseline(const std::vector<std::string>& keys) {
    return timed([&] {
      std::string out;
      for (const auto& key : keys) keep(out = map_.find(key)->second);
    });
  }
  Cost scan(const std::vector<std::string>& keys) {
    return timed([&] {
      for (const auto& key : keys) {
        size_t left = kScan;
        bytes_.range(context_, key, std::nullopt, [&](const OrderedByteMap::Entry& entry) {
          keep(entry.key[0] + entry.value[0]);
          return --left > 0;
        });
      }
    });
  }
  Cost scan_baseline(const std::vector<std::string>& keys) {
    return timed([&] {
      for (const auto& key : keys) {
        size_t left = kScan;
        for (auto at = map_.lower_bound(key); at != map_.end() && left > 0; ++at, --left) {
          keep(at->first[0] + at->second[0]);
        }
      }
    });
  }
  Cost copy(const std::vector<std::string>& keys) {
    return timed([&] {
      for (const auto& key : keys) {
        size_t left = kScan;
        typed_.range(context_, key, std::nullopt,
                     [&](const std::string& of_entry, const std::string& value) {
                       keep(of_entry[0] + value[0]);
                       return --left > 0;
                     });
      }
    });
  }
  Cost copy_baseline(const std::vector<std::string>& keys) {
    return timed([&] {
      for (const auto& key : keys) {
        size_t left = kScan;
        for (auto at = map_.lower_bound(key); at != map_.end() && left > 0; ++at, --left) {
          const std::pair<std::string, std::string> entry = *at;
          keep(entry.first[0] + entry.second[0]);
        }
      }
    });
  }
  /// What batches have cost around the puts since it was last asked.
  Cost take_upkeep() { return std::exchange(upkeep_, Cost()); }

 private:
  state::Engine engine_;
  State state_;
  OrderedByteMap bytes_;
  OrderedMap<std::string, std::string> typed_;
  std::map<std::string, std::string> map_;
  const uint64_t keys_;
  Context context_{{}, 0, nullptr};
  Random random_{23};
  std::string value_;
  Cost upkeep_;
};

/// One row's series and its baseline's.
struct Pair {
  Series eve;
  Series baseline;
};

void add_pair(const std::string& name, const std::string& unit, const std::string& baseline,
              const Pair& pair, Report& report) {
  report.rows.push_back(make_row(name, unit, pair.eve));
  set_baseline(report.rows.back(), baseline, pair.baseline);
}

void add_ordered(uint64_t count, const BenchOptions& options, Report& report) {
  Ordered ordered(count);
  const size_t rounds = options.quick ? 2 : 50;  // of kBatchWrites keys
  constexpr size_t kScans = 100;
  Pair scan, copy, get, put;
  Series all_in;
  for (size_t run = 0; run <= options.runs; ++run) {
    Cost costs[8];
    for (size_t round = 0; round < rounds; ++round) {
      // Other keys for each, so that none finds its entries fetched by another.
      const auto starts = ordered.draw_keys(kScans);
      const auto copied = ordered.draw_keys(kScans);
      const auto got = ordered.draw_keys(kBatchWrites);
      const auto written = ordered.draw_keys(kBatchWrites);
      ordered.new_value(run * rounds + round);
      in_turn(round, {[&] { costs[0] += ordered.scan(starts); },
                      [&] { costs[1] += ordered.scan_baseline(starts); }});
      in_turn(round, {[&] { costs[2] += ordered.copy(copied); },
                      [&] { costs[3] += ordered.copy_baseline(copied); }});
      in_turn(round, {[&] { costs[4] += ordered.get(got); },
                      [&] { costs[5] += ordered.get_baseline(got); }});
      in_turn(round, {[&] { costs[6] += ordered.put(written); },
                      [&] { costs[7] += ordered.put_baseline(written); }});
    }
    Cost put_all_in = ordered.take_upkeep();
    put_all_in += costs[6];
    if (run == 0) continue;  // to warm up
    all_in.add(put_all_in, rounds * kBatchWrites);
    scan.eve.add(costs[0], rounds * kScans * kScan);
    scan.baseline.add(costs[1], rounds * kScans * kScan);
    copy.eve.add(costs[2], rounds * kScans * kScan);
    copy.baseline.add(costs[3], rounds * kScans * kScan);
    get.eve.add(costs[4], rounds * kBatchWrites);
    get.baseline.add(costs[5], rounds * kBatchWrites);
    put.eve.add(costs[6], rounds * kBatchWrites);
    put.baseline.add(costs[7], rounds * kBatchWrites);
  }
  const std::string of = with_commas(count) + " keys";
  add_pair("scan of 100, OrderedByteMap, " + of, "ns/entry", "std::map", scan, report);
  add_pair("scan of 100, OrderedMap, " + of, "ns/entry", "std::map, copied", copy, report);
  add_pair("get, OrderedByteMap, " + of, "ns", "std::map", get, report);
  add_pair("put, OrderedByteMap, " + of, "ns", "std::map", put, report);
  add_pair("put, OrderedByteMap, all in, " + of, "ns", "std::map", {all_in, put.baseline}, report);
}

/// The same pages in an engine and in plain memory.
class Paged {
 public:
  explicit Paged(uint64_t pages)
      : engine_(digester_of(crypto::DigestAlgorithm::kXxh3), 1),
        state_(engine_),
        pages_(state_, "pages", kPageBytes),
        memory_(pages * kPageBytes, 'p'),
        count_(pages) {
    Cost unused;
    for (uint64_t first = 0; first < pages; first += kPagesWritten) {
      in_batch(engine_, unused, [&] {
        for (uint64_t i = first; i < std::min(pages, first + kPagesWritten); ++i) {
          pages_.write(context_, i, ByteView(memory_).substr(i * kPageBytes, kPageBytes));
        }
      });
    }
  }

  std::vector<uint64_t> draw_pages() { return draw(random_, kPagesWritten, count_); }

  void new_page() { ++page_[0]; }  ///< for the next writes
  Cost write(const std::vector<uint64_t>& indexes) {
    return in_batch(engine_, upkeep_, [&] {
      for (const uint64_t index : indexes) pages_.write(context_, index, page_);
    });
  }
  Cost write_baseline(const std::vector<uint64_t>& indexes) {
    return timed([&] {
      for (const uint64_t index : indexes) {
        std::memcpy(memory_.data() + index * kPageBytes, page_.data(), kPageBytes);
      }
    });
  }
  /// The view, and one byte of the page.
  Cost read(const std::vector<uint64_t>& indexes) {
    return timed([&] {
      for (const uint64_t index : indexes) keep(pages_.read(context_, index)[index % kPageBytes]);
    });
  }
  Cost copy(const std::vector<uint64_t>& indexes) {
    return timed([&] {
      for (const uint64_t index : indexes) {
        std::memcpy(page_.data(), pages_.read(context_, index).data(), kPageBytes);
        keep(page_.data());
      }
    });
  }
  Cost read_baseline(const std::vector<uint64_t>& indexes) {
    return timed([&] {
      for (const uint64_t index : indexes) {
        std::memcpy(page_.data(), memory_.data() + index * kPageBytes, kPageBytes);
        keep(page_.data());
      }
    });
  }
  Cost take_upkeep() { return std::exchange(upkeep_, Cost()); }

 private:
  state::Engine engine_;
  State state_;
  Pages pages_;
  Bytes memory_;
  const uint64_t count_;
  Context context_{{}, 0, nullptr};
  Random random_{29};
  Bytes page_ = Bytes(kPageBytes, 'w');
  Cost upkeep_;
};

void add_pages(uint64_t count, const BenchOptions& options, Report& report) {
  Paged paged(count);
  const size_t rounds = options.quick ? 2 : 100;
  Pair write, read, copy;
  Series upkeep, all_in;
  for (size_t run = 0; run <= options.runs; ++run) {
    Cost costs[5];
    for (size_t round = 0; round < rounds; ++round) {
      const auto written = paged.draw_pages();
      paged.new_page();
      in_turn(round, {[&] { costs[0] += paged.write(written); },
                      [&] { costs[1] += paged.write_baseline(written); }});
      // Other pages, so that none finds its page fetched by another.
      in_turn(round, {[&] { costs[2] += paged.read(paged.draw_pages()); },
                      [&] { costs[3] += paged.copy(paged.draw_pages()); },
                      [&] { costs[4] += paged.read_baseline(paged.draw_pages()); }});
    }
    const Cost around = paged.take_upkeep();
    if (run == 0) continue;  // to warm up
    const size_t pages = rounds * kPagesWritten;
    Cost write_all_in = costs[0];
    write_all_in += around;
    all_in.add(write_all_in, pages);
    write.eve.add(costs[0], pages);
    write.baseline.add(costs[1], pages);
    read.eve.add(costs[2], pages);
    copy.eve.add(costs[3], pages);
    read.baseline.add(costs[4], pages);
    upkeep.add(around, pages, 1e-3);
  }
  copy.baseline = read.baseline;
  const std::string of = with_commas(count) + " pages of 4 KiB";
  add_pair("page write, " + of, "ns", "memcpy", write, report);
  add_pair("page write, all in, " + of, "ns", "memcpy", {all_in, write.baseline}, report);
  add_pair("page read in place, one byte, " + of, "ns", "memcpy of the page", read, report);
  add_pair("page read and copied, " + of, "ns", "memcpy", copy, report);
  report.rows.push_back(make_row("seal and commit of these writes, " + of, "us/page", upkeep));
}

}  // namespace

void add_ordered_rows(const BenchOptions& options, Report& report) {
  for (const uint64_t keys : options.quick ? std::vector<uint64_t>{1'000, 10'000}
                                           : std::vector<uint64_t>{10'000, 1'000'000}) {
    add_ordered(keys, options, report);
  }
}

void add_page_rows(const BenchOptions& options, Report& report) {
  for (const uint64_t pages :
       options.quick ? std::vector<uint64_t>{200} : std::vector<uint64_t>{1'000, 100'000}) {
    add_pages(pages, options, report);
  }
}

}  // namespace eve::bench
