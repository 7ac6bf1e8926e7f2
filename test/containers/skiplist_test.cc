#include "containers/skiplist.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "base/random.h"

namespace roxdb::containers {
namespace {

using Model = std::set<std::pair<double, std::string>>;

// A skiplist beside an ordered set, both told the same.
template <class Shape>
struct Pair {
  ~Pair() {
    list.clear([this](void* node, size_t size) { slabs.give(node, size); });
    for (const auto& [member, item] : items) slabs.give(item, item->size());
    BOOST_TEST(slabs.used_bytes() == 0u);
  }

  void insert(double score, const std::string& member) {
    if (items.contains(member)) return;
    ScoredItem* item = ScoredItem::create(slabs, score, member);
    list.insert(slabs, item);
    items[member] = item;
    model.emplace(score, member);
  }
  void erase(const std::string& member) {
    const auto place = items.find(member);
    if (place == items.end()) return;
    list.erase(slabs, place->second);
    forget(place->second);
  }
  void rescore(const std::string& member, double score) {
    const auto place = items.find(member);
    if (place == items.end()) return;
    model.erase({place->second->score(), member});
    list.rescore(slabs, place->second, score);
    BOOST_TEST_REQUIRE(place->second->score() == score);
    model.emplace(score, member);
  }
  void erase_range(size_t first, size_t last) {
    auto expected = std::next(model.begin(), static_cast<ptrdiff_t>(first));
    list.erase_range(slabs, first, last, [&](ScoredItem* item) {
      BOOST_TEST_REQUIRE((expected++)->second == item->member());
      forget(item);
    });
  }
  void forget(ScoredItem* item) {
    const std::string member(item->member());
    model.erase({item->score(), member});
    items.erase(member);
    slabs.give(item, item->size());
  }

  void check() {
    list.check();
    BOOST_TEST_REQUIRE(list.size() == model.size());
  }
  // Every way to look at it shows the same members in the same order.
  void check_all() {
    check();
    size_t rank = 0;
    auto cursor = list.at(0);
    for (const auto& [score, member] : model) {
      BOOST_TEST_REQUIRE(cursor.valid());
      BOOST_TEST_REQUIRE(cursor.item()->member() == member);
      BOOST_TEST_REQUIRE(cursor.score() == score);
      BOOST_TEST_REQUIRE(list.rank(cursor.item()) == rank);
      BOOST_TEST_REQUIRE(list.at(rank).item() == cursor.item());
      cursor.next();
      ++rank;
    }
    BOOST_TEST_REQUIRE(!cursor.valid());
    BOOST_TEST_REQUIRE(!list.at(rank).valid());
    if (model.empty()) return;
    cursor = list.at(rank - 1);
    for (auto place = model.rbegin(); place != model.rend(); ++place) {
      BOOST_TEST_REQUIRE(cursor.item()->member() == place->second);
      cursor.previous();
    }
    BOOST_TEST_REQUIRE(!cursor.valid());
  }
  void check_bounds(double score) {
    const auto before = std::count_if(model.begin(), model.end(),
                                      [&](const auto& slot) { return slot.first < score; });
    const auto up_to = std::count_if(model.begin(), model.end(),
                                     [&](const auto& slot) { return slot.first <= score; });
    BOOST_TEST_REQUIRE(list.rank_of_score(score, false) == static_cast<size_t>(before));
    BOOST_TEST_REQUIRE(list.rank_of_score(score, true) == static_cast<size_t>(up_to));
  }

