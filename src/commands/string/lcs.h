// lcs.h: the longest common subsequence of two strings.
//
// The classic matrix has L(i, j), the length for the first i bytes of one string and the first j
// of the other. A row grows by 0 or 1 per column, so one bit per cell says all of it, and a row is
// made from the one before in a few word operations per 64 cells: the whole is some 60 times
// faster, and 32 times smaller, than the matrix of numbers.
//
//             wide:  a c g t ...      bit j of row i is 0 when L(i, j + 1) = L(i, j) + 1
//   tall:  row 0     1 1 1 1 ...
//      c   row 1     1 0 1 1 ...      L(i, j) = zeros among the first j bits of row i
//      g   row 2     1 0 0 1 ...
//
// Of several longest subsequences the one Redis finds comes out: going back from the end, the step
// in the second string is preferred.
// Cost: O(a x b / 64) time and, when the runs are wanted, a x b / 8 bytes; at most as much again
// for the places of each byte value. Bounds: kLcsProductMax, kLcsBytesMax.
// Source: H. Hyyro, "Bit-parallel LCS-length computation revisited", AWOCA 2004.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace roxdb::commands {

// Equal bytes that follow each other in both strings, and belong to the subsequence.
struct CommonRun {
  size_t a_begin;
  size_t b_begin;
  size_t size;
};

// The length. Errors: "ERR Insufficient memory, transient memory for LCS exceeds
// proto-max-bulk-len", Redis's text, for more than kLcsProductMax; Code::kNoMemory.
Result<size_t> lcs_size(std::string_view a, std::string_view b);
// The subsequence itself, the last run first. The same errors.
Result<std::vector<CommonRun>> lcs_runs(std::string_view a, std::string_view b);

}  // namespace roxdb::commands
