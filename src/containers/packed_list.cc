#include "containers/packed_list.h"

#include <bit>

namespace roxdb::containers::packed {
namespace {

static_assert(std::endian::native == std::endian::little, "heads are copied as they lie");

constexpr uint8_t kSmallInteger = 0x80;
constexpr int64_t kSmallIntegerMax = 63;
constexpr uint8_t kInteger = 0xc0;
constexpr uint8_t kString = 0xd0;
constexpr size_t kShortStringMax = 0x7f;
constexpr size_t kMediumStringMax = 0xffff;

int64_t integer_of(const char* bytes, size_t size) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, size);
  const auto unused = static_cast<unsigned>(64 - 8 * size);
  return static_cast<int64_t>(value << unused) >> unused;
}

// The fewest bytes whose two's complement holds the value.
size_t bytes_of(int64_t value) {
  const auto magnitude = static_cast<uint64_t>(value < 0 ? ~value : value);
  return static_cast<size_t>(std::bit_width(magnitude)) / 8 + 1;
}

}  // namespace

Encoded::Encoded(std::string_view text) {
  if (const auto value = parse_int64(text)) {
    encode_integer(*value);
    return;
  }
  text_ = text;
  if (text.size() <= kShortStringMax) {
    head_[0] = static_cast<char>(text.size());
    head_size_ = 1;
  } else {
    const uint8_t length_bytes = text.size() <= kMediumStringMax ? 2 : 4;
    const auto length = static_cast<uint32_t>(text.size());
    head_[0] = static_cast<char>(kString | length_bytes);
    std::memcpy(head_ + 1, &length, length_bytes);
    head_size_ = static_cast<uint8_t>(1 + length_bytes);
  }
}

void Encoded::encode_integer(int64_t value) {
  if (value >= 0 && value <= kSmallIntegerMax) {
    head_[0] = static_cast<char>(kSmallInteger + value);
    head_size_ = 1;
    return;
  }
  const size_t bytes = bytes_of(value);
  head_[0] = static_cast<char>(kInteger + bytes);
  std::memcpy(head_ + 1, &value, bytes);
  head_size_ = static_cast<uint8_t>(1 + bytes);
}

Element read(std::string_view run, size_t offset) {
  const char* at = run.data() + offset;
  const auto head = static_cast<uint8_t>(*at);
  const size_t size = size_at(at);
  Element element;
  element.next_ = offset + size;
  if (head < kSmallInteger) {
    element.text_ = at + 1;
    element.size_ = head;
  } else if (head < kInteger) {
    element.integer_ = head - kSmallInteger;
  } else if (head < kString) {
    element.integer_ = integer_of(at + 1, size - 1);
  } else {
    element.text_ = at + 1 + (head & 15);
    element.size_ = size - 1 - (head & 15);
  }
  return element;
}

size_t find(std::string_view run, const Encoded& wanted, size_t offset, size_t step) {
  const size_t wanted_size = wanted.size();
  for (size_t at = offset; at < run.size();) {
    const size_t size = size_at(run.data() + at);
    if (size == wanted_size && wanted.is_at(run.data() + at)) return at;
    at += size;
    for (size_t i = 1; i < step && at < run.size(); ++i) at += size_at(run.data() + at);
  }
  return kNotFound;
}

size_t skip(std::string_view run, size_t offset, size_t count) {
  for (; count > 0; --count) offset += size_at(run.data() + offset);
  return offset;
}

size_t count(std::string_view run) {
  size_t found = 0;
  for (size_t at = 0; at < run.size(); at += size_at(run.data() + at)) found++;
  return found;
}

std::optional<size_t> check(std::string_view run) {
  size_t found = 0;
  for (size_t at = 0; at < run.size(); ++found) {
    const auto head = static_cast<uint8_t>(run[at]);
    const size_t head_bytes = head < kInteger ? 1 : 1 + (head & 15);
    if (head >= kInteger && head < kString && (head == kInteger || head > kInteger + 8)) return {};
    if (head >= kString && head != (kString | 2) && head != (kString | 4)) return {};
    if (head_bytes > run.size() - at) return {};
    const size_t size = size_at(run.data() + at);
    if (size > run.size() - at) return {};
    char room[kIntegerDigitsMax];
    const Encoded canonical(read(run, at).text(room));
    if (canonical.size() != size || !canonical.is_at(run.data() + at)) return {};
    at += size;
  }
  return found;
}

}  // namespace roxdb::containers::packed
