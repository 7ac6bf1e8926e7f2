#include "resp/parser.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/numbers.h"
#include "resp/inline_split.h"

namespace roxdb::resp {
namespace {

constexpr size_t kArgBytesMin = 6;       // "$0\r\n\r\n"
constexpr size_t kRequestBytesMin = 10;  // "*1\r\n$0\r\n\r\n"
constexpr size_t kArgsCountableMax = std::numeric_limits<uint32_t>::max();
constexpr size_t kNotFound = std::string_view::npos;
constexpr size_t kTrailerBytes = 2;  // behind a count's digits and behind an argument

constexpr Status protocol_error(std::string_view text) { return {Code::kProtocol, 0, text}; }

constexpr Status kInvalidCount = protocol_error("ERR Protocol error: invalid multibulk length");
constexpr Status kInvalidBulk = protocol_error("ERR Protocol error: invalid bulk length");
constexpr Status kCountTooLong = protocol_error("ERR Protocol error: too big mbulk count string");
constexpr Status kBulkTooLong = protocol_error("ERR Protocol error: too big bulk count string");
constexpr Status kInlineTooLong = protocol_error("ERR Protocol error: too big inline request");
constexpr Status kUnbalancedQuotes =
    protocol_error("ERR Protocol error: unbalanced quotes in request");
constexpr Status kCountUnauthenticated =
    protocol_error("ERR Protocol error: unauthenticated multibulk length");
constexpr Status kBulkUnauthenticated =
    protocol_error("ERR Protocol error: unauthenticated bulk length");

// The one text that quotes a byte of input. A Status only looks at its text, so all 256 stand here.
constexpr std::string_view kExpectedDollarShape = "ERR Protocol error: expected '$', got 'x'";
constexpr auto kExpectedDollarTexts = [] {
  std::array<std::array<char, kExpectedDollarShape.size()>, 256> texts{};
  for (size_t byte = 0; byte < texts.size(); ++byte) {
    std::copy(kExpectedDollarShape.begin(), kExpectedDollarShape.end(), texts[byte].begin());
    texts[byte][kExpectedDollarShape.size() - 2] = static_cast<char>(byte);
  }
  return texts;
}();

Status expected_dollar(char got) {
  const auto& text = kExpectedDollarTexts[static_cast<unsigned char>(got)];
  return protocol_error({text.data(), text.size()});
}

// 0 to 9, or more when `c` is no digit.
size_t digit_value(char c) { return static_cast<size_t>(static_cast<unsigned char>(c)) - '0'; }

// A digit more than any limit has: past it the careful path speaks. Small enough that arithmetic
// on what passes cannot overflow.
constexpr size_t kCountMax = std::numeric_limits<size_t>::max() / 16;
constexpr size_t kNoCount = std::numeric_limits<size_t>::max();  // above every limit

// A count and where the bytes behind it start. Travels in two registers; an out parameter would
// live in memory.
struct Count {
  const char* after;
  size_t value;  // kNoCount: not there, or not as an integer prints
};

// Goes on with a count of more than three digits.
[[gnu::noinline]] Count read_long_count(const char* p, const char* end, size_t value) {
  while (*p != '\r') {
    const size_t digit = digit_value(*p++);
    if (digit > 9 || end - p < 2 || value > kCountMax / 10) return {p, kNoCount};
    value = value * 10 + digit;
  }
  return {p + kTrailerBytes, value};
}

// Reads the digits at `p` and the two bytes behind them, the first a '\r'. REQUIRES: 5 readable
// bytes. Straight up to three digits: nearly all arguments have no more.
inline Count read_count(const char* p, const char* end) {
  size_t value = digit_value(p[0]);
  if (value > 9) return {p, kNoCount};
  if (p[1] == '\r') return {p + 1 + kTrailerBytes, value};
  size_t digit = digit_value(p[1]);
  if (digit > 9 || value == 0) return {p, kNoCount};  // no leading zero
  value = value * 10 + digit;
  if (p[2] == '\r') return {p + 2 + kTrailerBytes, value};
  digit = digit_value(p[2]);
  if (digit > 9) return {p, kNoCount};
  value = value * 10 + digit;
  if (p[3] == '\r') return {p + 3 + kTrailerBytes, value};
  return read_long_count(p + 3, end, value);
}

}  // namespace

// The hot path: one look, from the front to the end. Returns 0, with nothing appended, for all that
// is not a whole multibulk within the limits; parse_step() then says what it is.
size_t RequestParser::parse_whole(std::string_view input, const ParserLimits& limits,
                                  ArgVector& args) {
  const char* p = input.data();
  const char* const end = p + input.size();
  if (input.size() < kRequestBytesMin || *p != '*') return 0;
  const auto [args_start, count] = read_count(p + 1, end);
  // kNoCount is too many as well, and a 0, which wraps, is not for here.
  if (count - 1 >= std::min(limits.args_max, kArgsCountableMax)) return 0;
  // What cannot all be here yet gets no room: an announcement is cheap to send.
  if (static_cast<size_t>(end - args_start) < count * kArgBytesMin) return 0;
  const char* const last_start = end - kArgBytesMin;
  const size_t bulk_bytes_max = std::min(limits.bulk_bytes_max, kCountMax);
  std::string_view* arg = args.reserve(count);
  p = args_start;
  for (std::string_view* const args_end = arg + count; arg != args_end; ++arg) {
    if (p > last_start || *p != '$') return 0;
    const auto [bytes, size] = read_count(p + 1, end);
    if (size > bulk_bytes_max) return 0;
    if (static_cast<size_t>(end - bytes) < size + kTrailerBytes) return 0;
    *arg = {bytes, size};
    p = bytes + size + kTrailerBytes;
  }
  args.commit(count);
  return static_cast<size_t>(p - input.data());
}

// The careful path: goes on where the last call stopped, and only checks. Once all is here and
// good, parse_whole() makes the views, which no earlier call could: `input` may have moved.
Result<size_t> RequestParser::parse_step(std::string_view input, const ParserLimits& limits,
                                         ArgVector& args) {
  if (resume_at_ == 0) {
    if (input.empty()) return size_t{0};
    if (input[0] != '*') return parse_inline(input, limits, args);
    ROX_TRY(const size_t line_end, find_line_end(input, '\r', limits, kCountTooLong));
    if (line_end == kNotFound) return size_t{0};
    const auto count = parse_int64(input.substr(1, line_end - 1));
    const int64_t args_max = static_cast<int64_t>(std::min(limits.args_max, kArgsCountableMax));
    if (!count || *count > args_max) return kInvalidCount;
    if (!limits.authenticated && *count > int64_t{kArgsMaxUnauthenticated}) {
      return kCountUnauthenticated;
    }
    if (*count <= 0) return finish(line_end + kTrailerBytes);
    args_left_ = static_cast<uint32_t>(*count);
    resume_at_ = line_end + kTrailerBytes;
  }
  while (args_left_ > 0) {
    // The argument before this line may itself not be here yet.
    if (input.size() <= resume_at_) return wait_for(resume_at_ + 1);
    ROX_TRY(const size_t line_end, find_line_end(input, '\r', limits, kBulkTooLong));
    if (line_end == kNotFound) return size_t{0};
    if (input[resume_at_] != '$') return expected_dollar(input[resume_at_]);
    const auto size = parse_int64(input.substr(resume_at_ + 1, line_end - resume_at_ - 1));
    if (!size || *size < 0 || static_cast<uint64_t>(*size) > limits.bulk_bytes_max) {
      return kInvalidBulk;
    }
    if (!limits.authenticated && *size > int64_t{kBulkBytesMaxUnauthenticated}) {
      return kBulkUnauthenticated;
    }
    resume_at_ = line_end + kTrailerBytes + static_cast<size_t>(*size) + kTrailerBytes;
    --args_left_;
  }
  if (input.size() < resume_at_) return wait_for(resume_at_);

  // The limits were kept when each length was read; they may have been lowered since.
  constexpr ParserLimits kUnlimited{.args_max = kArgsCountableMax, .bulk_bytes_max = kCountMax};
  const size_t consumed = parse_whole(input, kUnlimited, args);
  ROX_ASSERT(consumed == resume_at_);
  return finish(consumed);
}

Result<size_t> RequestParser::parse_inline(std::string_view input, const ParserLimits& limits,
                                           ArgVector& args) {
  ROX_TRY(const size_t line_end, find_line_end(input, '\n', limits, kInlineTooLong));
  if (line_end == kNotFound) return size_t{0};
  std::string_view line = input.substr(0, line_end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!split_inline(line, args)) return kUnbalancedQuotes;
  return finish(line_end + 1);
}

// Finds the byte `end` in the line at resume_at_, and for a '\r' sees that one more byte is there.
// Returns its offset | kNotFound: incomplete, bytes_needed() is set | `too_long`.
Result<size_t> RequestParser::find_line_end(std::string_view input, char end,
                                            const ParserLimits& limits, Status too_long) {
  // The last byte of the last look is looked at again: a '\r' may have stood there.
  const size_t from = std::max(resume_at_, bytes_needed_ < 2 ? 0 : bytes_needed_ - 2);
  // The bound holds whether or not the line's end is here, lest the network's cuts decide.
  const size_t line_bytes = std::min(input.size() - resume_at_, limits.inline_bytes_max + 1);
  const size_t found = input.substr(0, resume_at_ + line_bytes).find(end, from);
  if (found == std::string_view::npos) {
    if (line_bytes > limits.inline_bytes_max) return too_long;
    wait_for(input.size() + 1);
    return kNotFound;
  }
  if (end == '\r' && found + 1 == input.size()) {
    wait_for(input.size() + 1);
    return kNotFound;
  }
  return found;
}

size_t RequestParser::wait_for(size_t bytes_needed) {
  bytes_needed_ = bytes_needed;
  return 0;
}

size_t RequestParser::finish(size_t consumed) {
  *this = RequestParser();
  return consumed;
}

}  // namespace roxdb::resp
