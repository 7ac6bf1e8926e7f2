// reply_reader.h: RESP2 and RESP3 bytes -> a tree of values, for our side of a client: tests, the
// tool, the link to a primary. What arrives is not trusted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/status.h"

namespace roxdb::resp {

struct ReplyValue {
  enum class Type : uint8_t {
    kNull,  // of RESP3, and both of RESP2
    kSimple,
    kError,  // text without the '-' or '!'
    kInteger,
    kReal,
    kBoolean,
    kBulk,
    kVerbatim,
    kBigNumber,
    kArray,
    kMap,
    kSet,
    kPush,
  };

  Type type = Type::kNull;
  bool boolean = false;                // kBoolean
  std::array<char, 3> format = {};     // kVerbatim: "txt", "mkd"
  int64_t integer = 0;                 // kInteger
  double real = 0;                     // kReal
  std::string text;                    // kSimple, kError, kBulk, kVerbatim, kBigNumber
  std::vector<ReplyValue> items;       // aggregates; of a map: key, value, key, value ...
  std::vector<ReplyValue> attributes;  // what '|' said of this value, as the items of a map
};

// One stream of replies. The reader keeps what it has seen of an unfinished reply, so its caller
// keeps nothing and every byte is looked at once.
class ReplyReader {
 public:
  // Reads on from the front of `input`, to the end of the first reply at most.
  //   returns  bytes taken: all of them, or fewer when complete() | Code::kProtocol: what came is
  //            not RESP, or breaks a bound; the reader is of no further use
  // REQUIRES: !complete(). Memory grows with what arrived, never with what was announced.
  // Bounds: kReplyDepthMax levels, kReplyBytesMax per string, kInlineBytesMax per line.
  Result<size_t> read(std::string_view input);

  bool complete() const { return complete_; }
  // The reply that is complete; the reader then stands before the next one.
  ReplyValue take();

 private:
  // An aggregate whose members are still coming.
  struct Frame {
    ReplyValue value;
    uint64_t items_left;
    bool is_attribute;
    std::vector<ReplyValue> attributes;  // of the next member
  };

  Result<size_t> read_line(std::string_view input);
  Result<size_t> read_payload(std::string_view input);
  Status parse_line(std::string_view line);
  Status parse_scalar(char type, std::string_view body);
  Status parse_bulk(char type, std::string_view body);
  Status parse_aggregate(char type, std::string_view body);
  Status finish_payload();
  void deliver(ReplyValue value);
  void put(ReplyValue value);
  void close_full_frames();
  std::vector<ReplyValue>& attributes_of_next();

  std::vector<Frame> frames_;           // outermost first
  std::vector<ReplyValue> attributes_;  // of the outermost value
  std::string line_;                    // the start of a line whose end has not arrived
  ReplyValue value_;                    // the string being received, later the whole reply
  size_t payload_left_ = 0;             // bytes of that string still to come, line end included
  bool complete_ = false;
};

}  // namespace roxdb::resp
