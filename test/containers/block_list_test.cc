#include "containers/block_list.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "base/random.h"

namespace roxdb::containers {
namespace {

// Nodes of a few elements: everything that happens at their borders happens all the time.
constexpr BlockList::NodeLimit kTiny{160, UINT16_MAX};
constexpr BlockList::NodeLimit kFewElements{8192, 3};
constexpr BlockList::NodeLimit kSingle{8192, 1};
constexpr BlockList::NodeLimit kUsual{8192, UINT16_MAX};

// A list beside a plain model, both told the same.
struct Pair {
  explicit Pair(BlockList::NodeLimit node_limit) : limit(node_limit) {}
  ~Pair() {
    memory::SlabSink sink(slabs);
    BlockList::destroy(list, sink);
    BOOST_TEST(slabs.used_bytes() == 0u);
  }
  BlockList::Supply supply() { return {slabs, limit}; }

  void push_front(const std::string& text) {
    list->push_front(supply(), packed::Encoded(text));
    model.push_front(text);
  }
  void push_back(const std::string& text) {
    list->push_back(supply(), packed::Encoded(text));
    model.push_back(text);
  }
  void insert(size_t index, bool after, const std::string& text) {
    const packed::Encoded element(text);
    const BlockList::Place place = list->at(index);
    if (after) {
      list->insert_after(supply(), place, element);
    } else {
      list->insert_before(supply(), place, element);
    }
    model.insert(model.begin() + static_cast<ptrdiff_t>(index + size_t{after}), text);
  }
  void replace(size_t index, const std::string& text) {
    list->replace(supply(), list->at(index), packed::Encoded(text));
    model[index] = text;
  }
  void remove(size_t index, size_t count) {
    list->remove(supply(), index, count);
    const auto first = model.begin() + static_cast<ptrdiff_t>(index);
    model.erase(first, first + static_cast<ptrdiff_t>(count));
  }
  void remove_equal(const std::string& text, size_t count_max, bool from_back) {
    size_t removed = 0;
    if (from_back) std::reverse(model.begin(), model.end());
    std::erase_if(model, [&](const std::string& other) {
      return other == text && removed < count_max && ++removed > 0;
    });
    if (from_back) std::reverse(model.begin(), model.end());
    BOOST_TEST(list->remove_equal(supply(), packed::Encoded(text), count_max, from_back) ==
               removed);
  }

  // Reads all of both, in both directions.
  void compare() const {
    list->check();
    BOOST_TEST_REQUIRE(list->size() == model.size());
    BlockList::Place place = list->front();
    for (const std::string& text : model) {
      BOOST_TEST_REQUIRE(bool{place});
      BOOST_TEST_REQUIRE(packed::Text(place.element()).view() == text);
      place.next();
    }
    BOOST_TEST_REQUIRE(!place);
    place = list->back();
    for (size_t i = model.size(); i-- > 0; place.previous()) {
      BOOST_TEST_REQUIRE(packed::Text(place.element()).view() == model[i]);
    }
    BOOST_TEST_REQUIRE(!place);
  }

