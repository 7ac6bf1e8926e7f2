#include "containers/id_index.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <memory>

#include "base/random.h"

namespace roxdb::containers {
namespace {

// An index beside a plain map, both told the same.
struct Pair {
  ~Pair() {
    memory::SlabSink sink(slabs);
    index.release(sink);
    BOOST_TEST(slabs.used_bytes() == 0u);  // no node is lost
  }

  void insert(const Id& id) {
    auto [place, added] = model.try_emplace(id);
    if (!added) return;
    place->second = std::make_unique<IdItem>(IdItem{id});
    index.insert(slabs, place->second.get());
  }
  void erase(const Id& id) {
    const auto found = model.find(id);
    IdItem* erased = index.erase(slabs, id);
    BOOST_REQUIRE(erased == (found == model.end() ? nullptr : found->second.get()));
    if (found != model.end()) model.erase(found);
  }
  void compare_near(const Id& id) {
    const auto after = model.lower_bound(id);
    const IdIndex::Place place = index.at_or_after(id);
    BOOST_REQUIRE(static_cast<bool>(place) == (after != model.end()));
    if (place) BOOST_REQUIRE(place.item() == after->second.get());
    auto before = model.upper_bound(id);
    const IdIndex::Place back = index.at_or_before(id);
    BOOST_REQUIRE(static_cast<bool>(back) == (before != model.begin()));
    if (back) BOOST_REQUIRE(back.item() == (--before)->second.get());
    const auto found = model.find(id);
    BOOST_REQUIRE(index.find(id) == (found == model.end() ? nullptr : found->second.get()));
  }
  void compare_all() {
    index.check();
    BOOST_REQUIRE(index.size() == model.size());
    IdIndex::Place place = index.first();
    for (const auto& [id, item] : model) {
      BOOST_REQUIRE(place);
      BOOST_REQUIRE(place.item() == item.get());
      place.next();
    }
    BOOST_REQUIRE(!place);
    place = index.last();
    for (auto at = model.rbegin(); at != model.rend(); ++at) {
      BOOST_REQUIRE(place.item() == at->second.get());
      place.previous();
    }
    BOOST_REQUIRE(!place);
    BOOST_REQUIRE(index.node_bytes() == slabs.used_bytes());
  }

  memory::Slabs slabs;
  IdIndex index;
  std::map<Id, std::unique_ptr<IdItem>> model;
};

}  // namespace
}  // namespace roxdb::containers

using namespace roxdb;
using namespace roxdb::containers;

BOOST_AUTO_TEST_SUITE(containers_id_index)

// Phases that mostly insert and mostly erase, over a range of IDs that is now dense, now sparse.
BOOST_AUTO_TEST_CASE(any_sequence_of_changes_gives_what_a_map_gives) {
  for (const uint64_t seed : {1u, 2u, 3u, 4u}) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed);
      Pair pair;
      const uint64_t range = seed % 2 == 0 ? 3'000 : 200'000;
      for (int step = 0; step < 60'000; ++step) {
        const bool growing = step / 10'000 % 2 == 0;
        const Id id{random.below(range) / 16, random.below(16)};
        if (random.below(100) < (growing ? 80u : 15u)) {
          pair.insert(id);
        } else {
          pair.erase(id);
        }
        pair.compare_near({random.below(range) / 16, random.below(16)});
        if (step % 2'003 == 0) pair.compare_all();
      }
      pair.compare_all();
      while (!pair.model.empty()) pair.erase(pair.model.begin()->first);
      pair.compare_all();
    }
  }
}

BOOST_AUTO_TEST_CASE(what_comes_in_order_and_goes_in_order_keeps_full_leaves) {
  Pair pair;
  constexpr uint64_t kItems = 100'000;
  for (uint64_t i = 0; i < kItems; ++i) pair.insert({i, 0});
  pair.compare_all();
  BOOST_TEST(pair.index.node_bytes() < kItems * 10);
  // A queue: as many come as go.
  for (uint64_t i = kItems; i < 3 * kItems; ++i) {
    pair.insert({i, 0});
    pair.erase({i - kItems, 0});
  }
  pair.compare_all();
  BOOST_TEST(pair.index.node_bytes() < kItems * 10);
  while (!pair.model.empty()) pair.erase(pair.model.rbegin()->first);
  pair.compare_all();
}

BOOST_AUTO_TEST_CASE(random_removal_leaves_no_sparse_tree_behind) {
  Random random(9);
  Pair pair;
  for (uint64_t i = 0; i < 50'000; ++i) pair.insert({i, i % 3});
  for (uint64_t i = 0; i < 50'000; ++i) {
    if (random.below(50) != 0) pair.erase({i, i % 3});
  }
  pair.compare_all();
  BOOST_TEST(pair.index.node_bytes() < pair.index.size() * 40);
}

BOOST_AUTO_TEST_CASE(an_index_of_one_item_is_small) {
  Pair pair;
  pair.insert({1, 1});
  BOOST_TEST(pair.index.node_bytes() == 56u);
  BOOST_TEST(pair.index.nodes() == 1u);
  pair.erase({1, 1});
  BOOST_TEST(pair.index.nodes() == 0u);
}

BOOST_AUTO_TEST_CASE(the_ends_of_the_range_of_ids_are_ids_like_others) {
  Pair pair;
  for (const Id& id : {kIdMax, kIdMin, Id{UINT64_MAX, 0}, Id{0, UINT64_MAX}}) pair.insert(id);
  for (const Id& id : {kIdMin, kIdMax, Id{0, 1}, Id{1, 0}, Id{UINT64_MAX, 1}})
    pair.compare_near(id);
  pair.compare_all();
}

BOOST_AUTO_TEST_CASE(an_item_that_moved_takes_its_place_again) {
  Pair pair;
  for (uint64_t i = 0; i < 100; ++i) pair.insert({i, 0});
  for (uint64_t i = 0; i < 100; i += 7) {
    auto moved = std::make_unique<IdItem>(IdItem{{i, 0}});
    IdIndex::replace(pair.index.at_or_after({i, 0}), moved.get());
    pair.model[{i, 0}] = std::move(moved);
  }
  pair.compare_all();
}

BOOST_AUTO_TEST_SUITE_END()
