#include "commands/string/lcs.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/memory.h"
#include "base/random.h"

namespace {

using roxdb::kLcsProductMax;
using roxdb::Random;
using roxdb::commands::CommonRun;
using roxdb::commands::lcs_runs;
using roxdb::commands::lcs_size;

// The textbook: a matrix of numbers, and Redis's way back through it.
std::vector<CommonRun> textbook_runs(const std::string& a, const std::string& b) {
  std::vector<std::vector<int>> length(a.size() + 1, std::vector<int>(b.size() + 1));
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      length[i][j] = a[i - 1] == b[j - 1] ? length[i - 1][j - 1] + 1
                                          : std::max(length[i - 1][j], length[i][j - 1]);
    }
  }
  std::vector<CommonRun> runs;
  bool in_run = false;
  for (size_t i = a.size(), j = b.size(); i > 0 && j > 0;) {
    if (a[i - 1] == b[j - 1]) {
      --i;
      --j;
      if (in_run) {
        runs.back() = {i, j, runs.back().size + 1};
      } else {
        runs.push_back({i, j, 1});
      }
      in_run = true;
    } else {
      in_run = false;
      if (length[i - 1][j] > length[i][j - 1]) {
        --i;
      } else {
        --j;
      }
    }
  }
  return runs;
}

bool same(const CommonRun& x, const CommonRun& y) {
  return x.a_begin == y.a_begin && x.b_begin == y.b_begin && x.size == y.size;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(commands_string_lcs)

// Few letters make many ties; sizes around a word's 64 bits, either string being the longer one.
BOOST_AUTO_TEST_CASE(the_runs_are_those_of_the_textbook_for_random_strings) {
  for (uint64_t seed = 1; seed <= 600; ++seed) {
    Random random(seed);
    const auto random_text = [&](size_t letters) {
      const size_t sizes[] = {0, 1, 10, 63, 64, 65, 128, 200};
      std::string text(random.below(2) == 0 ? sizes[random.below(8)] : random.below(200), ' ');
      for (char& c : text) c = static_cast<char>('a' + random.below(letters));
      return text;
    };
    const size_t letters = 1 + random.below(6);
    const std::string a = random_text(letters);
    const std::string b = random_text(letters + random.below(2));
    BOOST_TEST_CONTEXT("seed " << seed << ": " << a << " / " << b) {
      const auto runs = lcs_runs(a, b);
      BOOST_TEST_REQUIRE(runs.ok());
      const std::vector<CommonRun> expected = textbook_runs(a, b);
      BOOST_TEST(std::equal(runs->begin(), runs->end(), expected.begin(), expected.end(), same));
      size_t total = 0;
      for (const CommonRun& run : expected) total += run.size;
      const auto size = lcs_size(a, b);
      BOOST_TEST_REQUIRE(size.ok());
      BOOST_TEST(*size == total);
    }
  }
}

BOOST_AUTO_TEST_CASE(all_byte_values_count_and_the_memory_comes_back) {
  const size_t used = roxdb::memory::used_bytes();
  std::string bytes(1024, ' ');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i);
  {
    const auto runs = lcs_runs(bytes, bytes);
    BOOST_TEST_REQUIRE(runs.ok());
    BOOST_TEST(runs->size() == 1u);
    BOOST_TEST((*runs)[0].size == bytes.size());
  }
  BOOST_TEST(roxdb::memory::used_bytes() == used);
}

BOOST_AUTO_TEST_CASE(more_work_than_the_bound_is_refused) {
  const std::string longer(kLcsProductMax / 1000, 'a');
  const std::string shorter(1001, 'b');
  BOOST_TEST(!lcs_size(longer, shorter).ok());
  BOOST_TEST(!lcs_runs(shorter, longer).ok());
  const auto widest = lcs_size(longer, shorter.substr(1));
  BOOST_TEST_REQUIRE(widest.ok());
  BOOST_TEST(*widest == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
