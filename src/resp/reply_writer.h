// reply_writer.h: replies -> RESP2 or RESP3 bytes at the end of an OutputBuffer. The hot ones
// (+OK, an integer, a bulk, an array header) are a capacity check and a few stores.
#pragma once

#include "resp/output_buffer.h"
#include "resp/reply.h"

namespace roxdb::resp {

// Values at least this long are spliced, shorter ones copied: below it a copy costs less than one
// more piece for the kernel to gather.
inline constexpr size_t kSpliceBytesMin = 16u << 10;

class RespWriter final : public Reply {
 public:
  // `out` must outlive the writer, or the next bind().
  explicit RespWriter(OutputBuffer& out, int protocol = 2) { bind(out, protocol); }
  // Goes on in another buffer: one writer serves all connections of a loop.
  void bind(OutputBuffer& out, int protocol) {
    out_ = &out;
    set_protocol(protocol);
  }

  void ok() override;
  void queued() override;
  void simple(std::string_view text) override;
  void error(std::string_view text) override;
  void integer(int64_t value) override;
  void real(double value) override;
  void boolean(bool value) override;
  void null() override;
  void null_array() override;
  void bulk(std::string_view bytes) override;
  void bulk_shared(std::string_view bytes, const SharedRef& owner) override;
  void verbatim(std::string_view format, std::string_view text) override;
  void big_number(std::string_view digits) override;
  void array(size_t count) override;
  void map(size_t pairs) override;
  void set(size_t count) override;
  void push(size_t count) override;
  void attribute(size_t pairs) override;
  Open open(Aggregate kind) override;
  // Cost O(bytes written since open()) when the count has two digits or more, else O(1).
  void close(Open open, size_t count) override;

 private:
  void line(char type, std::string_view text);
  void safe_line(char type, std::string_view text);
  void header(char type, size_t count);

  OutputBuffer* out_;
};

}  // namespace roxdb::resp
