// command_notation.h: the small languages of a command's declaration, read at compile time. A
// mistake in any of them stops the build.
//
// Syntax: the arguments behind the command's name.
//   key value [NX | XX] [GET] [EX seconds | PX milliseconds | KEEPTTL]
//   [x] optional   a | b choice   (a b) group   x... repeated   CAPITALS literal words
// The arity follows from it: 1 + what cannot be left out, negative when more may come.
//
// Keys: where keys stand among the arguments, and what happens to them. Argument 0 is the
// command's name, so a subcommand's keys start at 2.
//   1:RW               argument 1
//   1..end:RO          argument 1 to the last          1..end/2:OW   every second
//   1..-2:RM           to the last but one             1..+1:RO      and the one after
//   count@1(+1,/2):OW  argument 1 says how many keys; the first one behind it, step 2
//   after(STORE,1):OW  the argument behind that word, sought from argument 1
//   ??:RO              known only by looking at the whole request
// followed by !i where more keys than these exist, !n where it only is routed like a key, as in
// "1:-!n" of the sharded channels, !u where nothing of what the key holds is told (its size, its
// type, whether it has a member: whoever may not read the key may do it), and !v where the request
// decides what happens to the key: `find_keys` says it in place of this.
//
// Members: where members (fields, elements) of the collection at the first key stand.
//   2                  argument 2                      2..end        argument 2 to the last
//   2..end/2           every second
// A hint for reading ahead: an argument named wrongly, as behind the options of ZADD, costs time
// and nothing else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"

namespace roxdb::engine {

// What may happen to a key. kNone: it is none, and only routed like one.
enum class KeyAccess : uint8_t { kReadOnly, kReadWrite, kOverwrite, kRemove, kNone };

struct KeySpec {
  enum class Begin : uint8_t { kNone, kIndex, kKeyword, kUnknown };
  enum class Find : uint8_t { kRange, kCount };
  Begin begin = Begin::kNone;
  Find find = Find::kRange;
  KeyAccess access = KeyAccess::kReadOnly;
  bool incomplete = false;
  bool not_key = false;
  bool unread = false;
  bool varies = false;
  bool first_half = false;  // range: only the first half of what follows
  int16_t index = 0;        // the first key, or the count, or where to seek the keyword from
  int16_t last = 0;         // range: keys behind the first; < 0 from the end: -1 the last one
  int16_t step = 1;
  int16_t first = 0;  // count: the first key, relative to the count
  std::string_view keyword = {};
};

namespace notation {

// Not constexpr: a declaration that comes here does not compile, and the compiler shows the call.
[[noreturn]] inline void malformed([[maybe_unused]] const char* why) {
  assertion_failed(why, __FILE__, __LINE__);
}

struct Reader {
  std::string_view text;
  constexpr bool at(char c) const { return !text.empty() && text[0] == c; }
  constexpr bool take(std::string_view word) {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
  }
  constexpr void expect(std::string_view word) {
    if (!take(word)) malformed("malformed declaration of keys");
  }
  constexpr int16_t number() {
    const bool negative = take("-");
    if (!negative) take("+");
    if (text.empty() || text[0] < '0' || text[0] > '9') malformed("a number is missing");
    int value = 0;
    while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
      value = value * 10 + (text[0] - '0');
      text.remove_prefix(1);
    }
    return static_cast<int16_t>(negative ? -value : value);
  }
};

constexpr KeySpec read_key_spec(Reader& in) {
  KeySpec spec;
  if (in.take("??")) {
    spec.begin = KeySpec::Begin::kUnknown;
  } else if (in.take("count@")) {
    spec.begin = KeySpec::Begin::kIndex;
    spec.find = KeySpec::Find::kCount;
    spec.index = in.number();
    spec.first = 1;
    if (in.take("(")) {
      spec.first = in.number();
      if (in.take(",/")) spec.step = in.number();
      in.expect(")");
    }
  } else {
    if (in.take("after(")) {
      spec.begin = KeySpec::Begin::kKeyword;
      const size_t end = in.text.find(',');
      if (end == std::string_view::npos) malformed("after(WORD,N) lacks N");
      spec.keyword = in.text.substr(0, end);
      in.text.remove_prefix(end + 1);
      spec.index = in.number();
      in.expect(")");
    } else {
      spec.begin = KeySpec::Begin::kIndex;
      spec.index = in.number();
    }
    if (in.take("..")) spec.last = in.take("end") ? int16_t{-1} : in.number();
    if (in.take("|half")) spec.first_half = true;
    if (in.take("/")) spec.step = in.number();
  }
  in.expect(":");
  if (in.take("RO")) {
    spec.access = KeyAccess::kReadOnly;
  } else if (in.take("RW")) {
    spec.access = KeyAccess::kReadWrite;
  } else if (in.take("OW")) {
    spec.access = KeyAccess::kOverwrite;
  } else if (in.take("-")) {
    spec.access = KeyAccess::kNone;
  } else {
    in.expect("RM");
    spec.access = KeyAccess::kRemove;
  }
  while (in.take("!")) {
    if (in.take("i")) {
      spec.incomplete = true;
    } else if (in.take("u")) {
      spec.unread = true;
    } else if (in.take("v")) {
      spec.varies = true;
    } else {
      in.expect("n");
      spec.not_key = true;
    }
  }
  return spec;
}

struct Counted {
  int least = 0;      // arguments that cannot be left out
  bool open = false;  // more may come
};

// One alternative after another; a sequence within. Depth is that of the brackets in our source.
constexpr Counted read_choice(std::string_view& text, char end);

constexpr Counted read_term(std::string_view& text) {
  Counted term;
  if (text[0] == '[' || text[0] == '(') {
    const char close = text[0] == '[' ? ']' : ')';
    text.remove_prefix(1);
    term = read_choice(text, close);
    if (text.empty() || text[0] != close) malformed("unbalanced brackets in a syntax");
    text.remove_prefix(1);
    if (close == ']') term = {0, true};
  } else {
    size_t length = 0;
    while (length < text.size() &&
           std::string_view(" []()|").find(text[length]) == std::string_view::npos &&
           !text.substr(length).starts_with("...")) {
      length++;
    }
    if (length == 0) malformed("a word is missing in a syntax");
    text.remove_prefix(length);
    term = {1, false};
  }
  if (text.starts_with("...")) {
    text.remove_prefix(3);
    term.open = true;
  }
  return term;
}

constexpr Counted read_choice(std::string_view& text, char end) {
  Counted best{-1, false};
  Counted sequence;
  const auto close_sequence = [&] {
    if (best.least >= 0 && best.least != sequence.least) best.open = true;
    if (best.least < 0 || sequence.least < best.least) best.least = sequence.least;
    best.open = best.open || sequence.open;
    sequence = {};
  };
  while (!text.empty() && text[0] != end) {
    if (text[0] == ' ') {
      text.remove_prefix(1);
    } else if (text[0] == '|') {
      text.remove_prefix(1);
      close_sequence();
    } else {
      const Counted term = read_term(text);
      sequence.least += term.least;
      sequence.open = sequence.open || term.open;
    }
  }
  close_sequence();
  return best;
}

}  // namespace notation