  memory::Slabs slabs;
  BlockList::NodeLimit limit;
  BlockList* list = BlockList::create(slabs);
  std::deque<std::string> model;
};

// Few different texts, so that some are equal; now and then one larger than a tiny node.
std::string random_text(Random& random) {
  switch (random.below(8)) {
    case 0:
      return std::to_string(random.below(100));
    case 1:
      return std::string(random.below(200), 'a');
    case 2:
      return "-" + std::to_string(random.next() >> (1 + random.below(60)));
    default:
      return "element:" + std::to_string(random.below(20));
  }
}

void step(Pair& pair, Random& random, bool grows) {
  const size_t size = pair.model.size();
  const size_t kind = random.below(grows ? 10 : 16);
  if (size == 0 || kind < 3) return pair.push_front(random_text(random));
  const size_t index = random.below(size);
  if (kind < 6) return pair.push_back(random_text(random));
  if (kind < 8) return pair.insert(index, random.below(2) == 0, random_text(random));
  if (kind == 8) return pair.replace(index, random_text(random));
  if (kind == 9)
    return pair.remove_equal(random_text(random), 1 + random.below(3), random.below(2) == 0);
  if (kind < 12) {
    pair.list->pop_front(pair.slabs);
    return pair.model.pop_front();
  }
  if (kind < 14) {
    pair.list->pop_back(pair.slabs);
    return pair.model.pop_back();
  }
  pair.remove(index, random.below(1 + std::min<size_t>(size - index, grows ? 3 : 40)));
}

BlockList::NodeLimit at_depth(BlockList::NodeLimit limit, uint16_t depth) {
  limit.plain_depth = depth;
  return limit;
}

void fill(Pair& pair, size_t count) {
  for (size_t i = 0; i < count; ++i) pair.push_back("element:" + std::to_string(i));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(containers_block_list)

void edit_at_random(BlockList::NodeLimit limit, uint64_t seed) {
  BOOST_TEST_CONTEXT("nodes of " << limit.bytes << " bytes, " << limit.elements
                                 << " elements, plain to depth " << limit.plain_depth << ", seed "
                                 << seed) {
    Random random(seed);
    Pair pair(limit);
    size_t packed_nodes = 0;
    for (int round = 0; round < 40; ++round) {
      for (int i = 0; i < 40; ++i) {
        step(pair, random, round % 8 < 5);
        packed_nodes += pair.list->packed_nodes();
        const size_t plain = 2 * size_t{limit.plain_depth};
        BOOST_TEST_REQUIRE(pair.list->packed_nodes() + std::min(plain, pair.list->nodes()) <=
                           pair.list->nodes());
      }
      pair.compare();
    }
    BOOST_TEST((packed_nodes > 0) == (limit.plain_depth > 0));
  }
}

BOOST_AUTO_TEST_CASE(it_agrees_with_a_deque_under_random_edits) {
  for (const BlockList::NodeLimit limit : {kTiny, kFewElements, kSingle, kUsual}) {
    for (uint64_t seed = 1; seed <= 6; ++seed) edit_at_random(limit, seed);
  }
}

BOOST_AUTO_TEST_CASE(it_agrees_with_a_deque_when_inner_nodes_are_packed) {
  for (const BlockList::NodeLimit limit : {kTiny, kFewElements, kSingle}) {
    for (uint16_t depth = 1; depth <= 3; ++depth) {
      for (uint64_t seed = 1; seed <= 3; ++seed) edit_at_random(at_depth(limit, depth), seed);
    }
  }
}

// What was built under one limit is edited under another.
BOOST_AUTO_TEST_CASE(limits_may_change_at_any_time) {
  Random random(1);
  Pair pair(kUsual);
  for (int round = 0; round < 60; ++round) {
    const BlockList::NodeLimit limits[] = {kTiny, kFewElements, kSingle, kUsual};
    pair.limit = at_depth(limits[random.below(4)], static_cast<uint16_t>(random.below(4)));
    for (int i = 0; i < 50; ++i) step(pair, random, round % 8 < 5);
    pair.compare();
  }
}

BOOST_AUTO_TEST_CASE(every_index_is_found_from_either_end) {
  Pair pair(kTiny);
  fill(pair, 100);
  for (size_t i = 0; i < 100; ++i) {
    BOOST_TEST(packed::Text(pair.list->at(i).element()).view() == pair.model[i]);
  }
}

BOOST_AUTO_TEST_CASE(every_range_can_be_removed) {
  for (size_t begin = 0; begin <= 30; begin += 3) {
    for (size_t count = 0; begin + count <= 30; ++count) {
      Pair pair(kTiny);
      fill(pair, 30);
      pair.remove(begin, count);
      pair.compare();
    }
  }
}

BOOST_AUTO_TEST_CASE(nodes_filled_from_either_end_are_full) {
  for (const bool at_front : {false, true}) {
    Pair pair(kUsual);
    const std::string text(16, 'x');
    constexpr size_t kCount = 45'300;  // of 18 bytes: 453 in a node of 8160
    for (size_t i = 0; i < kCount; ++i) {
      if (at_front) {
        pair.push_front(text);
      } else {
        pair.push_back(text);
      }
    }
    BOOST_TEST(pair.list->nodes() == kCount / 453);
    BOOST_TEST(static_cast<double>(pair.list->block_bytes()) / kCount <= 18.2);
    pair.compare();
  }
}

// A queue whose length stays the same lives in the nodes it needs, for ever.
BOOST_AUTO_TEST_CASE(a_queue_takes_no_more_nodes_as_it_moves_on) {
  for (const size_t length : {5, 400, 2000}) {
    Pair pair(kUsual);
    fill(pair, length);
    for (size_t i = 0; i < 20'000; ++i) {
      pair.push_back("element:" + std::to_string(i));
      pair.list->pop_front(pair.slabs);
      pair.model.pop_front();
    }
    pair.compare();
    BOOST_TEST(pair.list->nodes() <= pair.list->run_bytes() / 6000 + 2);
  }
}

BOOST_AUTO_TEST_CASE(churn_in_the_middle_leaves_no_crumbs) {
  Random random(3);
  Pair pair(kUsual);
  fill(pair, 20'000);
  while (pair.model.size() > 500) pair.remove(random.below(pair.model.size()), 1);
  pair.compare();
  // Two neighbours fill at least half of one node.
  BOOST_TEST(pair.list->nodes() <= 2 * (pair.list->run_bytes() / 4000 + 1));
  BOOST_TEST(pair.list->block_bytes() <= 8 * pair.list->run_bytes());
}

BOOST_AUTO_TEST_CASE(removing_equal_elements_leaves_no_crumbs) {
  for (const bool from_back : {false, true}) {
    Pair pair(kUsual);
    for (size_t i = 0; i < 10'000; ++i) pair.push_back(i % 20 == 0 ? "rare" : "frequent");
    pair.remove_equal("frequent", SIZE_MAX, from_back);
    pair.compare();
    BOOST_TEST(pair.list->size() == 500u);
    BOOST_TEST(pair.list->block_bytes() <= 8 * pair.list->run_bytes());
  }
}

BOOST_AUTO_TEST_CASE(inserts_at_one_place_leave_nodes_half_full) {
  Pair pair(kUsual);
  fill(pair, 1000);
  for (size_t i = 0; i < 5000; ++i) pair.insert(500, i % 2 == 0, "inserted");
  pair.compare();
  BOOST_TEST(pair.list->nodes() <= pair.list->run_bytes() / 4000 + 2);
}

BOOST_AUTO_TEST_CASE(a_large_element_stands_alone_in_a_block_of_its_size) {
  Pair pair(kUsual);
  fill(pair, 10);
  pair.insert(5, false, std::string(100'000, 'x'));
  pair.compare();
  BOOST_TEST(pair.list->nodes() == 3u);
  pair.replace(5, "small");
  pair.replace(2, std::string(100'000, 'y'));
  pair.replace(2, std::string(50'000, 'z'));
  pair.compare();
}

BOOST_AUTO_TEST_CASE(a_clone_has_the_same_elements_and_little_waste) {
  Random random(9);
  Pair pair(kUsual);
  fill(pair, 3000);
  for (int i = 0; i < 300; ++i) step(pair, random, false);
  BlockList* const clone = pair.list->clone(pair.slabs);
  clone->check();
  BOOST_TEST(clone->size() == pair.model.size());
  BOOST_TEST(clone->block_bytes() <= pair.list->block_bytes());
  BlockList::Place place = clone->front();
  for (const std::string& text : pair.model) {
    BOOST_TEST_REQUIRE(packed::Text(place.element()).view() == text);
    place.next();
  }
  memory::SlabSink sink(pair.slabs);
  BlockList::destroy(clone, sink);
}

BOOST_AUTO_TEST_CASE(a_run_is_appended_element_by_element) {
  Pair source(kUsual);
  fill(source, 50);
  std::string run;
  for (const std::string& text : source.model) {
    const packed::Encoded element(text);
    run.resize(run.size() + list_run::room_of(element));
    list_run::write(element, run.data() + run.size() - list_run::room_of(element));
  }
  Pair pair(kTiny);
  pair.push_back("first");
  pair.list->append_run(pair.supply(), run);
  pair.model.insert(pair.model.end(), source.model.begin(), source.model.end());
  pair.compare();
}

// ---- packed nodes ----

BOOST_AUTO_TEST_CASE(all_nodes_beyond_the_depth_are_packed_from_whichever_end_they_came) {
  for (const uint16_t depth : {uint16_t{0}, uint16_t{1}, uint16_t{2}, uint16_t{5}}) {
    for (const bool at_front : {false, true}) {
      Pair pair(at_depth(kTiny, depth));
      for (size_t i = 0; i < 1000; ++i) {
        const std::string text = "element:" + std::to_string(i);
        at_front ? pair.push_front(text) : pair.push_back(text);
      }
      const size_t nodes = pair.list->nodes();
      BOOST_TEST(pair.list->packed_nodes() == (depth == 0 ? 0 : nodes - 2 * depth));
      pair.compare();
    }
  }
}

BOOST_AUTO_TEST_CASE(packed_nodes_take_less_memory) {
  size_t bytes[2];
  for (const uint16_t depth : {uint16_t{0}, uint16_t{1}}) {
    const size_t used = memory::used_bytes();
    Pair pair(at_depth(kUsual, depth));
    fill(pair, 20'000);
    bytes[depth] = pair.list->block_bytes();
    BOOST_TEST(memory::used_bytes() - used == bytes[depth]);
  }
  BOOST_TEST(bytes[1] * 2 < bytes[0]);
}

BOOST_AUTO_TEST_CASE(what_does_not_get_smaller_stays_plain) {
  Random random(4);
  Pair pair(at_depth(kUsual, 1));
  for (int i = 0; i < 500; ++i) {
    std::string text(100, ' ');
    for (char& c : text) c = static_cast<char>(random.next());
    pair.push_back(text);
  }
  BOOST_TEST(pair.list->nodes() > 5u);
  BOOST_TEST(pair.list->packed_nodes() == 0u);
  // Once its content has changed, a node is tried again.
  for (size_t i = 200; i < 300; ++i) pair.replace(i, std::string(100, 'x'));
  BOOST_TEST(pair.list->packed_nodes() > 0u);
  pair.compare();
}

BOOST_AUTO_TEST_CASE(reading_leaves_every_node_as_it_was) {
  Pair pair(at_depth(kTiny, 1));
  fill(pair, 300);
  const size_t packed_nodes = pair.list->packed_nodes();
  const size_t bytes = pair.list->block_bytes();
  const size_t used = memory::used_bytes();
  pair.compare();
  for (size_t i = 0; i < 300; ++i) {
    BOOST_TEST(packed::Text(pair.list->at(i).element()).view() == pair.model[i]);
  }
  BOOST_TEST(pair.list->remove_equal(pair.supply(), packed::Encoded("no such"), 1, false) == 0u);
  BOOST_TEST(pair.list->packed_nodes() == packed_nodes);
  BOOST_TEST(pair.list->block_bytes() == bytes);
  BOOST_TEST(memory::used_bytes() == used);
}

BOOST_AUTO_TEST_CASE(two_places_in_packed_nodes_do_not_disturb_each_other) {
  Pair pair(at_depth(kTiny, 1));
  fill(pair, 300);
  BlockList::Place one = pair.list->at(100);
  BlockList::Place other = pair.list->at(200);
  for (size_t i = 0; i < 90; ++i, one.next(), other.previous()) {
    BOOST_TEST(packed::Text(one.element()).view() == pair.model[100 + i]);
    BOOST_TEST(packed::Text(other.element()).view() == pair.model[200 - i]);
  }
}

BOOST_AUTO_TEST_CASE(an_edit_leaves_inner_nodes_packed) {
  Pair pair(at_depth({1024, UINT16_MAX}, 2));
  fill(pair, 3000);
  const auto plain_nodes = [&] { return pair.list->nodes() - pair.list->packed_nodes(); };
  for (size_t i = 0; i < 2000; i += 17) {
    pair.replace(i, "another " + std::to_string(i));
    BOOST_TEST(plain_nodes() == 4u);
    pair.insert(i, i % 2 == 0, "inserted");
    BOOST_TEST(plain_nodes() == 4u);
    pair.remove(i + 1, 1 + i % 5);
    BOOST_TEST(plain_nodes() == 4u);
  }
  for (const bool from_back : {false, true}) {
    pair.remove_equal("inserted", 50, from_back);
    BOOST_TEST(plain_nodes() == 4u);
    pair.compare();
  }
  pair.remove(700, 500);
  BOOST_TEST(plain_nodes() == 4u);
  pair.compare();
}

BOOST_AUTO_TEST_CASE(pops_find_plain_nodes_at_both_ends_and_leave_all_plain_at_last) {
  for (const bool at_front : {false, true}) {
    Pair pair(at_depth(kTiny, 2));
    fill(pair, 300);
    while (!pair.model.empty()) {
      if (at_front) {
        pair.list->pop_front(pair.slabs);
        pair.model.pop_front();
      } else {
        pair.list->pop_back(pair.slabs);
        pair.model.pop_back();
      }
      const size_t nodes = pair.list->nodes();
      BOOST_TEST_REQUIRE(pair.list->packed_nodes() == (nodes <= 4 ? 0 : nodes - 4));
      pair.list->check();
    }
  }
}

// What was packed is unpacked where it is reached into; what was plain is packed as it is passed.
BOOST_AUTO_TEST_CASE(a_new_depth_makes_its_way_with_the_edits) {
  Pair pair(kTiny);
  fill(pair, 300);
  BOOST_TEST(pair.list->packed_nodes() == 0u);
  pair.limit.plain_depth = 1;
  pair.replace(150, "different");
  BOOST_TEST(pair.list->packed_nodes() > 0u);
  pair.remove_equal("nothing", 1, true);
  fill(pair, 100);
  const size_t packed_nodes = pair.list->packed_nodes();
  BOOST_TEST(packed_nodes > 10u);
  pair.limit.plain_depth = 0;
  pair.replace(pair.model.size() - 50, "different");
  BOOST_TEST(pair.list->packed_nodes() < packed_nodes);
  pair.compare();
}

BOOST_AUTO_TEST_CASE(a_clone_of_packed_nodes_is_packed) {
  Pair pair(at_depth(kUsual, 1));
  fill(pair, 3000);
  BlockList* const clone = pair.list->clone(pair.slabs);
  clone->check();
  BOOST_TEST(clone->packed_nodes() == pair.list->packed_nodes());
  BOOST_TEST(clone->packed_nodes() > 0u);
  BOOST_TEST(clone->block_bytes() <= pair.list->block_bytes());
  memory::SlabSink sink(pair.slabs);
  BlockList::destroy(std::exchange(pair.list, clone), sink);
  pair.remove(100, 2000);
  pair.compare();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::containers
