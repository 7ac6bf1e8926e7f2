#include "types/hyperloglog.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/assert.h"

namespace roxdb::types {
namespace {

constexpr size_t kEncodingOffset = 4;
constexpr size_t kCountOffset = 8;
constexpr uint64_t kCountIsOld = uint64_t{1} << 63;
constexpr uint8_t kDense = 0;
constexpr uint8_t kSparse = 1;
constexpr char kMagic[] = {'H', 'Y', 'L', 'L'};

constexpr unsigned kIndexBits = 14;
constexpr unsigned kRestBits = 64 - kIndexBits;
constexpr unsigned kRegisterBits = 6;
constexpr uint8_t kRegisterMask = (1 << kRegisterBits) - 1;
static_assert(kHllRegisters == size_t{1} << kIndexBits);

// Runs.
constexpr uint8_t kValueFlag = 0x80;
constexpr uint8_t kLongFlag = 0x40;
constexpr size_t kShortZerosMax = 64;
constexpr size_t kValuesMax = 4;
constexpr uint8_t kRunValueMax = 32;
constexpr size_t kSplitBytesMax = 5;  // a long run of zeros, a value, a long run of zeros

uint8_t byte_at(std::string_view bytes, size_t offset) {
  return static_cast<uint8_t>(bytes[offset]);
}

bool is_value_run(uint8_t head) { return (head & kValueFlag) != 0; }
bool is_long_run(uint8_t head) { return (head & (kValueFlag | kLongFlag)) == kLongFlag; }

char* write_run(char* out, uint8_t value, size_t length) {
  if (value > 0) {
    *out++ = static_cast<char>(kValueFlag | (value - 1) << 2 | (length - 1));
  } else if (length <= kShortZerosMax) {
    *out++ = static_cast<char>(length - 1);
  } else {
    *out++ = static_cast<char>(kLongFlag | (length - 1) >> 8);
    *out++ = static_cast<char>(length - 1);
  }
  return out;
}

// ---- dense registers ----

struct DensePlace {
  explicit DensePlace(size_t index)
      : byte(index * kRegisterBits / 8), shift(index * kRegisterBits % 8) {}
  bool is_split() const { return shift + kRegisterBits > 8; }
  size_t byte;
  unsigned shift;
};

uint8_t read_dense(const uint8_t* registers, size_t index) {
  const DensePlace place(index);
  unsigned bits = registers[place.byte];
  if (place.is_split()) bits |= static_cast<unsigned>(registers[place.byte + 1]) << 8;
  return bits >> place.shift & kRegisterMask;
}

void write_dense(uint8_t* registers, size_t index, uint8_t value) {
  const DensePlace place(index);
  const unsigned mask = static_cast<unsigned>(kRegisterMask) << place.shift;
  const unsigned bits = static_cast<unsigned>(value) << place.shift;
  registers[place.byte] = static_cast<uint8_t>((registers[place.byte] & ~mask) | bits);
  if (!place.is_split()) return;
  registers[place.byte + 1] =
      static_cast<uint8_t>((registers[place.byte + 1] & ~(mask >> 8)) | bits >> 8);
}

// visit(size_t index, uint8_t value) for all registers, four from three bytes at a time.
template <class Visitor>
void visit_dense(const uint8_t* registers, Visitor&& visit) {
  for (size_t index = 0; index < kHllRegisters; index += 4, registers += 3) {
    const uint32_t bits = registers[0] | uint32_t{registers[1]} << 8 | uint32_t{registers[2]} << 16;
    for (unsigned i = 0; i < 4; ++i) {
      visit(index + i, static_cast<uint8_t>(bits >> i * kRegisterBits & kRegisterMask));
    }
  }
}

const uint8_t* dense_registers(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data() + kHllHeaderBytes);
}
uint8_t* dense_registers(char* bytes) {
  return reinterpret_cast<uint8_t*>(bytes + kHllHeaderBytes);
}

// ---- the estimate ----

// How many registers hold each number; 51 is the largest that comes from an element.
using Histogram = std::array<uint32_t, 1 << kRegisterBits>;

// Ertl's sigma and tau: power series, summed until the sum moves no more.
double sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double factor = 1;
  double sum = x;
  for (double before = -1; sum != before;) {
    x *= x;
    before = sum;
    sum += x * factor;
    factor += factor;
  }
  return sum;
}

