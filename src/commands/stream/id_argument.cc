#include "commands/stream/id_argument.h"

namespace roxdb::commands {
namespace {

using containers::kIdMax;
using containers::kIdMin;

std::optional<uint64_t> parse_number(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  while (!text.empty() && kBlanks.find(text.front()) != kBlanks.npos) text.remove_prefix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  while (text.size() > 1 && text.front() == '0') text.remove_prefix(1);
  return parse_uint64(text);
}

// `missing_seq`: the end that an ID without sequence stands for.
Result<Id> read_interval_id(std::string_view text, uint64_t missing_seq, bool& is_exclusive) {
  is_exclusive = text.size() > 1 && text.front() == '(';
  if (is_exclusive) {
    text.remove_prefix(1);
  } else if (text == "-") {
    return kIdMin;
  } else if (text == "+") {
    return kIdMax;
  }
  const auto id = parse_id(text, missing_seq);
  if (!id) return kInvalidId;
  return *id;
}

}  // namespace

IdText::IdText(const Id& id) {
  size_ = print_uint64(id.ms, digits_);
  digits_[size_++] = '-';
  size_ += print_uint64(id.seq, digits_ + size_);
}

std::optional<Id> id_after(const Id& id) {
  if (id == kIdMax) return std::nullopt;
  if (id.seq == UINT64_MAX) return Id{id.ms + 1, 0};
  return Id{id.ms, id.seq + 1};
}

std::optional<Id> id_before(const Id& id) {
  if (id == kIdMin) return std::nullopt;
  if (id.seq == 0) return Id{id.ms - 1, UINT64_MAX};
  return Id{id.ms, id.seq - 1};
}

std::optional<Id> parse_id(std::string_view text, uint64_t missing_seq) {
  const size_t dash = text.find('-');
  const auto ms = parse_number(text.substr(0, dash));
  if (!ms) return std::nullopt;
  if (dash == std::string_view::npos) return Id{*ms, missing_seq};
  const auto seq = parse_number(text.substr(dash + 1));
  if (!seq) return std::nullopt;
  return Id{*ms, *seq};
}

Result<Id> read_id(const engine::Call& call, size_t index) {
  const auto id = parse_id(call.arg(index));
  if (!id) return kInvalidId;
  return *id;
}

Result<std::vector<Id>> read_ids(const engine::Call& call, size_t first, size_t count) {
  std::vector<Id> ids;
  ids.reserve(count);
  for (size_t i = first; i < first + count; ++i) {
    ROX_TRY(const Id id, read_id(call, i));
    ids.push_back(id);
  }
  return ids;
}

Result<Id> read_interval_start(const engine::Call& call, size_t index) {
  bool is_exclusive;
  ROX_TRY(const Id id, read_interval_id(call.arg(index), 0, is_exclusive));
  if (!is_exclusive) return id;
  const auto after = id_after(id);
  if (!after) return user_error("ERR invalid start ID for the interval");
  return *after;
}

Result<Id> read_interval_end(const engine::Call& call, size_t index) {
  bool is_exclusive;
  ROX_TRY(const Id id, read_interval_id(call.arg(index), UINT64_MAX, is_exclusive));
  if (!is_exclusive) return id;
  const auto before = id_before(id);
  if (!before) return user_error("ERR invalid end ID for the interval");
  return *before;
}

std::optional<Id> NewId::resolve(const Id& last, int64_t now_ms) const {
  if (any_ms) {
    const auto now = static_cast<uint64_t>(now_ms);
    return last.ms < now ? Id{now, 0} : id_after(last);
  }
  if (any_seq && id.ms == last.ms) {
    if (last.seq == UINT64_MAX) return std::nullopt;
    return Id{last.ms, last.seq + 1};
  }
  if (id <= last) return std::nullopt;
  return id;
}

Result<NewId> read_new_id(const engine::Call& call, size_t index) {
  const std::string_view text = call.arg(index);
  NewId asked;
  asked.any_ms = text == "*";
  if (asked.any_ms) return asked;
  asked.any_seq = text.size() > 2 && text.ends_with("-*");
  const auto id = parse_id(asked.any_seq ? text.substr(0, text.size() - 2) : text);
  if (!id || (asked.any_seq && text.find('-') != text.size() - 2)) return kInvalidId;
  asked.id = *id;
  return asked;
}

}  // namespace roxdb::commands
