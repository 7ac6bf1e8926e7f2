#include "types/set_value.h"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "test/types/test_home.h"
#include "test/types/value_bytes.h"

namespace {

using namespace roxdb;
using namespace roxdb::types;
using roxdb::types::test::BytesReader;
using roxdb::types::test::BytesWriter;
using Model = std::set<std::string>;

// One set in a cell, as a table would hold it.
class Holder {
 public:
  explicit Holder(const ValueHome& home) : Holder(home, SetValue::create(home, {.key = "key"})) {}
  Holder(const ValueHome& home, Entry* entry) : home_(home) { cell_.set_pointer(entry); }
  ~Holder() {
    if (entry().has_payload()) {
      memory::SlabSink sink(home_.slabs);
      set_type().release_payload(entry().payload(), entry().encoding(), sink);
    }
    Entry::destroy(home_.slabs, &entry());
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  Entry& entry() { return *static_cast<Entry*>(cell_.pointer()); }
  SetValue value() { return {home_, cell_}; }
  SetView view() { return SetView(entry()); }
  std::string_view encoding() { return set_type().encoding_name(entry()); }
  Model members() {
    Model members;
    view().for_each([&](std::string_view member) { BOOST_TEST(members.emplace(member).second); });
    return members;
  }

 private:
  const ValueHome& home_;
  containers::Cell cell_{};
};

std::string saved(Holder& holder) {
  BytesWriter out;
  set_type().save(holder.entry(), out);
  return out.text;
}

BOOST_FIXTURE_TEST_SUITE(types_set_value, roxdb::types::test::TestHome)

// Against std::set, with limits so small that sets go through all encodings.
BOOST_AUTO_TEST_CASE(sets_agree_with_a_model) {
  limits.set_integers = 20;
  limits.set_packed_entries = 15;
  limits.set_packed_value_bytes = 24;
  Random random(4);
  std::set<std::string> encodings;
  for (int round = 0; round < 60; ++round) {
    Holder holder(home);
    Model model;
    const uint64_t texts = round % 3 == 0 ? 0 : 20;  // of a hundred members
    const uint64_t range = uint64_t{1} << (1 + random.below(40));
    for (int i = 0; i < 300; ++i) {
      std::string member;
      if (random.below(100) < texts) {
        member = std::string(random.below(round % 3 == 1 ? 5 : 40), 'x');
      } else {
        const auto value = static_cast<int64_t>(random.below(range));
        member = std::to_string(random.below(2) == 0 ? value : -value);
      }
      if (random.below(3) != 0) {
        BOOST_TEST_REQUIRE(holder.value().add(member) == model.insert(member).second);
      } else {
        BOOST_TEST_REQUIRE(holder.value().remove(member) == (model.erase(member) > 0));
      }
      BOOST_TEST_REQUIRE(holder.view().size() == model.size());
      BOOST_TEST_REQUIRE(holder.view().contains(member) == model.contains(member));
      encodings.emplace(holder.encoding());
    }
    BOOST_TEST(holder.members() == model, boost::test_tools::per_element());
    if (holder.view().encoding() == SetEncoding::kTable) {
      holder.entry().pointer<SetTable>()->check();
    }

    Holder copy(home, set_type().copy(holder.entry(), {.key = "copy"}, home));
    BOOST_TEST((copy.members() == model));
    BOOST_TEST(copy.encoding() == holder.encoding());
    if (!model.empty()) {
      const std::string bytes = saved(holder);
      BytesReader in(bytes);
      const auto loaded = set_type().load(in, {.key = "loaded", .expire_at_ms = 9}, home);
      BOOST_TEST_REQUIRE(loaded.ok());
      Holder again(home, *loaded);
      BOOST_TEST((again.members() == model));
    }
    std::string text;
    while (!model.empty()) {
      BOOST_TEST_REQUIRE(model.erase(std::string(holder.value().pop(random, text))) == 1u);
    }
    BOOST_TEST(holder.view().size() == 0u);
  }
  BOOST_TEST(encodings.size() == 3u);
}

// With each byte more the entry would take the next block.
BOOST_AUTO_TEST_CASE(ten_integers_and_a_key_of_16_bytes_fill_a_block_exactly) {
  const std::pair<int64_t, size_t> cases[] = {{1, 48}, {100'000, 64}, {10'000'000'000, 104}};
  for (const auto& [first, bytes] : cases) {
    Holder holder(home, SetValue::create(home, {.key = "key:567890123456"}));
    for (int64_t i = 0; i < 10; ++i) holder.value().add(std::to_string(first + i));
    BOOST_TEST(holder.entry().occupied_bytes() == bytes);
  }
}

BOOST_AUTO_TEST_CASE(integers_of_any_width_stay_in_order) {
  Holder holder(home);
  const std::vector<std::string> ascending = {std::to_string(std::numeric_limits<int64_t>::min()),
                                              "-2147483649",
                                              "-2147483648",
                                              "-32769",
                                              "-32768",
                                              "-1",
                                              "0",
                                              "32767",
                                              "32768",
                                              "2147483647",
                                              "2147483648",
                                              std::to_string(std::numeric_limits<int64_t>::max())};
  for (size_t i = 0; i < ascending.size(); ++i) {
    holder.value().add(ascending[(i * 5 + 5) % ascending.size()]);
  }
  BOOST_TEST(holder.encoding() == "intset");
  std::vector<std::string> found;
  holder.view().for_each([&](std::string_view member) { found.emplace_back(member); });
  BOOST_TEST(found == ascending, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(encodings_change_at_the_limits) {
  limits.set_integers = 4;
  limits.set_packed_entries = 3;
  limits.set_packed_value_bytes = 20;
  {
    Holder integers(home);
    for (const char* member : {"1", "2", "3", "4"}) integers.value().add(member);
    BOOST_TEST(integers.encoding() == "intset");
    integers.value().add("5");
    BOOST_TEST(integers.encoding() == "hashtable");
  }
  {
    Holder mixed(home);
    mixed.value().add("1");
    mixed.value().add("a");
    BOOST_TEST(mixed.encoding() == "listpack");
    mixed.value().add("b");
    mixed.value().add("b");
    BOOST_TEST(mixed.encoding() == "listpack");
    mixed.value().add("c");
    BOOST_TEST(mixed.encoding() == "hashtable");
  }
  {
    Holder lengthy(home);
    lengthy.value().add(std::string(21, 'x'));
    BOOST_TEST(lengthy.encoding() == "hashtable");
  }
  {
    Holder many(home);
    many.value().expect(4);
    BOOST_TEST(many.encoding() == "intset");
    many.value().expect(5);
    BOOST_TEST(many.encoding() == "hashtable");
  }
}

// Cuts, repeated members, a count that is none: refused, and nothing is left behind.
BOOST_AUTO_TEST_CASE(what_was_not_saved_is_not_loaded) {
  Holder holder(home);
  for (const char* member : {"1", "22", "abc", "-7"}) holder.value().add(member);
  const std::string bytes = saved(holder);
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    BytesReader in(std::string_view(bytes).substr(0, cut));
    BOOST_TEST(!set_type().load(in, {.key = "k"}, home).ok());
  }
  using namespace std::string_literals;
  for (const std::string& odd : {"\0"s, "\2\1a\1a"s, "\2\0011\0011"s, "\xff\xff\xff\xff\x0f\1a"s}) {
    BytesReader in(odd);
    BOOST_TEST(!set_type().load(in, {.key = "k"}, home).ok());
  }
}

BOOST_AUTO_TEST_CASE(samples_reach_every_member) {
  limits.set_packed_entries = 5;
  for (const int count : {4, 50}) {
    for (const bool integers : {true, false}) {
      limits.set_integers = count == 4 ? 4 : 10;
      Holder holder(home);
      for (int i = 0; i < count; ++i) {
        holder.value().add((integers ? "" : "m") + std::to_string(i));
      }
      Random random(5);
      Model seen;
      char room[kIntegerDigitsMax];
      for (int i = 0; i < 100 * count; ++i) seen.emplace(holder.view().sample(random, room));
      BOOST_TEST((seen == holder.members()));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
