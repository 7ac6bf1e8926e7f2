#include "types/hash_value.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "test/types/test_home.h"
#include "test/types/value_bytes.h"

namespace {

using namespace roxdb;
using namespace roxdb::types;
using containers::kNoMark;
using roxdb::types::test::BytesReader;
using roxdb::types::test::BytesWriter;

// One hash in a cell, as a keyspace holds it.
class Holder {
 public:
  explicit Holder(const ValueHome& home) : Holder(home, HashValue::create(home, {.key = "key"})) {}
  Holder(const ValueHome& home, Entry* entry) : home_(home) { cell_.set_pointer(entry); }
  ~Holder() {
    if (entry().has_payload()) {
      memory::SlabSink sink(home_.slabs);
      hash_type().release_payload(entry().payload(), entry().encoding(), sink);
    }
    Entry::destroy(home_.slabs, &entry());
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  Entry& entry() { return *static_cast<Entry*>(cell_.pointer()); }
  HashValue value() { return {home_, cell_}; }
  std::string_view encoding() { return hash_type().encoding_name(entry()); }
  std::string saved() {
    BytesWriter out;
    hash_type().save(entry(), out);
    return out.text;
  }

 private:
  const ValueHome& home_;
  containers::Cell cell_{};
};

struct Expected {
  std::string value;
  int64_t expire_at_ms = kNoExpiry;
  bool operator==(const Expected&) const = default;
};
using Model = std::map<std::string, Expected>;

Model content(const HashView& view) {
  Model model;
  view.for_each([&](const HashView::Field& field) {
    const bool is_new = model
                            .try_emplace(std::string(field.name),
                                         Expected{std::string(field.value), field.expire_at_ms})
                            .second;
    BOOST_TEST_REQUIRE(is_new);
  });
  return model;
}

void check_same(Holder& holder, const Model& model) {
  const HashView view = holder.value().view();
  BOOST_TEST_REQUIRE((content(view) == model));
  BOOST_TEST_REQUIRE(view.size() == model.size());
  BOOST_TEST_REQUIRE(holder.value().empty() == model.empty());
  for (const auto& [name, expected] : model) {
    char room[kIntegerDigitsMax];
    const auto found = view.find(name, room);
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST_REQUIRE(found->value == expected.value);
    BOOST_TEST_REQUIRE(found->expire_at_ms == expected.expire_at_ms);
  }
  if (!has_expiring_fields(holder.entry())) return;
  bool any = false;
  for (const auto& [name, expected] : model) {
    if (expected.expire_at_ms < 0) continue;
    any = true;
    BOOST_TEST_REQUIRE(field_mark(holder.entry()) <= static_cast<uint64_t>(expected.expire_at_ms));
  }
  BOOST_TEST_REQUIRE(has_field_expiry(holder.entry()) == any);
}

std::string random_text(Random& random) {
  switch (random.below(6)) {
    case 0:
      return std::to_string(static_cast<int64_t>(random.next()) >> random.below(60));
    case 1:
      return "";
    case 2:
      return "007";  // no integer's text
    case 3:
      return std::string(random.below(70), 'x');
    default:
      return "t" + std::to_string(random.below(40));
  }
}

using Fixture = roxdb::types::test::TestHome;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(types_hash_value, Fixture)

// Every encoding under every operation: limits that convert early, late and at once.
BOOST_AUTO_TEST_CASE(random_edits_agree_with_a_map_in_every_encoding) {
  std::map<std::string, int> seen;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Random random(seed);
      limits.hash_packed_entries =
          static_cast<int64_t>(random.below(2) == 0 ? 500 : random.below(200));
      limits.hash_packed_value_bytes = random.below(2) == 0 ? 64 : 80;
      const bool expires = random.below(2) == 0;
      size_t expiring_hashes = 0;
      const ValueHome counting{slabs, secret, limits, nullptr, &expiring_hashes};
      Holder holder(counting);
      Model model;
      int64_t now = 1;
      for (int step = 0; step < 400; ++step) {
        const std::string name = random_text(random);
        const auto known = model.find(name);
        const int64_t time = now + 1 + static_cast<int64_t>(random.below(1000));
        switch (random.below(6)) {
          case 0:
          case 1:
          case 2: {
            const std::string value = random_text(random);
            const int64_t choices[] = {kNoExpiry, kKeepExpiry, time};
            const int64_t expiry = choices[random.below(expires ? 3 : 2)];
            BOOST_TEST_REQUIRE(holder.value().set(name, value, expiry) == (known == model.end()));
            Expected& expected = model[name];
            expected.value = value;
            if (expiry != kKeepExpiry) expected.expire_at_ms = expiry;
            break;
          }
          case 3:
            BOOST_TEST_REQUIRE(holder.value().erase(name) == (known != model.end()));
            model.erase(name);
            break;
          case 4:
            if (known == model.end()) break;
            known->second.expire_at_ms = expires && random.below(3) != 0 ? time : kNoExpiry;
            holder.value().set_expiry(name, known->second.expire_at_ms);
            break;
          case 5: {
            if (!has_expiring_fields(holder.entry())) break;
            now += static_cast<int64_t>(random.below(60));
            const bool is_due = known != model.end() && known->second.expire_at_ms >= 0 &&
                                known->second.expire_at_ms < now;
            BOOST_TEST_REQUIRE(holder.value().erase_due(name, now) == is_due);
            if (is_due) model.erase(known);
            std::vector<std::string> names;
            while (field_mark(holder.entry()) < static_cast<uint64_t>(now)) {
              holder.value().take_due(now, 3, &names);
            }
            const size_t before = model.size();
            std::erase_if(model, [&](const auto& each) {
              return each.second.expire_at_ms >= 0 && each.second.expire_at_ms < now;
            });
            BOOST_TEST_REQUIRE(names.size() == before - model.size());
            break;
          }
        }
        BOOST_TEST_REQUIRE(expiring_hashes == size_t{has_field_expiry(holder.entry())});
        if (step % 20 == 0) check_same(holder, model);
      }
      check_same(holder, model);
      seen[std::string(holder.encoding()) + (has_expiring_fields(holder.entry()) ? "!" : "")]++;
    }
  }
  for (const std::string name : {"listpack", "listpackex!", "hashtable", "hashtable!"}) {
    BOOST_TEST_CONTEXT(name) { BOOST_TEST(seen[name] > 0); }
  }
}

