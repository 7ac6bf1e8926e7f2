// reply.h: what a command answers, in words of meaning. Handlers speak to a Reply; the server's
// writes RESP (reply_writer.h), the library's builds values of its caller's language, a test's
// keeps a tree.
//
// Every command makes exactly one reply: one scalar, or one aggregate header followed by exactly
// the announced number of replies. push() stands outside that count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/shared_bytes.h"

namespace roxdb::resp {

class Reply {
 public:
  enum class Aggregate : uint8_t { kArray, kMap, kSet };

  // An aggregate whose count is not known yet; given back to close() once it is.
  struct Open {
    size_t at;
    Aggregate kind;
  };

  virtual ~Reply() = default;

  // The protocol the client asked for with HELLO, 2 or 3. The writer does the translations named
  // below; handlers ask only where Redis changes the shape of the answer.
  int protocol() const { return protocol_; }
  void set_protocol(int protocol) { protocol_ = protocol; }

  // Scalars. Text of simple() and error() is one line: CR, LF and NUL become blanks, so that no
  // reply can be forged through it (reliability S5).
  virtual void ok() { simple("OK"); }
  virtual void queued() { simple("QUEUED"); }
  virtual void simple(std::string_view text) = 0;
  virtual void error(std::string_view text) = 0;  // "ERR ...": the code first, without the '-'
  virtual void integer(int64_t value) = 0;
  virtual void real(double value) = 0;   // RESP2: its text as a bulk
  virtual void boolean(bool value) = 0;  // RESP2: integer 1 or 0
  virtual void null() = 0;
  virtual void null_array() = 0;  // RESP2 has a null of its own where an array was expected
  virtual void bulk(std::string_view bytes) = 0;
  // As bulk(), for bytes that live in a blob: the sink may keep a reference instead of a copy.
  virtual void bulk_shared(std::string_view bytes, const SharedRef& owner) {
    static_cast<void>(owner);
    bulk(bytes);
  }
  virtual void verbatim(std::string_view format, std::string_view text) = 0;  // "txt", "mkd"
  virtual void big_number(std::string_view digits) = 0;                       // RESP2: a bulk

  // Aggregates: a header, then its members. A pair of a map is two replies, the key first.
  virtual void array(size_t count) = 0;
  virtual void map(size_t pairs) = 0;   // RESP2: an array of 2 x pairs
  virtual void set(size_t count) = 0;   // RESP2: an array
  virtual void push(size_t count) = 0;  // out of band; RESP2 (Pub/Sub): an array
  // Stands before the reply it describes. REQUIRES: has_attributes(); RESP2 cannot say it.
  virtual void attribute(size_t pairs) = 0;
  bool has_attributes() const { return protocol_ >= 3; }

  // Aggregates whose count is known only afterwards; they may nest and close innermost first.
  // `count` is that of array(), map() or set().
  virtual Open open(Aggregate kind) = 0;
  virtual void close(Open open, size_t count) = 0;

 protected:
  int protocol_ = 2;
};

}  // namespace roxdb::resp
