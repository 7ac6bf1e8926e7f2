// drawing.h: LOLWUT's picture.
#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"

namespace roxdb::commands {

// The life of an elementary cellular automaton, one generation a line, from one random row on. The
// rule is one of those that neither die nor freeze. The size is clamped to 8..200 by 1..100.
// Source: S. Wolfram, "Statistical mechanics of cellular automata", 1983.
std::string draw_automaton(Random& random, int64_t columns, int64_t rows);

}  // namespace roxdb::commands