BOOST_AUTO_TEST_CASE(a_hash_is_packed_up_to_the_limits) {
  Holder many(home);
  for (int i = 0; i < 512; ++i) many.value().set("f" + std::to_string(i), "v");
  BOOST_TEST(many.encoding() == "listpack");
  many.value().set("f0", "other");
  BOOST_TEST(many.encoding() == "listpack");
  many.value().set("one more", "v");
  BOOST_TEST(many.encoding() == "hashtable");

  for (const auto& [name_size, value_size, encoding] :
       {std::tuple(64, 64, "listpack"), {65, 1, "hashtable"}, {1, 65, "hashtable"}}) {
    Holder holder(home);
    holder.value().set(std::string(static_cast<size_t>(name_size), 'n'),
                       std::string(static_cast<size_t>(value_size), 'v'));
    BOOST_TEST(holder.encoding() == encoding);
  }
}

BOOST_AUTO_TEST_CASE(a_packed_hash_with_expiries_stays_packed) {
  Holder holder(home);
  holder.value().set("a", "1");
  holder.value().set("b", "2");
  holder.value().set_expiry("a", kNoExpiry);
  BOOST_TEST(holder.encoding() == "listpack");
  holder.value().set_expiry("a", 500);
  BOOST_TEST(holder.encoding() == "listpackex");
  BOOST_TEST(field_mark(holder.entry()) == 500u);
  holder.value().set_expiry("a", kNoExpiry);
  BOOST_TEST(holder.encoding() == "listpackex");
  holder.value().take_due(501, 1, nullptr);
  BOOST_TEST(field_mark(holder.entry()) == kNoMark);
}

