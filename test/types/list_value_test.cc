#include "types/list_value.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <string>
#include <vector>

#include "base/random.h"
#include "test/types/test_home.h"
#include "test/types/value_bytes.h"

namespace {

using namespace roxdb;
using namespace roxdb::types;
using containers::packed::Encoded;
using containers::packed::Text;
using roxdb::types::test::BytesReader;
using roxdb::types::test::BytesWriter;
using roxdb::types::test::TestHome;

void destroy(const ValueHome& home, Entry* entry) {
  memory::SlabSink sink(home.slabs);
  if (entry->has_payload()) list_type().release_payload(entry->payload(), entry->encoding(), sink);
  Entry::destroy(home.slabs, entry);
}

std::vector<std::string> texts_of(const Entry& entry) {
  std::vector<std::string> texts;
  for (ListCursor cursor = ListView(entry).front(); cursor; cursor.next()) {
    texts.emplace_back(Text(cursor.element()).view());
  }
  return texts;
}

std::string saved(const Entry& entry) {
  BytesWriter out;
  list_type().save(entry, out);
  return out.text;
}

size_t packed_nodes_of(const Entry& entry) {
  if (entry.encoding() == static_cast<uint8_t>(ListEncoding::kPacked)) return 0;
  return entry.pointer<containers::BlockList>()->packed_nodes();
}

// A list beside a plain model, both told the same.
struct Pair : TestHome {
  explicit Pair(int64_t node_size = -2, std::string key = "key", int64_t plain_depth = 0) {
    limits.list_node_size = node_size;
    limits.list_plain_depth = plain_depth;
    cell.set_pointer(ListValue::create(home, {.key = key, .expire_at_ms = 5, .access = 77}));
  }
  ~Pair() { destroy(home, &entry()); }
  Entry& entry() { return *static_cast<Entry*>(cell.pointer()); }
  ListValue list() { return {home, cell}; }
  std::string_view encoding() { return list_type().encoding_name(entry()); }
  bool is_packed() { return entry().encoding() == static_cast<uint8_t>(ListEncoding::kPacked); }

  size_t packed_nodes() { return packed_nodes_of(entry()); }

  void push_back(const std::string& text) {
    list().push_back(Encoded(text));
    model.push_back(text);
  }
  void push_front(const std::string& text) {
    list().push_front(Encoded(text));
    model.push_front(text);
  }
  void pop_front() {
    list().pop_front();
    model.pop_front();
  }
  void pop_back() {
    list().pop_back();
    model.pop_back();
  }
  void insert(size_t index, bool after, const std::string& text) {
    ListValue value = list();
    const ListCursor cursor = value.view().at(index);
    if (after) {
      value.insert_after(cursor, Encoded(text));
    } else {
      value.insert_before(cursor, Encoded(text));
    }
    model.insert(model.begin() + static_cast<ptrdiff_t>(index + size_t{after}), text);
  }
  void replace(size_t index, const std::string& text) {
    ListValue value = list();
    value.replace(value.view().at(index), Encoded(text));
    model[index] = text;
  }
  void remove(size_t index, size_t count) {
    list().remove(index, count);
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
    BOOST_TEST(list().remove_equal(Encoded(text), count_max, from_back) == removed);
  }

  void compare() {
    if (!is_packed()) entry().pointer<containers::BlockList>()->check();
    const ListView view(entry());
    BOOST_TEST_REQUIRE(view.size() == model.size());
    BOOST_TEST_REQUIRE(texts_of(entry()) == std::vector<std::string>(model.begin(), model.end()),
                       boost::test_tools::per_element());
    ListCursor cursor = view.back();
    for (size_t i = model.size(); i-- > 0; cursor.previous()) {
      BOOST_TEST_REQUIRE(cursor.is(Encoded(model[i])));
      BOOST_TEST_REQUIRE(view.at(i).is(Encoded(model[i])));
    }
    BOOST_TEST_REQUIRE(!cursor);
    BOOST_TEST(entry().access() == 77u);
    BOOST_TEST(entry().expire_at_ms() == 5);
  }

