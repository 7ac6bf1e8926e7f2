#include "scripting/pattern.h"

#include <utility>

#include "base/assert.h"

namespace roxdb::scripting {
namespace {

constexpr char kEscape = '%';
constexpr size_t kChoicesAtFirst = 16;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What %a and its kin name, in the order of kClassNames.
constexpr std::string_view kClassNames = "acdlpsuwxz";

constexpr bool is_of(char name, unsigned byte) {
  const bool is_digit = byte - '0' < 10;
  const bool is_lower = byte - 'a' < 26;
  const bool is_upper = byte - 'A' < 26;
  const bool is_letter_or_digit = is_digit || is_lower || is_upper;
  switch (name) {
    case 'a':
      return is_lower || is_upper;
    case 'c':
      return byte < ' ' || byte == 0x7f;
    case 'd':
      return is_digit;
    case 'l':
      return is_lower;
    case 'p':
      return byte > ' ' && byte < 0x7f && !is_letter_or_digit;
    case 's':
      return byte == ' ' || byte - '\t' < 5;
    case 'u':
      return is_upper;
    case 'w':
      return is_letter_or_digit;
    case 'x':
      return is_digit || byte - 'a' < 6 || byte - 'A' < 6;
    default:
      return byte == 0;
  }
}

// A bit for each class: those that a byte is of, and the one that a letter names in either case.
struct Classes {
  uint16_t of[256] = {};
  uint16_t named[256] = {};
};
constexpr Classes kClasses = [] {
  Classes classes;
  for (size_t i = 0; i < kClassNames.size(); ++i) {
    const auto bit = static_cast<uint16_t>(1u << i);
    const auto name = static_cast<unsigned char>(kClassNames[i]);
    classes.named[name] = classes.named[name - 'a' + 'A'] = bit;
    for (unsigned byte = 0; byte < 256; ++byte) {
      if (is_of(kClassNames[i], byte)) classes.of[byte] |= bit;
    }
  }
  return classes;
}();

// Whether a character is of the class behind a '%': an upper-case letter is all but the class of
// its lower-case one, and what names no class stands for itself.
inline bool is_of_class(char c, char name) {
  const unsigned bit = kClasses.named[static_cast<unsigned char>(name)];
  if (bit == 0) return c == name;
  return ((kClasses.of[static_cast<unsigned char>(c)] & bit) != 0) == (name >= 'a');
}

}  // namespace

PatternSearch::PatternSearch(std::string_view text, std::string_view pattern, bool is_anchored,
                             std::function<void(size_t)> on_steps)
    : text_(text),
      pattern_(pattern.substr(0, pattern.find('\0'))),
      is_anchored_(is_anchored),
      on_steps_(std::move(on_steps)) {}

Result<bool> PatternSearch::find(size_t from) {
  ROX_ASSERT(from <= text_.size());
  bool is_found = false;
  for (size_t begin = from; !is_found && begin <= text_.size(); ++begin) {
    is_found = match_from(begin);
    if (!error_.empty()) return user_error(error_);
    if (is_anchored_) break;
  }
  report();
  return is_found;
}

void PatternSearch::report() { on_steps_(std::exchange(steps_, 0)); }

PatternSearch::Step PatternSearch::fail(std::string_view text) {
  error_ = text;
  return Step::kBroken;
}

bool PatternSearch::match_from(size_t begin) {
  begin_ = begin;
  at_ = begin;
  item_ = 0;
  capture_count_ = 0;
  choices_.clear();
  for (;;) {
    switch (take_item()) {
      case Step::kOn:
        break;
      case Step::kBack:
        if (!go_back()) return false;
        break;
      case Step::kDone:
        return true;
      case Step::kBroken:
        return false;
    }
  }
}

// Takes the last choice that is left; false: there is none.
bool PatternSearch::go_back() {
  while (!choices_.empty()) {
    count(1);
    Choice& choice = choices_.back();
    switch (choice.kind) {
      case Choice::Kind::kFewer:
        --choice.count;
        at_ = choice.at + choice.count;
        item_ = choice.item_end + 1;
        if (choice.count == 0) choices_.pop_back();
        return true;
      case Choice::Kind::kMore:
        if (matches_single(choice.at, choice.item, choice.item_end)) {
          at_ = ++choice.at;
          item_ = choice.item_end + 1;
          return true;
        }
        break;
      case Choice::Kind::kOpened:
        --capture_count_;
        break;
      case Choice::Kind::kClosed:
        captures_[choice.at].size = Capture::kOpen;
        break;
    }
    choices_.pop_back();
  }
  return false;
}

PatternSearch::Step PatternSearch::note(const Choice& choice) {
  if (choices_.size() == kChoicesMax) return fail("pattern too complex");
  if (choices_.capacity() == 0) choices_.reserve(kChoicesAtFirst);
  choices_.push_back(choice);
  return Step::kOn;
}

// ---- items ----

PatternSearch::Step PatternSearch::take_item() {
  count(1);
  if (item_ == pattern_.size()) return Step::kDone;
  const char next = pattern_at(item_ + 1);
  switch (pattern_[item_]) {
    case '(':
      return open_capture();
    case ')':
      return close_capture();
    case '$':
      if (item_ + 1 == pattern_.size()) return at_ == text_.size() ? Step::kDone : Step::kBack;
      break;
    case kEscape:
      if (next == 'b') return take_balanced();
      if (next == 'f') return take_frontier();
      if (is_digit(next)) return take_capture_again(next);
      break;
    default:
      break;
  }
  return take_single();
}

// A single character, and how often.
PatternSearch::Step PatternSearch::take_single() {
  size_t item_end;
  if (const Step step = find_item_end(item_, item_end); step != Step::kOn) return step;
  switch (pattern_at(item_end)) {
    case '?':
      return take_greedy(item_end, 0, 1);
    case '*':
      return take_greedy(item_end, 0, SIZE_MAX);
    case '+':
      return take_greedy(item_end, 1, SIZE_MAX);
    case '-':
      return take_lazy(item_end);
    default:
      if (!matches_single(at_, item_, item_end)) return Step::kBack;
      ++at_;
      item_ = item_end;
      return Step::kOn;
  }
}

PatternSearch::Step PatternSearch::take_greedy(size_t item_end, size_t least, size_t most) {
  size_t taken = 0;
  while (taken < most && matches_single(at_ + taken, item_, item_end)) ++taken;
  count(taken);
  if (taken < least) return Step::kBack;
  const Choice choice{Choice::Kind::kFewer, item_, item_end, at_ + least, taken - least};
  at_ += taken;
  item_ = item_end + 1;
  return choice.count == 0 ? Step::kOn : note(choice);
}

PatternSearch::Step PatternSearch::take_lazy(size_t item_end) {
  const Choice choice{Choice::Kind::kMore, item_, item_end, at_};
  item_ = item_end + 1;
  return note(choice);
}

PatternSearch::Step PatternSearch::open_capture() {
  if (capture_count_ == kCapturesMax) return fail("too many captures");
  const bool is_position = pattern_at(item_ + 1) == ')';
  captures_[capture_count_++] = {at_, is_position ? Capture::kPosition : Capture::kOpen};
  item_ += is_position ? 2 : 1;
  return note({Choice::Kind::kOpened});
}

PatternSearch::Step PatternSearch::close_capture() {
  size_t index = capture_count_;
  do {
    if (index == 0) return fail("invalid pattern capture");
    --index;
  } while (captures_[index].size != Capture::kOpen);
  captures_[index].size = at_ - captures_[index].begin;
  ++item_;
  return note({Choice::Kind::kClosed, 0, 0, index});
}

// %1 to %9. A position is nothing that could come again.
PatternSearch::Step PatternSearch::take_capture_again(char digit) {
  const auto number = static_cast<size_t>(digit - '0');
  if (number == 0 || number > capture_count_ || captures_[number - 1].size == Capture::kOpen) {
    return fail("invalid capture index");
  }
  const Capture& earlier = captures_[number - 1];
  if (earlier.size > text_.size() - at_) return Step::kBack;
  count(earlier.size);
  if (text_.compare(at_, earlier.size, text_, earlier.begin, earlier.size) != 0) return Step::kBack;
  at_ += earlier.size;
  item_ += 2;
  return Step::kOn;
}

// %bxy: from an x to the y that closes it.
PatternSearch::Step PatternSearch::take_balanced() {
  const char open = pattern_at(item_ + 2);
  const char close = pattern_at(item_ + 3);
  if (open == '\0' || close == '\0') return fail("unbalanced pattern");
  if (at_ == text_.size() || text_[at_] != open) return Step::kBack;
  size_t depth = 1;
  for (size_t end = at_ + 1; end < text_.size(); ++end) {
    count(1);
    if (text_[end] == close) {
      if (--depth > 0) continue;
      at_ = end + 1;
      item_ += 4;
      return Step::kOn;
    }
    if (text_[end] == open) ++depth;
  }
  return Step::kBack;
}

// %f[set]: between a character that is not of the set and one that is; a zero stands on either side
// of the text.
PatternSearch::Step PatternSearch::take_frontier() {
  const size_t set = item_ + 2;
  if (pattern_at(set) != '[') return fail("missing '[' after '%f' in pattern");
  size_t set_end;
  if (const Step step = find_item_end(set, set_end); step != Step::kOn) return step;
  const char before = at_ == 0 ? '\0' : text_[at_ - 1];
  const char after = at_ == text_.size() ? '\0' : text_[at_];
  if (is_in_set(before, set, set_end) || !is_in_set(after, set, set_end)) return Step::kBack;
  item_ = set_end;
  return Step::kOn;
}

// ---- single characters ----

// Where the single character that stands at `item` ends in the pattern.
PatternSearch::Step PatternSearch::find_item_end(size_t item, size_t& end) {
  const char first = pattern_[item];
  end = item + 1;
  if (first == kEscape) {
    if (end == pattern_.size()) return fail("malformed pattern (ends with '%')");
    ++end;
  } else if (first == '[') {
    if (pattern_at(end) == '^') ++end;
    // The first of a set is one of it, even when it is a ']'.
    do {
      if (end >= pattern_.size()) return fail("malformed pattern (missing ']')");
      end += pattern_[end] == kEscape ? 2 : 1;
    } while (pattern_at(end) != ']');
    ++end;
  }
  return Step::kOn;
}

inline bool PatternSearch::matches_single(size_t at, size_t item, size_t item_end) {
  if (at >= text_.size()) return false;
  switch (pattern_[item]) {
    case '.':
      return true;
    case kEscape:
      return is_of_class(text_[at], pattern_[item + 1]);
    case '[':
      return is_in_set(text_[at], item, item_end);
    default:
      return text_[at] == pattern_[item];
  }
}

// [set] from `item` to `item_end`: characters, ranges and classes.
bool PatternSearch::is_in_set(char c, size_t item, size_t item_end) {
  count(item_end - item);
  const size_t close = item_end - 1;
  const bool is_complement = pattern_[item + 1] == '^';
  for (size_t i = item + (is_complement ? 2 : 1); i < close; ++i) {
    bool is_in;
    if (pattern_[i] == kEscape) {
      ++i;
      is_in = is_of_class(c, pattern_[i]);
    } else if (pattern_[i + 1] == '-' && i + 2 < close) {
      const auto byte = static_cast<unsigned char>(c);
      is_in = static_cast<unsigned char>(pattern_[i]) <= byte &&
              byte <= static_cast<unsigned char>(pattern_[i + 2]);
      i += 2;
    } else {
      is_in = c == pattern_[i];
    }
    if (is_in) return !is_complement;
  }
  return is_complement;
}

}  // namespace roxdb::scripting
