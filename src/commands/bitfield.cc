// bitfield.cc: integers of any width at any bit of a string.
#include <algorithm>
#include <optional>
#include <vector>

#include "base/numbers.h"
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
using types::StringView;
namespace errors = engine::errors;
namespace event = engine::event;

// Wide enough for a field that begins anywhere in a byte, and for any sum.
using Wide = __int128;
using WideBits = unsigned __int128;

struct FieldType {
  bool is_signed = false;
  size_t bits = 0;  // 1 to 64, of an unsigned one to 63

  Wide low() const { return is_signed ? -(Wide{1} << (bits - 1)) : 0; }
  Wide high() const { return (Wide{1} << (is_signed ? bits - 1 : bits)) - 1; }
  uint64_t mask() const { return ~uint64_t{0} >> (64 - bits); }
  // The number that the lowest `bits` of a word say.
  int64_t number(uint64_t word) const {
    word &= mask();
    const bool is_negative = is_signed && (word >> (bits - 1)) != 0;
    return static_cast<int64_t>(is_negative ? word | ~mask() : word);
  }
};

// What a number becomes that its field cannot hold.
enum class Overflow : uint8_t { kWrap, kSaturate, kFail };

struct Operation {
  enum class Kind : uint8_t { kGet, kSet, kIncrement };
  Kind kind;
  FieldType type;
  size_t offset;
  int64_t value = 0;
  Overflow overflow = Overflow::kWrap;

  size_t end() const { return offset + type.bits; }
};

// The bytes a field lies in, as one number.
class FieldPlace {
 public:
  FieldPlace(size_t offset, size_t bits)
      : first_(offset / kBitsPerByte),
        last_((offset + bits - 1) / kBitsPerByte),
        shift_(kBitsPerByte - 1 - (offset + bits - 1) % kBitsPerByte) {}

  // What is behind the end is zeros.
  uint64_t read(std::string_view bitmap) const {
    return static_cast<uint64_t>(gather(bitmap) >> shift_);
  }
  // REQUIRES: the field ends within `bitmap`.
  void write(char* bitmap, uint64_t word, uint64_t mask) const {
    WideBits bytes = gather({bitmap, last_ + 1});
    bytes &= ~(WideBits{mask} << shift_);
    bytes |= WideBits{word & mask} << shift_;
    for (size_t i = last_ + 1; i-- > first_; bytes >>= kBitsPerByte) {
      bitmap[i] = static_cast<char>(bytes);
    }
  }

 private:
  WideBits gather(std::string_view bitmap) const {
    WideBits bytes = 0;
    for (size_t i = first_; i <= last_; ++i) {
      bytes = bytes << kBitsPerByte | (i < bitmap.size() ? static_cast<uint8_t>(bitmap[i]) : 0);
    }
    return bytes;
  }

  size_t first_;
  size_t last_;
  size_t shift_;
};

int64_t read_field(std::string_view bitmap, const Operation& operation) {
  const FieldPlace place(operation.offset, operation.type.bits);
  return operation.type.number(place.read(bitmap));
}

// What the field shall hold; none: it cannot, and the command says to leave it.
std::optional<int64_t> new_number(const Operation& operation, int64_t old) {
  const FieldType type = operation.type;
  Wide exact = operation.value;
  if (operation.kind == Operation::Kind::kIncrement) {
    exact += old;
  } else if (!type.is_signed) {
    exact = static_cast<uint64_t>(operation.value);
  }
  if (exact >= type.low() && exact <= type.high()) return static_cast<int64_t>(exact);
  switch (operation.overflow) {
    case Overflow::kWrap:
      return type.number(static_cast<uint64_t>(exact));
    case Overflow::kSaturate:
      return static_cast<int64_t>(std::clamp(exact, type.low(), type.high()));
    case Overflow::kFail:
      break;
  }
  return std::nullopt;
}

// ---- the request ----

Result<FieldType> read_type(std::string_view text) {
  constexpr Status kBadType = user_error(
      "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
      "i64 is.");
  if (!text.starts_with('i') && !text.starts_with('u')) return kBadType;
  const bool is_signed = text[0] == 'i';
  const auto bits = parse_int64(text.substr(1));
  if (!bits || *bits < 1 || *bits > (is_signed ? 64 : 63)) return kBadType;
  return FieldType{is_signed, static_cast<size_t>(*bits)};
}

Result<Overflow> read_overflow(Call& call, size_t index) {
  if (call.is(index, "WRAP")) return Overflow::kWrap;
  if (call.is(index, "SAT")) return Overflow::kSaturate;
  if (call.is(index, "FAIL")) return Overflow::kFail;
  return user_error("ERR Invalid OVERFLOW type specified");
}

// The operation whose word is argument `index`: GET type offset, or SET | INCRBY type offset value.
Result<Operation> read_operation(Call& call, size_t index, Overflow overflow) {
  using Kind = Operation::Kind;
  const size_t left = call.argc() - index - 1;
  Operation operation{.kind = Kind::kGet, .type = {}, .offset = 0, .overflow = overflow};
  if (call.is(index, "SET") && left >= 3) {
    operation.kind = Kind::kSet;
  } else if (call.is(index, "INCRBY") && left >= 3) {
    operation.kind = Kind::kIncrement;
  } else if (!call.is(index, "GET") || left < 2) {
    return errors::kSyntax;
  }
  ROX_TRY(operation.type, read_type(call.arg(index + 1)));
  ROX_TRY(operation.offset, read_bit_offset(call, index + 2, operation.type.bits));
  if (operation.kind == Kind::kGet) return operation;
  if (operation.end() > bits_max(call)) return kBadBitOffset;
  ROX_TRY(operation.value, call.integer(index + 3));
  return operation;
}

