// bitmap.cc: strings as rows of bits, bit 0 being the highest of the first byte.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "commands/bitmap/bits.h"
#include "commands/bitmap/offset.h"
#include "engine/call.h"
#include "engine/command.h"
#include "types/string_value.h"

namespace roxdb::commands {
namespace {

using engine::Call;
using engine::CommandSpec;
using engine::Entry;
using engine::Example;
using engine::kDenyOom;
using engine::kFast;
using engine::kReadOnly;
using engine::kWrite;
using types::StringValue;
using types::StringView;
namespace errors = engine::errors;
namespace event = engine::event;

// SETBIT key offset value -> the bit that was there
Status setbit_command(Call& call) {
  ROX_TRY(const size_t bit, read_bit_offset(call, 2));
  const auto value = parse_int64(call.arg(3));
  if (!value || *value < 0 || *value > 1) {
    return user_error("ERR bit is not an integer or out of range");
  }
  ROX_TRY(const OpenBitmap bitmap, open_bitmap(call, bit / kBitsPerByte + 1));
  const bool old = bit_at({bitmap.data, bitmap.size}, bit);
  if (bitmap.has_grown || old != (*value == 1)) {
    set_bit(bitmap.data, bit, *value == 1);
    call.changed(event::kSetBit);
  }
  return call.reply(old ? 1 : 0);
}
constexpr Example kSetBitExamples[] = {
    {"SETBIT k 7 1", ":0"},
    {"SETBIT k 7 0", ":1"},
    {"SETBIT k 7 2", "-ERR bit is not an integer or out of range"},
    {"SETBIT k -1 1", "-ERR bit offset is not an integer or out of range"}};
constexpr CommandSpec kSetBit{
    .name = "SETBIT",
    .syntax = "key offset value",
    .summary = "Sets or clears one bit of a string; zero bits fill a gap.",
    .since = "2.2.0",
    .complexity = "O(1)",
    .flags = kWrite | kDenyOom,
    .keys = "1:RW",
    .handler = setbit_command,
    .examples = kSetBitExamples,
};

// GETBIT key offset -> the bit, 0 beyond the end
Status getbit_command(Call& call) {
  ROX_TRY(const size_t bit, read_bit_offset(call, 2));
  ROX_TRY(const Entry* entry, call.read_string(1));
  if (entry == nullptr) return call.reply(0);
  const StringView bitmap(*entry);
  return call.reply(bit / kBitsPerByte < bitmap.size() && bit_at(bitmap, bit) ? 1 : 0);
}
constexpr Example kGetBitExamples[] = {
    {"SETBIT k 7 1", ":0"}, {"GETBIT k 7", ":1"}, {"GETBIT k 700", ":0"}};
constexpr CommandSpec kGetBit{
    .name = "GETBIT",
    .syntax = "key offset",
    .summary = "Returns one bit of a string.",
    .since = "2.2.0",
    .complexity = "O(1)",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .handler = getbit_command,
    .examples = kGetBitExamples,
};

enum class Unit : uint8_t { kByte, kBit };

Result<Unit> read_unit(Call& call, size_t index) {
  if (call.is(index, "BYTE")) return Unit::kByte;
  if (call.is(index, "BIT")) return Unit::kBit;
  return errors::kSyntax;
}

// The bits that a range of the client's covers: both ends included, < 0 counts from the end.
struct Range {
  int64_t start = 0;
  int64_t end = -1;
  Unit unit = Unit::kByte;

