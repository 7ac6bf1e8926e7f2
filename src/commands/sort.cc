// sort.cc: the elements of a list, a set or a sorted set in another order.
//
// Numbers and bytes are compared; the collation of a locale is not looked at, so that a STORE gives
// the same list on every machine.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/numbers.h"
#include "base/text.h"
#include "commands/shared/reply_measure.h"
#include "commands/sort/pattern.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/list_value.h"
#include "types/set_value.h"
#include "types/sorted_set_value.h"

namespace roxdb::commands {
namespace {

using containers::packed::Encoded;
using engine::Call;
using engine::CommandSpec;
using engine::Entry;
using engine::Example;
using engine::kDenyOom;
using engine::kReadOnly;
using engine::kWrite;
using types::ListBuilder;
using types::ListView;
using types::SetView;
using types::SortedSetView;
using types::TypeId;
namespace errors = engine::errors;
namespace event = engine::event;

// ---- the request ----

struct SortRequest {
  bool descending = false;
  bool by_bytes = false;  // ALPHA
  int64_t limit_start = 0;
  int64_t limit_count = -1;
  std::optional<SortPattern> by;
  std::vector<SortPattern> gets;
  size_t store_index = 0;  // the argument; 0: the result is the reply

  // BY a constant: the order in which the elements are kept will do.
  bool keeps_order() const { return by && !by->has_star; }
};

Result<SortRequest> read_request(Call& call, bool takes_store) {
  SortRequest request;
  for (size_t i = 2; i < call.argc(); ++i) {
    const size_t left = call.argc() - i - 1;
    if (call.is(i, "ASC")) {
      request.descending = false;
    } else if (call.is(i, "DESC")) {
      request.descending = true;
    } else if (call.is(i, "ALPHA")) {
      request.by_bytes = true;
    } else if (call.is(i, "LIMIT") && left >= 2) {
      ROX_TRY(request.limit_start, call.integer(++i));
      ROX_TRY(request.limit_count, call.integer(++i));
    } else if (takes_store && call.is(i, "STORE") && left >= 1) {
      request.store_index = ++i;
    } else if (call.is(i, "BY") && left >= 1) {
      request.by.emplace(call.arg(++i));
    } else if (call.is(i, "GET") && left >= 1) {
      request.gets.emplace_back(call.arg(++i));
    } else {
      return errors::kSyntax;
    }
  }
  return request;
}

// The patterns of keys to sort by and to get.
void find_patterns(std::span<const std::string_view> args, std::vector<engine::KeyAt>& keys) {
  for (size_t i = 2; i + 1 < args.size(); ++i) {
    if (equal_ignore_case(args[i], "LIMIT")) {
      i += 2;
    } else if (equal_ignore_case(args[i], "GET") || equal_ignore_case(args[i], "BY")) {
      ++i;
      if (args[i].find('*') == std::string_view::npos) continue;  // the element, or no order
      keys.push_back({.arg = i, .access = engine::KeyAccess::kReadOnly, .pattern = true});
    } else if (equal_ignore_case(args[i], "STORE")) {
      i += 1;
    }
  }
}

// The same, and the key behind the last STORE. What follows the words that take values is no word.
void find_sort_keys(std::span<const std::string_view> args, std::vector<engine::KeyAt>& keys) {
  find_patterns(args, keys);
  size_t found = 0;
  for (size_t i = 2; i < args.size(); ++i) {
    if (equal_ignore_case(args[i], "LIMIT")) {
      i += 2;
    } else if (equal_ignore_case(args[i], "GET") || equal_ignore_case(args[i], "BY")) {
      i += 1;
    } else if (equal_ignore_case(args[i], "STORE") && i + 1 < args.size()) {
      found = ++i;
    }
  }
  if (found > 0) keys.push_back({found, engine::KeyAccess::kOverwrite});
}

// ---- the elements ----

// Texts that outlive what they were read from, in few allocations.
class Texts {
 public:
  std::string_view keep(std::string_view text) {
    if (chunks_.empty() || chunks_.back().capacity() - chunks_.back().size() < text.size()) {
      chunks_.emplace_back().reserve(std::max(text.size(), kChunkBytes));
    }
    std::string& chunk = chunks_.back();
    chunk.append(text);
    return std::string_view(chunk).substr(chunk.size() - text.size());
  }

