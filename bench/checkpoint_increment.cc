// What incremental checkpoints would write: an export that is done, and goes on with the version
// that is there when about as much has been written as the state is large, says "kept" of the rest.
#include "base/check.h"
#include "base/scheduler.h"
#include "bench/checkpoint.h"
#include "bench/state.h"
#include "state/export.h"

namespace eve::bench {
namespace {

double drain(state::Exporter& exporter) {
  double bytes = 0;
  while (const auto chunk = exporter.next()) bytes += static_cast<double>(chunk->bytes.size());
  return bytes;
}

/// Writes once for each object, to the first `busy` of them.
void write(Loaded& loaded, uint64_t busy, state::Exporter& exporter) {
  InlineScheduler scheduler;
  Context context({}, 0, nullptr);
  Random random(9);
  std::string key;
  std::string value;
  const state::HistoryLimits limits;
  const uint64_t writes = loaded.keys() / limits.pinned_batches + 1;
  while (exporter.moved() == 0) {
    loaded.begin();
    for (uint64_t i = 0; i < writes; ++i) {
      make_key(random.below(busy), key);
      make_value(random.next(), value);
      loaded.map().put(context, key, value);
    }
    loaded.engine().seal(scheduler);
    loaded.commit();
  }
}

}  // namespace

void add_increment_rows(uint64_t objects, Report& report) {
  for (const uint64_t share : {1u, 10u}) {
    Loaded loaded(crypto::DigestAlgorithm::kSha256, 1, objects);
    state::Exporter exporter(loaded.engine(), loaded.engine().committed(), kCheckpointChunkBytes);
    Row row;
    row.name = "bytes of an incremental checkpoint after " + with_commas(objects) + " writes to " +
               with_commas(objects / share) + " of " + with_commas(objects) + " objects";
    row.unit = "MB";
    row.baseline = "a whole one";
    row.baseline_values.push_back(drain(exporter) * 1e-6);
    write(loaded, objects / share, exporter);
    row.values.push_back(drain(exporter) * 1e-6);
    report.rows.push_back(std::move(row));
  }
}

}  // namespace eve::bench