double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double factor = 1;
  double sum = 1 - x;
  for (double before = -1; sum != before;) {
    x = std::sqrt(x);
    before = sum;
    factor *= 0.5;
    sum -= std::pow(1 - x, 2) * factor;
  }
  return sum / 3;
}

uint64_t estimate(const Histogram& counts) {
  constexpr double kAlphaInfinity = 0.721347520444481703680;  // 1 / (2 ln 2)
  constexpr auto kCount = static_cast<double>(kHllRegisters);
  double z = kCount * tau((kCount - counts[kRestBits + 1]) / kCount);
  for (unsigned value = kRestBits; value >= 1; --value) {
    z += counts[value];
    z *= 0.5;
  }
  z += kCount * sigma(counts[0] / kCount);
  return static_cast<uint64_t>(std::llround(kAlphaInfinity * kCount * kCount / z));
}

// ---- hashing ----

uint64_t read_word(const char* at, size_t size = sizeof(uint64_t)) {
  uint64_t word = 0;
  std::memcpy(&word, at, size);
  return word;
}

uint64_t murmur_hash_64a(std::string_view bytes, uint64_t seed) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995;
  constexpr unsigned kShift = 47;
  const auto spread = [](uint64_t word) {
    word *= kMultiplier;
    word ^= word >> kShift;
    return word * kMultiplier;
  };
  uint64_t hash = seed ^ bytes.size() * kMultiplier;
  for (; bytes.size() >= sizeof(uint64_t); bytes.remove_prefix(sizeof(uint64_t))) {
    hash = (hash ^ spread(read_word(bytes.data()))) * kMultiplier;
  }
  if (!bytes.empty()) hash = (hash ^ read_word(bytes.data(), bytes.size())) * kMultiplier;
  hash = (hash ^ hash >> kShift) * kMultiplier;
  return hash ^ hash >> kShift;
}

// Runs of one byte each, one after the other.
struct ShortRuns {
  unsigned count;
  unsigned registers;  // that they cover together
};

// Those at the front of eight bytes, where a run begins: up to the first long one. Read one by one,
// zeros and values take turns that no processor foresees.
ShortRuns short_runs(const char* at) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  const uint64_t word = read_word(at);
  const uint64_t values = word >> 7 & kOnes;
  const uint64_t longs = word >> 6 & kOnes & ~values;
  const unsigned count = longs == 0 ? 8 : static_cast<unsigned>(std::countr_zero(longs)) / 8;
  // A byte's low bits are the length less one: six of zeros, two of a value.
  uint64_t lengths = (word & kOnes * 0x3f & ~(values * 0x3c)) + kOnes;
  if (count < 8) lengths &= (uint64_t{1} << 8 * count) - 1;
  // Eight lengths up to 64 do not fit a byte together, but pairs of them do.
  constexpr uint64_t kEvenBytes = 0x00ff00ff00ff00ff;
  const uint64_t pairs = (lengths & kEvenBytes) + (lengths >> 8 & kEvenBytes);
  return {count, static_cast<unsigned>(pairs * 0x0001000100010001 >> 48)};
}

// Joins neighbours of the same value where a run can say both, looking at five runs from `at` on;
// returns the new size of `bytes`. Five, and one run fewer for each join: as Redis does.
size_t join_values(char* bytes, size_t size, size_t at) {
  for (int looks = 5; looks > 0 && at < size; --looks) {
    const auto head = static_cast<uint8_t>(bytes[at]);
    const auto next = static_cast<uint8_t>(at + 1 < size ? bytes[at + 1] : 0);
    const size_t joined = (head & 3u) + (next & 3u) + 2;
    const bool is_same = is_value_run(head) && (head & ~3u) == (next & ~3u);
    if (is_same && joined <= kValuesMax) {
      bytes[at + 1] = static_cast<char>((head & ~3u) | (joined - 1));
      std::memmove(bytes + at, bytes + at + 1, size - at - 1);
      --size;
    } else {
      at += is_long_run(head) ? 2 : 1;
    }
  }
  return size;
}

}  // namespace