 private:
  static constexpr size_t kChunkBytes = 4096;
  std::vector<std::string> chunks_;
};

struct Element {
  std::string_view text;
  size_t place;  // in the order in which they were loaded
  double number = 0;
  std::optional<std::string_view> weight = {};  // ALPHA: what is compared; none is the least
};

// Elements [first, last) of the result.
struct Slice {
  size_t first;
  size_t last;
  size_t size() const { return last - first; }
};

Slice slice_of(const SortRequest& request, size_t size) {
  const auto total = static_cast<int64_t>(size);
  const int64_t first = std::clamp<int64_t>(request.limit_start, 0, total);
  const int64_t count = std::min(request.limit_count, total);
  const int64_t last = count < 0 ? total : std::min(first + count, total);
  return {static_cast<size_t>(first), static_cast<size_t>(std::max(first, last))};
}

size_t size_of(const Entry* entry) {
  if (entry == nullptr) return 0;
  switch (entry->type()) {
    case TypeId::kList:
      return ListView(*entry).size();
    case TypeId::kSet:
      return SetView(*entry).size();
    default:
      return SortedSetView(*entry).size();
  }
}

// visit(text) for the elements of a slice, in the order in which they are kept or, of a list or a
// sorted set, in its reverse.
template <class Visitor>
void visit_slice(const Entry& entry, Slice slice, bool reversed, Visitor&& visit) {
  if (slice.size() == 0) return;
  if (entry.type() == TypeId::kList) {
    const ListView list(entry);
    auto cursor = list.at(reversed ? list.size() - 1 - slice.first : slice.first);
    for (size_t left = slice.size(); left > 0; --left) {
      visit(containers::packed::Text(cursor.element()).view());
      if (left > 1) reversed ? cursor.previous() : cursor.next();
    }
  } else if (entry.type() == TypeId::kSet) {
    size_t place = 0;
    SetView(entry).all_of([&](std::string_view member) {
      if (place >= slice.first) visit(member);
      return ++place < slice.last;
    });
  } else {
    const SortedSetView set(entry);
    const auto visit_member = [&](std::string_view member, double) { visit(member); };
    if (reversed) {
      set.visit_downwards({set.size() - slice.last, set.size() - slice.first}, visit_member);
    } else {
      set.visit({slice.first, slice.last}, visit_member);
    }
  }
}

// ---- the order ----

// As strtod() reads a C string: blanks in front are skipped, a NUL ends it, nothing is 0. Decimals
// that it must round because they are too small are refused as those that are too large.
std::optional<double> read_number(std::string_view text) {
  if (const auto integer = parse_int64(text)) return static_cast<double>(*integer);
  text = text.substr(0, text.find('\0'));
  if (text.empty()) return 0;
  const size_t begin = text.find_first_not_of(" \t\n\v\f\r");
  if (begin == std::string_view::npos) return std::nullopt;
  const auto number = parse_double(text.substr(begin));
  if (number && std::fpclassify(*number) == FP_SUBNORMAL && text.find_first_of("xX") == text.npos) {
    return std::nullopt;
  }
  return number;
}

// Gives each element what it is compared by. Where BY leads nowhere that is 0, or the least text.
Status weigh(Call& call, const SortRequest& request, std::vector<Element>& elements, Texts& texts) {
  PatternReader reader(call);
  bool all_numbers = true;
  for (Element& element : elements) {
    std::optional<std::string_view> weight = element.text;
    if (request.by) weight = reader.read(*request.by, element.text);
    if (!weight) continue;
    if (request.by_bytes) {
      element.weight = request.by ? texts.keep(*weight) : *weight;
    } else if (const auto number = read_number(*weight)) {
      element.number = *number;
    } else {
      all_numbers = false;
    }
  }
  if (all_numbers) return kOk;
  return user_error("ERR One or more scores can't be converted into double");
}

// Total: what is equal otherwise is in the order of bytes or of loading, so that the result does
// not depend on the way of sorting. Members of a set are loaded in no order of theirs.
class Order {
 public:
  Order(const SortRequest& request, TypeId type)
      : request_(request), is_set_(type == TypeId::kSet) {}

