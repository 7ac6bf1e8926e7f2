#include "containers/record_log.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"

namespace roxdb::containers {
namespace {

using Fields = std::vector<std::string>;  // field, value, field, value
using Direction = RecordCursor::Direction;

std::vector<std::string_view> views_of(const Fields& fields) {
  return {fields.begin(), fields.end()};
}

Fields fields_of(FieldReader reader) {
  Fields fields;
  packed::Element field;
  packed::Element value;
  while (reader.next(field, value)) {
    fields.emplace_back(packed::Text(field).view());
    fields.emplace_back(packed::Text(value).view());
  }
  return fields;
}

// A log beside a plain map, both told the same.
struct Pair {
  explicit Pair(RecordLog::BlockLimits block_limits) : limits(block_limits) {}
  ~Pair() {
    memory::SlabSink sink(slabs);
    log.release(sink);
    BOOST_TEST(slabs.used_bytes() == 0u);  // no small block is lost
  }

  void append(const Id& id, Fields fields) {
    log.append(slabs, limits, id, views_of(fields));
    model[id] = std::move(fields);
  }
  void erase(const Id& id) {
    BOOST_REQUIRE(log.contains(id) == model.contains(id));
    BOOST_REQUIRE(log.erase(slabs, id) == (model.erase(id) > 0));
  }
  void drop_first_block() {
    const RecordBlock* block = log.first_block();
    BOOST_REQUIRE((block == nullptr) == model.empty());
    if (block == nullptr) return;
    model.erase(model.begin(), model.upper_bound(block->last()));
    log.drop_first_block(slabs);
  }
  void compare(const Id& low, const Id& high) {
    RecordCursor cursor(log, low, high);
    if (low <= high) {
      for (auto at = model.lower_bound(low); at != model.end() && at->first <= high; ++at) {
        BOOST_REQUIRE(cursor.next());
        BOOST_REQUIRE(cursor.id() == at->first);
        BOOST_REQUIRE(fields_of(cursor.fields()) == at->second);
      }
    }
    BOOST_REQUIRE(!cursor.next());
    BOOST_REQUIRE(!cursor.next());
    RecordCursor back(log, low, high, Direction::kBackward);
    if (low <= high) {
      for (auto at = std::make_reverse_iterator(model.upper_bound(high));
           at != model.rend() && low <= at->first; ++at) {
        BOOST_REQUIRE(back.next());
        BOOST_REQUIRE(back.id() == at->first);
        BOOST_REQUIRE(fields_of(back.fields()) == at->second);
      }
    }
    BOOST_REQUIRE(!back.next());
    BOOST_REQUIRE(!back.next());
  }
  void compare_all() {
    log.check();
    BOOST_REQUIRE(log.size() == model.size());
    BOOST_REQUIRE(log.first().has_value() == !model.empty());
    if (!model.empty()) {
      BOOST_REQUIRE(*log.first() == model.begin()->first);
      BOOST_REQUIRE(*log.last() == model.rbegin()->first);
    }
    compare(kIdMin, kIdMax);
  }

