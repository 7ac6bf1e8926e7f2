// id_argument.h: the IDs of stream records in requests and replies: "milliseconds-sequence".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/numbers.h"
#include "base/status.h"
#include "containers/id_index.h"
#include "engine/call.h"

namespace roxdb::commands {

using containers::Id;

// An ID as it is shown and logged.
class IdText {
 public:
  explicit IdText(const Id& id);
  std::string_view view() const { return {digits_, size_}; }
  operator std::string_view() const { return view(); }  // NOLINT: reads like one

 private:
  char digits_[2 * kIntegerDigitsMax + 1];
  size_t size_;
};

// The IDs beside one; none at the ends of their range.
std::optional<Id> id_after(const Id& id);
std::optional<Id> id_before(const Id& id);

// "5-1", or "5" with the sequence that a missing one stands for. Blanks, a plus sign and zeros in
// front of a number are taken, as Redis takes them.
std::optional<Id> parse_id(std::string_view text, uint64_t missing_seq = 0);

inline constexpr Status kInvalidId =
    user_error("ERR Invalid stream ID specified as stream command argument");

// An argument that is an ID. kInvalidId.
Result<Id> read_id(const engine::Call& call, size_t index);
// The arguments from `first` on, `count` of them.
Result<std::vector<Id>> read_ids(const engine::Call& call, size_t first, size_t count);

// The ends of an interval: also "-", "+" and "(5-1", which leaves that one out. Errors: kInvalidId,
// "ERR invalid start ID for the interval", "ERR invalid end ID for the interval".
Result<Id> read_interval_start(const engine::Call& call, size_t index);
Result<Id> read_interval_end(const engine::Call& call, size_t index);

// The ID a new record asks for.
struct NewId {
  bool any_ms = false;   // "*": the clock, but behind the last ID
  bool any_seq = false;  // "5-*": the next one of these milliseconds
  Id id;

  bool is_settled() const { return !any_ms && !any_seq; }
  // The ID it comes to in a stream with this last ID; none when that is not above it.
  std::optional<Id> resolve(const Id& last, int64_t now_ms) const;
};
Result<NewId> read_new_id(const engine::Call& call, size_t index);

}  // namespace roxdb::commands
