#include "types/sorted_set_value.h"

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "test/types/test_home.h"
#include "test/types/value_bytes.h"

namespace roxdb::types {
namespace {

using containers::Cell;
using Outcome = Added::Outcome;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A set outside of any keyspace.
struct Set : test::TestHome {
  Set() { cell.set_pointer(SortedSetValue::create(home, {.key = "k", .expire_at_ms = 5})); }
  ~Set() { drop(&entry()); }

  Entry& entry() { return *static_cast<Entry*>(cell.pointer()); }
  SortedSetValue value() { return {home, cell}; }
  SortedSetView view() { return SortedSetView(entry()); }
  std::string_view encoding() { return sorted_set_type().encoding_name(entry()); }
  void drop(Entry* dropped) {
    if (dropped->has_payload()) {
      memory::SlabSink sink(slabs);
      sorted_set_type().release_payload(dropped->payload(), dropped->encoding(), sink);
    }
    Entry::destroy(slabs, dropped);
  }
  std::string saved() {
    test::BytesWriter out;
    sorted_set_type().save(entry(), out);
    return out.text;
  }
  Result<Entry*> load(std::string_view bytes) {
    test::BytesReader in(bytes);
    auto loaded = sorted_set_type().load(in, {.key = "k", .expire_at_ms = 5}, home);
    if (loaded.ok() && !in.left.empty()) {
      drop(*loaded);
      return Status{Code::kCorrupt};
    }
    return loaded;
  }

