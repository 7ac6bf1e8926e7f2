#include "commands/bitmap/bits.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"

namespace roxdb::commands {
namespace {

constexpr size_t kWordBytes = sizeof(uint64_t);
// Passed by reference only: how one is passed by value depends on the processor. As bytes lie in
// memory: a memcpy of so many would go by way of the stack.
using Vector [[gnu::vector_size(32)]] = uint64_t;
using VectorBytes [[gnu::aligned(1), gnu::may_alias]] = Vector;
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
bool has_popcnt() { return __builtin_cpu_supports("popcnt") != 0; }
bool has_avx2() { return __builtin_cpu_supports("avx2") != 0; }
#endif

size_t count_bytes(std::string_view bytes) {
#if defined(__x86_64__)
  if (has_popcnt()) return count_by_instruction(bytes.data(), bytes.size());
#endif
  return count_with(bytes.data(), bytes.size());
}

// ---- combining ----

// operate(a, b) changes a, vectors or bytes.
constexpr auto kAnd = [](auto& a, const auto& b) { a &= b; };
constexpr auto kOr = [](auto& a, const auto& b) { a |= b; };
constexpr auto kXor = [](auto& a, const auto& b) { a ^= b; };
constexpr auto kWithout = [](auto& a, const auto& b) { a &= ~b; };
constexpr auto kComplement = [](auto& a, const auto& b) { a = ~b; };

template <class Operate>
[[gnu::always_inline]] inline void fold_with(char* result, const char* left, const char* right,
                                             size_t size, Operate operate) {
  size_t at = 0;
  for (; size - at >= sizeof(Vector); at += sizeof(Vector)) {
    Vector a = *reinterpret_cast<const VectorBytes*>(left + at);
    const Vector b = *reinterpret_cast<const VectorBytes*>(right + at);
    operate(a, b);
    *reinterpret_cast<VectorBytes*>(result + at) = a;
  }
  for (; at < size; ++at) {
    uint32_t a = static_cast<uint8_t>(left[at]);
    operate(a, uint32_t{static_cast<uint8_t>(right[at])});
    result[at] = static_cast<char>(a);
  }
}

#if defined(__x86_64__)
template <class Operate>
[[gnu::target("avx2")]] void fold_by_avx2(char* result, const char* left, const char* right,
                                          size_t size, Operate operate) {
  fold_with(result, left, right, size, operate);
}
#endif

// result = left, operated on with right. The result may be one of both.
template <class Operate>
void fold(char* result, const char* left, const char* right, size_t size, Operate operate) {
#if defined(__x86_64__)
  if (has_avx2()) return fold_by_avx2(result, left, right, size, operate);
#endif
  fold_with(result, left, right, size, operate);
}

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

  // The first source, operated on with all others.
  template <class Operate>
  void fold_all(Sources sources, Operate operate) {
    const char* left = part(sources[0], rooms_[0]);
    if (sources.size() == 1) std::memcpy(result_, left, size_);
    for (const std::string_view source : sources.subspan(1)) {
      fold(result_, left, part(source, rooms_[1]), size_, operate);
      left = result_;
    }
  }
  // The result so far, operated on with a source.
  template <class Operate>
  void fold_in(std::string_view source, Operate operate) {
    fold(result_, result_, part(source, rooms_[0]), size_, operate);
  }
  void clear() { std::memset(result_, 0, size_); }
  void keep_single(Sources sources);

 private:
  const char* part(std::string_view source, char* room) const {
    return chunk_of(source, at_, size_, room);
  }

  char* result_;
  size_t at_;
  size_t size_;
  char rooms_[2][kChunkBytes];  // for sources that end within the chunk
};

// Bits of any source without those that a second one has as well.
void Chunk::keep_single(Sources sources) {
  char several[kChunkBytes] = {};
  char common[kChunkBytes];
  std::memset(result_, 0, size_);
  for (const std::string_view source : sources) {
    const char* const bits = part(source, rooms_[0]);
    fold(common, result_, bits, size_, kAnd);
    fold(several, several, common, size_, kOr);
    fold(result_, result_, bits, size_, kOr);
  }
  fold(result_, result_, several, size_, kWithout);
}

void combine_chunk(BitOperation operation, Sources sources, Chunk& chunk) {
  const std::string_view first = sources[0];
  const Sources others = sources.subspan(1);
  switch (operation) {
    case BitOperation::kAnd:
      return chunk.fold_all(sources, kAnd);
    case BitOperation::kOr:
      return chunk.fold_all(sources, kOr);
    case BitOperation::kXor:
      return chunk.fold_all(sources, kXor);
    case BitOperation::kNot:
      return chunk.fold_in(first, kComplement);
    case BitOperation::kDiff:
      return chunk.fold_all(sources, kWithout);
    case BitOperation::kDiff1:
    case BitOperation::kAndOr:
      others.empty() ? chunk.clear() : chunk.fold_all(others, kOr);
      return operation == BitOperation::kDiff1 ? chunk.fold_in(first, kWithout)
                                               : chunk.fold_in(first, kAnd);
    case BitOperation::kOne:
      return chunk.keep_single(sources);
  }
}

// ---- seeking ----

// How many bytes at the front are in groups of four vectors of which all bytes are `skipped`.
[[gnu::always_inline]] inline size_t skip_with(std::string_view bytes, uint8_t skipped) {
  const uint64_t word = skipped * 0x0101010101010101u;
  const Vector wanted = {word, word, word, word};
  constexpr size_t kGroupBytes = 4 * sizeof(Vector);
  const char* from = bytes.data();
  for (size_t left = bytes.size(); left >= kGroupBytes; left -= kGroupBytes) {
    const VectorBytes* const group = reinterpret_cast<const VectorBytes*>(from);
    const Vector a =
        ((group[0] ^ wanted) | (group[1] ^ wanted)) | ((group[2] ^ wanted) | (group[3] ^ wanted));
    if ((a[0] | a[1] | a[2] | a[3]) != 0) break;
    from += kGroupBytes;
  }
  return static_cast<size_t>(from - bytes.data());
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] size_t skip_by_avx2(std::string_view bytes, uint8_t skipped) {
  return skip_with(bytes, skipped);
}
#endif

size_t skip_groups(std::string_view bytes, uint8_t skipped) {
#if defined(__x86_64__)
  if (has_avx2()) return skip_by_avx2(bytes, skipped);
#endif
  return skip_with(bytes, skipped);
}

// The first byte that is not `skipped`; bytes.size() when all are.
size_t find_other_byte(std::string_view bytes, uint8_t skipped) {
  size_t at = skip_groups(bytes, skipped);
  const uint64_t word = skipped * 0x0101010101010101u;
  while (bytes.size() - at >= kWordBytes && word_at(bytes.data() + at) == word) at += kWordBytes;
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
