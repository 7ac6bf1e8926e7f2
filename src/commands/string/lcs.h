// lcs.h: the longest common subsequence of two strings.
//
// The classic matrix has L(i, j), the length for the first i bytes of `a` and the first j of `b`.
// From one column to the next a row grows by 0 or 1, so one bit per cell says all of it, and a row
// is made from the one before in a few word operations per 64 cells: the whole is some 60 times
// faster, and 32 times smaller, than the matrix of numbers.
//
//          b:   a c g t ...      bit j of row i is 0 when L(i, j + 1) = L(i, j) + 1
//   a:  row 0   1 1 1 1 ...
//   c   row 1   1 0 1 1 ...      L(i, j) = zeros among the first j bits of row i
//   g   row 2   1 0 0 1 ...
//
// The way back from the end of both is the one of Redis, so that of several longest subsequences
// the same comes out: bytes that are equal belong to it; else the byte of `a` is left out if that
// keeps more than leaving out the one of `b`. One of the two keeps all there is, so the bit says
// which: 0, and without the byte of `b` one would be lost.
// Cost: O(a x b / 64) time, some 30 ms at the bound of a x b, kLcsProductMax; when the runs are
// wanted, 1 bit per cell of memory, at most kLcsBytesMax.
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