uint64_t hll_count(const HllRegisters& registers) {
  Histogram counts{};
  for (const uint8_t value : registers) counts[value & kRegisterMask]++;
  return estimate(counts);
}

HllPlace hll_place(std::string_view element) {
  constexpr uint64_t kSeed = 0xadc83b19;
  const uint64_t hash = murmur_hash_64a(element, kSeed);
  const uint64_t rest = hash >> kIndexBits | uint64_t{1} << kRestBits;  // ends in zeros somewhere
  return {hash & (kHllRegisters - 1), static_cast<uint8_t>(std::countr_zero(rest) + 1)};
}

// ---- reading ----

HyperLogLogView::HyperLogLogView(const Entry& entry)
    : bytes_(string_encoding(entry) == StringEncoding::kShared
                 ? entry.pointer<const BigString>()->view()
                 : entry.inline_bytes()) {}

bool HyperLogLogView::is_valid() const {
  if (bytes_.size() < kHllHeaderBytes) return false;
  if (std::memcmp(bytes_.data(), kMagic, sizeof kMagic) != 0) return false;
  const uint8_t encoding = byte_at(bytes_, kEncodingOffset);
  return encoding == kSparse || (encoding == kDense && bytes_.size() == kHllDenseBytes);
}

std::optional<uint64_t> HyperLogLogView::last_count() const {
  const uint64_t field = read_word(bytes_.data() + kCountOffset);
  if ((field & kCountIsOld) != 0) return std::nullopt;
  return field;
}

// A long run that is cut short covers nothing.
HllRun HyperLogLogView::run_at(size_t offset) const {
  const uint8_t head = byte_at(bytes_, offset);
  if (is_value_run(head)) {
    return {(head & 3u) + 1, static_cast<uint8_t>((head >> 2 & (kRunValueMax - 1)) + 1), 1};
  }
  if (!is_long_run(head)) return {size_t{head} + 1, 0, 1};
  if (offset + 1 == bytes_.size()) return {0, 0, 1};
  return {(size_t{head & 0x3fu} << 8 | byte_at(bytes_, offset + 1)) + 1, 0, 2};
}

template <class Visitor>
bool HyperLogLogView::visit_all(Visitor&& visit) const {
  size_t first = 0;
  for (size_t at = kHllHeaderBytes; at < bytes_.size();) {
    const HllRun run = run_at(at);
    if (run.length == 0 || run.length > kHllRegisters - first) return false;
    visit(first, run);
    first += run.length;
    at += run.bytes;
  }
  return first == kHllRegisters;
}

bool HyperLogLogView::check() const {
  return is_dense() || visit_all([](size_t, const HllRun&) {});
}

std::optional<uint64_t> HyperLogLogView::count() const {
  Histogram counts{};
  if (is_dense()) {
    visit_dense(dense_registers(bytes_), [&](size_t, uint8_t value) { counts[value]++; });
  } else if (!visit_all([&](size_t, const HllRun& run) {
               counts[run.value] += static_cast<uint32_t>(run.length);
             })) {
    return std::nullopt;
  }
  return estimate(counts);
}

bool HyperLogLogView::merge_into(HllRegisters& registers) const {
  const auto raise_one = [&](size_t index, uint8_t value) {
    registers[index] = std::max(registers[index], value);
  };
  if (is_dense()) {
    visit_dense(dense_registers(bytes_), raise_one);
    return true;
  }
  return visit_all([&](size_t first, const HllRun& run) {
    if (run.value == 0) return;
    for (size_t i = first; i < first + run.length; ++i) raise_one(i, run.value);
  });
}

// ---- editing ----

