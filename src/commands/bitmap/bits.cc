#include "commands/bitmap/bits.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"

namespace roxdb::commands {
namespace {

constexpr size_t kWordBytes = sizeof(uint64_t);
constexpr size_t kBlockWords = 8;
constexpr size_t kBlockBytes = kBlockWords * kWordBytes;
// What is combined at a time: result and a source lie in the first-level cache together.
constexpr size_t kChunkBytes = 4096;

uint64_t word_at(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// ---- counting ----

[[gnu::always_inline]] inline size_t count_with(const char* at, size_t size) {
  size_t counts[4] = {};
  for (; size >= sizeof counts; at += sizeof counts, size -= sizeof counts) {
    for (size_t i = 0; i < std::size(counts); ++i) {
      counts[i] += static_cast<size_t>(std::popcount(word_at(at + i * kWordBytes)));
    }
  }
  size_t count = counts[0] + counts[1] + counts[2] + counts[3];
  for (; size > 0; ++at, --size) {
    count += static_cast<size_t>(std::popcount(static_cast<uint8_t>(*at)));
  }
  return count;
}

#if defined(__x86_64__)
[[gnu::target("popcnt")]] size_t count_by_instruction(const char* at, size_t size) {
  return count_with(at, size);
}
#endif

size_t count_bytes(std::string_view bytes) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("popcnt")) return count_by_instruction(bytes.data(), bytes.size());
#endif
  return count_with(bytes.data(), bytes.size());
}

// ---- combining ----

// result = operate(result, source), byte by byte.
template <class Operate>
void fold(char* __restrict result, const char* __restrict source, size_t size, Operate operate) {
  for (; size >= kBlockBytes; result += kBlockBytes, source += kBlockBytes, size -= kBlockBytes) {
    uint64_t a[kBlockWords];
    uint64_t b[kBlockWords];
    std::memcpy(a, result, sizeof a);
    std::memcpy(b, source, sizeof b);
    for (size_t i = 0; i < kBlockWords; ++i) a[i] = operate(a[i], b[i]);
    std::memcpy(result, a, sizeof a);
  }
  for (; size > 0; ++result, ++source, --size) {
    *result = static_cast<char>(operate(static_cast<uint64_t>(static_cast<uint8_t>(*result)),
                                        static_cast<uint64_t>(static_cast<uint8_t>(*source))));
  }
}

constexpr auto kAndWords = [](uint64_t a, uint64_t b) { return a & b; };
constexpr auto kOrWords = [](uint64_t a, uint64_t b) { return a | b; };
constexpr auto kXorWords = [](uint64_t a, uint64_t b) { return a ^ b; };
constexpr auto kWithoutWords = [](uint64_t a, uint64_t b) { return a & ~b; };
constexpr auto kComplement = [](uint64_t, uint64_t b) { return ~b; };

using Sources = std::span<const std::string_view>;

// The bytes of a source at a chunk: where they lie or, when it ends before the chunk does, in
// `room` with zeros behind.
const char* chunk_of(std::string_view source, size_t at, size_t size, char* room) {
  if (source.size() >= at + size) return source.data() + at;
  const std::string_view rest = at < source.size() ? source.substr(at) : std::string_view();
  std::memset(room, 0, size);
  if (!rest.empty()) std::memcpy(room, rest.data(), rest.size());
  return room;
}

// One chunk of the result, at `at`, from the same part of each source.
class Chunk {
 public:
  Chunk(char* result, size_t at, size_t size) : result_(result), at_(at), size_(size) {}

  void copy(std::string_view source) { std::memcpy(result_, part(source), size_); }
  template <class Operate>
  void fold_in(std::string_view source, Operate operate) {
    fold(result_, part(source), size_, operate);
  }
  template <class Operate>
  void fold_all(Sources sources, Operate operate) {
    for (const std::string_view source : sources) fold_in(source, operate);
  }
  void keep_single(Sources sources);

 private:
  const char* part(std::string_view source) { return chunk_of(source, at_, size_, room_); }