Result<std::vector<Operation>> read_operations(Call& call) {
  std::vector<Operation> operations;
  Overflow overflow = Overflow::kWrap;
  for (size_t i = 2; i < call.argc();) {
    if (call.is(i, "OVERFLOW") && i + 1 < call.argc()) {
      ROX_TRY(overflow, read_overflow(call, i + 1));
      i += 2;
      continue;
    }
    ROX_TRY(const Operation operation, read_operation(call, i, overflow));
    operations.push_back(operation);
    i += operation.kind == Operation::Kind::kGet ? 3 : 4;
  }
  return operations;
}

// How many bytes the string must have to be written to; 0: nothing is written.
size_t bytes_written(const std::vector<Operation>& operations) {
  size_t end = 0;
  for (const Operation& operation : operations) {
    if (operation.kind != Operation::Kind::kGet) end = std::max(end, operation.end());
  }
  return (end + kBitsPerByte - 1) / kBitsPerByte;
}

// ---- the reply ----

Status reply_fields(Call& call, const std::vector<Operation>& operations) {
  ROX_TRY(const Entry* entry, call.read_string(1));
  std::optional<StringView> bitmap;
  if (entry != nullptr) bitmap.emplace(*entry);
  call.reply().array(operations.size());
  for (const Operation& operation : operations) {
    call.reply().integer(read_field(bitmap ? bitmap->view() : std::string_view(), operation));
  }
  return kOk;
}

// Does one operation on `size` bytes and replies; true: the field has changed.
bool execute(Call& call, const Operation& operation, char* bitmap, size_t size) {
  const int64_t old = read_field({bitmap, size}, operation);
  if (operation.kind == Operation::Kind::kGet) {
    call.reply().integer(old);
    return false;
  }
  const std::optional<int64_t> number = new_number(operation, old);
  if (!number) {
    call.reply().null();
    return false;
  }
  call.reply().integer(operation.kind == Operation::Kind::kSet ? old : *number);
  FieldPlace(operation.offset, operation.type.bits)
      .write(bitmap, static_cast<uint64_t>(*number), operation.type.mask());
  return *number != old;
}

// BITFIELD key operation... -> array: GET the number, SET the old one, INCRBY the new one; nil for
// one that OVERFLOW FAIL has left as it was
Status bitfield_command(Call& call) {
  ROX_TRY(const std::vector<Operation> operations, read_operations(call));
  const size_t bytes = bytes_written(operations);
  if (bytes == 0) return reply_fields(call, operations);
  ROX_TRY(const OpenBitmap bitmap, open_bitmap(call, bytes));
  bool has_changed = bitmap.has_grown;
  call.reply().array(operations.size());
  for (const Operation& operation : operations) {
    has_changed |= execute(call, operation, bitmap.data, bitmap.size);
  }
  if (has_changed) call.changed(event::kSetBit);
  return kOk;
}
constexpr Example kBitFieldExamples[] = {
    {"BITFIELD k SET u8 0 200 GET i8 0", "*[:0 :-56]"},
    {"BITFIELD k INCRBY u8 #0 100", "*[:44]"},
    {"BITFIELD k OVERFLOW SAT INCRBY u8 #0 250 OVERFLOW FAIL INCRBY u8 #0 1", "*[:255 $nil]"},
    {"BITFIELD k GET u64 0",
     "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
     "i64 is."}};
// Whoever only gets changes nothing.
void find_bitfield_key(engine::Args args, std::vector<engine::KeyAt>& keys) {
  const bool writes = std::any_of(args.begin() + 2, args.end(), [](std::string_view word) {
    return equal_ignore_case(word, "SET") || equal_ignore_case(word, "INCRBY");
  });
  keys.push_back({1, writes ? engine::KeyAccess::kReadWrite : engine::KeyAccess::kReadOnly});
}
constexpr CommandSpec kBitField{
    .name = "BITFIELD",
    .syntax =
        "key [GET encoding offset | [OVERFLOW (WRAP | SAT | FAIL)] "
        "(SET encoding offset value | INCRBY encoding offset increment)]...",
    .summary = "Reads and changes integers of any width in a string.",
    .since = "3.2.0",
    .complexity = "O(1) for each operation",
    .flags = kWrite | kDenyOom,
    .keys = "1:RW!v",
    .find_keys = find_bitfield_key,
    .handler = bitfield_command,
    .examples = kBitFieldExamples,
};

// BITFIELD_RO key GET... -> array of numbers
Status bitfield_ro_command(Call& call) {
  ROX_TRY(const std::vector<Operation> operations, read_operations(call));
  if (bytes_written(operations) > 0) {
    return user_error("ERR BITFIELD_RO only supports the GET subcommand");
  }
  return reply_fields(call, operations);
}
constexpr Example kBitFieldRoExamples[] = {
    {"SET k a", "+OK"},
    {"BITFIELD_RO k GET u4 0 GET u4 #1 GET u4 100", "*[:6 :1 :0]"},
    {"BITFIELD_RO k SET u4 0 1", "-ERR BITFIELD_RO only supports the GET subcommand"}};
constexpr CommandSpec kBitFieldRo{
    .name = "BITFIELD_RO",
    .syntax = "key [GET encoding offset]...",
    .summary = "Reads integers of any width in a string.",
    .since = "6.0.0",
    .complexity = "O(1) for each operation",
    .flags = kReadOnly | kFast,
    .keys = "1:RO",
    .handler = bitfield_ro_command,
    .examples = kBitFieldRoExamples,
};

constexpr const CommandSpec* kCommands[] = {&kBitField, &kBitFieldRo};

}  // namespace

extern constinit const engine::CommandFamily kBitfieldFamily;
constinit const engine::CommandFamily kBitfieldFamily{"bitmap", kCommands};

}  // namespace roxdb::commands