  containers::Cell cell{};
  std::deque<std::string> model;
};

std::string random_text(Random& random) {
  switch (random.below(10)) {
    case 0:
      return std::to_string(random.below(100));
    case 1:
      return std::string(random.below(150), 'a');
    case 2:
      return random.below(20) == 0 ? std::string(5000, 'b') : "";
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
  if (kind == 9) {
    return pair.remove_equal(random_text(random), 1 + random.below(3), random.below(2) == 0);
  }
  if (kind < 12) return pair.pop_front();
  if (kind < 14) return pair.pop_back();
  pair.remove(index, random.below(1 + std::min<size_t>(size - index, grows ? 3 : 40)));
}

void fill(Pair& pair, size_t count, size_t bytes = 8) {
  for (size_t i = 0; i < count; ++i)
    pair.push_back(std::string(bytes, static_cast<char>('a' + i % 26)));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(types_list_value)

BOOST_AUTO_TEST_CASE(it_agrees_with_a_deque_in_every_encoding) {
  for (const int64_t node_size : {-2, -1, -5, 1, 3, 100}) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      BOOST_TEST_CONTEXT("list-max-listpack-size " << node_size << ", seed " << seed) {
        Random random(seed);
        Pair pair(node_size);
        bool was_packed = false;
        bool was_blocks = false;
        for (int round = 0; round < 60; ++round) {
          for (int i = 0; i < 30; ++i) {
            step(pair, random, round % 16 < 9);
            (pair.is_packed() ? was_packed : was_blocks) = true;
          }
          pair.compare();
        }
        BOOST_TEST(was_packed);
        BOOST_TEST(was_blocks);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(it_agrees_with_a_deque_when_inner_nodes_are_packed) {
  for (const int64_t node_size : {-1, 8}) {
    for (const int64_t depth : {1, 2, 3}) {
      BOOST_TEST_CONTEXT("list-max-listpack-size " << node_size << ", depth " << depth) {
        Random random(7);
        Pair pair(node_size, "key", depth);
        fill(pair, 400, 100);
        size_t packed_nodes = 0;
        for (int round = 0; round < 40; ++round) {
          for (int i = 0; i < 60; ++i) step(pair, random, round % 16 < 9);
          pair.compare();
          packed_nodes += pair.packed_nodes();
        }
        BOOST_TEST(packed_nodes > 0u);
      }
    }
  }
}

// Only where the elements lie differs: what is saved, copied and loaded does not.
BOOST_AUTO_TEST_CASE(packed_nodes_are_saved_loaded_and_copied_as_others_are) {
  std::string bytes;
  size_t run_bytes = 0;
  size_t payload_bytes = 0;
  const auto fill_all = [](Pair& pair) {
    fill(pair, 10'000);
    pair.replace(5000, "-42");
  };
  {
    Pair plain;
    fill_all(plain);
    BOOST_TEST(plain.packed_nodes() == 0u);
    bytes = saved(plain.entry());
    run_bytes = ListView(plain.entry()).bytes();
    payload_bytes = list_type().payload_bytes(plain.entry(), 0);
  }
  Pair packed(-2, "key", 1);
  fill_all(packed);
  BOOST_TEST(packed.packed_nodes() > 5u);
  BOOST_TEST(packed.encoding() == "quicklist");
  BOOST_TEST(ListView(packed.entry()).bytes() == run_bytes);
  BOOST_TEST(list_type().payload_bytes(packed.entry(), 0) * 2 < payload_bytes);
  BOOST_TEST(saved(packed.entry()) == bytes);

  BytesReader in(bytes);
  const Result<Entry*> loaded = list_type().load(in, {.key = "key"}, packed.home);
  BOOST_TEST_REQUIRE(loaded.ok());
  BOOST_TEST(packed_nodes_of(**loaded) > 5u);
  BOOST_TEST(saved(**loaded) == bytes);
  destroy(packed.home, *loaded);

  Entry* const copy = list_type().copy(packed.entry(), {.key = "other"}, packed.home);
  BOOST_TEST(packed_nodes_of(*copy) == packed.packed_nodes());
  BOOST_TEST(saved(*copy) == bytes);
  destroy(packed.home, copy);
}

BOOST_AUTO_TEST_CASE(a_depth_beyond_what_a_node_limit_holds_packs_nothing_of_a_usual_list) {
  Pair pair(1, "key", int64_t{1} << 20);
  fill(pair, 1000, 100);
  BOOST_TEST(pair.packed_nodes() == 0u);
}

// A list of ten elements of 8 bytes is one allocation of 128 bytes.
BOOST_AUTO_TEST_CASE(a_small_list_lies_in_its_entry) {
  TestHome place;
  containers::Cell cell{};
  cell.set_pointer(ListValue::create(place.home, {.key = "key:012345678901"}));
  ListValue list(place.home, cell);
  for (int i = 0; i < 10; ++i) list.push_back(Encoded("12ab34cd"));
  BOOST_TEST(!list.entry().has_payload());
  BOOST_TEST(list.entry().occupied_bytes() == 128u);
  destroy(place.home, static_cast<Entry*>(cell.pointer()));
}

BOOST_AUTO_TEST_CASE(a_list_with_a_long_key_is_a_block_list_from_the_start) {
  Pair pair(-2, std::string(2000, 'k'));
  fill(pair, 3);
  pair.compare();
  BOOST_TEST(!pair.is_packed());
  BOOST_TEST(pair.encoding() == "listpack");
  pair.pop_back();
  pair.compare();
}

// A new name, or an expiry, may make an entry larger than what a packed list keeps inline.
BOOST_AUTO_TEST_CASE(a_packed_list_may_get_a_longer_key) {
  for (const bool grows : {false, true}) {
    Pair pair;
    fill(pair, 98);
    BOOST_TEST(pair.is_packed());
    Entry* const old = &pair.entry();
    EntryParts parts = old->parts();
    const std::string key(100, 'k');
    parts.key = key;
    pair.cell.set_pointer(Entry::create(pair.slabs, parts));
    Entry::destroy(pair.slabs, old);
    pair.compare();
    if (grows) {
      pair.push_front("x");
    } else {
      pair.pop_front();
    }
    pair.compare();
    pair.push_back("y");
    pair.compare();
    BOOST_TEST(saved(pair.entry()).size() > 800u);
  }
}

// Names as Redis gives them: by size at list-max-listpack-size, back at half of it.
BOOST_AUTO_TEST_CASE(the_encoding_is_named_by_size) {
  Pair pair(-1);
  fill(pair, 408);  // of 10 bytes, and 7 of the listpack
  BOOST_TEST(pair.encoding() == "listpack");
  fill(pair, 1);
  BOOST_TEST(pair.encoding() == "quicklist");
  pair.remove(0, 204);
  BOOST_TEST(pair.encoding() == "quicklist");
  pair.pop_front();
  BOOST_TEST(pair.encoding() == "listpack");
  pair.compare();
}

BOOST_AUTO_TEST_CASE(the_encoding_is_named_by_count) {
  Pair pair(4);
  fill(pair, 4);
  BOOST_TEST(pair.encoding() == "listpack");
  pair.push_back("x");
  BOOST_TEST(pair.encoding() == "quicklist");
  pair.pop_back();
  pair.pop_back();
  BOOST_TEST(pair.encoding() == "quicklist");
  pair.pop_back();
  BOOST_TEST(pair.encoding() == "listpack");
  BOOST_TEST(pair.is_packed());
  pair.compare();
}

BOOST_AUTO_TEST_CASE(save_and_load_give_the_same_list_in_every_encoding) {
  for (const size_t count : {1, 10, 200, 3000}) {
    Pair pair;
    fill(pair, count);
    if (count >= 200) {
      pair.replace(100, std::string(10'000, 'x'));
      pair.replace(101, "-42");
    }
    const std::string bytes = saved(pair.entry());
    BytesReader in(bytes);
    const Result<Entry*> loaded =
        list_type().load(in, {.key = "key", .expire_at_ms = 9}, pair.home);
    BOOST_TEST_REQUIRE(loaded.ok());
    BOOST_TEST(in.left.empty());
    BOOST_TEST(texts_of(**loaded) == texts_of(pair.entry()), boost::test_tools::per_element());
    BOOST_TEST((*loaded)->encoding() == pair.entry().encoding());
    BOOST_TEST(saved(**loaded) == bytes);
    destroy(pair.home, *loaded);
  }
}

// However a list came to be: replicas and replays compare what is saved.
BOOST_AUTO_TEST_CASE(what_is_saved_depends_on_the_elements_alone) {
  std::string bytes[2];
  {
    Pair pair(-2);
    fill(pair, 1000);
    bytes[0] = saved(pair.entry());
  }
  {
    Pair pair(3);
    for (size_t i = 1000; i-- > 0;)
      pair.push_front(std::string(8, static_cast<char>('a' + i % 26)));
    bytes[1] = saved(pair.entry());
  }
  BOOST_TEST(bytes[0] == bytes[1]);
}

BOOST_AUTO_TEST_CASE(a_copy_is_equal_and_independent) {
  for (const size_t count : {3, 200, 3000}) {
    Pair pair;
    fill(pair, count);
    Entry* const copy = list_type().copy(pair.entry(), {.key = "other"}, pair.home);
    BOOST_TEST(copy->key() == "other");
    BOOST_TEST(list_type().encoding_name(*copy) == pair.encoding());
    BOOST_TEST(texts_of(*copy) == texts_of(pair.entry()), boost::test_tools::per_element());
    pair.pop_front();
    BOOST_TEST(texts_of(*copy).size() == count);
    destroy(pair.home, copy);
  }
}

BOOST_AUTO_TEST_CASE(input_cut_anywhere_is_refused) {
  Pair pair;
  fill(pair, 600);
  const std::string bytes = saved(pair.entry());
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    BytesReader in(std::string_view(bytes).substr(0, cut));
    BOOST_TEST(!list_type().load(in, {.key = "key"}, pair.home).ok());
  }
}

// Whatever a changed byte makes of it, it is refused or it is a list that saves as it was read.
BOOST_AUTO_TEST_CASE(a_changed_byte_is_refused_or_another_list) {
  Pair pair;
  fill(pair, 60);
  pair.push_back("12345");
  pair.push_back(std::string(200, 'x'));
  const std::string bytes = saved(pair.entry());
  size_t refused = 0;
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      BytesReader in(changed);
      const Result<Entry*> loaded = list_type().load(in, {.key = "key"}, pair.home);
      if (!loaded.ok()) {
        refused++;
        continue;
      }
      BOOST_TEST(saved(**loaded) == changed.substr(0, changed.size() - in.left.size()));
      destroy(pair.home, *loaded);
    }
  }
  BOOST_TEST(refused > 100u);
}

BOOST_AUTO_TEST_CASE(lying_counts_and_empty_pieces_are_refused) {
  TestHome place;
  using namespace std::string_view_literals;
  for (const std::string_view bytes : {
           "\x00"sv,       // no elements
           "\x02\x02\x01"  // two announced, half of one there
           "a"sv,
           "\x01\x04\x01"  // one announced, two there
           "a\x01"
           "b"sv,
           "\x02\x02\x01"  // an empty piece
           "a\x00\x02\x01"
           "b"sv,
           "\x01\x02\x01"  // an integer written as a string
           "7"sv,
           "\x01\x01\xc0"sv,  // a head that does not exist
           "\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x02\x01"
           "a"sv,  // 2^63 elements
       }) {
    BytesReader in(bytes);
    BOOST_TEST(!list_type().load(in, {.key = "key"}, place.home).ok());
  }
}

BOOST_AUTO_TEST_SUITE_END()
