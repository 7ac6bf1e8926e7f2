// Against plain registers that get the same elements, and values made by redis-server 7.0.15.
#include "types/hyperloglog.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>

#include <fmt/core.h>

#include "base/random.h"
#include "test/types/test_home.h"

namespace roxdb::types {
namespace {

struct Fixture : test::TestHome {
  std::string bytes() { return std::string(string.view().view()); }
  // Puts these bytes in place of the value.
  void assign(std::string_view bytes) {
    const Result<char*> data = string.resize(bytes.size());
    BOOST_TEST_REQUIRE(data.ok());
    std::copy(bytes.begin(), bytes.end(), *data);
  }
  void add(std::string_view element) {
    const HllPlace place = hll_place(element);
    model[place.index] = std::max(model[place.index], place.value);
    BOOST_TEST_REQUIRE(hll.add(element).ok());
  }
  void check_model() {
    HllRegisters registers{};
    BOOST_TEST_REQUIRE(hll.view().merge_into(registers));
    BOOST_TEST((registers == model));
    BOOST_TEST(hll.view().check());
    BOOST_TEST(hll.view().count().value_or(0) == hll_count(model));
  }

  ScratchString scratch{home, {.key = "k"}};
  StringValue string = [this] {
    StringValue value = scratch.value();
    HyperLogLog::begin(value);
    return value;
  }();
  HyperLogLog hll{string, limits.hll_sparse_bytes};
  HllRegisters model{};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(types_hyperloglog, Fixture)

BOOST_AUTO_TEST_CASE(elements_go_where_redis_puts_them) {
  // As PFDEBUG DECODE shows keys of one element.
  BOOST_TEST(hll_place("a").index == 12711u);
  BOOST_TEST(hll_place("a").value == 2);
  BOOST_TEST(hll_place("0123456789abcdef0123").index == 1401u);
  BOOST_TEST(hll_place("0123456789abcdef0123").value == 3);
}

BOOST_AUTO_TEST_CASE(a_new_value_is_one_run_of_zeros) {
  const std::string_view wanted("HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff", 18);
  BOOST_TEST(bytes() == wanted);
  BOOST_TEST(hll.view().is_valid());
  BOOST_TEST(hll.view().last_count().value_or(1) == 0u);
}

// PFADD m a b c d e f g h i j; PFCOUNT m; GET m.
BOOST_AUTO_TEST_CASE(ten_elements_give_the_bytes_that_redis_has) {
  for (const char element : std::string_view("abcdefghij")) add({&element, 1});
  BOOST_TEST_REQUIRE(hll.view().count().value_or(0) == 10u);
  BOOST_TEST_REQUIRE(hll.keep_count(10).ok());
  const std::string_view wanted(
      "HYLL\x01\0\0\0\n\0\0\0\0\0\0\0"
      "Fm\x80I\xe8\x80L\"\x80"
      "D<\x84"
      "8\x80"
      "B=\x80K\x83\x80"
      "B\xed\x84I\x8c\x80"
      "Bm\x80"
      "BZ",
      47);
  BOOST_TEST(bytes() == wanted);
}

BOOST_AUTO_TEST_CASE(sparse_and_dense_values_hold_what_plain_registers_hold) {
  for (const uint64_t sparse_bytes_max : {20u, 100u, 3000u, 20'000u}) {
    limits.hll_sparse_bytes = sparse_bytes_max;
    HyperLogLog limited(string, limits.hll_sparse_bytes);
    for (int step = 0; step < 3000; ++step) {
      const std::string element = fmt::format("{}:{}", sparse_bytes_max, step);
      const HllPlace place = hll_place(element);
      const bool is_new = place.value > model[place.index];
      model[place.index] = std::max(model[place.index], place.value);
      const Result<bool> raised = limited.add(element);
      BOOST_TEST_REQUIRE(raised.ok());
      BOOST_TEST_REQUIRE(*raised == is_new);
      if (step % 100 == 0) check_model();
      BOOST_TEST_REQUIRE((limited.view().is_dense() || bytes().size() <= sparse_bytes_max));
    }
    check_model();
  }
}

BOOST_AUTO_TEST_CASE(a_register_too_high_for_a_run_makes_the_value_dense) {
  BOOST_TEST(hll.raise({7, 32}).ok());
  BOOST_TEST(!hll.view().is_dense());
  BOOST_TEST(hll.raise({8, 33}).ok());
  BOOST_TEST(hll.view().is_dense());
  model[7] = 32;
  model[8] = 33;
  check_model();
}

// Neighbours of equal value are joined, four at most; one that differs splits them.
BOOST_AUTO_TEST_CASE(runs_are_split_and_joined) {
  const auto runs = [this] {
    std::string text;
    hll.view().for_each_run(
        [&](const HllRun& run) { text += fmt::format("{}x{} ", run.value, run.length); });
    return text;
  };
  const auto raise = [this](size_t index, uint8_t value) {
    BOOST_TEST(hll.raise({index, value}).ok());
  };
  raise(10, 2);
  BOOST_TEST(runs() == "0x10 2x1 0x16373 ");
  raise(11, 2);
  raise(9, 2);
  BOOST_TEST(runs() == "0x9 2x3 0x16372 ");
  raise(10, 3);
  BOOST_TEST(runs() == "0x9 2x1 3x1 2x1 0x16372 ");
  raise(9, 3);
  raise(11, 3);
  BOOST_TEST(runs() == "0x9 3x3 0x16372 ");
  raise(16383, 1);
  BOOST_TEST(runs() == "0x9 3x3 0x16371 1x1 ");
  for (size_t i = 12; i < 20; ++i) raise(i, 3);
  BOOST_TEST(runs() == "0x9 3x4 3x4 3x3 0x16363 1x1 ");
}

BOOST_AUTO_TEST_CASE(the_estimate_is_near_the_number_of_elements) {
  for (uint64_t added = 1, look = 10; added <= 200'000; ++added) {
    add(fmt::format("element {}", added));
    if (added != look) continue;
    look = look * 3 + 1;
    const auto count = static_cast<double>(hll.view().count().value_or(0));
    const auto wanted = static_cast<double>(added);
    BOOST_TEST(std::abs(count - wanted) <= 1 + 0.04 * wanted, added << " counted as " << count);
  }
}

BOOST_AUTO_TEST_CASE(the_last_count_holds_until_it_is_forgotten) {
  BOOST_TEST_REQUIRE(hll.keep_count(12345).ok());
  BOOST_TEST(hll.view().last_count().value_or(0) == 12345u);
  BOOST_TEST_REQUIRE(hll.forget_count().ok());
  BOOST_TEST(!hll.view().last_count());
}

BOOST_AUTO_TEST_CASE(what_is_no_hyperloglog_is_told_by_its_header_and_length) {
  const std::string good = bytes();
  for (size_t cut = 0; cut < kHllHeaderBytes; ++cut) {
    BOOST_TEST(!HyperLogLogView(std::string_view(good).substr(0, cut)).is_valid());
  }
  std::string bad = good;
  bad[0] = 'h';
  BOOST_TEST(!HyperLogLogView(bad).is_valid());
  bad = good;
  bad[4] = 2;
  BOOST_TEST(!HyperLogLogView(bad).is_valid());
  bad[4] = 0;  // dense, but not so long
  BOOST_TEST(!HyperLogLogView(bad).is_valid());
  bad.resize(kHllDenseBytes);
  BOOST_TEST(HyperLogLogView(bad).is_valid());
}

// Runs that cover too few registers or too many, and a long one that lacks its second byte.
BOOST_AUTO_TEST_CASE(damaged_runs_are_noticed_and_not_followed) {
  const std::string header = bytes().substr(0, kHllHeaderBytes);
  for (const std::string_view runs :
       {std::string_view(""), std::string_view("\x7f", 1), std::string_view("\x7f\xfe", 2),
        std::string_view("\x7f\xff\x00", 3), std::string_view("\x7f\xff\x7f\xff", 4),
        std::string_view("\x7f\xfd\x87", 3), std::string_view("\x80\x7f", 2)}) {
    const std::string value = header + std::string(runs);
    const HyperLogLogView view(value);
    BOOST_TEST(view.is_valid());
    BOOST_TEST(!view.check());
    BOOST_TEST(!view.count());
    HllRegisters registers{};
    BOOST_TEST(!view.merge_into(registers));

    assign(value);
    HyperLogLog damaged(string, limits.hll_sparse_bytes);
    BOOST_TEST(!damaged.make_dense().ok());
    BOOST_TEST(!damaged.raise({16383, 33}).ok());
    BOOST_TEST(bytes() == value);
  }
}

// Any byte of the runs may be anything: nothing is read or written beyond the value (sanitizers).
BOOST_AUTO_TEST_CASE(random_damage_does_no_harm) {
  for (int i = 0; i < 200; ++i) add(fmt::format("{}", i));
  const std::string good = bytes();
  Random random(11);
  for (int round = 0; round < 3000; ++round) {
    std::string bad = good;
    for (size_t changes = 1 + random.below(3); changes > 0; --changes) {
      const size_t at = kHllHeaderBytes + random.below(bad.size() - kHllHeaderBytes);
      bad[at] = static_cast<char>(random.below(256));
    }
    if (random.below(2) == 0) bad.resize(kHllHeaderBytes + random.below(bad.size() - 15));
    assign(bad);
    HyperLogLog damaged(string, limits.hll_sparse_bytes);
    const bool is_sound = damaged.view().check();
    BOOST_TEST(damaged.view().count().has_value() == is_sound);
    const Result<bool> raised =
        damaged.raise({random.below(kHllRegisters), static_cast<uint8_t>(1 + random.below(40))});
    BOOST_TEST((raised.ok() || !is_sound));
    assign(good);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::types