void HyperLogLog::begin(StringValue& string) {
  char runs[kSplitBytesMax];
  const auto size = static_cast<size_t>(write_run(runs, 0, kHllRegisters) - runs);
  const Result<char*> bytes = string.resize(kHllHeaderBytes + size);
  ROX_ASSERT(bytes.ok());  // so few lie in the entry
  std::memcpy(*bytes, kMagic, sizeof kMagic);
  (*bytes)[kEncodingOffset] = kSparse;
  std::memcpy(*bytes + kHllHeaderBytes, runs, size);
}

Result<bool> HyperLogLog::add(std::string_view element) { return raise(hll_place(element)); }

Result<bool> HyperLogLog::raise(HllPlace place) {
  return view().is_dense() ? raise_dense(place) : raise_sparse(place);
}

Result<bool> HyperLogLog::raise_dense(HllPlace place) {
  const std::string_view old = view().bytes_;
  if (read_dense(dense_registers(old), place.index) >= place.value) return false;
  ROX_TRY(char* bytes, string_.resize(kHllDenseBytes));
  write_dense(dense_registers(bytes), place.index, place.value);
  return true;
}

Result<bool> HyperLogLog::raise_sparse(HllPlace place) {
  const HyperLogLogView runs = view();
  const std::string_view old = runs.bytes_;
  size_t at = kHllHeaderBytes;
  size_t previous = at;
  size_t first = 0;
  HllRun run;
  for (; at < old.size(); at += run.bytes) {
    // For one run alone that is no gain: values among long zeros are taken as they come.
    while (old.size() - at >= sizeof(uint64_t) && !is_long_run(byte_at(old, at)) &&
           !is_long_run(byte_at(old, at + 1))) {
      const ShortRuns passed = short_runs(old.data() + at);
      if (place.index < first + passed.registers) break;
      first += passed.registers;
      at += passed.count;
      previous = at - 1;
    }
    if (at == old.size()) break;
    run = runs.run_at(at);
    if (place.index < first + run.length) break;
    previous = at;
    first += run.length;
  }
  if (at >= old.size()) return kDamagedHll;
  if (run.value >= place.value) return false;

  // The run splits: what is before the register, the register, what is behind.
  char split[kSplitBytesMax];
  char* end = split;
  if (place.index > first) end = write_run(end, run.value, place.index - first);
  end = write_run(end, std::min(place.value, kRunValueMax), 1);
  const size_t behind = first + run.length - 1 - place.index;
  if (behind > 0) end = write_run(end, run.value, behind);

  const auto split_size = static_cast<size_t>(end - split);
  const size_t size = old.size() - run.bytes + split_size;
  if (place.value > kRunValueMax || (size > old.size() && size > sparse_bytes_max_)) {
    ROX_TRY(promote());
    return raise_dense(place);
  }
  const size_t rest = at + run.bytes;
  const size_t old_size = old.size();
  ROX_TRY(char* bytes, string_.resize(std::max(size, old_size)));  // `old` is dead from here on
  std::memmove(bytes + at + split_size, bytes + rest, old_size - rest);
  std::memcpy(bytes + at, split, split_size);
  const size_t joined_size = join_values(bytes, size, previous);
  ROX_TRY(bytes, string_.resize(joined_size));
  return true;
}

Result<bool> HyperLogLog::make_dense() {
  if (view().is_dense()) return false;
  ROX_TRY(promote());
  return true;
}

Status HyperLogLog::promote() {
  HllRegisters registers{};
  if (!view().merge_into(registers)) return kDamagedHll;
  ROX_TRY(char* bytes, string_.resize(kHllDenseBytes));
  bytes[kEncodingOffset] = kDense;
  for (size_t i = 0; i < kHllRegisters; ++i) write_dense(dense_registers(bytes), i, registers[i]);
  return kOk;
}

Status HyperLogLog::set_count_field(uint64_t value) {
  ROX_TRY(char* bytes, string_.resize(string_.size()));
  std::memcpy(bytes + kCountOffset, &value, sizeof value);
  return kOk;
}

// The old count stays beside the mark, as in Redis.
Status HyperLogLog::forget_count() {
  return set_count_field(read_word(view().bytes_.data() + kCountOffset) | kCountIsOld);
}

Status HyperLogLog::keep_count(uint64_t count) { return set_count_field(count); }

}  // namespace roxdb::types
