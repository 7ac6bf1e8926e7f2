// pattern.h: the patterns of Lua 5.1 (reference manual, 5.4.1), matched without recursion and under
// somebody's eye.
//
//   a . %a [set] [^set]    a single character: itself, any, of a class, of a set
//   x* x+ x? x-            so many of it: as many as fit, and fewer when what follows asks for it;
//                          with - as few as fit, and more
//   (p) ()                 a capture: what p matches, or a position
//   %1 %bxy %f[set]        what a capture matched, once more; balanced x and y; a border of a set
//   $ at the end           the end of the text
//
// A pattern is read as far as the search comes: an error behind an item that never matches is none.
// It ends at its first zero byte.
//
// Where an item could have matched otherwise, a choice is noted on a list, and a search that fails
// goes back to the last of them. What the text says decides how often that happens: `.-.-.-.-b`
// takes the fourth power of its length. So steps are counted, and whoever runs the search hears of
// them in time to end it.
//
// Cost: as many steps as characters compared, sets read and ways back taken; each of them some ns.
// Bounds: kChoicesMax choices are open at once, hence as many repeated items and captures.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace roxdb::scripting {

class PatternSearch {
 public:
  static constexpr size_t kCapturesMax = 32;
  static constexpr size_t kChoicesMax = 10'000;
  static constexpr size_t kStepsPerReport = 10'000;

  struct Capture {
    // Sizes that are none: of a position, and of a capture whose end has not come.
    static constexpr size_t kPosition = SIZE_MAX;
    static constexpr size_t kOpen = SIZE_MAX - 1;

    size_t begin;
    size_t size;
  };

  //   text, pattern   views that outlive the search
  //   is_anchored     matches only where a search begins: a '^' that the caller has taken away
  //   on_steps        is told how many steps were taken since it was told last, after some
  //                   kStepsPerReport (what one item repeats is counted as a whole) and when a
  //                   search ends; may end it by an exception
  PatternSearch(std::string_view text, std::string_view pattern, bool is_anchored,
                std::function<void(size_t steps)> on_steps);

  // Looks for the first match that begins at `from` or behind it. The errors are Lua's.
  // REQUIRES: from <= size of the text.
  Result<bool> find(size_t from);

  bool is_anchored() const { return is_anchored_; }
  // What was found; valid after a find() that was true.
  size_t begin() const { return begin_; }
  size_t end() const { return at_; }
  size_t capture_count() const { return capture_count_; }
  const Capture& capture(size_t index) const { return captures_[index]; }

 private:
  // What an item says to the search: go on with the next, back to a choice, it is all matched, or
  // error_ tells what is wrong with the pattern.
  enum class Step : uint8_t { kOn, kBack, kDone, kBroken };

  struct Choice {
    enum class Kind : uint8_t {
      kFewer,   // of `count` characters from `at`, which all match
      kMore,    // the character at `at` may match, too
      kOpened,  // the last capture was opened
      kClosed,  // capture `at` was closed
    };
    Kind kind;
    size_t item = 0;  // where the item stands in the pattern, and where its single character ends
    size_t item_end = 0;
    size_t at = 0;
    size_t count = 0;
  };

  bool match_from(size_t begin);
  Step take_item();
  Step take_single();
  Step take_greedy(size_t item_end, size_t least, size_t most);
  Step take_lazy(size_t item_end);
  Step open_capture();
  Step close_capture();
  Step take_capture_again(char digit);
  Step take_balanced();
  Step take_frontier();
  bool go_back();

  Step note(const Choice& choice);
  Step fail(std::string_view text);
  Step find_item_end(size_t item, size_t& end);
  bool matches_single(size_t at, size_t item, size_t item_end);
  bool is_in_set(char c, size_t item, size_t item_end);
  char pattern_at(size_t index) const { return index < pattern_.size() ? pattern_[index] : '\0'; }

  void count(size_t steps) {
    steps_ += steps;
    if (steps_ >= kStepsPerReport) report();
  }
  void report();

  const std::string_view text_;
  const std::string_view pattern_;
  const bool is_anchored_;
  const std::function<void(size_t)> on_steps_;
  size_t steps_ = 0;  // not reported yet
  size_t begin_ = 0;
  size_t at_ = 0;    // in the text
  size_t item_ = 0;  // in the pattern
  std::vector<Choice> choices_;
  size_t capture_count_ = 0;
  std::array<Capture, kCapturesMax> captures_;
  std::string_view error_;
};

}  // namespace roxdb::scripting