BOOST_AUTO_TEST_CASE(what_is_due_is_passed_over_before_it_is_removed) {
  for (const int64_t entries : {int64_t{512}, int64_t{0}}) {
    limits.hash_packed_entries = entries;
    Holder holder(home);
    holder.value().set("stays", "1");
    holder.value().set("goes", "2", 500);
    for (const auto& [now, there] : {std::pair<int64_t, bool>(500, true), {501, false}}) {
      BOOST_TEST_CONTEXT(holder.encoding() << " at " << now) {
        const HashView view(holder.entry(), now);
        char room[kIntegerDigitsMax];
        BOOST_TEST(view.find("goes", room).has_value() == there);
        BOOST_TEST(view.find("stays", room).has_value());
        BOOST_TEST(view.has_due() == !there);
        BOOST_TEST(view.live_size() == (there ? 2u : 1u));
        BOOST_TEST(content(view).size() == (there ? 2u : 1u));
        BOOST_TEST(view.size() == 2u);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_saved_hash_comes_back_whatever_the_limits_are_now) {
  for (const bool expires : {false, true}) {
    for (const int count : {1, 3, 40}) {
      Holder holder(home);
      for (int i = 0; i < count; ++i) {
        holder.value().set("field" + std::to_string(i), std::to_string(i * 1000),
                           expires && i % 2 == 0 ? 1000 + i : kNoExpiry);
      }
      const Model model = content(holder.value().view());
      const std::string saved = holder.saved();
      for (const int64_t entries : {512, 10, 0}) {
        limits.hash_packed_entries = entries;
        BytesReader in(saved);
        auto loaded = hash_type().load(in, {.key = "other", .expire_at_ms = 9}, home);
        BOOST_TEST_REQUIRE(loaded.ok());
        Holder other(home, *loaded);
        BOOST_TEST(in.left.empty());
        BOOST_TEST(other.entry().key() == "other");
        BOOST_TEST(other.entry().expire_at_ms() == 9);
        check_same(other, model);
        BOOST_TEST(other.encoding() == (count > entries ? "hashtable"
                                        : expires       ? "listpackex"
                                                        : "listpack"));
        Holder copy(home, hash_type().copy(other.entry(), {.key = "third"}, home));
        BOOST_TEST(copy.encoding() == other.encoding());
        check_same(copy, model);
      }
      limits.hash_packed_entries = 512;
    }
  }
}

// Every cut ends in an error, and no flipped bit in anything but an error or another good hash.
BOOST_AUTO_TEST_CASE(a_damaged_hash_is_refused_or_whole) {
  for (const int64_t entries : {512, 2}) {
    limits.hash_packed_entries = entries;
    Holder holder(home);
    holder.value().set("a", "1");
    holder.value().set("b", std::string(100, 'v'), 1000);
    holder.value().set("c", "");
    const std::string saved = holder.saved();
    for (size_t cut = 0; cut < saved.size(); ++cut) {
      BytesReader in(std::string_view(saved).substr(0, cut));
      BOOST_TEST((hash_type().load(in, {.key = "k"}, home).status().code == Code::kCorrupt));
    }
    for (size_t bit = 0; bit < saved.size() * 8; ++bit) {
      std::string damaged = saved;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
      BytesReader in(damaged);
      auto loaded = hash_type().load(in, {.key = "k"}, home);
      if (!loaded.ok()) {
        BOOST_TEST((loaded.status().code == Code::kCorrupt));
        continue;
      }
      Holder other(home, *loaded);
      check_same(other, content(other.value().view()));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_save_never_writes_is_refused) {
  const auto load = [&](const std::string& bytes) {
    BytesReader in(bytes);
    return hash_type().load(in, {.key = "k"}, home).status().code;
  };
  using namespace std::string_literals;
  for (const int64_t entries : {512, 1, 0}) {
    limits.hash_packed_entries = entries;
    BOOST_TEST((load("\0"s) == Code::kCorrupt));                    // no field
    BOOST_TEST((load("\1"s) == Code::kCorrupt));                    // none that expires
    BOOST_TEST((load("\4\1a\1x\1a\1y"s) == Code::kCorrupt));        // a twice
    BOOST_TEST((load("\6\1a\1x\1b\1y\1a\1y"s) == Code::kCorrupt));  // a twice, later
    BOOST_TEST((load("\3\1a\1x\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"s) == Code::kCorrupt));
    BOOST_TEST((load("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1\1a\1x"s) == Code::kCorrupt));
    BOOST_TEST((load("\2\xff\xff\xff\xff\xff\1"s) == Code::kCorrupt));  // a name of 2^40 bytes
  }
}

BOOST_AUTO_TEST_CASE(ten_fields_with_their_key_cost_at_most_221_bytes_with_the_table) {
  Holder holder(home, HashValue::create(home, {.key = "key:000000000012"}));
  for (int i = 0; i < 10; ++i) {
    holder.value().set("fld" + std::to_string(i), "x:" + std::to_string(10'000'000 + i));
  }
  constexpr size_t kCellBytes = 11;  // of the keyspace's table
  BOOST_TEST(holder.entry().occupied_bytes() + kCellBytes <= 221u);
}

BOOST_AUTO_TEST_SUITE_END()
