#include "persist/file_header.h"
#include "persist/files.h"
#include "persist/snapshot.h"
#include "persist/snapshot_writer.h"

namespace roxdb::persist {

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
  for (int db = 0; db < engine.databases(); ++db) {
    const engine::Keyspace* keyspace = engine.keyspace_if_used(db);
    if (keyspace == nullptr) continue;
    keyspace->table().for_each(
        [&](const types::Entry* entry) { writer.add(static_cast<uint32_t>(db), *entry); });
  }
  const Status status = writer.finish();
  note_progress();
  return status;
}

Status save_snapshot(engine::Engine& engine, const std::string& path, const SaveOptions& options) {
  Environment& environment = engine.environment();
  const std::string temporary = temporary_path(path, environment.process_id(), 0);
  SaveProgress progress;
  ROX_TRY(write_snapshot(engine, temporary, options, progress));
  return install_file(environment, temporary, path);
}

}  // namespace roxdb::persist
