#include "commands/server/drawing.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace roxdb::commands {

std::string draw_automaton(Random& random, int64_t columns, int64_t rows) {
  static constexpr unsigned kRules[] = {18, 22, 30, 45, 54, 60, 73, 90, 105, 106, 110, 126, 150};
  const unsigned rule = kRules[random.below(std::size(kRules))];
  const auto width = static_cast<size_t>(std::clamp<int64_t>(columns, 8, 200));
  const auto height = static_cast<size_t>(std::clamp<int64_t>(rows, 1, 100));

  std::vector<unsigned> row(width);
  for (unsigned& cell : row) cell = random.below(4) == 0 ? 1 : 0;
  std::string text;
  for (size_t line = 0; line < height; ++line) {
    for (const unsigned cell : row) text += cell != 0 ? "\u2588" : " ";
    text += '\n';
    std::vector<unsigned> next(width);
    for (size_t i = 0; i < width; ++i) {
      const unsigned left = row[(i + width - 1) % width];
      const unsigned right = row[(i + 1) % width];
      next[i] = rule >> (left << 2 | row[i] << 1 | right) & 1;
    }
    row = std::move(next);
  }
  return text;
}

}  // namespace roxdb::commands
