// members.h: what commands on sorted sets have in common: reading one, showing its members, and
// sets that are made apart from the keyspace and stored as a whole.
#pragma once

#include <cstddef>
#include <optional>

#include "engine/call.h"
#include "types/sorted_set_value.h"

namespace roxdb::commands {

// The sorted set at an argument, to be read; none when absent. kWrongType.
Result<std::optional<types::SortedSetView>> read_sorted_set(engine::Call& call, size_t index);

struct MemberReply {
  bool downwards = false;
  bool with_scores = false;
};
// The members of a range as an array. With scores, RESP3 has an array of pairs where RESP2 has one
// flat array. kReplyTooLarge. REQUIRES: the range is within view.all().
Status reply_members(engine::Call& call, const types::SortedSetView& view, types::RankRange range,
                     MemberReply how);
// One pair, as reply_members() shows it.
void reply_member(resp::Reply& reply, std::string_view member, double score, bool with_score);
// The header of reply_members() for `count` members.
void reply_members_header(resp::Reply& reply, size_t count, bool with_scores);

// Removes the key when its set has no members left. REQUIRES: the set's own change was told.
void erase_if_empty(engine::Call& call, size_t index, const types::SortedSetValue& set);

// A sorted set that no key holds yet: what a command computes. Owned here until it is stored.
class ResultSet {
 public:
  // `key` is the name it will be stored under; it must outlive the set.
  ResultSet(engine::Call& call, std::string_view key);
  ~ResultSet();
  ResultSet(const ResultSet&) = delete;
  ResultSet& operator=(const ResultSet&) = delete;

  types::SortedSetValue value() { return {home_, cell_}; }
  types::SortedSetView view() { return value().view(); }
  engine::Entry* take();

 private:
  const types::ValueHome home_;
  engine::Cell cell_{};
};

// Puts the set in the place of the key at this argument, whatever that was, and replies how many
// members there are; an empty set removes the key.
Status store_result(engine::Call& call, size_t index, ResultSet& set, engine::Event event);

}  // namespace roxdb::commands
