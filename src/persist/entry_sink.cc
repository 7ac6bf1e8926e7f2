#include "persist/entry_sink.h"

#include "base/limits.h"
#include "engine/extra_state.h"
#include "types/value_type.h"

namespace roxdb::persist {

using types::Entry;

uint32_t foreign_access(const engine::Engine& engine, std::optional<uint64_t> idle_seconds,
                        std::optional<uint8_t> frequency) {
  constexpr uint32_t kClockMask = (1u << 24) - 1;
  const uint32_t fresh = engine.fresh_access();
  if (engine.uses_lfu) return frequency ? (fresh & ~0xffu) | *frequency : fresh;
  return idle_seconds ? (fresh - static_cast<uint32_t>(*idle_seconds)) & kClockMask : fresh;
}

EngineSink::EngineSink(engine::Engine& engine, const LoadOptions& options)
    : engine_(engine), keep_expired_(options.keep_expired), replace_(options.replace) {
  engine_.refresh_clock();
}

void EngineSink::begin(const FileHeader* header) {
  other_clock_ = header == nullptr || ((header->flags & kAccessIsLfu) != 0) != engine_.uses_lfu;
}

const types::ValueHome* EngineSink::home(uint32_t database) {
  if (database >= static_cast<uint32_t>(engine_.databases())) return nullptr;
  return &engine_.keyspace(static_cast<int>(database)).home();
}

void EngineSink::accept(uint32_t database, Entry* entry) {
  engine::Keyspace& keyspace = engine_.keyspace(static_cast<int>(database));
  if (entry->has_expiry() && entry->expire_at_ms() < engine_.now_ms() && !keep_expired_) {
    keyspace.free_entry(entry);
    expired_++;
    return;
  }
  if (other_clock_) entry->set_access(engine_.fresh_access());
  batch_[waiting_++] = {&keyspace, entry, engine_.hash(entry->key())};
  if (waiting_ == kBatch) flush();
}

Status EngineSink::accept_state(std::string_view bytes, std::string& why) {
  auto* const extra = engine_.services.find<engine::ExtraState>();
  if (extra != nullptr) return extra->load(bytes, replace_, why);
  why = "a library of functions, which this program cannot hold";
  return user_error("libraries of functions");
}

void EngineSink::flush() {
  containers::Lookahead ahead;
  for (size_t i = 0; i < waiting_; ++i) ahead.add(batch_[i].keyspace->table(), batch_[i].hash);
  ahead.run();
  for (size_t i = 0; i < waiting_; ++i) insert(batch_[i]);
  waiting_ = 0;
}

void EngineSink::insert(const Waiting& waiting) {
  engine::Keyspace& keyspace = *waiting.keyspace;
  const engine::Key key{waiting.entry->key(), waiting.hash};
  engine::Cell* cell = keyspace.find(key);
  if (cell == nullptr) {
    keyspace.insert(key, waiting.entry);
  } else if (replace_) {
    keyspace.replace(key, *cell, waiting.entry);
  } else {
    keyspace.free_entry(waiting.entry);
    duplicates_++;
    return;
  }
  kept_++;
}

const types::ValueHome* PassingSink::home(uint32_t database) {
  return database < static_cast<uint32_t>(kDatabasesMax) ? &home_ : nullptr;
}

void PassingSink::accept(uint32_t database, Entry* entry) {
  pass(database, *entry);
  if (entry->has_payload()) {
    memory::SlabSink sink(slabs_);
    types::value_type(entry->type())->release_payload(entry->payload(), entry->encoding(), sink);
  }
  Entry::destroy(slabs_, entry);
}

}  // namespace roxdb::persist