  RecordLog::BlockLimits limits;
  memory::Slabs slabs;
  RecordLog log;
  std::map<Id, Fields> model;
};

Id next_id(Random& random, Id id) {
  switch (random.below(5)) {
    case 0:
      return {id.ms + 1 + random.below(200), 0};
    case 1:
      return {id.ms + 1 + random.below(1'000'000'000'000), random.below(100'000)};
    case 2:
      return {id.ms, id.seq + 1 + random.below(1'000'000)};
    default:
      return {id.ms, id.seq + 1};
  }
}

std::string random_text(Random& random) {
  if (random.below(3) == 0)
    return std::to_string(static_cast<int64_t>(random.next()) >> random.below(64));
  const size_t size = random.below(20) == 0 ? random.below(300) : random.below(12);
  return std::string(size, static_cast<char>('a' + random.below(26)));
}

Fields random_fields(Random& random) {
  Fields fields;
  if (random.below(4) != 0) {
    fields = {"sensor", random_text(random), "7", random_text(random)};
  } else {
    for (size_t i = 1 + random.below(4); i > 0; --i) {
      fields.push_back(random_text(random));
      fields.push_back(random_text(random));
    }
  }
  return fields;
}

}  // namespace
}  // namespace roxdb::containers

using namespace roxdb;
using namespace roxdb::containers;

BOOST_AUTO_TEST_SUITE(containers_record_log)

BOOST_AUTO_TEST_CASE(any_sequence_of_changes_gives_what_a_map_gives) {
  const RecordLog::BlockLimits all_limits[] = {{4096, 100}, {0, 3}, {200, 0}, {1, 0}, {0, 0}};
  uint64_t seed = 0;
  for (const RecordLog::BlockLimits& limits : all_limits) {
    seed++;
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed);
      Pair pair(limits);
      Id id{1'700'000'000'000, 0};
      std::vector<Id> ids;
      for (int step = 0; step < 3'000; ++step) {
        const bool growing = step / 500 % 2 == 0;
        const uint64_t dice = random.below(100);
        if (dice < (growing ? 75u : 25u)) {
          id = next_id(random, id);
          ids.push_back(id);
          pair.append(id, random_fields(random));
        } else if (dice < 99 && !ids.empty()) {
          pair.erase(ids[random.below(ids.size())]);
        } else if (random.below(4) == 0) {
          pair.drop_first_block();
        }
        if (!ids.empty() && step % 17 == 0) {
          pair.compare(ids[random.below(ids.size())], ids[random.below(ids.size())]);
        }
        if (step % 251 == 0) pair.compare_all();
      }
      pair.compare_all();
      for (const Id& gone : ids) pair.erase(gone);
      pair.compare_all();
      BOOST_TEST(pair.log.blocks() == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_block_has_no_more_records_than_its_limit) {
  Pair pair({4096, 10});
  for (uint64_t i = 1; i <= 95; ++i) pair.append({i, 0}, {"f", std::to_string(i)});
  BOOST_TEST(pair.log.blocks() == 10u);
  pair.erase({95, 0});  // a deleted record counts as one
  for (uint64_t i = 96; i <= 101; ++i) pair.append({i, 0}, {"f", "v"});
  BOOST_TEST(pair.log.blocks() == 11u);
  pair.compare_all();
}

BOOST_AUTO_TEST_CASE(a_record_larger_than_any_block_has_one_of_its_own) {
  Pair pair({100, 0});
  pair.append({1, 0}, {"f", "v"});
  pair.append({2, 0}, {"f", std::string(70'000, 'x')});
  pair.append({3, 0}, {"f", "v"});
  BOOST_TEST(pair.log.blocks() == 3u);
  pair.compare_all();
}

BOOST_AUTO_TEST_CASE(repeated_fields_cost_nothing) {
  Pair same({4096, 100});
  Pair other({4096, 100});
  for (uint64_t i = 0; i < 10'000; ++i) {
    same.append({1'700'000'000'000 + i / 3, i % 3},
                {"sensor", std::to_string(i), "value", "abcdefgh"});
    other.append({1'700'000'000'000 + i / 3, i % 3},
                 {"sensor" + std::to_string(i), std::to_string(i), "value", "abcdefgh"});
  }
  same.compare_all();
  BOOST_TEST(same.log.occupied_bytes(0) < 10'000u * 18);
  BOOST_TEST(other.log.occupied_bytes(0) > same.log.occupied_bytes(0) + 10'000u * 15);
}

BOOST_AUTO_TEST_CASE(ids_reach_to_the_ends_of_their_range) {
  Pair pair({0, 4});
  for (const Id& id : {Id{0, 1}, Id{0, UINT64_MAX}, Id{1, 0}, Id{1, UINT64_MAX - 1},
                       Id{1, UINT64_MAX}, Id{UINT64_MAX, 0}, Id{UINT64_MAX, UINT64_MAX}}) {
    pair.append(id, {"f", "v"});
  }
  pair.compare_all();
  pair.compare({0, UINT64_MAX}, {1, UINT64_MAX});
  pair.compare(kIdMax, kIdMax);
}

// What a file gives back is the same log, and every other byte in it is refused or harmless.
BOOST_AUTO_TEST_CASE(a_damaged_block_is_refused_or_safe_to_read) {
  Random random(5);
  Pair pair({0, 0});
  Id id{1000, 5};
  for (int i = 0; i < 12; ++i) {
    pair.append(id, random_fields(random));
    id = next_id(random, id);
  }
  pair.erase(pair.model.begin()->first);
  const RecordBlock& block = *pair.log.first_block();
  const std::string bytes(block.bytes());
  const auto load = [&](const RecordBlock::Shape& shape, std::string_view from) {
    memory::Slabs slabs;
    const auto loaded = RecordBlock::load(slabs, shape, from);
    if (!loaded.ok()) {
      BOOST_TEST((loaded.status().code == Code::kCorrupt));
      BOOST_TEST(slabs.used_bytes() == 0u);
      return false;
    }
    (*loaded)->check();
    RecordLog log;
    log.append_block(slabs, *loaded);
    size_t records = 0;
    RecordCursor cursor(log, kIdMin, kIdMax);
    while (cursor.next()) {
      fields_of(cursor.fields());
      records++;
    }
    BOOST_TEST(records == shape.live);
    memory::SlabSink sink(slabs);
    log.release(sink);
    return true;
  };
  BOOST_TEST(load(block.shape(), bytes));
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    BOOST_TEST(!load(block.shape(), std::string_view(bytes).substr(0, cut)));
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      load(block.shape(), damaged);
    }
  }
  for (int lie = 0; lie < 5; ++lie) {
    RecordBlock::Shape shape = block.shape();
    if (lie == 0) shape.last.seq++;
    if (lie == 1) shape.live++;
    if (lie == 2) shape.deleted--;
    if (lie == 3) shape.fields++;
    if (lie == 4) shape.records_at++;
    BOOST_TEST(!load(shape, bytes));
  }
}

BOOST_AUTO_TEST_CASE(a_block_of_deleted_records_only_is_refused) {
  Pair pair({0, 0});
  pair.append({1, 0}, {"f", "v"});
  const RecordBlock& block = *pair.log.first_block();
  std::string bytes(block.bytes());
  RecordWalk walk(block);
  Record record;
  BOOST_REQUIRE(walk.next(record));
  bytes[record.head] = static_cast<char>(bytes[record.head] | 1);
  RecordBlock::Shape shape = block.shape();
  shape.live = 0;
  shape.deleted = 1;
  memory::Slabs slabs;
  BOOST_TEST(!RecordBlock::load(slabs, shape, bytes).ok());
}

BOOST_AUTO_TEST_SUITE_END()