  BitRange clip(size_t bytes) const {
    const size_t width = unit == Unit::kByte ? kBitsPerByte : 1;
    const auto total = static_cast<int64_t>(bytes * kBitsPerByte / width);
    const int64_t first = std::max<int64_t>(start < 0 ? start + total : start, 0);
    const int64_t last = std::min(std::max<int64_t>(end < 0 ? end + total : end, 0), total - 1);
    if (first > last) return {0, 0};
    return {static_cast<size_t>(first) * width, static_cast<size_t>(last + 1) * width};
  }
};

// start [end [unit]] from argument `first` on, all that are there. Of two mistakes that in the end
// is told, or that in the unit, as Redis has it for the command.
Result<Range> read_range(Call& call, size_t first, bool unit_first) {
  Range range;
  const size_t given = call.argc() - std::min(call.argc(), first);
  if (given > 3) return errors::kSyntax;
  if (given > 0) {
    ROX_TRY(range.start, call.integer(first));
  }
  if (given > 2 && unit_first) {
    ROX_TRY(range.unit, read_unit(call, first + 2));
  }
  if (given > 1) {
    ROX_TRY(range.end, call.integer(first + 1));
  }
  if (given > 2 && !unit_first) {
    ROX_TRY(range.unit, read_unit(call, first + 2));
  }
  return range;
}

// BITCOUNT key [start [end [BYTE | BIT]]] -> how many bits are 1
Status bitcount_command(Call& call) {
  ROX_TRY(const Range range, read_range(call, 2, false));
  ROX_TRY(const Entry* entry, call.read_string(1));
  // Both before the beginning would otherwise be the first byte.
  const bool is_reversed = range.start < 0 && range.end < 0 && range.start > range.end;
  if (entry == nullptr || is_reversed) return call.reply(0);
  const StringView bitmap(*entry);
  return call.reply(static_cast<int64_t>(count_bits(bitmap, range.clip(bitmap.size()))));
}
constexpr Example kBitCountExamples[] = {
    {"SET k foobar", "+OK"},        {"BITCOUNT k", ":26"},
    {"BITCOUNT k 1 1", ":6"},       {"BITCOUNT k -2", ":7"},
    {"BITCOUNT k 5 30 BIT", ":17"}, {"BITCOUNT k 0 0 WORD", "-ERR syntax error"}};
constexpr CommandSpec kBitCount{
    .name = "BITCOUNT",
    .syntax = "key [start [end [BYTE | BIT]]]",
    .summary = "Counts the bits of a string, or of a part of it, that are 1.",
    .since = "2.6.0",
    .complexity = "O(N) where N is the length of the part",
    .flags = kReadOnly,
    .keys = "1:RO",
    .handler = bitcount_command,
    .examples = kBitCountExamples,
};

// BITPOS key bit [start [end [BYTE | BIT]]] -> the first such bit, -1 when there is none. Without
// an end, a string of ones only is followed by zeros.
Status bitpos_command(Call& call) {
  ROX_TRY(const int64_t wanted, call.integer(2));
  if (wanted != 0 && wanted != 1) return user_error("ERR The bit argument must be 1 or 0.");
  ROX_TRY(const Range range, read_range(call, 3, true));
  ROX_TRY(const Entry* entry, call.read_string(1));
  if (entry == nullptr) return call.reply(wanted == 1 ? -1 : 0);
  const StringView bitmap(*entry);
  const BitRange bits = range.clip(bitmap.size());
  if (bits.begin == bits.end) return call.reply(-1);
  const size_t found = find_bit(bitmap, wanted == 1, bits);
  const bool is_open = wanted == 0 && call.argc() <= 4;
  return call.reply(found < bits.end || is_open ? static_cast<int64_t>(found) : -1);
}
constexpr Example kBitPosExamples[] = {{"SET k \"\\xff\\xf0\\x00\"", "+OK"},
                                       {"BITPOS k 0", ":12"},
                                       {"BITPOS k 1 1", ":8"},
                                       {"BITPOS k 1 2", ":-1"},
                                       {"BITPOS k 0 0 9 BIT", ":-1"},
                                       {"BITPOS missing 0", ":0"}};
constexpr CommandSpec kBitPos{
    .name = "BITPOS",
    .syntax = "key bit [start [end [BYTE | BIT]]]",
    .summary = "Finds the first bit of a string, or of a part of it, that is 1, or 0.",
    .since = "2.8.7",
    .complexity = "O(N) where N is the length of the part",
    .flags = kReadOnly,
    .keys = "1:RO",
    .handler = bitpos_command,
    .examples = kBitPosExamples,
};

Result<BitOperation> read_operation(Call& call) {
  static constexpr std::pair<std::string_view, BitOperation> kNames[] = {
      {"AND", BitOperation::kAnd},     {"OR", BitOperation::kOr},
      {"XOR", BitOperation::kXor},     {"NOT", BitOperation::kNot},
      {"DIFF", BitOperation::kDiff},   {"DIFF1", BitOperation::kDiff1},
      {"ANDOR", BitOperation::kAndOr}, {"ONE", BitOperation::kOne}};
  const auto* const found = std::find_if(std::begin(kNames), std::end(kNames), [&](auto& named) {
    return equal_ignore_case(call.arg(1), named.first);
  });
  if (found == std::end(kNames)) return errors::kSyntax;
  const size_t sources = call.argc() - 3;
  switch (found->second) {
    case BitOperation::kNot:
      if (sources == 1) break;
      return user_error("ERR BITOP NOT must be called with a single source key.");
    case BitOperation::kDiff:
    case BitOperation::kDiff1:
    case BitOperation::kAndOr:
      if (sources > 1) break;
      return call.fail("ERR BITOP {} must be called with at least two source keys.", found->first);
    default:
      break;
  }
  return found->second;
}

// BITOP operation destkey key... -> length of the result in bytes, that of the longest source. An
// empty result deletes the destination.
Status bitop_command(Call& call) {
  ROX_TRY(const BitOperation operation, read_operation(call));
  std::vector<StringView> views;  // with the digits of integers, so it must not move
  views.reserve(call.argc() - 3);
  std::vector<std::string_view> sources;
  sources.reserve(call.argc() - 3);
  size_t size = 0;
  for (size_t i = 3; i < call.argc(); ++i) {
    ROX_TRY(const Entry* entry, call.read_string(i));
    sources.push_back(entry != nullptr ? views.emplace_back(*entry).view() : std::string_view());
    size = std::max(size, sources.back().size());
  }
  if (size == 0) {
    call.erase(2);
    return call.reply(0);
  }
  types::ScratchString result(call.keyspace().home(),
                              {.key = call.arg(2), .access = call.engine().fresh_access()});
  ROX_TRY(char* bytes, result.value().resize(size));
  combine_bits(operation, sources, bytes, size);
  call.replace(2, result.take());
  call.changed(event::kSet, 2);
  return call.reply(static_cast<int64_t>(size));
}
constexpr Example kBitOpExamples[] = {
    {"MSET a foobar b abcdef", "+OK"},
    {"BITOP AND c a b", ":6"},
    {"GET c", "$`bc`ab"},
    {"BITOP ONE c a b", ":6"},
    {"BITOP DIFF c a", "-ERR BITOP DIFF must be called with at least two source keys."},
    {"BITOP OR c missing", ":0"},
    {"EXISTS c", ":0"}};
constexpr CommandSpec kBitOp{
    .name = "BITOP",
    .syntax = "(AND | OR | XOR | NOT | DIFF | DIFF1 | ANDOR | ONE) destkey key...",
    .summary = "Combines strings bit by bit and stores the result.",
    .since = "2.6.0",
    .complexity = "O(N) where N is the length of all sources",
    .flags = kWrite | kDenyOom,
    .keys = "2:OW,3..end:RO",
    .handler = bitop_command,
    .examples = kBitOpExamples,
};

constexpr const CommandSpec* kCommands[] = {&kBitCount, &kBitOp, &kBitPos, &kGetBit, &kSetBit};

}  // namespace

extern constinit const engine::CommandFamily kBitmapFamily;
constinit const engine::CommandFamily kBitmapFamily{"bitmap", kCommands};

}  // namespace roxdb::commands
