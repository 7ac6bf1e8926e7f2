#include "types/packed_bytes.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "base/random.h"
#include "test/types/test_home.h"

namespace {

using namespace roxdb;
using namespace roxdb::types;
using Fixture = roxdb::types::test::TestHome;

void destroy(const ValueHome& home, Entry& entry) {
  memory::SlabSink sink(home.slabs);
  if (entry.has_payload()) PackedBytes::release(entry.payload(), sink);
  Entry::destroy(home.slabs, &entry);
}

BOOST_FIXTURE_TEST_SUITE(types_packed_bytes, Fixture)

// Against std::string, over sizes on both sides of the border between entry and block.
BOOST_AUTO_TEST_CASE(splices_agree_with_a_string) {
  Random random(2);
  for (const int64_t expire_at_ms : {int64_t{-1}, int64_t{5}}) {
    std::string model = "abc";
    containers::Cell cell{};
    cell.set_pointer(PackedBytes::create(slabs,
                                         {.type = TypeId::kHash,
                                          .encoding = 3,
                                          .key = "key",
                                          .expire_at_ms = expire_at_ms,
                                          .access = 77},
                                         model));
    PackedBytes packed(home, cell);
    bool was_inline = false;
    bool was_block = false;
    for (int i = 0; i < 5000; ++i) {
      const bool grows = (i / 500) % 2 == 0;
      const size_t offset = random.next() % (model.size() + 1);
      const size_t removed =
          std::min<size_t>(model.size() - offset, random.next() % (grows ? 10 : 40));
      const std::string added(random.next() % (grows ? 40 : 10), static_cast<char>('a' + i % 26));
      model.replace(offset, removed, added);
      added.copy(packed.splice(offset, removed, added.size()), added.size());
      BOOST_TEST_REQUIRE(packed.bytes() == model);
      BOOST_TEST_REQUIRE((packed.data() == packed.bytes().data()));
      (packed.entry().has_payload() ? was_block : was_inline) = true;
    }
    BOOST_TEST(was_inline);
    BOOST_TEST(was_block);
    const Entry& entry = packed.entry();
    BOOST_TEST(entry.key() == "key");
    BOOST_TEST(int{entry.encoding()} == 3);
    BOOST_TEST(entry.access() == 77u);
    BOOST_TEST(entry.has_expiry() == (expire_at_ms >= 0));
    destroy(home, packed.entry());
  }
}

BOOST_AUTO_TEST_CASE(bytes_lie_inline_while_the_entry_fits_a_slab_block) {
  const std::string largest(memory::kSlabBytesMax - Entry::size_of(1, 0, false, false), 'x');
  Entry* inside = PackedBytes::create(slabs, {.key = "k"}, largest);
  BOOST_TEST(!inside->has_payload());
  BOOST_TEST(PackedBytes::payload_bytes(*inside) == 0u);
  Entry* outside = PackedBytes::create(slabs, {.key = "k"}, largest + "x");
  BOOST_TEST(outside->has_payload());
  BOOST_TEST(PackedBytes::payload_bytes(*outside) > largest.size());
  BOOST_TEST(PackedBytes::of(*outside) == largest + "x");
  destroy(home, *inside);
  destroy(home, *outside);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
