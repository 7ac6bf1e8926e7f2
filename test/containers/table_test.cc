#include "containers/table.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <deque>
#include <memory>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "base/random.h"

namespace roxdb::containers {
namespace {

struct TestItem {
  uint64_t id;
  uint64_t hash;
  uint64_t mark = kNoMark;

  std::string_view key() const { return {reinterpret_cast<const char*>(&id), sizeof id}; }
};

// Segments of `Lines` lines at most: few lines split early and make deep trees of few items.
template <uint32_t Lines>
struct TestOwner {
  using Item = TestItem;
  static constexpr uint32_t kLinesMax = Lines;
  uint64_t hash(const Item& item) const { return item.hash; }
  bool equals(const Item& item, std::string_view key) const { return item.key() == key; }
  uint64_t mark(const Item& item) const { return item.mark; }
};
template <uint32_t Lines>
using TestTable = Table<TestOwner<Lines>>;

using Hash = uint64_t (*)(uint64_t id);
uint64_t good_hash(uint64_t id) { return Random(id).next(); }
uint64_t constant_hash(uint64_t) { return 0x0123'4567'89ab'cdef; }
uint64_t constant_zero_hash(uint64_t) { return 0; }
uint64_t constant_ones_hash(uint64_t) { return ~uint64_t{0}; }
uint64_t constant_top_20_hash(uint64_t id) { return good_hash(id) >> 20 | uint64_t{0xabcde} << 44; }
uint64_t constant_top_40_hash(uint64_t id) { return good_hash(id) >> 40 | uint64_t{0xabcde} << 44; }
uint64_t constant_low_16_hash(uint64_t id) { return good_hash(id) << 16 | 0x8001; }
uint64_t one_of_four_hash(uint64_t id) { return good_hash(id % 4); }

// A table beside a plain map, both told the same.
template <uint32_t Lines>
struct Pair {
  explicit Pair(Hash function) : hash(function) {}

  bool insert(uint64_t id, uint64_t mark = kNoMark) {
    auto [place, added] = model.try_emplace(id);
    if (!added) return false;
    place->second = std::make_unique<TestItem>(TestItem{id, hash(id), mark});
    TestItem* item = place->second.get();
    const Cell* cell = table.insert(item->hash, item);
    BOOST_TEST_REQUIRE(table.item(cell) == item);
    return true;
  }
  bool erase(uint64_t id) {
    const auto place = model.find(id);
    if (place == model.end()) return false;
    TestItem* item = place->second.get();
    Cell* cell = table.find(item->hash, item->key());
    BOOST_TEST_REQUIRE(cell != nullptr);
    BOOST_TEST_REQUIRE(table.erase(item->hash, cell) == item);
    model.erase(place);
    return true;
  }
  void look_up(uint64_t id) {
    const TestItem wanted{id, hash(id)};
    const auto place = model.find(id);
    table.prefetch(wanted.hash);
    // Twice, for a single lookup is not run ahead.
    containers::Lookahead ahead;
    ahead.add(table, wanted.hash);
    ahead.add(table, wanted.hash);
    ahead.run();
    Cell* cell = table.find(wanted.hash, wanted.key());
    BOOST_TEST_REQUIRE((cell != nullptr) == (place != model.end()));
    if (cell != nullptr) BOOST_TEST_REQUIRE(table.item(cell) == place->second.get());
  }
  // Another item takes the place of one.
  void rebuild(uint64_t id) {
    const auto place = model.find(id);
    if (place == model.end()) return;
    auto rebuilt = std::make_unique<TestItem>(*place->second);
    table.replace(table.find(rebuilt->hash, rebuilt->key()), rebuilt.get());
    place->second = std::move(rebuilt);
  }
  void check() {
    table.check();
    BOOST_TEST_REQUIRE(table.size() == model.size());
  }
  void check_all_found() {
    check();
    for (const auto& [id, item] : model) look_up(id);
    size_t visited = 0;
    table.for_each([&](TestItem* item) {
      ++visited;
      BOOST_TEST_REQUIRE(model.at(item->id).get() == item);
    });
    BOOST_TEST_REQUIRE(visited == model.size());
  }

  TestTable<Lines> table;
  std::unordered_map<uint64_t, std::unique_ptr<TestItem>> model;
  Hash hash;
};

// The table grows and shrinks in waves, so that every form of a segment is left both ways.
template <uint32_t Lines>
void agree_with_the_model(Hash hash, size_t operations, uint64_t ids, size_t check_every) {
  constexpr uint64_t kSeed = 20;
  BOOST_TEST_MESSAGE("lines " << Lines << ", seed " << kSeed);
  Pair<Lines> pair(hash);
  Random random(kSeed);
  for (size_t done = 0; done < operations; ++done) {
    const uint64_t id = random.below(ids);
    const bool growing = done / (ids * 3) % 2 == 0;
    const uint64_t choice = random.below(10);
    if (choice < 2) {
      pair.look_up(id);
    } else if (choice < 3) {
      pair.rebuild(id);
    } else if (choice < (growing ? 9u : 4u)) {
      pair.insert(id);
    } else {
      pair.erase(id);
    }
    if (done % check_every == 0) pair.check();
  }
  pair.check_all_found();
  while (!pair.model.empty()) pair.erase(pair.model.begin()->first);
  pair.check();
  BOOST_TEST(pair.table.bytes() == 0u);
}

// What a scan must show: everything that was there from its start to its end.
template <uint32_t Lines, class Disturbance>
size_t scan_all(Pair<Lines>& pair, Disturbance&& disturb) {
  std::set<uint64_t> lasting;
  for (const auto& [id, item] : pair.model) lasting.insert(id);
  size_t calls = 0;
  uint64_t cursor = 0;
  do {
    cursor = pair.table.scan(cursor, [&](TestItem* item) { lasting.erase(item->id); });
    ++calls;
    disturb([&](uint64_t id) { lasting.erase(id); });
  } while (cursor != 0);
  BOOST_TEST_REQUIRE(lasting.empty());
  return calls;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(containers_table)

BOOST_AUTO_TEST_CASE(an_empty_table_allocates_nothing_and_answers_everything) {
  const size_t before = memory::used_bytes();
  TestTable<64> table;
  const TestItem absent{1, good_hash(1)};
  Random random(1);
  std::vector<TestItem*> found;
  const auto fail = [](TestItem*) { BOOST_FAIL("an empty table visits nothing"); };
  table.prefetch(absent.hash);
  containers::Lookahead ahead;
  for (int i = 0; i < 100; ++i) ahead.add(table, absent.hash);
  ahead.run();
  BOOST_TEST(table.find(absent.hash, absent.key()) == nullptr);
  BOOST_TEST(table.sample(random) == nullptr);
  table.sample_segment(random, fail);
  table.for_each(fail);
  BOOST_TEST(table.scan(0, fail) == 0u);
  BOOST_TEST(table.collect_marked(kNoMark - 1, 0, 10, 10, found) == 0u);
  BOOST_TEST(found.empty());
  BOOST_TEST(table.bytes() == 0u);
  BOOST_TEST(table.segment_count() == 0u);
  table.check();
  BOOST_TEST(memory::used_bytes() == before);
}

BOOST_AUTO_TEST_CASE(ten_items_cost_at_most_a_quarter_kibibyte) {
  Pair<64> pair(good_hash);
  for (uint64_t id = 0; id < 10; ++id) pair.insert(id);
  pair.check_all_found();
  BOOST_TEST(pair.table.bytes() <= memory::block_bytes(256));
}

BOOST_AUTO_TEST_CASE(random_operations_agree_with_a_map) {
  agree_with_the_model<64>(good_hash, 400'000, 20'000, 20'000);
  agree_with_the_model<64>(good_hash, 200'000, 900, 200);
  agree_with_the_model<40>(good_hash, 200'000, 5'000, 5'000);
}

// Segments of one, three and seven buckets: every few operations split or merge.
BOOST_AUTO_TEST_CASE(random_operations_with_early_splits_agree_with_a_map) {
  agree_with_the_model<2>(good_hash, 300'000, 1'000, 500);
  agree_with_the_model<2>(good_hash, 400'000, 40'000, 40'000);
  agree_with_the_model<4>(good_hash, 300'000, 3'000, 1'000);
  agree_with_the_model<8>(good_hash, 300'000, 10'000, 5'000);
}

BOOST_AUTO_TEST_CASE(items_whose_hashes_never_separate_are_all_kept) {
  for (const Hash hash :
       {constant_hash, constant_zero_hash, constant_ones_hash, one_of_four_hash}) {
    agree_with_the_model<64>(hash, 40'000, 2'500, 5'000);
    agree_with_the_model<2>(hash, 10'000, 300, 100);
  }
}

BOOST_AUTO_TEST_CASE(items_whose_hashes_separate_late_are_all_kept) {
  agree_with_the_model<64>(constant_top_20_hash, 200'000, 8'000, 10'000);
  agree_with_the_model<4>(constant_top_20_hash, 100'000, 1'000, 5'000);
  agree_with_the_model<64>(constant_top_40_hash, 30'000, 2'000, 5'000);
}

BOOST_AUTO_TEST_CASE(items_that_share_one_tag_are_all_kept) {
  agree_with_the_model<64>(constant_low_16_hash, 60'000, 10'000, 20'000);
  agree_with_the_model<8>(constant_low_16_hash, 60'000, 2'000, 5'000);
  Pair<64> pair(constant_low_16_hash);
  for (uint64_t id = 0; id < 30'000; ++id) pair.insert(id);
  pair.check_all_found();
}

// A chain is left behind as soon as its items separate: bad ones first, then good ones.
BOOST_AUTO_TEST_CASE(a_chain_splits_when_other_items_arrive) {
  TestTable<64> table;
  std::deque<TestItem> items;
  const auto insert = [&](uint64_t id, uint64_t hash) {
    items.push_back({id, hash});
    table.insert(hash, &items.back());
  };
  for (uint64_t id = 0; id < 2'000; ++id) insert(id, constant_hash(id));
  table.check();
  BOOST_TEST(table.statistics().chained > 0u);
  for (uint64_t id = 2'000; id < 50'000; ++id) insert(id, good_hash(id));
  table.check();
  BOOST_TEST(table.statistics().chained <= 6u);
  for (const TestItem& item : items) {
    const Cell* cell = table.find(item.hash, item.key());
    BOOST_TEST_REQUIRE(cell != nullptr);
    BOOST_TEST_REQUIRE(table.item(cell) == &item);
  }
}

// 4096 words of one directory do for 20,000 items in segments of one bucket: beyond that the words
// are dealt out to 512 directories, and on the way back gathered again.
BOOST_AUTO_TEST_CASE(many_directories_are_made_and_gathered_again) {
  Pair<2> pair(good_hash);
  size_t directories = 0;
  for (uint64_t id = 0; id < 60'000; ++id) {
    pair.insert(id);
    if (pair.table.statistics().directories != directories && id % 1'000 == 0) {
      directories = pair.table.statistics().directories;
      pair.check();
    }
  }
  BOOST_TEST(directories == 512u);
  pair.check_all_found();
  for (uint64_t id = 0; id < 59'990; ++id) pair.erase(id);
  pair.check_all_found();
  BOOST_TEST(pair.table.statistics().directories == 1u);
  BOOST_TEST(pair.table.bytes() < 4'000u);
}

BOOST_AUTO_TEST_CASE(mass_deletion_gives_the_memory_back) {
  Pair<64> pair(good_hash);
  for (uint64_t id = 0; id < 200'000; ++id) pair.insert(id);
  for (uint64_t id = 0; id < 198'000; ++id) {
    pair.erase(id);
    if (id % 20'000 == 0) {
      pair.check();
      BOOST_TEST(pair.table.bytes() <= 26 * pair.table.size());
    }
  }
  pair.check_all_found();
  BOOST_TEST(pair.table.bytes() <= 26 * pair.table.size());
  for (uint64_t id = 198'000; id < 200'000; ++id) pair.erase(id);
  pair.check();
  BOOST_TEST(pair.table.bytes() == 0u);
}

// The note at the door promises it: at most 12 bytes an item at any size, less on average.
BOOST_AUTO_TEST_CASE(growth_costs_at_most_twelve_bytes_an_item_at_every_size) {
  constexpr size_t kItems = 2'000'000;
  std::vector<TestItem> items(kItems);
  TestTable<64> table;
  double sum = 0;
  size_t samples = 0;
  double worst = 0;
  for (size_t i = 0; i < kItems; ++i) {
    items[i] = {i, good_hash(i)};
    table.insert(items[i].hash, &items[i]);
    const size_t size = i + 1;
    if (size % 1'000 != 0) continue;
    const double each = static_cast<double>(table.bytes()) / static_cast<double>(size);
    sum += each;
    ++samples;
    if (size >= 100'000) worst = std::max(worst, each);
  }
  BOOST_TEST_MESSAGE("bytes an item: worst " << worst << ", mean "
                                             << sum / static_cast<double>(samples));
  BOOST_TEST(worst <= 12.0);
  BOOST_TEST(sum / static_cast<double>(samples) <= 10.5);
}

BOOST_AUTO_TEST_CASE(no_call_does_more_than_the_note_says) {
  Pair<64> pair(good_hash);
  for (uint64_t id = 0; id < 300'000; ++id) pair.insert(id);
  for (uint64_t id = 0; id < 300'000; ++id) pair.erase(id);
  const TableWork work = pair.table.largest_work();
  BOOST_TEST(work.cells <= 443u);
  BOOST_TEST(work.splits <= 1u);
  BOOST_TEST(work.words <= 4'096u + 2'048u);
}

// Filters are exact at every check(); this is about how many there are.
BOOST_AUTO_TEST_CASE(churn_leaves_no_overflowed_buckets_behind) {
  Pair<64> pair(good_hash);
  for (uint64_t id = 0; id < 10'000; ++id) pair.insert(id);
  const size_t fresh = pair.table.statistics().overflowed;
  for (uint64_t id = 10'000; id < 200'000; ++id) {
    pair.insert(id);
    pair.erase(id - 10'000);
  }
  pair.check_all_found();
  const TableStatistics after = pair.table.statistics();
  BOOST_TEST_MESSAGE("overflowed " << fresh << " fresh, " << after.overflowed << " after churn, of "
                                   << after.buckets);
  BOOST_TEST(after.overflowed * 4 <= after.buckets);
}

BOOST_AUTO_TEST_CASE(a_quiet_scan_shows_every_item_exactly_once) {
  for (const uint64_t count : {1u, 7u, 8u, 100u, 5'000u, 40'000u}) {
    Pair<64> pair(good_hash);
    for (uint64_t id = 0; id < count; ++id) pair.insert(id);
    size_t visits = 0;
    std::set<uint64_t> seen;
    uint64_t cursor = 0;
    do {
      cursor = pair.table.scan(cursor, [&](TestItem* item) {
        ++visits;
        seen.insert(item->id);
      });
      BOOST_TEST_REQUIRE(cursor < uint64_t{1} << 53);  // exact in every client's numbers
    } while (cursor != 0);
    BOOST_TEST(visits == count);
    BOOST_TEST(seen.size() == count);
  }
}

// Between the calls of a scan the table grows to many times its size and shrinks again, in waves of
// every length.
BOOST_AUTO_TEST_CASE(a_scan_misses_no_lasting_item_while_the_table_grows_and_shrinks) {
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed);
      Pair<4> pair(seed % 4 == 0 ? one_of_four_hash : good_hash);
      const uint64_t lasting = pair.hash == good_hash ? 2'000 : 200;
      for (uint64_t id = 0; id < lasting; ++id) pair.insert(id);
      for (int round = 0; round < 6; ++round) {
        uint64_t others = 0;  // ids lasting .. lasting + others - 1 are in the table
        bool growing = true;
        scan_all(pair, [&](auto) {
          if (random.below(20) == 0) growing = !growing;
          for (uint64_t i = random.below(100); i > 0; --i) {
            if (growing && others < 3 * lasting) {
              pair.insert(lasting + others++);
            } else if (others > 0) {
              pair.erase(lasting + --others);
            }
          }
        });
        pair.check();
        while (others > 0) pair.erase(lasting + --others);
      }
    }
  }
}

// Lasting items among many that go away for good: segments merge under the scan.
BOOST_AUTO_TEST_CASE(a_scan_misses_no_lasting_item_while_the_table_empties) {
  for (const uint64_t seed : {1, 2, 3, 4}) {
    Random random(seed);
    Pair<8> pair(good_hash);
    for (uint64_t id = 0; id < 30'000; ++id) pair.insert(id);
    uint64_t next = 0;
    const size_t calls = scan_all(pair, [&](auto gone) {
      for (uint64_t i = random.below(60); i > 0 && next < 29'000; --i, ++next) {
        pair.erase(next);
        gone(next);
      }
    });
    BOOST_TEST(calls > 100u);
    pair.check_all_found();
  }
}

BOOST_AUTO_TEST_CASE(any_number_is_a_valid_cursor) {
  Pair<4> pair(good_hash);
  for (uint64_t id = 0; id < 3'000; ++id) pair.insert(id);
  Random random(9);
  for (int round = 0; round < 2'000; ++round) {
    uint64_t cursor = random.next() >> random.below(64);
    size_t calls = 0;
    do {
      cursor = pair.table.scan(cursor, [&](TestItem* item) {
        BOOST_TEST_REQUIRE(pair.model.at(item->id).get() == item);
      });
      BOOST_TEST_REQUIRE(++calls < 10'000u);
    } while (cursor != 0);
  }
}

BOOST_AUTO_TEST_CASE(a_scan_call_passes_a_bounded_number_of_empty_homes) {
  Pair<2> pair(constant_ones_hash);
  TestTable<2>& table = pair.table;
  pair.insert(1);
  // 16,000 items elsewhere make thousands of segments, then all go.
  std::deque<TestItem> items;
  for (uint64_t id = 2; id < 16'000; ++id) {
    items.push_back({id, good_hash(id)});
    table.insert(items.back().hash, &items.back());
  }
  // Every item but those of the last sixteenth: what they leave merges, but not into one.
  for (const TestItem& item : items) {
    if (item.hash >> 60 != 15) table.erase(item.hash, table.find(item.hash, item.key()));
  }
  table.check();
  uint64_t cursor = 0;
  size_t calls = 0;
  size_t visits = 0;
  do {
    cursor = table.scan(cursor, [&](TestItem*) { ++visits; });
    ++calls;
  } while (cursor != 0);
  BOOST_TEST(visits == table.size());
  BOOST_TEST(calls <= table.segment_count() + 10);
}

// 20 draws an item on average. Were the draws exactly even, the sum of squared deviations over the
// expectation would be 1 an item with a deviation of 0.01.
BOOST_AUTO_TEST_CASE(samples_are_drawn_evenly) {
  for (const uint64_t count : {1u, 3u, 10u, 300u, 1'000u, 20'000u}) {
    Pair<64> pair(good_hash);
    for (uint64_t id = 0; id < count; ++id) pair.insert(id);
    Random random(count);
    std::vector<uint32_t> draws(count);
    for (uint64_t i = 0; i < 20 * count; ++i) {
      const TestItem* item = pair.table.sample(random);
      BOOST_TEST_REQUIRE(item != nullptr);
      ++draws[item->id];
    }
    double squares = 0;
    for (const uint32_t drawn : draws) squares += (drawn - 20.0) * (drawn - 20.0) / 20.0;
    const double each = squares / static_cast<double>(count);
    BOOST_TEST_MESSAGE(count << " items: chi square " << each << " an item");
    BOOST_TEST(each <= 1.1 + 4 * std::sqrt(2.0 / static_cast<double>(count)));
  }
}

// Few items in a table made for many, and items that only a chain holds.
BOOST_AUTO_TEST_CASE(samples_find_the_last_items) {
  Pair<2> sparse(good_hash);
  for (uint64_t id = 0; id < 10'000; ++id) sparse.insert(id);
  for (uint64_t id = 0; id < 9'998; ++id) sparse.erase(id);
  Pair<2> chained(constant_hash);
  for (uint64_t id = 0; id < 100; ++id) chained.insert(id);
  Random random(5);
  std::set<uint64_t> seen_sparse;
  std::set<uint64_t> seen_chained;
  for (int i = 0; i < 2'000; ++i) {
    seen_sparse.insert(sparse.table.sample(random)->id);
    seen_chained.insert(chained.table.sample(random)->id);
  }
  BOOST_TEST(seen_sparse.size() == 2u);
  BOOST_TEST(seen_chained.size() == 100u);
  size_t visits = 0;
  chained.table.sample_segment(random, [&](TestItem*) { ++visits; });
  BOOST_TEST(visits == 100u);
}

BOOST_AUTO_TEST_CASE(a_sampled_segment_holds_neighbours) {
  Pair<64> pair(good_hash);
  for (uint64_t id = 0; id < 20'000; ++id) pair.insert(id);
  Random random(6);
  for (int i = 0; i < 20; ++i) {
    std::set<uint64_t> seen;
    uint64_t lowest = UINT64_MAX;
    uint64_t highest = 0;
    pair.table.sample_segment(random, [&](TestItem* item) {
      seen.insert(item->id);
      lowest = std::min(lowest, item->hash);
      highest = std::max(highest, item->hash);
    });
    BOOST_TEST(seen.size() > 100u);
    BOOST_TEST(seen.size() < 464u);
    BOOST_TEST(highest - lowest < UINT64_MAX / 32);
  }
}

BOOST_AUTO_TEST_CASE(for_each_goes_through_segments_in_the_order_of_hashes) {
  Pair<2> pair(good_hash);
  for (uint64_t id = 0; id < 30'000; ++id) pair.insert(id);
  // Segments are at most 2^-8 of the hashes wide here, so an item may lie that far back at most.
  uint64_t highest = 0;
  pair.table.for_each([&](TestItem* item) {
    BOOST_TEST_REQUIRE(item->hash >> 56 >= highest >> 56);
    highest = std::max(highest, item->hash);
  });
}

// Marks come, move down, pass and go with their items; what is due at each instant must be found
// by a full pass, in steps of any size.
BOOST_AUTO_TEST_CASE(marked_items_are_collected_when_due_and_no_others) {
  for (const uint64_t seed : {1, 2, 3}) {
    Random random(seed);
    Pair<4> pair(seed == 3 ? one_of_four_hash : good_hash);
    const uint64_t ids = seed == 3 ? 300 : 40'000;
    for (uint64_t now = 0; now < 60; ++now) {
      const bool growing = now < 30;
      for (uint64_t i = 0; i < ids / 20; ++i) {
        const uint64_t id = random.below(ids);
        if (random.below(10) < (growing ? 9u : 3u)) {
          pair.insert(id, random.below(3) == 0 ? kNoMark : now + 1 + random.below(40));
        } else if (random.below(2) == 0) {
          pair.erase(id);
        } else if (const auto place = pair.model.find(id); place != pair.model.end()) {
          TestItem& item = *place->second;
          item.mark = std::min(item.mark, now + 1 + random.below(40));
          pair.table.lower_mark(item.hash, item.mark);
        }
      }
      pair.check();
      std::set<uint64_t> due;
      for (const auto& [id, item] : pair.model) {
        if (item->mark <= now) due.insert(id);
      }
      uint64_t cursor = 0;
      do {
        std::vector<TestItem*> found;
        cursor = pair.table.collect_marked(now, cursor, 1 + random.below(100),
                                           1 + random.below(300), found);
        for (TestItem* item : found) {
          BOOST_TEST_REQUIRE(due.erase(item->id) == 1u);
          // One in eight stays, to be found later.
          if (random.below(8) == 0) {
            item->mark += 3;
            pair.table.lower_mark(item->hash, item->mark);
          } else {
            pair.erase(item->id);
          }
        }
      } while (cursor != 0);
      BOOST_TEST_REQUIRE(due.empty());
      pair.check();
    }
  }
}

// A directory without due marks is passed over in one step, whatever it holds.
BOOST_AUTO_TEST_CASE(collecting_reads_no_more_than_its_budget) {
  Pair<2> pair(good_hash);
  for (uint64_t id = 0; id < 60'000; ++id) pair.insert(id);
  BOOST_TEST_REQUIRE(pair.table.statistics().directories == 512u);
  std::vector<TestItem*> found;
  BOOST_TEST(pair.table.collect_marked(100, 0, 10, 1, found) == 0u);
  BOOST_TEST(pair.table.lowest_mark() == kNoMark);
  for (uint64_t id = 0; id < 60'000; id += 100) {
    TestItem& item = *pair.model.at(id);
    item.mark = 50;
    pair.table.lower_mark(item.hash, item.mark);
  }
  BOOST_TEST(pair.table.lowest_mark() == 50u);
  size_t calls = 0;
  uint64_t cursor = 0;
  do {
    const size_t before = found.size();
    cursor = pair.table.collect_marked(100, cursor, 5, 20, found);
    BOOST_TEST_REQUIRE(found.size() - before <= 5u + 7u);
    ++calls;
  } while (cursor != 0 && calls < 10'000);
  BOOST_TEST(found.size() == 600u);
  BOOST_TEST(calls >= 60'000u / 7 / 20);
  BOOST_TEST(pair.table.lowest_mark() == kNoMark);
}

BOOST_AUTO_TEST_CASE(tables_move_and_swap_with_their_items) {
  for (const uint64_t count : {0u, 5u, 1'000u, 30'000u}) {
    std::deque<TestItem> items;
    TestTable<2> table;
    for (uint64_t id = 0; id < count; ++id) {
      items.push_back({id, good_hash(id)});
      table.insert(items.back().hash, &items.back());
    }
    TestTable<2> moved(std::move(table));
    table.check();
    moved.check();
    BOOST_TEST(table.empty());
    BOOST_TEST(moved.size() == count);
    TestItem other{count, good_hash(count)};
    table.insert(other.hash, &other);
    moved.swap(table);
    table.check();
    moved.check();
    BOOST_TEST(table.size() == count);
    BOOST_TEST(moved.find(other.hash, other.key()) != nullptr);
    for (const TestItem& item : items) {
      BOOST_TEST_REQUIRE(table.find(item.hash, item.key()) != nullptr);
    }
    moved = std::move(table);
    moved.check();
    BOOST_TEST(moved.size() == count);
    moved.clear();
    moved.check();
    BOOST_TEST(moved.empty());
    BOOST_TEST(moved.bytes() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_table_gives_back_every_byte) {
  const size_t before = memory::used_bytes();
  {
    std::vector<TestItem> items(50'000);
    TestTable<64> large;
    TestTable<2> deep;
    for (uint64_t id = 0; id < items.size(); ++id) {
      items[id] = {id, good_hash(id)};
      large.insert(items[id].hash, &items[id]);
      deep.insert(items[id].hash, &items[id]);
    }
    BOOST_TEST(memory::used_bytes() - before == large.bytes() + deep.bytes());
  }
  BOOST_TEST(memory::used_bytes() == before);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::containers
