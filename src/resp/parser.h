// parser.h: bytes -> arguments, in place. Clients, the replica link and imported logs all speak
// through here.
//
//   *3\r\n $3\r\n SET\r\n $1\r\n k\r\n $2\r\n hi\r\n     a multibulk: the count, then each argument
//   SET k "hi"\n                                         an inline request: a line typed by a
//   person
//
// What is accepted and what is answered follows Redis 7.0 to the letter, including its leniency
// (the byte after a '\r' that ends a count, and the two bytes after an argument, are not looked
// at). Two things are ours: a NUL is a byte like any other, where Redis stops reading the line and
// waits for ever; and a line's bound does not depend on how the network cut it.
// Source: RESP specification; quoting as redis-cli and redis.conf have it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/limits.h"
#include "base/status.h"
#include "resp/args.h"

namespace roxdb::resp {

struct ParserLimits {
  size_t args_max = kArgsMax;                 // arguments of one request
  size_t bulk_bytes_max = kBulkBytesMax;      // one argument (proto-max-bulk-len)
  size_t inline_bytes_max = kInlineBytesMax;  // one line: an inline request or a count
  // False: kArgsMaxUnauthenticated and kBulkBytesMaxUnauthenticated hold besides. A session that
  // is not authenticated yet must execute each request before it parses the next, for that may
  // have been AUTH.
  bool authenticated = true;
};

// The parser of one connection. It holds no bytes, only how far it has read: an incomplete request
// is resumed, not read again, so that a request in n pieces costs O(bytes), not O(bytes x n).
class RequestParser {
 public:
  // Reads one request from the front of `input`.
  //   input    may end anywhere, even between '\r' and '\n'. After a 0 the next call must see the
  //            same bytes, at any address, with more behind them
  //   args     the arguments are appended; views into `input`, or into args' own memory where an
  //            inline request had quotes. Left as it was unless the request is complete. An empty
  //            request ("*0\r\n", a blank line) is consumed and appends nothing
  //   returns  bytes consumed, > 0 | 0: incomplete | Code::kProtocol: reply with the text (static)
  //            and close; the parser is of no further use
  // Cost O(arguments), whatever their size, plus O(length) of an inline line. Allocates only while
  // `args` grows, and no more than 16 bytes per 6 bytes received.
  Result<size_t> parse(std::string_view input, const ParserLimits& limits, ArgVector& args) {
    if (resume_at_ == 0 && limits.authenticated) {
      if (const size_t consumed = parse_whole(input, limits, args); consumed != 0) {
        bytes_needed_ = 1;  // a first piece too short for a count may have raised it
        return consumed;
      }
    }
    return parse_step(input, limits, args);
  }

  // After a 0: the size `input` must at least have before parse() can say anything new. Callers
  // need not call before, and see from it how much is announced (which is not yet a reason to
  // allocate it: kAheadBytesMax).
  size_t bytes_needed() const { return bytes_needed_; }

 private:
  static size_t parse_whole(std::string_view input, const ParserLimits& limits, ArgVector& args);
  Result<size_t> parse_step(std::string_view input, const ParserLimits& limits, ArgVector& args);
  Result<size_t> parse_inline(std::string_view input, const ParserLimits& limits, ArgVector& args);
  Result<size_t> find_line_end(std::string_view input, char end, const ParserLimits& limits,
                               Status too_long);
  size_t wait_for(size_t bytes_needed);
  size_t finish(size_t consumed);

  size_t resume_at_ = 0;     // where the next length starts; may not be here yet. 0: at the front
  size_t bytes_needed_ = 1;  // bytes before bytes_needed_ - 1 have been searched for a line's end
  uint32_t args_left_ = 0;   // arguments whose lengths are not read yet
};
static_assert(sizeof(RequestParser) <= 24);

}  // namespace roxdb::resp
