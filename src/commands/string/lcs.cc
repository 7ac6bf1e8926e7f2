#include "commands/string/lcs.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/limits.h"
#include "base/memory.h"

namespace roxdb::commands {
namespace {

// Words that the system may refuse; they hold anything.
class Words {
 public:
  Words() = default;
  ~Words() { memory::release(words_, bytes_); }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;

  bool allocate(size_t count) {
    bytes_ = count * sizeof(uint64_t);
    words_ = static_cast<uint64_t*>(memory::try_allocate(bytes_));
    return words_ != nullptr;
  }
  uint64_t* at(size_t index) { return words_ + index; }
  const uint64_t* at(size_t index) const { return words_ + index; }

 private:
  uint64_t* words_ = nullptr;
  size_t bytes_ = 0;
};

constexpr Status kTooLong =
    user_error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");

class Matrix {
 public:
  Matrix(std::string_view a, std::string_view b) : a_(a), b_(b), row_words_((b.size() + 63) / 64) {}

  // Computes all rows; keeps them when runs() is wanted, else only the last one.
  Status fill(bool keeps_rows);
  size_t size() const;
  // REQUIRES: the rows were kept.
  std::vector<CommonRun> runs() const;

 private:
  bool make_masks();
  const uint64_t* row(size_t index) const { return rows_.at(index * row_words_); }
  bool grows_at(size_t i, size_t j) const { return (row(i)[j / 64] >> j % 64 & 1) == 0; }

  std::string_view a_;
  std::string_view b_;
  size_t row_words_;
  size_t last_row_ = 0;  // a_.size(), or 0 when rows are not kept
  Words rows_;
  Words masks_;  // one per byte value of a_: bit j is set when b_[j] is that byte
  std::array<uint16_t, 256> mask_of_{};
};

bool Matrix::make_masks() {
  std::array<bool, 256> is_in_a{};
  for (const char c : a_) is_in_a[static_cast<unsigned char>(c)] = true;
  uint16_t count = 0;
  for (size_t value = 0; value < is_in_a.size(); ++value) {
    if (is_in_a[value]) mask_of_[value] = count++;
  }
  const size_t words = count * row_words_;
  if (!masks_.allocate(words)) return false;
  std::memset(masks_.at(0), 0, words * sizeof(uint64_t));
  for (size_t j = 0; j < b_.size(); ++j) {
    const auto value = static_cast<unsigned char>(b_[j]);
    if (is_in_a[value]) *masks_.at(mask_of_[value] * row_words_ + j / 64) |= uint64_t{1} << j % 64;
  }
  return true;
}

Status Matrix::fill(bool keeps_rows) {
  if (!a_.empty() && b_.size() > kLcsProductMax / a_.size()) return kTooLong;
  last_row_ = keeps_rows ? a_.size() : 0;
  const size_t masks_max = std::min<size_t>(a_.size(), mask_of_.size());
  if ((last_row_ + 1 + masks_max) * row_words_ > kLcsBytesMax / sizeof(uint64_t)) return kTooLong;
  if (!make_masks() || !rows_.allocate((last_row_ + 1) * row_words_)) {
    return {Code::kNoMemory, 0, "LCS"};
  }

  std::memset(rows_.at(0), 0xff, row_words_ * sizeof(uint64_t));
  for (size_t i = 0; i < a_.size(); ++i) {
    const uint64_t* from = row(keeps_rows ? i : 0);
    uint64_t* to = rows_.at(keeps_rows ? (i + 1) * row_words_ : 0);
    const uint64_t* mask = masks_.at(mask_of_[static_cast<unsigned char>(a_[i])] * row_words_);
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

size_t Matrix::size() const {
  // No bit behind the end of b_ is ever cleared: no mask has it.
  size_t zeros = 0;
  for (size_t w = 0; w < row_words_; ++w) {
    zeros += static_cast<size_t>(std::popcount(~row(last_row_)[w]));
  }
  return zeros;
}

std::vector<CommonRun> Matrix::runs() const {
  std::vector<CommonRun> runs;
  bool in_run = false;
  for (size_t i = a_.size(), j = b_.size(); i > 0 && j > 0;) {
    const bool is_common = a_[i - 1] == b_[j - 1];
    if (is_common) {
      if (!in_run) runs.push_back({0, 0, 0});
      CommonRun& run = runs.back();
      run = {--i, --j, run.size + 1};
    } else if (grows_at(i, j - 1)) {
      --i;
    } else {
      --j;
    }
    in_run = is_common;
  }
  return runs;
}

}  // namespace

Result<size_t> lcs_size(std::string_view a, std::string_view b) {
  // Either may be the rows here, and few long ones waste less of their last words.
  if (a.size() > b.size()) std::swap(a, b);
  Matrix matrix(a, b);
  ROX_TRY(matrix.fill(false));
  return matrix.size();
}

Result<std::vector<CommonRun>> lcs_runs(std::string_view a, std::string_view b) {
  Matrix matrix(a, b);
  ROX_TRY(matrix.fill(true));
  return matrix.runs();
}

}  // namespace roxdb::commands
