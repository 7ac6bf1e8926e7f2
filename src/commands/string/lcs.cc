#include "commands/string/lcs.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/limits.h"
#include "base/memory.h"

namespace roxdb::commands {
namespace {

// Zeroed words, which the system may refuse.
class Words {
 public:
  Words() = default;
  ~Words() { memory::release(words_, bytes_); }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;

  bool allocate(size_t count) {
    bytes_ = count * sizeof(uint64_t);
    words_ = static_cast<uint64_t*>(memory::try_allocate(bytes_));
    if (words_ == nullptr) return false;
    std::memset(words_, 0, bytes_);
    return true;
  }
  uint64_t* at(size_t index) { return words_ + index; }
  const uint64_t* at(size_t index) const { return words_ + index; }

 private:
  uint64_t* words_ = nullptr;
  size_t bytes_ = 0;
};

// The largest matrix keeps within its share of memory: rows, and one mask per byte value that
// occurs in `tall`, of which there are at most as many as rows.
static_assert(2 * (kLcsProductMax / 8) <= kLcsBytesMax);

class Matrix {
 public:
  // Rows are along the longer string, so that little of their last words is wasted.
  Matrix(std::string_view a, std::string_view b)
      : rows_are_a_(a.size() <= b.size()),
        tall_(rows_are_a_ ? a : b),
        wide_(rows_are_a_ ? b : a),
        row_words_((wide_.size() + 63) / 64) {}

  // Computes all rows; keeps them when they are wanted for runs(), else only the last.
  Status fill(bool keeps_rows);
  size_t size() const { return zeros(last_row(), wide_.size()); }
  std::vector<CommonRun> runs() const;

 private:
  bool make_masks();
  const uint64_t* last_row() const { return rows_.at(kept_rows_ * row_words_); }
  const uint64_t* row(size_t index) const { return rows_.at(index * row_words_); }
  static bool is_zero(const uint64_t* row, size_t bit) {
    return (~row[bit / 64] >> bit % 64 & 1) != 0;
  }
  // Zeros among the first `bits` bits.
  static size_t zeros(const uint64_t* row, size_t bits);

  bool rows_are_a_;
  std::string_view tall_;
  std::string_view wide_;
  size_t row_words_;
  size_t kept_rows_ = 0;  // besides row 0
  Words rows_;
  Words masks_;  // bit j: wide_[j] is that byte; the first mask is that of bytes not in wide_
  std::array<uint16_t, 256> mask_of_{};
};

bool Matrix::make_masks() {
  std::array<bool, 256> in_tall{};
  for (const char c : tall_) in_tall[static_cast<unsigned char>(c)] = true;
  uint16_t count = 0;
  for (size_t value = 0; value < in_tall.size(); ++value) {
    if (in_tall[value]) mask_of_[value] = count++;
  }
  if (!masks_.allocate(count * row_words_)) return false;
  for (size_t i = 0; i < wide_.size(); ++i) {
    const auto value = static_cast<unsigned char>(wide_[i]);
    if (in_tall[value]) *masks_.at(mask_of_[value] * row_words_ + i / 64) |= uint64_t{1} << i % 64;
  }
  return true;
}

Status Matrix::fill(bool keeps_rows) {
  kept_rows_ = keeps_rows ? tall_.size() : 0;
  if (!make_masks() || !rows_.allocate((kept_rows_ + 1) * row_words_)) {
    return {Code::kNoMemory, 0, "LCS"};
  }
  std::memset(rows_.at(0), 0xff, row_words_ * sizeof(uint64_t));
  for (size_t i = 0; i < tall_.size(); ++i) {
    const uint64_t* from = row(keeps_rows ? i : 0);
    uint64_t* to = rows_.at(keeps_rows ? (i + 1) * row_words_ : 0);
    const uint64_t* mask = masks_.at(mask_of_[static_cast<unsigned char>(tall_[i])] * row_words_);
    uint64_t carry = 0;
    for (size_t w = 0; w < row_words_; ++w) {
      const uint64_t old = from[w];
      uint64_t sum;
      const bool over = __builtin_add_overflow(old, old & mask[w], &sum);
      const bool over_again = __builtin_add_overflow(sum, carry, &sum);
      carry = uint64_t{over} | uint64_t{over_again};
      to[w] = sum | (old & ~mask[w]);
    }
  }
  return kOk;
}

size_t Matrix::zeros(const uint64_t* row, size_t bits) {
  size_t count = 0;
  for (size_t w = 0; w < bits / 64; ++w) count += static_cast<size_t>(std::popcount(~row[w]));
  if (bits % 64 != 0) {
    const uint64_t rest = ~row[bits / 64] & ((uint64_t{1} << bits % 64) - 1);
    count += static_cast<size_t>(std::popcount(rest));
  }
  return count;
}

std::vector<CommonRun> Matrix::runs() const {
  std::vector<CommonRun> runs;
  bool in_run = false;
  size_t r = tall_.size();
  size_t c = wide_.size();
  if (r == 0) return runs;
  size_t here = zeros(row(r), c);       // L(r, c)
  size_t above = zeros(row(r - 1), c);  // L(r - 1, c)
  while (r > 0 && c > 0) {
    const size_t left = here - size_t{is_zero(row(r), c - 1)};  // L(r, c - 1)
    bool steps_up;
    bool steps_left;
    if (tall_[r - 1] == wide_[c - 1]) {
      steps_up = steps_left = true;
      if (!in_run) runs.push_back({0, 0, 0});
      CommonRun& run = runs.back();
      run = {rows_are_a_ ? r - 1 : c - 1, rows_are_a_ ? c - 1 : r - 1, run.size + 1};
      in_run = true;
    } else {
      const size_t without_a = rows_are_a_ ? above : left;
      const size_t without_b = rows_are_a_ ? left : above;
      const bool drops_a = without_a > without_b;
      steps_up = drops_a == rows_are_a_;
      steps_left = !steps_up;
      in_run = false;
    }
    if (steps_left) c--;
    if (steps_up) {
      r--;
      here = above - size_t{steps_left && is_zero(row(r), c)};
      above = r > 0 ? zeros(row(r - 1), c) : 0;
    } else {
      here = left;
      above -= size_t{is_zero(row(r - 1), c)};
    }
  }
  return runs;
}

bool too_long(std::string_view a, std::string_view b) {
  return !a.empty() && b.size() > kLcsProductMax / a.size();
}

constexpr Status kTooLong =
    user_error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");

}  // namespace

Result<size_t> lcs_size(std::string_view a, std::string_view b) {
  if (too_long(a, b)) return kTooLong;
  Matrix matrix(a, b);
  ROX_TRY(matrix.fill(false));
  return matrix.size();
}

Result<std::vector<CommonRun>> lcs_runs(std::string_view a, std::string_view b) {
  if (too_long(a, b)) return kTooLong;
  Matrix matrix(a, b);
  ROX_TRY(matrix.fill(true));
  return matrix.runs();
}

}  // namespace roxdb::commands
