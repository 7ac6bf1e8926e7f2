// value_type.h: the small interface every value type implements, so that persistence, COPY,
// MEMORY and lazy freeing know no type by name.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/memory.h"
#include "base/status.h"
#include "containers/table.h"
#include "types/entry.h"
#include "types/value_home.h"
#include "types/value_stream.h"

namespace roxdb::types {

class ValueType {
 public:
  virtual ~ValueType() = default;
  virtual TypeId id() const = 0;
  virtual std::string_view name() const = 0;                             // TYPE's reply
  virtual std::string_view encoding_name(const Entry& entry) const = 0;  // OBJECT ENCODING's reply

  // Bytes of a string, elements of a collection, and 0 where the type is none KeySizes counts.
  // O(elements) in packed forms.
  virtual size_t size(const Entry& /*entry*/) const { return 0; }
  // Bytes the value occupies beside the entry itself. `samples` elements of a large value are
  // looked at, all when 0.
  virtual size_t payload_bytes(const Entry& entry, size_t samples) const = 0;
  // How much work freeing is: elements, or allocations. Above a bound it happens elsewhere.
  virtual size_t free_effort(const Entry& entry) const = 0;
  // Gives all blocks the payload owns to `sink`, in one go. Any thread; touches nothing else.
  virtual void release_payload(uint64_t payload, uint8_t encoding,
                               memory::BlockSink& sink) const = 0;

  // A command that names this member is about to run: asks for what it will read behind the entry,
  // by way of `ahead` where that takes several steps. Only reads, and finding nothing is no error.
  virtual void look_ahead(const Entry& /*entry*/, std::string_view /*member*/,
                          containers::Lookahead& /*ahead*/) const {}

  // Of the table in which elements of a large value are found; none when there is no table.
  virtual std::optional<containers::TableStatistics> table_statistics(
      const Entry& /*entry*/) const {
    return std::nullopt;
  }

  // Writes the value: everything but key, expiry and access clock.
  virtual void save(const Entry& entry, ValueWriter& out) const = 0;
  // Builds an entry from what save() wrote. `parts` brings key, expiry and access clock. The input
  // is not trusted: anything else than what save() writes is Code::kCorrupt.
  virtual Result<Entry*> load(ValueReader& in, EntryParts parts, const ValueHome& home) const = 0;
  // A second entry with the same value, key and expiry of `parts`.
  virtual Entry* copy(const Entry& entry, EntryParts parts, const ValueHome& home) const = 0;
};

// The type of an entry; null for a number no type of this version has.
const ValueType* value_type(TypeId id);

}  // namespace roxdb::types