  char* result_;
  size_t at_;
  size_t size_;
  char room_[kChunkBytes];
};

// Bits of any source without those that a second one has as well.
void Chunk::keep_single(Sources sources) {
  char several[kChunkBytes] = {};
  char common[kChunkBytes];
  std::memset(result_, 0, size_);
  for (const std::string_view source : sources) {
    const char* const bits = part(source);
    std::memcpy(common, result_, size_);
    fold(common, bits, size_, kAndWords);
    fold(several, common, size_, kOrWords);
    fold(result_, bits, size_, kOrWords);
  }
  fold(result_, several, size_, kWithoutWords);
}

void combine_chunk(BitOperation operation, Sources sources, Chunk& chunk) {
  const std::string_view first = sources[0];
  const Sources others = sources.subspan(1);
  switch (operation) {
    case BitOperation::kAnd:
      chunk.copy(first);
      return chunk.fold_all(others, kAndWords);
    case BitOperation::kOr:
      chunk.copy(first);
      return chunk.fold_all(others, kOrWords);
    case BitOperation::kXor:
      chunk.copy(first);
      return chunk.fold_all(others, kXorWords);
    case BitOperation::kNot:
      return chunk.fold_in(first, kComplement);
    case BitOperation::kDiff:
      chunk.copy(first);
      return chunk.fold_all(others, kWithoutWords);
    case BitOperation::kDiff1:
      chunk.copy({});
      chunk.fold_all(others, kOrWords);
      return chunk.fold_in(first, kWithoutWords);
    case BitOperation::kAndOr:
      chunk.copy({});
      chunk.fold_all(others, kOrWords);
      return chunk.fold_in(first, kAndWords);
    case BitOperation::kOne:
      return chunk.keep_single(sources);
  }
}

// ---- seeking ----

// The first byte that is not `skipped`; bytes.size() when all are.
size_t find_other_byte(std::string_view bytes, uint8_t skipped) {
  const uint64_t skipped_word = skipped * 0x0101010101010101u;
  size_t at = 0;
  for (; bytes.size() - at >= kBlockBytes; at += kBlockBytes) {
    uint64_t differences = 0;
    for (size_t i = 0; i < kBlockWords; ++i) {
      differences |= word_at(bytes.data() + at + i * kWordBytes) ^ skipped_word;
    }
    if (differences != 0) break;
  }
  while (at < bytes.size() && static_cast<uint8_t>(bytes[at]) == skipped) ++at;
  return at;
}

size_t find_bit_by_bit(std::string_view bitmap, bool value, BitRange range) {
  while (range.begin < range.end && bit_at(bitmap, range.begin) != value) ++range.begin;
  return range.begin;
}

// The part of a range that is whole bytes, as byte numbers. Empty when no byte border is in it.
struct WholeBytes {
  explicit WholeBytes(BitRange range)
      : begin((range.begin + kBitsPerByte - 1) / kBitsPerByte),
        end(std::max(begin, range.end / kBitsPerByte)) {}
  std::string_view of(std::string_view bitmap) const { return bitmap.substr(begin, end - begin); }
  size_t begin;
  size_t end;
};

size_t count_bit_by_bit(std::string_view bitmap, BitRange range) {
  size_t count = 0;
  for (size_t bit = range.begin; bit < range.end; ++bit) count += bit_at(bitmap, bit) ? 1 : 0;
  return count;
}

}  // namespace

size_t count_bits(std::string_view bitmap, BitRange range) {
  const WholeBytes whole(range);
  if (whole.begin == whole.end) return count_bit_by_bit(bitmap, range);
  return count_bit_by_bit(bitmap, {range.begin, whole.begin * kBitsPerByte}) +
         count_bytes(whole.of(bitmap)) +
         count_bit_by_bit(bitmap, {whole.end * kBitsPerByte, range.end});
}

size_t find_bit(std::string_view bitmap, bool value, BitRange range) {
  const WholeBytes whole(range);
  if (whole.begin == whole.end) return find_bit_by_bit(bitmap, value, range);
  const size_t border = whole.begin * kBitsPerByte;
  if (const size_t found = find_bit_by_bit(bitmap, value, {range.begin, border}); found < border) {
    return found;
  }
  const size_t at = whole.begin + find_other_byte(whole.of(bitmap), value ? 0 : 0xff);
  return find_bit_by_bit(bitmap, value, {at * kBitsPerByte, range.end});
}

void combine_bits(BitOperation operation, Sources sources, char* out, size_t size) {
  ROX_ASSERT(!sources.empty());
  for (size_t at = 0; at < size; at += kChunkBytes) {
    Chunk chunk(out + at, at, std::min(kChunkBytes, size - at));
    combine_chunk(operation, sources, chunk);
  }
}

}  // namespace roxdb::commands
