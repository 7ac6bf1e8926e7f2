#include "types/hash_field.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "base/memory.h"

namespace {

using roxdb::memory::Slabs;
using roxdb::types::HashField;

struct Fixture {
  ~Fixture() { BOOST_TEST(slabs.used_bytes() == 0u); }
  Slabs slabs;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(types_hash_field, Fixture)

// Sizes on both sides of each border of the head.
BOOST_AUTO_TEST_CASE(name_value_and_expiry_come_back_whatever_their_sizes) {
  const size_t sizes[] = {0, 1, 12, 127, 128, 1000, 70'000};
  for (const size_t name_size : sizes) {
    for (const size_t value_size : sizes) {
      for (const int64_t expiry : {int64_t{-1}, int64_t{1}, int64_t{70'368'744'177'663}}) {
        BOOST_TEST_CONTEXT(name_size << " " << value_size << " " << expiry) {
          const std::string name(name_size, 'n');
          const std::string value(value_size, 'v');
          HashField* field = HashField::create(slabs, name, value, expiry);
          HashField* copy = HashField::copy(slabs, *field);
          for (const HashField* each : {field, copy}) {
            BOOST_TEST(each->name() == name);
            BOOST_TEST(each->value() == value);
            BOOST_TEST(each->expire_at_ms() == expiry);
          }
          HashField::destroy(slabs, field);
          HashField::destroy(slabs, copy);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_value_is_overwritten_where_the_block_stays_the_same) {
  for (const int64_t expiry : {int64_t{-1}, int64_t{77}}) {
    for (const size_t old_size :
         {size_t{10}, size_t{120}, size_t{127}, size_t{128}, size_t{3000}}) {
      for (const size_t fresh_size : {old_size, old_size - 1, old_size + 1, old_size + 30}) {
        HashField* field = HashField::create(slabs, "name", std::string(old_size, 'a'), expiry);
        const size_t occupied = field->block_size();
        const std::string fresh(fresh_size, 'b');
        const bool done = field->overwrite(fresh);
        BOOST_TEST_CONTEXT(old_size << " -> " << fresh_size) {
          BOOST_TEST(field->block_size() == occupied);
          BOOST_TEST(field->value() == (done ? fresh : std::string(old_size, 'a')));
          BOOST_TEST(field->name() == "name");
          BOOST_TEST(field->expire_at_ms() == expiry);
          if (fresh_size == old_size) BOOST_TEST(done);
          if (fresh_size == old_size + 30 && old_size < 3000) BOOST_TEST(!done);
        }
        HashField::destroy(slabs, field);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_field_of_12_bytes_with_a_value_of_16_takes_32) {
  HashField* field = HashField::create(slabs, "field:123456", "0123456789abcdef", -1);
  BOOST_TEST(field->block_size() == 32u);
  HashField::destroy(slabs, field);
}

BOOST_AUTO_TEST_SUITE_END()
