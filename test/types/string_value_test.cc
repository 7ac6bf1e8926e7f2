#include "types/string_value.h"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/random.h"
#include "test/types/test_home.h"
#include "test/types/value_bytes.h"

namespace {

using namespace roxdb;
using namespace roxdb::types;
using roxdb::types::test::BytesReader;
using roxdb::types::test::BytesWriter;

// One string entry in a cell, as a table would hold it.
class Holder {
 public:
  Holder(const ValueHome& home, EntryParts parts, std::string_view bytes) : home_(home) {
    const auto entry = create_string(home.slabs, parts, bytes);
    BOOST_REQUIRE(entry.ok());
    cell_.set_pointer(*entry);
  }
  Holder(const ValueHome& home, Entry* entry) : home_(home) { cell_.set_pointer(entry); }
  ~Holder() {
    if (entry().has_payload()) {
      memory::SlabSink sink(home_.slabs);
      string_type().release_payload(entry().payload(), entry().encoding(), sink);
    }
    Entry::destroy(home_.slabs, &entry());
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  Entry& entry() { return *static_cast<Entry*>(cell_.pointer()); }
  StringValue value() { return {home_, cell_}; }
  std::string text() { return std::string(StringView(entry()).view()); }
  std::string_view encoding() { return string_type().encoding_name(entry()); }

 private:
  const ValueHome& home_;
  containers::Cell cell_{};
};

std::string repeated(size_t size) { return std::string(size, 'x'); }

using Fixture = roxdb::types::test::TestHome;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(types_string_value, Fixture)

BOOST_AUTO_TEST_CASE(the_encoding_is_chosen_from_the_bytes) {
  const std::pair<std::string, std::string_view> cases[] = {{"", "embstr"},
                                                            {"0", "int"},
                                                            {"-1", "int"},
                                                            {"9223372036854775807", "int"},
                                                            {"-9223372036854775808", "int"},
                                                            {"9223372036854775808", "embstr"},
                                                            {"012", "embstr"},
                                                            {"+1", "embstr"},
                                                            {"-0", "embstr"},
                                                            {" 1", "embstr"},
                                                            {repeated(44), "embstr"},
                                                            {repeated(45), "raw"},
                                                            {repeated(5000), "raw"}};
  for (const auto& [bytes, encoding] : cases) {
    BOOST_TEST_CONTEXT(bytes.substr(0, 50)) {
      Holder holder(home, {.key = "k"}, bytes);
      BOOST_TEST(holder.encoding() == encoding);
      BOOST_TEST(holder.text() == bytes);
      BOOST_TEST(holder.value().size() == bytes.size());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_value_lies_inline_while_its_entry_fits_a_slab_block) {
  const std::string key = "key";
  const size_t largest = memory::kSlabBytesMax - Entry::size_of(key.size(), 0, false, false);
  Holder inside(home, {.key = key}, repeated(largest));
  BOOST_TEST((string_encoding(inside.entry()) == StringEncoding::kRaw));
  Holder outside(home, {.key = key}, repeated(largest + 1));
  BOOST_TEST((string_encoding(outside.entry()) == StringEncoding::kShared));
  // The expiry needs room in the block, too.
  Holder expiring(home, {.key = key, .expire_at_ms = 1}, repeated(largest));
  BOOST_TEST((string_encoding(expiring.entry()) == StringEncoding::kShared));
  // Next to a long key a small value would gain nothing from standing alone.
  Holder long_key(home, {.key = std::string(9000, 'k')}, repeated(kAlwaysInlineBytesMax));
  BOOST_TEST((string_encoding(long_key.entry()) == StringEncoding::kRaw));
}

// The place of the entry and the bytes in use tell that nothing was allocated.
BOOST_AUTO_TEST_CASE(an_overwrite_of_the_same_size_allocates_nothing) {
  for (const size_t size : {size_t{1}, size_t{44}, size_t{500}, size_t{2000}, size_t{3} << 20}) {
    BOOST_TEST_CONTEXT("size " << size) {
      Holder holder(home, {.key = "k"}, repeated(size));
      const void* entry = &holder.entry();
      const char* bytes = StringView(holder.entry()).view().data();
      const size_t used = memory::used_bytes();
      BOOST_TEST(overwrite_string(holder.entry(), std::string(size, 'y')));
      BOOST_TEST(holder.text() == std::string(size, 'y'));
      BOOST_TEST(&holder.entry() == entry);
      BOOST_TEST(static_cast<const void*>(StringView(holder.entry()).view().data()) ==
                 static_cast<const void*>(bytes));
      BOOST_TEST(memory::used_bytes() == used);
    }
  }
  Holder integer(home, {.key = "k"}, "1");
  const void* entry = &integer.entry();
  BOOST_TEST(overwrite_string(integer.entry(), "-9223372036854775808"));
  BOOST_TEST(integer.text() == "-9223372036854775808");
  BOOST_TEST(&integer.entry() == entry);
}

BOOST_AUTO_TEST_CASE(an_overwrite_in_place_keeps_no_more_memory_than_a_new_entry) {
  Random random(1);
  for (int round = 0; round < 2000; ++round) {
    const size_t old_size = random.below(3000);
    const size_t new_size = random.below(3000);
    Holder holder(home, {.key = "key"}, repeated(old_size));
    if (!overwrite_string(holder.entry(), repeated(new_size))) continue;
    Holder fresh(home, {.key = "key"}, repeated(new_size));
    const auto bytes = [](Holder& one) {
      return one.entry().occupied_bytes() + string_type().payload_bytes(one.entry(), 0);
    };
    BOOST_TEST_CONTEXT(old_size << " -> " << new_size) {
      BOOST_TEST(bytes(holder) == bytes(fresh));
      BOOST_TEST(holder.encoding() == fresh.encoding());
      BOOST_TEST(holder.text() == fresh.text());
    }
  }
}

BOOST_AUTO_TEST_CASE(edits_make_a_value_raw_and_integers_make_it_int) {
  Holder holder(home, {.key = "k"}, "12");
  BOOST_TEST(holder.value().append("3").ok());
  BOOST_TEST(holder.text() == "123");
  BOOST_TEST(holder.encoding() == "raw");
  BOOST_TEST((holder.value().integer() == 123));
  holder.value().assign_integer(124);
  BOOST_TEST(holder.encoding() == "int");
  BOOST_TEST(holder.value().set_range(1, "x").ok());
  BOOST_TEST(holder.text() == "1x4");
  BOOST_TEST(holder.encoding() == "raw");
  BOOST_TEST(!holder.value().integer().has_value());
  BOOST_TEST(holder.value().assign("12").ok());
  BOOST_TEST(holder.encoding() == "int");
  BOOST_TEST(holder.value().append("").ok());
  BOOST_TEST(holder.encoding() == "raw");
}

BOOST_AUTO_TEST_CASE(a_gap_is_filled_with_zeros_also_where_bytes_were) {
  Holder holder(home, {.key = "k"}, "abcdefgh");
  BOOST_TEST(holder.value().assign("x").ok());
  BOOST_TEST(holder.value().set_range(4, "y").ok());
  BOOST_TEST(holder.text() == std::string("x\0\0\0y", 5));
  BOOST_TEST(holder.value().set_range(2000, "z").ok());
  BOOST_TEST(holder.text() == std::string("x\0\0\0y", 5) + std::string(1995, '\0') + "z");
}

// Every kind of edit in random order against a std::string.
BOOST_AUTO_TEST_CASE(a_string_behaves_as_a_string_under_random_edits) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    const auto random_bytes = [&] {
      // Sizes around every border, often small.
      const size_t borders[] = {1, 20, 44, 64, 1000, 1100, 5000};
      std::string bytes(random.below(borders[random.below(std::size(borders))]) + 1, ' ');
      for (char& c : bytes) c = static_cast<char>('0' + random.below(12));
      return bytes;
    };
    BOOST_TEST_CONTEXT("seed " << seed) {
      const int64_t expire_at_ms = seed % 2 == 0 ? 77 : -1;
      std::string model = random_bytes();
      Holder holder(home, {.key = "key", .expire_at_ms = expire_at_ms, .access = 0xabcdef}, model);
      std::vector<std::pair<SharedRef, std::string>> held;  // replies on their way
      for (int step = 0; step < 2000; ++step) {
        StringValue value = holder.value();
        const std::string bytes = random_bytes();
        switch (random.below(7)) {
          case 0:
            BOOST_REQUIRE(value.assign(bytes).ok());
            model = bytes;
            break;
          case 1:
            BOOST_REQUIRE(value.append(bytes).ok());
            model += bytes;
            break;
          case 2: {
            const size_t offset = random.below(model.size() + 100);
            BOOST_REQUIRE(value.set_range(offset, bytes).ok());
            if (model.size() < offset + bytes.size()) model.resize(offset + bytes.size());
            model.replace(offset, bytes.size(), bytes);
            break;
          }
          case 3: {
            const auto number = static_cast<int64_t>(random.next());
            value.assign_integer(number);
            model = std::to_string(number);
            break;
          }
          case 4:
            if (overwrite_string(holder.entry(), bytes)) model = bytes;
            break;
          case 5:
            if (SharedRef blob = string_blob(holder.entry())) held.emplace_back(blob, model);
            if (held.size() > 3) held.erase(held.begin());
            break;
          case 6: {
            const size_t size = bytes.size() - 1;
            const Result<char*> data = value.resize(size);
            BOOST_REQUIRE(data.ok());
            model.resize(size);
            if (size > 0) model[size / 2] = (*data)[size / 2] = 'y';
            break;
          }
        }
        BOOST_REQUIRE(holder.text() == model);
        BOOST_REQUIRE(holder.value().size() == model.size());
        BOOST_REQUIRE((holder.value().integer() == parse_int64(model)));
        BOOST_REQUIRE(holder.entry().has_expiry() == (expire_at_ms >= 0));
        BOOST_REQUIRE(holder.entry().access() == 0xabcdefu);
        if (model.size() > 20000) {
          BOOST_REQUIRE(holder.value().assign("").ok());
          model.clear();
        }
        for (const auto& [blob, bytes_then] : held) {
          BOOST_REQUIRE(static_cast<const BigString*>(blob.get())->view() == bytes_then);
        }
      }
      slabs.check();
    }
  }
}

// Counted by the places the bytes move to: doubling moves them some ten times on the way to a
// megabyte, growing by a constant would do it thousands of times.
BOOST_AUTO_TEST_CASE(appends_move_the_bytes_a_logarithmic_number_of_times) {
  Holder holder(home, {.key = "k"}, repeated(2000));
  const void* place = nullptr;
  int moves = 0;
  while (holder.value().size() < (size_t{1} << 20)) {
    BOOST_REQUIRE(holder.value().append("0123456789").ok());
    const void* now = StringView(holder.entry()).view().data();
    moves += now != place ? 1 : 0;
    place = now;
  }
  BOOST_TEST(moves <= 12);
}

BOOST_AUTO_TEST_CASE(a_scratch_string_is_given_away_or_leaves_nothing) {
  for (const size_t size : {0u, 10u, 5000u}) {
    ScratchString unused(home, {.key = "unused"});
    BOOST_TEST(unused.value().resize(size).ok());
    ScratchString scratch(home, {.key = "k", .expire_at_ms = 5});
    BOOST_TEST(scratch.value().resize(size).ok());
    Holder taken(home, scratch.take());
    BOOST_TEST(taken.entry().key() == "k");
    BOOST_TEST(taken.text() == std::string(size, '\0'));
    BOOST_TEST(taken.encoding() == "raw");
  }
}

BOOST_AUTO_TEST_CASE(a_copy_shares_the_bytes_until_one_side_is_edited) {
  Holder one(home, {.key = "one"}, repeated(3000));
  const size_t used = memory::used_bytes();
  Holder two(home, string_type().copy(one.entry(), {.key = "two", .expire_at_ms = 5}, home));
  BOOST_TEST(memory::used_bytes() - used < 100u);
  BOOST_TEST(two.entry().key() == "two");
  BOOST_TEST(two.entry().expire_at_ms() == 5);
  BOOST_TEST(two.value().append("y").ok());
  BOOST_TEST(one.text() == repeated(3000));
  BOOST_TEST(two.text() == repeated(3000) + "y");
  for (const std::string bytes : {"12", "abc", ""}) {
    Holder small(home, {.key = "small"}, bytes);
    Holder copy(home, string_type().copy(small.entry(), {.key = "copy"}, home));
    BOOST_TEST(copy.text() == bytes);
    BOOST_TEST(copy.encoding() == small.encoding());
  }
}

BOOST_AUTO_TEST_CASE(what_is_saved_loads_as_the_same_bytes) {
  std::vector<std::string> values = {"",
                                     "0",
                                     "-1",
                                     "63",
                                     "9223372036854775807",
                                     "-9223372036854775808",
                                     "abc",
                                     "00",
                                     std::string("\0", 1)};
  for (const size_t size : {44, 45, 127, 128, 1000, 1020, 70'000, 3'000'000}) {
    values.push_back(repeated(size));
  }
  for (const std::string& bytes : values) {
    BOOST_TEST_CONTEXT(bytes.substr(0, 50) << " (" << bytes.size() << ")") {
      Holder holder(home, {.key = "k"}, bytes);
      BytesWriter out;
      string_type().save(holder.entry(), out);
      BOOST_TEST(out.text.size() <= bytes.size() + 4);

      BytesReader in(out.text);
      const auto loaded = string_type().load(in, {.key = "k2", .expire_at_ms = 9}, home);
      BOOST_TEST_REQUIRE(loaded.ok());
      BOOST_TEST(in.left.empty());
      Holder again(home, *loaded);
      BOOST_TEST(again.text() == bytes);
      BOOST_TEST(again.encoding() == holder.encoding());
      BOOST_TEST(again.entry().key() == "k2");
      BOOST_TEST(again.entry().expire_at_ms() == 9);
    }
  }
}

BOOST_AUTO_TEST_CASE(equal_bytes_are_saved_alike_whatever_the_encoding) {
  Holder set(home, {.key = "k"}, "123");
  Holder edited(home, {.key = "k"}, "12");
  BOOST_TEST(edited.value().append("3").ok());
  BOOST_TEST(set.encoding() != edited.encoding());
  BytesWriter a;
  BytesWriter b;
  string_type().save(set.entry(), a);
  string_type().save(edited.entry(), b);
  BOOST_TEST(a.text == b.text);
}

BOOST_AUTO_TEST_CASE(what_save_never_writes_does_not_load) {
  const auto refused = [&](std::string_view bytes) {
    BytesReader in(bytes);
    const auto loaded = string_type().load(in, {.key = "k"}, home);
    if (loaded.ok()) Holder freed(home, *loaded);
    return !loaded.ok() && loaded.status().code == Code::kCorrupt;
  };
  BOOST_TEST(refused(""));
  BOOST_TEST(
      refused("\x04"
              "12"));  // an integer written as text
  BOOST_TEST(
      refused("\x03"
              "ab"));           // no such form
  BOOST_TEST(refused("\x01"));  // the integer is missing
  BytesWriter too_long;
  too_long.varint(2 * (kStringBytesMax + 1));
  BOOST_TEST(refused(too_long.text));
}

// At every length of input shorter than the whole, and without taking the announced memory.
BOOST_AUTO_TEST_CASE(an_input_that_ends_early_is_refused_and_leaves_nothing) {
  Holder holder(home, {.key = "k"}, repeated(2000));
  BytesWriter out;
  string_type().save(holder.entry(), out);
  for (size_t size = 0; size < out.text.size(); ++size) {
    BytesReader in(std::string_view(out.text).substr(0, size));
    BOOST_REQUIRE(!string_type().load(in, {.key = "k"}, home).ok());
  }
  BytesWriter liar;
  liar.varint(2 * kStringBytesMax);
  liar.write(repeated(100'000));
  const size_t used = memory::used_bytes();
  BytesReader in(liar.text);
  BOOST_TEST(!string_type().load(in, {.key = "k"}, home).ok());
  BOOST_TEST(memory::used_bytes() == used);
}

BOOST_AUTO_TEST_SUITE_END()
