#include "types/hash_table.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <string>

#include "base/random.h"
#include "test/types/test_home.h"

namespace {

using namespace roxdb;
using namespace roxdb::types;
using containers::kNoMark;

struct Fixture : roxdb::types::test::TestHome {
  Fixture() : table(HashTable::create(home)) {}
  ~Fixture() {
    memory::SlabSink sink(slabs);
    HashTable::destroy(table, sink);
  }
  HashTable* table;
};

struct Expected {
  std::string value;
  int64_t expire_at_ms;
};
using Model = std::map<std::string, Expected>;

void check_same(const HashTable& table, const Model& model) {
  table.check();
  BOOST_TEST_REQUIRE(table.size() == model.size());
  size_t visited = 0;
  table.for_each([&](const HashField* field) {
    const auto expected = model.find(std::string(field->name()));
    BOOST_TEST_REQUIRE((expected != model.end()));
    BOOST_TEST_REQUIRE(field->value() == expected->second.value);
    BOOST_TEST_REQUIRE(field->expire_at_ms() == expected->second.expire_at_ms);
    visited++;
  });
  BOOST_TEST_REQUIRE(visited == model.size());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(types_hash_table, Fixture)

// Few names, so that most operations meet a field that is there; values of all shapes; time goes on
// and takes what is due in small pieces.
BOOST_AUTO_TEST_CASE(random_edits_agree_with_a_map) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed);
      Model model;
      int64_t now = 1;
      const uint64_t names = seed * 700;
      for (int step = 0; step < 40'000; ++step) {
        const std::string name = "field" + std::to_string(random.below(names));
        const auto known = model.find(name);
        const int64_t time = now + static_cast<int64_t>(random.below(3000));
        switch (random.below(8)) {
          case 0:
          case 1:
          case 2: {
            const std::string value(random.below(random.below(10) == 0 ? 2000 : 30), 'v');
            const int64_t choices[] = {kNoExpiry, kKeepExpiry, time};
            const int64_t expiry = choices[random.below(3)];
            BOOST_TEST_REQUIRE(table->set(slabs, name, value, expiry) == (known == model.end()));
            int64_t& kept =
                model.try_emplace(name, Expected{"", kNoExpiry}).first->second.expire_at_ms;
            if (expiry != kKeepExpiry) kept = expiry;
            model[name].value = value;
            break;
          }
          case 3:
            BOOST_TEST_REQUIRE(table->erase(slabs, name) == (known != model.end()));
            model.erase(name);
            break;
          case 4:
          case 5:
            if (known == model.end()) break;
            known->second.expire_at_ms = random.below(3) == 0 ? kNoExpiry : time;
            table->set_expiry(slabs, name, known->second.expire_at_ms);
            break;
          case 6: {
            const HashField* field = table->find(name);
            BOOST_TEST_REQUIRE((field != nullptr) == (known != model.end()));
            if (field != nullptr) BOOST_TEST_REQUIRE(field->value() == known->second.value);
            break;
          }
          case 7: {
            now += static_cast<int64_t>(random.below(20));
            std::vector<std::string> names_taken;
            const size_t taken = table->take_due(slabs, now, 1 + random.below(5), &names_taken);
            BOOST_TEST_REQUIRE(names_taken.size() == taken);
            for (const std::string& each : names_taken) {
              const auto gone = model.find(each);
              BOOST_TEST_REQUIRE((gone != model.end()));
              BOOST_TEST_REQUIRE(gone->second.expire_at_ms < now);
              BOOST_TEST_REQUIRE(gone->second.expire_at_ms >= 0);
              model.erase(gone);
            }
            if (table->mark() >= static_cast<uint64_t>(now)) {
              for (const auto& [left, expected] : model) {
                BOOST_TEST_REQUIRE((expected.expire_at_ms < 0 || expected.expire_at_ms >= now));
              }
            }
            break;
          }
        }
        if (step % 4000 == 0) check_same(*table, model);
      }
      check_same(*table, model);
      HashTable* copy = HashTable::copy(home, *table);
      check_same(*copy, model);
      memory::SlabSink sink(slabs);
      HashTable::destroy(copy, sink);
      for (const auto& [name, expected] : model) BOOST_TEST_REQUIRE(table->erase(slabs, name));
      BOOST_TEST(table->size() == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(all_that_is_due_is_taken_in_bounded_pieces) {
  for (int i = 0; i < 20'000; ++i) {
    table->set(slabs, "f" + std::to_string(i), "v", i % 2 == 0 ? 100 : kNoExpiry);
  }
  BOOST_TEST(table->mark() == 100u);
  BOOST_TEST(table->take_due(slabs, 100, 10, nullptr) == 0u);  // due is what is before now
  size_t taken = 0;
  int pieces = 0;
  while (table->mark() < 101) {
    const size_t piece = table->take_due(slabs, 101, 50, nullptr);
    BOOST_TEST_REQUIRE(piece <= 50u + 444u);
    taken += piece;
    BOOST_TEST_REQUIRE(++pieces < 1000);
  }
  BOOST_TEST(taken == 10'000u);
  BOOST_TEST(table->size() == 10'000u);
  BOOST_TEST(table->mark() == kNoMark);
  table->check();
}

BOOST_AUTO_TEST_CASE(the_bound_forgets_an_expiry_that_is_gone_once_it_is_due) {
  table->set(slabs, "a", "v", 50);
  table->set(slabs, "b", "v", 90);
  table->set_expiry(slabs, "a", kNoExpiry);
  BOOST_TEST(table->mark() <= 90u);
  BOOST_TEST(table->take_due(slabs, 60, 10, nullptr) == 0u);
  BOOST_TEST(table->mark() == 90u);
}

BOOST_AUTO_TEST_CASE(the_bound_goes_with_the_last_expiry) {
  table->set(slabs, "a", "v", 50);
  table->set(slabs, "b", "v", 90);
  table->set(slabs, "c", "v", kNoExpiry);
  table->set(slabs, "a", "a value of another size", kNoExpiry);
  BOOST_TEST(table->mark() != kNoMark);
  table->erase(slabs, "b");
  BOOST_TEST(table->mark() == kNoMark);
  table->set_expiry(slabs, "c", 70);
  BOOST_TEST(table->mark() == 70u);
  table->check();
}

BOOST_AUTO_TEST_CASE(a_million_fields_cost_at_most_54_bytes_each) {
  constexpr size_t kFields = 1'000'000;
  for (size_t i = 0; i < kFields; ++i) {
    std::string name = std::to_string(i);
    name.insert(0, 12 - name.size(), '0');
    table->set(slabs, name, "0123456789abcdef", kNoExpiry);
  }
#if defined(ROX_DEBUG)
  constexpr size_t kBytesMax = 60;  // small segments waste more
#else
  constexpr size_t kBytesMax = 54;
#endif
  BOOST_TEST(table->occupied_bytes() / kFields <= kBytesMax);
}

BOOST_AUTO_TEST_SUITE_END()