  memory::Slabs slabs;
  BasicSkiplist<Shape> list;
  std::map<std::string, ScoredItem*> items;
  Model model;
};

std::string member_name(uint64_t id) { return std::string(id % 7, 'm') + std::to_string(id); }

// Few different scores make many equal ones, whose members decide.
template <class Shape>
void agree_with_the_model(size_t operations, uint64_t ids, uint64_t scores, size_t check_every) {
  constexpr uint64_t kSeed = 21;
  BOOST_TEST_MESSAGE("ids " << ids << ", scores " << scores << ", seed " << kSeed);
  Pair<Shape> pair;
  Random random(kSeed);
  const auto score = [&] { return static_cast<double>(random.below(scores)) / 4 - 10; };
  for (size_t done = 0; done < operations; ++done) {
    const std::string member = member_name(random.below(ids));
    const bool growing = done / (ids * 3) % 2 == 0;
    const uint64_t choice = random.below(100);
    if (choice < 1) {
      const size_t first = random.below(pair.model.size() + 1);
      const size_t count = random.below(growing ? 4 : pair.model.size() / 4 + 1);
      pair.erase_range(first, std::min(first + count, pair.model.size()));
    } else if (choice < 20) {
      pair.rescore(member, score());
    } else if (choice < 22) {
      pair.check_bounds(score());
    } else if (choice < (growing ? 85u : 40u)) {
      pair.insert(score(), member);
    } else {
      pair.erase(member);
    }
    if (done % check_every == 0) pair.check_all();
  }
  pair.check_all();
  while (!pair.model.empty()) pair.erase(std::string(pair.model.begin()->second));
  pair.check();
  BOOST_TEST(pair.list.bytes() == 0u);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(containers_skiplist)

BOOST_AUTO_TEST_CASE(an_empty_list_owns_nothing_and_answers_everything) {
  Pair<WideNodes> pair;
  pair.check_all();
  pair.check_bounds(0);
  BOOST_TEST(pair.list.rank_of_member("", true) == 0u);
  pair.erase_range(0, 0);
  BOOST_TEST(pair.list.bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(random_operations_agree_with_an_ordered_set) {
  agree_with_the_model<WideNodes>(60'000, 3'000, 1'000, 6'000);
  agree_with_the_model<WideNodes>(60'000, 3'000, 1, 6'000);
  agree_with_the_model<WideNodes>(20'000, 150, 100, 200);
}

// Nodes of up to seven slots: every few operations split or merge, five levels deep.
BOOST_AUTO_TEST_CASE(random_operations_on_narrow_nodes_agree_with_an_ordered_set) {
  agree_with_the_model<NarrowNodes>(60'000, 2'000, 1'000, 1'000);
  agree_with_the_model<NarrowNodes>(60'000, 2'000, 5, 1'000);
  agree_with_the_model<NarrowNodes>(20'000, 30, 20, 20);
}

BOOST_AUTO_TEST_CASE(members_of_any_bytes_and_size_are_ordered_as_unsigned_bytes) {
  Pair<NarrowNodes> pair;
  for (const size_t size : {0, 1, 254, 255, 256, 5'000}) {
    pair.insert(1, std::string(size, '\xff'));
    pair.insert(1, std::string(size, '\0'));
    pair.insert(1, std::string(size, 'a'));
  }
  pair.check_all();
}

BOOST_AUTO_TEST_CASE(a_range_of_members_is_a_range_of_ranks) {
  Pair<NarrowNodes> pair;
  for (int i = 100; i < 200; ++i) pair.insert(0, std::to_string(i));
  for (const auto& [wanted, before, up_to] :
       std::vector<std::tuple<std::string, size_t, size_t>>{{"", 0, 0},
                                                            {"1", 0, 0},
                                                            {"100", 0, 1},
                                                            {"1005", 1, 1},
                                                            {"150", 50, 51},
                                                            {"2", 100, 100}}) {
    BOOST_TEST_CONTEXT(wanted) {
      BOOST_TEST(pair.list.rank_of_member(wanted, false) == before);
      BOOST_TEST(pair.list.rank_of_member(wanted, true) == up_to);
    }
  }
}

BOOST_AUTO_TEST_CASE(infinities_are_scores_and_zeros_of_both_signs_are_equal) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Pair<NarrowNodes> pair;
  pair.insert(kInfinity, "high");
  pair.insert(-kInfinity, "low");
  pair.insert(0.0, "b");
  pair.insert(-0.0, "a");
  pair.insert(-0.0, "c");
  pair.check_all();
  pair.check_bounds(kInfinity);
  pair.check_bounds(-kInfinity);
  pair.check_bounds(-0.0);
  BOOST_TEST(pair.list.rank(pair.items["a"]) == 1u);
  BOOST_TEST(pair.list.rank(pair.items["b"]) == 2u);
  BOOST_TEST(pair.list.rank(pair.items["c"]) == 3u);
  BOOST_TEST(std::signbit(pair.list.at(3).score()));
}

// Both ends take a load in order without half empty nodes: 17 bytes for each slot of 16, and some
// for the levels above.
BOOST_AUTO_TEST_CASE(a_load_in_order_leaves_full_nodes) {
  constexpr int kCount = 20'000;
  for (const int direction : {1, -1}) {
    Pair<WideNodes> pair;
    for (int i = 0; i < kCount; ++i) pair.insert(direction * i, std::to_string(i));
    pair.check_all();
    BOOST_TEST(pair.list.bytes() < kCount * 17u);
  }
}

BOOST_AUTO_TEST_CASE(a_load_in_any_order_costs_less_than_twenty_bytes_a_member) {
  constexpr int kCount = 50'000;
  Pair<WideNodes> pair;
  Random random(3);
  for (int i = 0; i < kCount; ++i) {
    pair.insert(static_cast<double>(random.below(1'000'000)), std::to_string(i));
  }
  pair.check();
  BOOST_TEST(pair.list.bytes() < kCount * 20u);
  // What erasures at random leave behind is not much worse.
  for (int i = 0; i < kCount; ++i) {
    if (random.below(4) != 0) pair.erase(std::to_string(i));
  }
  pair.check();
  BOOST_TEST(pair.list.bytes() < pair.model.size() * 24u);
}

BOOST_AUTO_TEST_CASE(a_small_list_has_a_small_node) {
  Pair<WideNodes> pair;
  pair.insert(1, "a");
  BOOST_TEST(pair.list.bytes() == 120u);
}

BOOST_AUTO_TEST_CASE(a_range_goes_as_a_whole_wherever_it_lies) {
  for (const auto& [first, last] : std::vector<std::pair<size_t, size_t>>{
           {0, 1'000}, {0, 999}, {1, 1'000}, {1, 999}, {500, 501}, {300, 700}, {0, 63}}) {
    BOOST_TEST_CONTEXT(first << " to " << last) {
      Pair<NarrowNodes> pair;
      for (int i = 0; i < 1'000; ++i) pair.insert(i, std::to_string(i));
      pair.erase_range(first, last);
      pair.check_all();
      BOOST_TEST(pair.list.size() == 1'000 - (last - first));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::containers
