// inline_split.h: a line typed by a person -> words. Inline requests are read so, and the lines of
// configuration files, which quote alike.
//
//   a "b c" 'd\'s'    words a, b c and d's. Inside "...": \n \r \t \b \a, \xHH, and a backslash
//                     before anything else stands for that. Inside '...': \' only.
//   a"b c"            one word, ab c; behind a closing quote must stand a blank or the end
#pragma once

#include <string_view>

#include "resp/args.h"

namespace roxdb::resp {

// Appends the words of `line`, which holds no line end, to `args`: views into `line`, or into args'
// own memory where a word has quotes. False, and args as it was, when quotes are unbalanced.
// Cost O(length); at most one allocation besides those of `args`, of the line's size.
bool split_inline(std::string_view line, ArgVector& args);

}  // namespace roxdb::resp
