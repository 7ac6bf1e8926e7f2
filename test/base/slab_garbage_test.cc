#include "base/slab_garbage.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <thread>
#include <vector>

#include "base/random.h"

namespace {

using namespace roxdb;
using namespace roxdb::memory;

BOOST_AUTO_TEST_SUITE(base_slab_garbage)

// Blocks of several sizes, half of them found to be garbage on another thread; the rest lives on.
BOOST_AUTO_TEST_CASE(what_another_thread_gave_back_is_free_and_nothing_else) {
  const size_t used_before = used_bytes();
  {
    Slabs slabs;
    Random random(3);
    std::vector<std::pair<void*, size_t>> kept;
    std::vector<std::pair<void*, size_t>> dead;
    for (int i = 0; i < 20'000; ++i) {
      const size_t size = i % 500 == 0 ? 3000 : 8 + random.next() % 200;
      void* block = slabs.take(size);
      (random.next() % 2 == 0 ? kept : dead).emplace_back(block, size);
    }
    SlabGarbage garbage;
    std::thread([&] {
      for (const auto& [block, size] : dead) garbage.give(block, size);
    }).join();
    size_t steps = 1;
    while (slabs.take_back(garbage, 7)) steps++;
    BOOST_TEST(steps > 1u);
    BOOST_TEST(garbage.empty());
    slabs.check();

    size_t expected = 0;
    std::set<void*> living;
    for (const auto& [block, size] : kept) {
      if (size <= kSlabBytesMax) expected += Slabs::occupied(size);
      living.insert(block);
    }
    BOOST_TEST(slabs.used_bytes() == expected);
    for (const auto& [unused, size] : dead) {
      void* block = slabs.take(size);
      BOOST_TEST_REQUIRE(!living.contains(block));
      kept.emplace_back(block, size);
    }
    for (const auto& [block, size] : kept) slabs.give(block, size);
    slabs.check();
    BOOST_TEST(slabs.used_bytes() == 0u);
  }
  BOOST_TEST(used_bytes() == used_before);
}

BOOST_AUTO_TEST_CASE(a_slab_whose_last_block_comes_back_is_given_up) {
  Slabs slabs;
  std::vector<void*> blocks;
  for (int i = 0; i < 5000; ++i) blocks.push_back(slabs.take(64));
  const size_t full = slabs.slab_bytes();
  SlabGarbage garbage;
  for (void* block : blocks) garbage.give(block, 64);
  BOOST_TEST(!slabs.take_back(garbage, SIZE_MAX));
  slabs.check();
  BOOST_TEST(slabs.slab_bytes() < full);
  BOOST_TEST(slabs.used_bytes() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
