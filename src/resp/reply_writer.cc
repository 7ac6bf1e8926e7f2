#include "resp/reply_writer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/numbers.h"

namespace roxdb::resp {
namespace {

constexpr size_t kCrlfBytes = 2;
constexpr size_t kHeaderBytesMax = 1 + kIntegerDigitsMax + kCrlfBytes;
constexpr size_t kOpenHeaderBytes = 4;  // "*0\r\n": what open() leaves for a count of one digit

// Headers of small counts, ready to be stored as one word; the type goes over the first byte.
struct SmallHeader {
  char text[7];  // "\0" "1023\r\n"
  uint8_t size;
};
static_assert(sizeof(SmallHeader) == 8);

constexpr size_t kSmallHeaders = 1024;
constexpr auto kSmallHeaderTable = [] {
  std::array<SmallHeader, kSmallHeaders> table{};
  for (size_t value = 0; value < kSmallHeaders; ++value) {
    SmallHeader& header = table[value];
    size_t digits = 1;
    for (size_t rest = value; rest >= 10; rest /= 10) ++digits;
    size_t rest = value;
    for (size_t i = digits; i > 0; --i, rest /= 10) {
      header.text[i] = static_cast<char>('0' + rest % 10);
    }
    header.text[digits + 1] = '\r';
    header.text[digits + 2] = '\n';
    header.size = static_cast<uint8_t>(1 + digits + kCrlfBytes);
  }
  return table;
}();

char* put_crlf(char* out) {
  std::memcpy(out, "\r\n", kCrlfBytes);
  return out + kCrlfBytes;
}

char* put_bytes(char* out, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

[[gnu::noinline]] char* put_long_header(char* out, char type, size_t count) {
  *out++ = type;
  out += print_uint64(count, out);
  return put_crlf(out);
}

// Writes type, count and line end; `out` holds kHeaderBytesMax, whatever the count.
inline char* put_header(char* out, char type, size_t count) {
  if (count < kSmallHeaders) [[likely]] {
    const SmallHeader& header = kSmallHeaderTable[count];
    std::memcpy(out, &header, sizeof header);
    *out = type;
    return out + header.size;
  }
  return put_long_header(out, type, count);
}

}  // namespace

void RespWriter::ok() { out_->append("+OK\r\n"); }

void RespWriter::queued() { out_->append("+QUEUED\r\n"); }

void RespWriter::simple(std::string_view text) { safe_line('+', text); }

void RespWriter::error(std::string_view text) { safe_line('-', text); }

void RespWriter::integer(int64_t value) {
  if (value >= 0) return header(':', static_cast<size_t>(value));
  char* const start = out_->reserve(kHeaderBytesMax);
  char* out = start;
  *out++ = ':';
  out += print_int64(value, out);
  out_->commit(static_cast<size_t>(put_crlf(out) - start));
}

void RespWriter::real(double value) {
  char digits[kDoubleDigitsMax];
  const std::string_view text(digits, print_double(value, digits));
  protocol_ >= 3 ? line(',', text) : bulk(text);
}

void RespWriter::boolean(bool value) {
  if (protocol_ >= 3) return out_->append(value ? "#t\r\n" : "#f\r\n");
  integer(value ? 1 : 0);
}

// Each branch appends a text of known size, which is two stores; a choice of texts would be a call.
void RespWriter::null() {
  if (protocol_ >= 3) return out_->append("_\r\n");
  out_->append("$-1\r\n");
}

void RespWriter::null_array() {
  if (protocol_ >= 3) return out_->append("_\r\n");
  out_->append("*-1\r\n");
}

void RespWriter::bulk(std::string_view bytes) {
  char* const start = out_->reserve(kHeaderBytesMax + bytes.size() + kCrlfBytes);
  char* out = put_header(start, '$', bytes.size());
  out = put_crlf(put_bytes(out, bytes));
  out_->commit(static_cast<size_t>(out - start));
}

void RespWriter::bulk_shared(std::string_view bytes, const SharedRef& owner) {
  if (bytes.size() < kSpliceBytesMin) return bulk(bytes);
  header('$', bytes.size());
  out_->splice(bytes, owner);
  out_->append("\r\n");
}

void RespWriter::verbatim(std::string_view format, std::string_view text) {
  ROX_ASSERT(format.size() == 3);
  if (protocol_ < 3) return bulk(text);
  header('=', format.size() + 1 + text.size());
  out_->append(format);
  out_->append(":");
  out_->append(text);
  out_->append("\r\n");
}

void RespWriter::big_number(std::string_view digits) {
  protocol_ >= 3 ? line('(', digits) : bulk(digits);
}

void RespWriter::array(size_t count) { header('*', count); }

void RespWriter::map(size_t pairs) { protocol_ >= 3 ? header('%', pairs) : header('*', 2 * pairs); }

void RespWriter::set(size_t count) { header(protocol_ >= 3 ? '~' : '*', count); }

void RespWriter::push(size_t count) { header(protocol_ >= 3 ? '>' : '*', count); }

void RespWriter::attribute(size_t pairs) {
  ROX_ASSERT(has_attributes());
  header('|', pairs);
}

Reply::Open RespWriter::open(Aggregate kind) {
  const Open open{out_->mark().buffer_bytes, kind};
  out_->append("*0\r\n");
  return open;
}

void RespWriter::close(Open open, size_t count) {
  // The header is what array(), map() or set() would have written; only its place differs.
  const bool resp3 = protocol_ >= 3;
  char type = '*';
  if (open.kind == Aggregate::kMap && resp3) type = '%';
  if (open.kind == Aggregate::kMap && !resp3) count *= 2;
  if (open.kind == Aggregate::kSet && resp3) type = '~';
  char text[kHeaderBytesMax];
  const size_t size = static_cast<size_t>(put_header(text, type, count) - text);
  std::memcpy(out_->insert(open.at, size - kOpenHeaderBytes), text, size);
}

// A header line: type, then text that is known to hold no line end.
void RespWriter::line(char type, std::string_view text) {
  char* const start = out_->reserve(1 + text.size() + kCrlfBytes);
  *start = type;
  put_crlf(put_bytes(start + 1, text));
  out_->commit(1 + text.size() + kCrlfBytes);
}

// The same for text from anywhere.
void RespWriter::safe_line(char type, std::string_view text) {
  char* const start = out_->reserve(1 + text.size() + kCrlfBytes);
  *start = type;
  char* const text_end = put_bytes(start + 1, text);
  std::replace_if(
      start + 1, text_end, [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  put_crlf(text_end);
  out_->commit(1 + text.size() + kCrlfBytes);
}

void RespWriter::header(char type, size_t count) {
  char* const start = out_->reserve(kHeaderBytesMax);
  out_->commit(static_cast<size_t>(put_header(start, type, count) - start));
}

}  // namespace roxdb::resp
