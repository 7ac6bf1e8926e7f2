#include "persist/aof_record.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"
#include "base/limits.h"
#include "base/numbers.h"

namespace roxdb::persist {
namespace {

constexpr size_t kKeptBytes = 4u << 20;
// "$<size>\r\n" and "\r\n" around an argument; "*<count>\r\n" before a command takes less.
constexpr size_t kArgFrameBytesMax = 1 + kIntegerDigitsMax + 2 + 2;
constexpr std::string_view kSelect = "*2\r\n$6\r\nSELECT\r\n";
constexpr size_t kSelectBytesMax = kSelect.size() + kArgFrameBytesMax + kIntegerDigitsMax;

char* put(char* out, std::string_view bytes) { return out + bytes.copy(out, bytes.size()); }

// "<mark><number>\r\n"
char* put_count(char* out, char mark, size_t number) {
  *out++ = mark;
  if (number < 10) {
    *out++ = static_cast<char>('0' + number);
  } else if (number < 100) {
    *out++ = static_cast<char>('0' + number / 10);
    *out++ = static_cast<char>('0' + number % 10);
  } else {
    out += print_uint64(number, out);
  }
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

char* put_bulk(char* out, std::string_view bytes) {
  out = put(put_count(out, '$', bytes.size()), bytes);
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

void put_word(char* out, uint64_t word) { std::memcpy(out, &word, sizeof word); }

char* put_select(char* out, int db) {
  char digits[kIntegerDigitsMax];
  return put_bulk(put(out, kSelect), {digits, print_int64(db, digits)});
}

size_t bytes_max(std::span<const engine::LogCommand> commands) {
  size_t sum = kRecordHeaderBytes;
  for (const engine::LogCommand& command : commands) {
    sum += kSelectBytesMax + (command.args.size() + 1) * kArgFrameBytesMax;
    for (const std::string_view arg : command.args) sum += arg.size();
  }
  return sum;
}

}  // namespace

RecordHeader decode_record_header(const char* bytes) {
  RecordHeader header;
  std::memcpy(&header, bytes, sizeof header);
  return header;
}

uint64_t record_hash(char* record, size_t size, uint64_t seed) {
  uint64_t stored;
  std::memcpy(&stored, record + kRecordHashOffset, sizeof stored);
  std::memset(record + kRecordHashOffset, 0, sizeof stored);
  const uint64_t hash = checksum({record, size}, seed);
  std::memcpy(record + kRecordHashOffset, &stored, sizeof stored);
  return hash;
}

// Word by word, from registers: copied as a whole, the header would be read back in wider pieces
// than its fields were just stored in, and the processor would wait for all stores before, the
// payload's too, to reach the cache. That was three quarters of the time of append_unit().
inline void RecordBuffer::seal(char* record, const RecordHeader& header) const {
  put_word(record, header.length | uint64_t{header.kind} << 32 | uint64_t{header.flags} << 40 |
                       uint64_t{header.db} << 48);
  put_word(record + 8, header.sequence);
  put_word(record + 16, static_cast<uint64_t>(header.time_ms));
  put_word(record + kRecordHashOffset, 0);
  put_word(record + kRecordHashOffset,
           checksum({record, kRecordHeaderBytes + header.length}, seed_));
}

void RecordBuffer::append_unit(std::span<const engine::LogCommand> commands, int64_t time_ms,
                               uint64_t& sequence) {
  char* const record = room(bytes_max(commands));
  int db = commands[0].db;
  char* out = record + kRecordHeaderBytes;
  for (const engine::LogCommand& command : commands) {
    if (command.db != db) out = put_select(out, db = command.db);
    out = put_count(out, '*', command.args.size());
    for (const std::string_view arg : command.args) out = put_bulk(out, arg);
  }
  const auto payload_size = static_cast<size_t>(out - record) - kRecordHeaderBytes;
  RecordHeader header{.kind = static_cast<uint8_t>(RecordKind::kCommands),
                      .db = static_cast<uint16_t>(commands[0].db),
                      .sequence = sequence,
                      .time_ms = time_ms};
  if (__builtin_expect(payload_size > kRecordPayloadBytesMax, 0)) {
    return append_split(payload_size, header, sequence);
  }
  header.length = static_cast<uint32_t>(payload_size);
  seal(record, header);
  commit(kRecordHeaderBytes + payload_size);
  sequence++;
}

// The payload stands in one piece behind room for one header. Its pieces move apart, the last one
// first, so that nothing is held twice.
void RecordBuffer::append_split(size_t payload_size, RecordHeader header, uint64_t& sequence) {
  const size_t pieces = (payload_size + kRecordPayloadBytesMax - 1) / kRecordPayloadBytesMax;
  const size_t total = payload_size + pieces * kRecordHeaderBytes;
  char* const record = room(total);
  const char* const payload = record + kRecordHeaderBytes;
  for (size_t piece = pieces; piece-- > 0;) {
    const size_t begin = piece * kRecordPayloadBytesMax;
    const size_t length = std::min(kRecordPayloadBytesMax, payload_size - begin);
    char* const target = record + begin + piece * kRecordHeaderBytes;
    std::memmove(target + kRecordHeaderBytes, payload + begin, length);
    header.length = static_cast<uint32_t>(length);
    header.flags = static_cast<uint8_t>((piece + 1 < pieces ? kMoreFollows : 0) |
                                        (piece > 0 ? kContinues : 0));
    header.sequence = sequence + piece;
    seal(target, header);
  }
  commit(total);
  sequence += pieces;
}

void RecordBuffer::append_synced(uint64_t synced_sequence, int64_t time_ms, uint64_t& sequence) {
  char* const record = room(kRecordHeaderBytes + sizeof synced_sequence);
  std::memcpy(record + kRecordHeaderBytes, &synced_sequence, sizeof synced_sequence);
  seal(record, {.length = sizeof synced_sequence,
                .kind = static_cast<uint8_t>(RecordKind::kSynced),
                .flags = kRecordMayBeSkipped,
                .sequence = sequence,
                .time_ms = time_ms});
  commit(kRecordHeaderBytes + sizeof synced_sequence);
  sequence++;
}

char* RecordBuffer::room(size_t size) {
  if (__builtin_expect(capacity_ - size_ < size, 0)) {
    const size_t capacity = std::max({size_ + size, 2 * capacity_, size_t{64} << 10});
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
    // What was written behind size_ and not committed yet moves as well: append_split() needs it.
    if (capacity_ > 0) std::memcpy(bytes.get(), bytes_.get(), capacity_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }
  return bytes_.get() + size_;
}

void RecordBuffer::clear() {
  size_ = 0;
  if (capacity_ <= kKeptBytes) return;
  bytes_.reset();
  capacity_ = 0;
}

}  // namespace roxdb::persist
