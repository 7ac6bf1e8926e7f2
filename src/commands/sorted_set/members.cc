#include "commands/sorted_set/members.h"

#include <utility>

#include "commands/shared/reply_measure.h"

namespace roxdb::commands {

using engine::Call;
using engine::Entry;
using types::SortedSetValue;
using types::SortedSetView;

Result<std::optional<SortedSetView>> read_sorted_set(Call& call, size_t index) {
  ROX_TRY(const Entry* entry, call.read(index, types::TypeId::kSortedSet));
  if (entry == nullptr) return std::optional<SortedSetView>();
  return std::optional<SortedSetView>(*entry);
}

void reply_members_header(resp::Reply& reply, size_t count, bool with_scores) {
  reply.array(with_scores && reply.protocol() == 2 ? 2 * count : count);
}

void reply_member(resp::Reply& reply, std::string_view member, double score, bool with_score) {
  if (with_score && reply.protocol() > 2) reply.array(2);
  reply.bulk(member);
  if (with_score) reply.real(score);
}

Status reply_members(Call& call, const SortedSetView& view, types::RankRange range,
                     MemberReply how) {
  const uint64_t parts = (how.with_scores ? uint64_t{3} : 1) * range.size();
  return reply_measured(call, reply_bytes_of(parts, view.bytes()), [&](resp::Reply& reply) {
    reply_members_header(reply, range.size(), how.with_scores);
    const auto show = [&](std::string_view member, double score) {
      reply_member(reply, member, score, how.with_scores);
    };
    if (how.downwards) {
      view.visit_downwards(range, show);
    } else {
      view.visit(range, show);
    }
  });
}

void erase_if_empty(Call& call, size_t index, const SortedSetValue& set) {
  if (set.size() == 0) call.erase_emptied(index);
}

ResultSet::ResultSet(Call& call, std::string_view key) : home_(call.keyspace().home().aside()) {
  cell_.set_pointer(
      SortedSetValue::create(home_, {.key = key, .access = call.engine().fresh_access()}));
}

ResultSet::~ResultSet() {
  auto* entry = static_cast<Entry*>(cell_.pointer());
  if (entry == nullptr) return;
  if (entry->has_payload()) {
    memory::SlabSink sink(home_.slabs);
    types::sorted_set_type().release_payload(entry->payload(), entry->encoding(), sink);
  }
  Entry::destroy(home_.slabs, entry);
}

Entry* ResultSet::take() {
  auto* entry = static_cast<Entry*>(cell_.pointer());
  cell_.set_pointer(nullptr);
  return entry;
}

Status store_result(Call& call, size_t index, ResultSet& set, engine::Event event) {
  const size_t size = set.view().size();
  if (size == 0) {
    call.erase(index);
  } else {
    call.replace(index, set.take());
    call.changed(event, index);
  }
  return call.reply(static_cast<int64_t>(size));
}

}  // namespace roxdb::commands
