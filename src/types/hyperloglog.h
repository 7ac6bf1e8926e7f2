// hyperloglog.h: about how many different elements were added, in 12 KiB at most, whatever their
// number. Lives in a string value, in Redis's bytes, so that values move between servers:
//
//   OFFSET  SIZE   MEANING
//   0       4      "HYLL"
//   4       1      0 dense, 1 sparse
//   5       3      unused
//   8       8      the last count, little endian; highest bit set: elements have come since
//   16      12288  dense: 16384 registers of 6 bits, the lowest bits of a byte first
//   16      ...    sparse: runs that cover 16384 registers in order
//                    00nnnnnn           n + 1 registers are 0
//                    01nnnnnn nnnnnnnn  the same, high bits first
//                    1vvvvvnn           n + 1 registers are v + 1
//
// An element's hash names a register with 14 bits; of the other 50 bits the register keeps how
// many zeros they end with, plus one, at the most. Many elements leave high registers: the count
// is an estimate from how often each number occurs, with a standard error of 0.81 %.
//
// A value begins sparse. It becomes dense when it would be longer than hll-sparse-max-bytes or a
// register exceeds what a run can say, and stays so. Edits of runs are step by step those of Redis:
// which of several equal forms of a sparse value comes out is part of what servers compare.
//
// Hash: MurmurHash64A, A. Appleby. Estimator: O. Ertl, "New cardinality estimation algorithms for
// HyperLogLog sketches", arXiv 1702.01284, 2017, algorithms 5 and 6.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"
#include "types/string_value.h"

namespace roxdb::types {

inline constexpr size_t kHllRegisters = 16384;
inline constexpr size_t kHllHeaderBytes = 16;
inline constexpr size_t kHllDenseBytes = kHllHeaderBytes + kHllRegisters * 6 / 8;

using HllRegisters = std::array<uint8_t, kHllRegisters>;
// The estimate for these registers. O(registers).
uint64_t hll_count(const HllRegisters& registers);

// Where an element goes: the register, and what that is then at least.
struct HllPlace {
  size_t index;
  uint8_t value;
};
HllPlace hll_place(std::string_view element);

// Equal registers of a sparse value, one after the other.
struct HllRun {
  size_t length = 0;
  uint8_t value = 0;
  uint8_t bytes = 0;  // that say so
};

// A value as it is read. Views the bytes, those of an entry in place.
class HyperLogLogView {
 public:
  explicit HyperLogLogView(std::string_view bytes) : bytes_(bytes) {}
  // REQUIRES: a string. That of an integer is seen as empty: it is no HyperLogLog anyway.
  explicit HyperLogLogView(const Entry& entry);

  // Whether the header, and the length when dense, are those of a HyperLogLog. All else REQUIRES
  // it. Runs may still be damaged: functions that read them say so with false or none.
  bool is_valid() const;
  bool is_dense() const { return bytes_[4] == 0; }
  std::optional<uint64_t> last_count() const;      // none: elements have come since
  std::optional<uint64_t> count() const;           // anew. O(registers)
  bool merge_into(HllRegisters& registers) const;  // each becomes the larger one
  // Whether the runs cover the registers. O(bytes) when sparse.
  bool check() const;
  // visit(const HllRun&) in order, of what check() may still refuse. REQUIRES: sparse.
  template <class Visitor>
  void for_each_run(Visitor&& visit) const {
    for (size_t at = kHllHeaderBytes; at < bytes_.size();) {
      const HllRun run = run_at(at);
      visit(run);
      at += run.bytes;
    }
  }

 private:
  friend class HyperLogLog;
  HllRun run_at(size_t offset) const;
  // visit(size_t first, const HllRun&); false: the runs do not cover the registers exactly.
  template <class Visitor>
  bool visit_all(Visitor&& visit) const;

  std::string_view bytes_;
};

// The HyperLogLog in a string value, for edits; dead when `string` is. Errors: kDamagedHll,
// Code::kNoMemory; then nothing has changed.
class HyperLogLog {
 public:
  // Makes an empty HyperLogLog of a string that is empty and new.
  static void begin(StringValue& string);
  // REQUIRES: is_valid() of its bytes.
  HyperLogLog(StringValue& string, uint64_t sparse_bytes_max)
      : string_(string), sparse_bytes_max_(sparse_bytes_max) {}

  HyperLogLogView view() const { return HyperLogLogView(string_.entry()); }
  // True: a register has changed. Whoever asks for that forgets the count in the end.
  Result<bool> add(std::string_view element);
  Result<bool> raise(HllPlace place);
  // True: it was sparse.
  Result<bool> make_dense();
  Status forget_count();
  Status keep_count(uint64_t count);

 private:
  Result<bool> raise_dense(HllPlace place);
  Result<bool> raise_sparse(HllPlace place);
  Status promote();
  Status set_count_field(uint64_t value);

  StringValue& string_;
  uint64_t sparse_bytes_max_;
};

inline constexpr Status kDamagedHll = user_error("INVALIDOBJ Corrupted HLL object detected");

}  // namespace roxdb::types