  Cell cell{};
};

std::vector<std::pair<std::string, double>> members_of(const SortedSetView& view) {
  std::vector<std::pair<std::string, double>> members;
  view.visit(view.all(),
             [&](std::string_view member, double score) { members.emplace_back(member, score); });
  return members;
}

// Both encodings against a map: scores, ranks, bounds, walks and removals.
void agree_with_the_model(int64_t packed_entries, size_t operations, uint64_t ids) {
  Set set;
  set.limits.zset_packed_entries = packed_entries;
  std::map<std::string, double> scores;
  Random random(22);
  const auto ordered = [&] {
    std::set<std::pair<double, std::string>> order;
    for (const auto& [member, score] : scores) order.emplace(score, member);
    return order;
  };
  for (size_t done = 0; done < operations; ++done) {
    const std::string member = std::to_string(random.below(ids)) + (random.below(2) ? "x" : "");
    const double score = static_cast<double>(random.below(50)) / (random.below(2) ? 1 : 4) - 5;
    const auto known = scores.find(member);
    switch (random.below(5)) {
      case 0:
        BOOST_TEST_REQUIRE(set.value().erase(member) == (scores.erase(member) == 1));
        break;
      case 1:
        if (random.below(10) == 0) {
          const size_t first = random.below(scores.size() + 1);
          const size_t last = std::min<size_t>(first + random.below(6), scores.size());
          set.value().erase(RankRange{first, last});
          const auto order = ordered();
          for (size_t i = first; i < last; ++i) {
            scores.erase(std::next(order.begin(), static_cast<ptrdiff_t>(i))->second);
          }
        }
        break;
      default: {
        const Added added = set.value().add(member, score);
        BOOST_TEST_REQUIRE(added.score == score);
        const Outcome expected = known == scores.end()    ? Outcome::kAdded
                                 : known->second == score ? Outcome::kSame
                                                          : Outcome::kUpdated;
        BOOST_TEST_REQUIRE((added.outcome == expected));
        scores[member] = score;
      }
    }
    if (done % 100 != 0) continue;
    const SortedSetView view = set.view();
    view.check();
    const auto order = ordered();
    BOOST_TEST_REQUIRE(view.size() == order.size());
    size_t rank = 0;
    for (const auto& [expected_score, name] : order) {
      const auto found = view.find(name);
      BOOST_TEST_REQUIRE(found.has_value());
      BOOST_TEST_REQUIRE(found->rank == rank);
      BOOST_TEST_REQUIRE(found->score == expected_score);
      ++rank;
    }
    auto expected = order.rbegin();
    view.visit_downwards(view.all(), [&](std::string_view name, double) {
      BOOST_TEST_REQUIRE((expected++)->second == name);
    });
    for (const double bound : {score, score + 0.1, -kInfinity, kInfinity}) {
      const auto count = [&](auto test) {
        return static_cast<size_t>(std::count_if(order.begin(), order.end(), test));
      };
      BOOST_TEST_REQUIRE(view.rank_of_score(bound, false) ==
                         count([&](const auto& slot) { return slot.first < bound; }));
      BOOST_TEST_REQUIRE(view.rank_of_score(bound, true) ==
                         count([&](const auto& slot) { return slot.first <= bound; }));
    }
  }
}

std::string number(double score) {
  if (score == std::floor(score) && std::abs(score) < 60) {
    return {static_cast<char>(score < 0 ? 4 * -score - 2 : 4 * score)};
  }
  std::string text = "\x01";
  text.append(reinterpret_cast<const char*>(&score), sizeof score);
  return text;
}

// A saved set, as the note at the door says.
std::string image(uint8_t count, const std::vector<std::pair<double, std::string>>& members) {
  std::string text(1, static_cast<char>(count));
  for (const auto& [score, member] : members) {
    text += number(score) + static_cast<char>(member.size()) + member;
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(types_sorted_set_value)

BOOST_AUTO_TEST_CASE(packed_sets_agree_with_a_map) { agree_with_the_model(1'000'000, 8'000, 100); }

BOOST_AUTO_TEST_CASE(large_sets_agree_with_a_map) {
  agree_with_the_model(0, 8'000, 100);
  agree_with_the_model(0, 20'000, 3'000);
}

BOOST_AUTO_TEST_CASE(a_set_becomes_large_past_the_limits_and_stays_so) {
  Set set;
  set.limits.zset_packed_entries = 3;
  set.limits.zset_packed_value_bytes = 4;
  for (const char* member : {"a", "b", "four"}) set.value().add(member, 1);
  BOOST_TEST(set.encoding() == "listpack");
  set.value().add("a", 2);  // no new member
  BOOST_TEST(set.encoding() == "listpack");
  set.value().add("c", 2);
  BOOST_TEST(set.encoding() == "skiplist");
  BOOST_TEST(set.entry().expire_at_ms() == 5);
  set.view().check();
  for (const char* member : {"b", "four", "c"}) BOOST_TEST(set.value().erase(member));
  BOOST_TEST(set.encoding() == "skiplist");
  BOOST_TEST(set.view().size() == 1u);

  Set other;
  other.limits.zset_packed_value_bytes = 4;
  other.value().add("fives", 1);
  BOOST_TEST(other.encoding() == "skiplist");
}

BOOST_AUTO_TEST_CASE(every_kind_of_score_comes_back_as_it_was) {
  const double kScores[] = {-kInfinity,
                            -1e300,
                            -0x1p63,
                            -1.5,
                            -0.1,
                            -0.0,
                            5e-324,
                            0.1,
                            1,
                            63,
                            64,
                            1.5,
                            4294967296.0,
                            9007199254740993.0,
                            0x1p62,
                            0x1p63,
                            1e19,
                            kInfinity,
                            std::bit_cast<double>(uint64_t{0x3132333435363738})};
  for (const int64_t packed_entries : {1'000, 0}) {
    Set set;
    set.limits.zset_packed_entries = packed_entries;
    for (const double score : kScores) {
      set.value().add(std::to_string(std::bit_cast<uint64_t>(score)), score);
    }
    set.view().check();
    for (const double score : kScores) {
      const auto found = set.view().score(std::to_string(std::bit_cast<uint64_t>(score)));
      BOOST_TEST_REQUIRE(found.has_value());
      BOOST_TEST(std::bit_cast<uint64_t>(*found) == std::bit_cast<uint64_t>(score));
    }
    auto loaded = set.load(set.saved());
    BOOST_TEST_REQUIRE(loaded.ok());
    BOOST_TEST((members_of(SortedSetView(**loaded)) == members_of(set.view())));
    set.drop(*loaded);
  }
}

BOOST_AUTO_TEST_CASE(rules_of_adding_hold_in_both_encodings) {
  for (const int64_t packed_entries : {10, 0}) {
    Set set;
    set.limits.zset_packed_entries = packed_entries;
    SortedSetValue value = set.value();
    const auto check = [&](const char* member, double score, AddRule rule, Outcome outcome,
                           double now) {
      const Added added = value.add(member, score, rule);
      BOOST_TEST((added.outcome == outcome));
      BOOST_TEST(added.score == now);
    };
    check("a", 5, {.only_existing = true}, Outcome::kRefused, 0);
    check("a", 5, {.only_new = true}, Outcome::kAdded, 5);
    check("a", 6, {.only_new = true}, Outcome::kRefused, 0);
    check("a", 4, {.only_greater = true}, Outcome::kRefused, 0);
    check("a", 5, {.only_greater = true}, Outcome::kRefused, 0);
    check("a", 6, {.only_greater = true}, Outcome::kUpdated, 6);
    check("a", 7, {.only_less = true}, Outcome::kRefused, 0);
    check("a", -1, {.only_greater = true, .increment = true}, Outcome::kRefused, 0);
    check("a", -1, {.increment = true}, Outcome::kUpdated, 5);
    check("a", 0, {.increment = true}, Outcome::kSame, 5);
    check("b", 3, {.only_greater = true, .increment = true}, Outcome::kAdded, 3);
    check("a", kInfinity, {.increment = true}, Outcome::kUpdated, kInfinity);
    check("a", -kInfinity, {.increment = true}, Outcome::kNotNumber, 0);
    BOOST_TEST((value.view().score("a") == kInfinity));
    value.view().check();
  }
}

BOOST_AUTO_TEST_CASE(a_walk_ends_where_its_visitor_says) {
  for (const int64_t packed_entries : {100, 0}) {
    Set set;
    set.limits.zset_packed_entries = packed_entries;
    for (int i = 0; i < 20; ++i) set.value().add(std::to_string(i), i);
    int visited = 0;
    const auto stop = [&](std::string_view, double) { return ++visited < 3; };
    set.view().visit({5, 20}, stop);
    BOOST_TEST(visited == 3);
    visited = 0;
    set.view().visit_downwards({5, 20}, stop);
    BOOST_TEST(visited == 3);
    set.view().visit({7, 7}, [](std::string_view, double) { BOOST_FAIL("an empty range"); });
  }
}

BOOST_AUTO_TEST_CASE(ten_small_members_take_two_hundred_bytes) {
  Set set;
  for (int i = 0; i < 10; ++i) {
    set.value().add("mem" + std::to_string(i) + ":abcdefgh", 12'345'678 + i);
  }
  BOOST_TEST(set.entry().size() == 8 + 8 + 1 + 4 + 10 * (1 + 13 + 1 + 4));
  BOOST_TEST(!set.entry().has_payload());
}

// 61 with the segments of a release build; debug builds have smaller ones.
BOOST_AUTO_TEST_CASE(a_large_member_costs_less_than_70_bytes_and_all_are_accounted_for) {
  Set set;
  constexpr size_t kCount = 30'000;
  Random random(1);
  char name[32];
  for (size_t i = 0; i < kCount; ++i) {
    const int size = std::snprintf(name, sizeof name, "member:%012zu", i);
    set.value().add({name, static_cast<size_t>(size)},
                    static_cast<double>(random.below(100'000'000)));
  }
  const size_t bytes = sorted_set_type().payload_bytes(set.entry(), 0);
  BOOST_TEST(bytes < 70 * kCount);
  BOOST_TEST(bytes == memory::used_bytes() - set.used_before - set.entry().occupied_bytes());
  BOOST_TEST(sorted_set_type().free_effort(set.entry()) == kCount);
}

BOOST_AUTO_TEST_CASE(a_copy_is_equal_and_separate) {
  for (const int64_t packed_entries : {100, 0}) {
    Set set;
    set.limits.zset_packed_entries = packed_entries;
    for (int i = 0; i < 50; ++i) set.value().add(std::string(20, 'm') + std::to_string(i), i % 7);
    Entry* copy = sorted_set_type().copy(set.entry(), {.key = "copy"}, set.home);
    BOOST_TEST(copy->key() == "copy");
    BOOST_TEST(sorted_set_type().encoding_name(*copy) == set.encoding());
    const auto before = members_of(set.view());
    set.value().erase(RankRange{0, 40});
    SortedSetView(*copy).check();
    BOOST_TEST((members_of(SortedSetView(*copy)) == before));
    set.drop(copy);
  }
}

BOOST_AUTO_TEST_CASE(the_saved_form_is_the_same_for_both_encodings_and_is_not_changed_by_accident) {
  const std::vector<std::pair<double, std::string>> members = {
      {-2, "low"}, {1, "a"}, {1, "b"}, {1.5, "17"}, {kInfinity, "top"}};
  for (const int64_t packed_entries : {100, 0}) {
    Set set;
    set.limits.zset_packed_entries = packed_entries;
    for (const auto& [score, member] : members) set.value().add(member, score);
    BOOST_TEST(set.saved() == image(5, members));
  }
}

BOOST_AUTO_TEST_CASE(a_loaded_set_takes_the_encoding_of_its_new_home) {
  for (const int64_t packed_entries : {100, 30, 0}) {
    Set set;
    for (int i = 0; i < 60; ++i) set.value().add(std::to_string(i), i);
    set.limits.zset_packed_entries = packed_entries;
    auto loaded = set.load(set.saved());
    BOOST_TEST_REQUIRE(loaded.ok());
    SortedSetView(**loaded).check();
    BOOST_TEST((members_of(SortedSetView(**loaded)) == members_of(set.view())));
    BOOST_TEST(sorted_set_type().encoding_name(**loaded) ==
               (packed_entries == 100 ? "listpack" : "skiplist"));
    BOOST_TEST((*loaded)->expire_at_ms() == 5);
    set.drop(*loaded);
  }
}

BOOST_AUTO_TEST_CASE(what_no_set_saves_is_corrupt) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::string long_integer = image(1, {{60.5, "a"}});
  const double seven = 7;
  std::memcpy(long_integer.data() + 2, &seven, sizeof seven);
  const std::string kImages[] = {
      image(0, {}),
      image(2, {{1, "a"}}),
      image(1, {{1, "a"}, {2, "b"}}),
      image(1, {{nan, "a"}}),
      image(2, {{2, "a"}, {1, "b"}}),
      image(2, {{1, "b"}, {1, "a"}}),
      image(2, {{1, "a"}, {1, "a"}}),
      image(3, {{1, "a"}, {2, "b"}, {3, "a"}}),
      long_integer,
      std::string("\x01\x03\x01", 3) + "a",
      std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10) + image(1, {{1, "a"}}).substr(1),
  };
  for (const int64_t packed_entries : {100, 2, 0}) {
    Set set;
    set.limits.zset_packed_entries = packed_entries;
    for (const std::string& bytes : kImages) {
      BOOST_TEST_CONTEXT("image " << &bytes - kImages << ", packed " << packed_entries) {
        BOOST_TEST((set.load(bytes).status().code == Code::kCorrupt));
      }
    }
  }
}

// Whatever a flipped bit makes of a saved set, it is refused or is a set in order.
BOOST_AUTO_TEST_CASE(no_cut_and_no_flipped_bit_loads_as_a_broken_set) {
  for (const int64_t packed_entries : {100, 0}) {
    Set set;
    set.limits.zset_packed_entries = packed_entries;
    set.value().add("a", -1.5);
    set.value().add("bb", 0);
    set.value().add("12", 1e100);
    const std::string bytes = set.saved();
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      BOOST_TEST_REQUIRE((set.load(bytes.substr(0, cut)).status().code == Code::kCorrupt));
    }
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      auto loaded = set.load(flipped);
      if (!loaded.ok()) continue;
      SortedSetView(**loaded).check();
      set.drop(*loaded);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::types
