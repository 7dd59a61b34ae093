#include "durability/genesis_state.h"

#include <memory>
#include <utility>

#include "durability/checkpoint_file.h"
#include "execution/state_export.h"
#include "state/import.h"
#include "wire/codec.h"

namespace eve::durability {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;
constexpr const char* kOwner = "genesis";  ///< nobody's in particular

Status take_chunks(CheckpointReader& reader, state::Importer& importer) {
  for (;;) {
    const auto frame = reader.next();
    if (!frame) return frame.status();
    if (!*frame) return {};
    if ((*frame)->kind == FrameKind::kVersion) {
      importer.retarget(decode_version((*frame)->body)->root);
    } else if (auto status = importer.supply((*frame)->body); !status) {
      return Error{reader.info().name + " is damaged: " + status.message()};
    }
  }
}

Status write_chunks(CheckpointFile& file, execution::StateExport& pieces) {
  for (auto piece = pieces.next(); piece; piece = pieces.next()) {
    const CheckpointVersion version{piece->parts.number, piece->parts.state};
    if (auto status = file.add(version, piece->chunk); !status) return status;
    if (!piece->last) continue;
    return file.end({piece->parts, piece->token, journal::Position(1), {}});
  }
  return Error{"the state could not be read"};
}

}  // namespace

crypto::Digester digester_of(const BackupManifest& manifest) {
  return {manifest.algorithm, manifest.secret};
}

Status check_tables(const BackupManifest& manifest, const execution::Runner& runner) {
  const auto own = runner.containers();
  for (size_t i = 0; i < std::max(own.size(), manifest.tables.size()); ++i) {
    const bool here = i < own.size();
    const bool there = i < manifest.tables.size();
    if (here && there && own[i].name == manifest.tables[i]) continue;
    const auto named = [](bool is, ByteView name) {
      return is ? "\"" + std::string(name) + "\"" : std::string("missing");
    };
    return Error{"the backup is of another service, or of another release of it: its container " +
                 std::to_string(i) + " is " + named(there, there ? manifest.tables[i] : "") +
                 ", this program's is " + named(here, here ? ByteView(own[i].name) : "") +
                 "; restore it with the program that it was made with"};
  }
  return {};
}

Result<CheckpointInfo> begin_with_checkpoint(journal::Disk& disk, const std::string& name,
                                             const crypto::Digester& proofs,
                                             execution::Runner& runner) {
  auto reader = CheckpointReader::open(disk, name);
  if (!reader) return reader.error();
  const CheckpointInfo& info = (*reader)->info();
  if (wire::token_of(info.end.parts, proofs) != info.end.token) {
    return Error{name + " is damaged: its token is not that of its parts"};
  }
  const auto importer = runner.start_import(info.end.parts.state, proofs);
  if (auto status = take_chunks(**reader, *importer); !status) return Error{status.message()};
  // What came last was the version of the end: CheckpointReader sees to that.
  if (auto status = runner.begin_with(*importer); !status) {
    return Error{name + " is damaged: " + status.message()};
  }
  return info;
}

Result<CheckpointInfo> write_genesis(journal::Disk& disk, const std::string& cluster,
                                     const crypto::Digester& digester, execution::Runner& runner) {
  const CheckpointHeader header{
      {cluster, kOwner}, {}, wire::genesis_token(runner.root(), digester), 0};
  CheckpointFileOptions options;
  options.keep_free_bytes = 0;  // no log needs it yet
  auto file = CheckpointFile::create(disk, header, digester, options);
  if (!file) return file.error();
  const auto pieces = runner.export_beginning(kChunkBytes);
  if (auto status = write_chunks(**file, *pieces); !status) return Error{status.message()};
  for (;;) {
    const auto done = (*file)->go_on();
    if (!done) return done.error();
    if (*done) return inspect_checkpoint(disk, (*file)->name());
  }
}

Status import_genesis(journal::Disk& disk, const crypto::Digest& root, execution::Runner& runner) {
  const auto files = list_checkpoints(disk);
  if (!files) return files.status();
  if (files->whole.empty()) return Error{"no whole checkpoint is there"};
  const std::string name = checkpoint_name(files->whole.front());
  const auto info = inspect_checkpoint(disk, name);
  if (!info) return info.status();
  if (info->end.parts.number != BatchNumber() || info->end.parts.state != root) {
    return Error{name + " is not the state that cluster.toml names"};
  }
  return import_checkpoint(disk, name, runner).status();
}

}  // namespace eve::durability
