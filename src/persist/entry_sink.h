// entry_sink.h: where the entries of a file go while it is read: into an Engine, or nowhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/memory.h"
#include "engine/engine.h"
#include "persist/file_header.h"
#include "persist/snapshot.h"
#include "types/entry.h"
#include "types/value_home.h"

namespace roxdb::persist {

class EntrySink {
 public:
  virtual ~EntrySink() = default;
  // Called once, before anything else. Null: the header cannot be believed (LoadResult).
  virtual void begin(const FileHeader* header) = 0;
  // What the entries of a database are made in; null when there is no such database.
  virtual const types::ValueHome* home(uint32_t database) = 0;
  // Takes the entry over.
  virtual void accept(uint32_t database, types::Entry* entry) = 0;
  // What the file holds besides keys, see engine/extra_state.h. An error is a user's: it does not
  // fit here; or Code::kCorrupt. `why` is for a person to read.
  virtual Status accept_state(std::string_view /*bytes*/, std::string& /*why*/) { return kOk; }
  // Everything accepted is in its place.
  virtual void flush() = 0;
  // Entries that were not taken because their key was there already.
  virtual uint64_t duplicates() const = 0;

  // The kind of access fields that are wanted, and one made from what a foreign file tells.
  virtual bool wants_lfu() const { return false; }
  virtual uint32_t access_of(std::optional<uint64_t> /*idle_seconds*/,
                             std::optional<uint8_t> /*frequency*/) const {
    return 0;
  }
};

// The access field that an entry gets of what Redis told of its last use.
uint32_t foreign_access(const engine::Engine& engine, std::optional<uint64_t> idle_seconds,
                        std::optional<uint8_t> frequency);

// Into an Engine. Entries wait for a few others, so that the lines of the table they need are
// fetched meanwhile: one by one, each insert would wait for memory.
class EngineSink final : public EntrySink {
 public:
  EngineSink(engine::Engine& engine, const LoadOptions& options);

  void begin(const FileHeader* header) override;
  const types::ValueHome* home(uint32_t database) override;
  void accept(uint32_t database, types::Entry* entry) override;
  Status accept_state(std::string_view bytes, std::string& why) override;
  void flush() override;
  uint64_t duplicates() const override { return duplicates_; }
  bool wants_lfu() const override { return engine_.uses_lfu; }
  uint32_t access_of(std::optional<uint64_t> idle_seconds,
                     std::optional<uint8_t> frequency) const override {
    return foreign_access(engine_, idle_seconds, frequency);
  }

  uint64_t kept() const { return kept_; }
  uint64_t expired() const { return expired_; }

 private:
  static constexpr size_t kBatch = 64;
  struct Waiting {
    engine::Keyspace* keyspace;
    types::Entry* entry;
    uint64_t hash;
  };

  void insert(const Waiting& waiting);

  engine::Engine& engine_;
  const bool keep_expired_;
  const bool replace_;
  bool other_clock_ = false;  // the file's access fields are not, or may not be, of the kind in use
  std::array<Waiting, kBatch> batch_;
  size_t waiting_ = 0;
  uint64_t kept_ = 0;
  uint64_t expired_ = 0;
  uint64_t duplicates_ = 0;
};

// Through our hands and away again: verifying is loading without keeping.
class PassingSink : public EntrySink {
 public:
  void begin(const FileHeader* /*header*/) override {}
  const types::ValueHome* home(uint32_t database) override;
  void accept(uint32_t database, types::Entry* entry) override;
  void flush() override {}
  uint64_t duplicates() const override { return 0; }

 private:
  virtual void pass(uint32_t /*database*/, const types::Entry& /*entry*/) {}

  memory::Slabs slabs_;
  const HashSecret secret_ = hash_secret_from_seed(0);  // nothing that is kept depends on it
  const types::Limits limits_;
  const types::ValueHome home_{slabs_, secret_, limits_};
};

}  // namespace roxdb::persist
