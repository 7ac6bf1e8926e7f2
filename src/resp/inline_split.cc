#include "resp/inline_split.h"

#include <cstring>

namespace roxdb::resp {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

// Redis skips \v and \f between words, yet inside a word takes them for content.
bool ends_word(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_quote(char c) { return c == '"' || c == '\''; }

// The value of a hex digit, or -1.
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char escaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Reads what stands at a backslash inside double quotes; `at` moves to its last byte.
char unescape(std::string_view line, size_t& at) {
  const std::string_view rest = line.substr(at + 1);
  if (rest.empty()) return '\\';
  if (rest.size() >= 3 && rest[0] == 'x' && hex_value(rest[1]) >= 0 && hex_value(rest[2]) >= 0) {
    at += 3;
    return static_cast<char>(hex_value(rest[1]) * 16 + hex_value(rest[2]));
  }
  at += 1;
  return escaped(rest[0]);
}

// Reads the quoted section whose opening quote is at `at`; `at` moves behind the closing one.
// Returns the end of what was written to `out`, or null when the section does not end well.
char* unquote(std::string_view line, size_t& at, char* out) {
  const char quote = line[at];
  for (++at; at < line.size(); ++at) {
    char c = line[at];
    if (c == quote) {
      ++at;
      return at == line.size() || is_blank(line[at]) ? out : nullptr;
    }
    if (c == '\\') {
      if (quote == '"') {
        c = unescape(line, at);
      } else if (line.substr(at + 1, 1) == "'") {
        c = line[++at];
      }
    }
    *out++ = c;
  }
  return nullptr;
}

}  // namespace

bool split_inline(std::string_view line, ArgVector& args) {
  const size_t args_before = args.size();
  char* text = nullptr;  // unquoting only shortens, so the line's size holds all its quoted words
  size_t at = 0;
  for (;;) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at == line.size()) return true;
    const size_t start = at;
    while (at < line.size() && !ends_word(line[at]) && !is_quote(line[at])) ++at;
    const std::string_view plain = line.substr(start, at - start);
    if (at == line.size() || !is_quote(line[at])) {
      args.append(plain);
      continue;
    }
    if (text == nullptr) text = args.add_text(line.size());
    if (!plain.empty()) std::memcpy(text, plain.data(), plain.size());
    char* const end = unquote(line, at, text + plain.size());
    if (end == nullptr) {
      args.truncate(args_before);
      return false;
    }
    args.append({text, static_cast<size_t>(end - text)});
    text = end;
  }
}

}  // namespace roxdb::resp
