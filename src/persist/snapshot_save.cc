#include "engine/extra_state.h"
#include "persist/file_check.h"
#include "persist/file_header.h"
#include "persist/files.h"
#include "persist/snapshot.h"
#include "persist/snapshot_writer.h"

namespace roxdb::persist {
namespace {

// A save counts only when what was written can be read. The system still has it in memory, so this
// costs a few per cent of the save; the disk itself is asked by the scrubber (scrubber.h).
Status prove(engine::Engine& engine, const std::string& path) {
  FileCheck check(engine.environment(), path, kSnapshotMagic);
  if (check.read_on(UINT64_MAX) == FileCheck::State::kGood) return kOk;
  engine.log().warning("A snapshot that was just written does not read back: file={} reason={}",
                       path, check.why());
  return check.status().code == Code::kIo ? check.status()
                                          : Status{Code::kCorrupt, 0, "the file read back"};
}

}  // namespace

Status write_snapshot(engine::Engine& engine, const std::string& temporary,
                      const SaveOptions& options, SaveProgress& progress) {
  FileHeader header = new_file_header(engine.environment(), kSnapshotMagic);
  header.major = kSnapshotMajor;
  header.minor = kSnapshotMinor;
  header.flags = (engine.uses_lfu ? kAccessIsLfu : 0) | (options.log_base ? kLogBase : 0);
  header.sequence = options.sequence;

  SnapshotWriter writer(engine.environment(), temporary, header, options);
  progress.entries_total = engine.size();
  const auto note_progress = [&] {
    progress.entries = writer.entries();
    progress.file_bytes = writer.file_bytes();
  };
  writer.on_block = [&] {
    note_progress();
    if (options.on_progress) options.on_progress(progress);
  };
  if (const auto* const extra = engine.services.find<engine::ExtraState>()) {
    if (const std::string state = extra->save(); !state.empty()) writer.add_state(state);
  }
  for (int db = 0; db < engine.databases(); ++db) {
    const engine::Keyspace* keyspace = engine.keyspace_if_used(db);
    if (keyspace == nullptr) continue;
    keyspace->table().for_each(
        [&](const types::Entry* entry) { writer.add(static_cast<uint32_t>(db), *entry); });
  }
  Status status = writer.finish();
  note_progress();
  if (!status.ok()) return status;
  status = prove(engine, temporary);
  // The save has failed, whatever becomes of the file; the next start removes it, too.
  if (!status.ok()) static_cast<void>(engine.environment().remove(temporary).ok());
  return status;
}

Status save_snapshot(engine::Engine& engine, const std::string& path, const SaveOptions& options) {
  Environment& environment = engine.environment();
  const std::string temporary = temporary_path(path, environment.process_id(), 0);
  SaveProgress progress;
  ROX_TRY(write_snapshot(engine, temporary, options, progress));
  return install_generation(environment, temporary, path, options.older);
}

}  // namespace roxdb::persist