  bool operator()(const Element& a, const Element& b) const {
    const int difference = compare(a, b);
    if (difference != 0) return request_.descending ? difference > 0 : difference < 0;
    return a.place < b.place;
  }

 private:
  int compare(const Element& a, const Element& b) const {
    if (!request_.by_bytes) {
      if (a.number != b.number) return a.number < b.number ? -1 : 1;
      return a.text.compare(b.text);
    }
    if (a.weight && b.weight) {
      const int difference = a.weight->compare(*b.weight);
      if (difference != 0) return difference;
    } else if (a.weight || b.weight) {
      return a.weight ? 1 : -1;
    }
    return is_set_ ? a.text.compare(b.text) : 0;
  }

  const SortRequest& request_;
  bool is_set_;
};

// The elements of the result, in its order. Their texts are in `texts`.
Result<std::vector<Element>> sorted_elements(Call& call, const SortRequest& request,
                                             const Entry* entry, Texts& texts) {
  std::vector<Element> elements;
  if (entry == nullptr) return elements;
  const size_t size = size_of(entry);
  const Slice slice = slice_of(request, size);
  const Slice loaded = request.keeps_order() ? slice : Slice{0, size};
  elements.reserve(loaded.size());
  visit_slice(*entry, loaded, request.keeps_order() && request.descending,
              [&](std::string_view text) {
                elements.push_back({.text = texts.keep(text), .place = elements.size()});
              });
  if (request.keeps_order()) return elements;
  ROX_TRY(weigh(call, request, elements, texts));
  const auto end = elements.begin() + static_cast<ptrdiff_t>(slice.last);
  const Order order(request, entry->type());
  if (end == elements.end()) {
    std::sort(elements.begin(), end, order);
  } else {
    std::partial_sort(elements.begin(), end, elements.end(), order);
  }
  elements.erase(end, elements.end());
  elements.erase(elements.begin(), elements.begin() + static_cast<ptrdiff_t>(slice.first));
  return elements;
}

// ---- the result ----

// show(optional text) for each value of the result, the elements or what GET finds from each, until
// it says false. A trial leaves no trace.
template <class Show>
void for_each_value(Call& call, const SortRequest& request, const std::vector<Element>& elements,
                    bool is_trial, Show&& show) {
  PatternReader reader(call, is_trial);
  for (const Element& element : elements) {
    if (request.gets.empty() && !show(std::optional<std::string_view>(element.text))) return;
    for (const SortPattern& pattern : request.gets) {
      if (!show(reader.read(pattern, element.text))) return;
    }
  }
}

Status reply_result(Call& call, const SortRequest& request, const std::vector<Element>& elements) {
  // What GET will find has to be looked up to be known.
  uint64_t bytes_max = UINT64_MAX;
  if (request.gets.empty()) {
    bytes_max = 0;
    for (const Element& element : elements) bytes_max += reply_bytes_of(1, element.text.size());
  }
  return reply_measured(call, bytes_max, [&](auto& reply) {
    constexpr bool kIsTrial = std::is_same_v<decltype(reply), ReplyMeasure&>;
    reply.array(elements.size() * std::max<size_t>(request.gets.size(), 1));
    for_each_value(call, request, elements, kIsTrial, [&](std::optional<std::string_view> value) {
      value ? reply.bulk(*value) : reply.null();
      return !is_enough(reply);
    });
  });
}

// What GET does not find is stored as the empty text. An empty result deletes the key.
Status store_result(Call& call, const SortRequest& request, const std::vector<Element>& elements) {
  if (elements.empty()) {
    call.erase(request.store_index);
    return call.reply(0);
  }
  ListBuilder list(call.keyspace().home());
  for_each_value(call, request, elements, false, [&](std::optional<std::string_view> value) {
    list.push_back(Encoded(value.value_or(std::string_view())));
    return true;
  });
  const auto size = static_cast<int64_t>(list.size());
  const engine::EntryParts parts{.key = call.arg(request.store_index),
                                 .access = call.engine().fresh_access()};
  call.replace(request.store_index, list.finish(parts));
  call.changed(event::kSortStore, request.store_index);
  return call.reply(size);
}

Status sort(Call& call, bool takes_store) {
  ROX_TRY(SortRequest request, read_request(call, takes_store));
  const Entry* entry = call.read(1);
  const TypeId type = entry != nullptr ? entry->type() : TypeId::kList;
  if (type != TypeId::kList && type != TypeId::kSet && type != TypeId::kSortedSet) {
    return errors::kWrongType;
  }
  // A set is kept in no order that a replay would find again.
  if (request.keeps_order() && type == TypeId::kSet && request.store_index > 0) {
    request.by.reset();
    request.by_bytes = true;
  }
  Texts texts;
  ROX_TRY(const std::vector<Element> elements, sorted_elements(call, request, entry, texts));
  return request.store_index > 0 ? store_result(call, request, elements)
                                 : reply_result(call, request, elements);
}

// SORT key [...] -> array of elements, or of what GET finds, nil where that is nothing; with STORE
// their number
Status sort_command(Call& call) { return sort(call, true); }
constexpr Example kSortExamples[] = {
    {"RPUSH k 3 10 2", ":3"},
    {"SORT k", "*[$2 $3 $10]"},
    {"SORT k ALPHA DESC LIMIT 0 2", "*[$3 $2]"},
    {"MSET w3 1 w10 2 w2 3 n3 three", "+OK"},
    {"SORT k BY w* GET # GET n*", "*[$3 $three $10 $nil $2 $nil]"},
    {"SORT k BY nosort STORE to", ":3"},
    {"LRANGE to 0 -1", "*[$3 $10 $2]"},
    {"RPUSH k x", ":4"},
    {"SORT k", "-ERR One or more scores can't be converted into double"}};
constexpr CommandSpec kSort{
    .name = "SORT",
    .syntax =
        "key [BY pattern] [LIMIT offset count] [GET pattern]... [ASC | DESC] [ALPHA] "
        "[STORE destination]",
    .summary =
        "Sorts the elements of a list, a set or a sorted set, by themselves or by other keys.",
    .since = "1.0.0",
    .complexity = "O(N+N*log(M)) where N is the number of elements and M of those returned",
    .flags = kWrite | kDenyOom,
    .keys = "1:RO,??:RO,??:OW",
    .acl = engine::kCategoryDangerous | engine::kCategorySortable,
    .find_keys = find_sort_keys,
    .handler = sort_command,
    .examples = kSortExamples,
};

// SORT_RO key [...] -> as SORT, which it is without STORE
Status sort_ro_command(Call& call) { return sort(call, false); }
constexpr Example kSortRoExamples[] = {{"SADD k 3 10 2", ":3"},
                                       {"SORT_RO k DESC", "*[$10 $3 $2]"},
                                       {"SORT_RO k STORE to", "-ERR syntax error"}};
constexpr CommandSpec kSortRo{
    .name = "SORT_RO",
    .syntax = "key [BY pattern] [LIMIT offset count] [GET pattern]... [ASC | DESC] [ALPHA]",
    .summary = "Sorts the elements of a list, a set or a sorted set; stores nothing.",
    .since = "7.0.0",
    .complexity = "O(N+N*log(M)) where N is the number of elements and M of those returned",
    .flags = kReadOnly,
    .keys = "1:RO,??:RO",
    .acl = engine::kCategoryDangerous | engine::kCategorySortable,
    .find_keys = find_patterns,
    .handler = sort_ro_command,
    .examples = kSortRoExamples,
};

constexpr const CommandSpec* kCommands[] = {&kSort, &kSortRo};

}  // namespace

extern constinit const engine::CommandFamily kSortFamily;
constinit const engine::CommandFamily kSortFamily{"generic", kCommands};

}  // namespace roxdb::commands