struct Syntax {
  std::string_view text = {};
  int least = 0;      // arguments that cannot be left out
  bool open = false;  // more may come

  consteval Syntax() = default;
  consteval Syntax(const char* syntax) : text(syntax) {  // NOLINT: converts on purpose
    std::string_view rest = text;
    const notation::Counted counted = notation::read_choice(rest, '\0');
    if (!rest.empty()) notation::malformed("unbalanced brackets in a syntax");
    least = counted.least;
    open = counted.open;
  }
  // As COMMAND INFO counts it. `words`: of the command's name.
  constexpr int arity(int words) const { return open ? -(words + least) : words + least; }
};

inline constexpr size_t kKeySpecsMax = 4;

struct Keys {
  std::string_view text = {};
  std::array<KeySpec, kKeySpecsMax> specs = {};
  size_t count = 0;

  consteval Keys() = default;
  consteval Keys(const char* keys) : text(keys) {  // NOLINT: converts on purpose
    notation::Reader in{text};
    while (!in.text.empty()) {
      if (count == kKeySpecsMax) notation::malformed("too many key specs");
      specs[count++] = notation::read_key_spec(in);
      if (!in.text.empty()) in.expect(",");
    }
  }
};

struct Members {
  int16_t first = 0;  // 0: none
  int16_t step = 0;   // 0: there is one only

  consteval Members() = default;
  consteval Members(const char* members) {  // NOLINT: converts on purpose
    notation::Reader in{members};
    first = in.number();
    if (in.take("..end")) step = in.take("/") ? in.number() : int16_t{1};
    if (first < 1 || step < 0 || !in.text.empty()) {
      notation::malformed("malformed declaration of members");
    }
  }
};

}  // namespace roxdb::engine
