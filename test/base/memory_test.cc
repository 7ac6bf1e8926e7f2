#include "base/memory.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <map>
#include <thread>
#include <vector>

#include "base/random.h"

using roxdb::Random;
using roxdb::memory::Slabs;

BOOST_AUTO_TEST_SUITE(base_memory)

// Blocks are filled with a byte of their own, so that two that overlap are noticed.
BOOST_AUTO_TEST_CASE(slabs_hand_out_blocks_that_do_not_overlap) {
  constexpr uint64_t kSeed = 20260101;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  struct Block {
    char* bytes;
    size_t size;
    char mark;
  };
  Random random(kSeed);
  Slabs slabs;
  std::vector<Block> blocks;
  for (int step = 0; step < 100'000; ++step) {
    if (blocks.empty() || random.below(100) < 55) {
      const size_t size = 1 + random.below(random.below(10) == 0 ? 3000 : 200);
      Block block{static_cast<char*>(slabs.take(size)), size, static_cast<char>(step)};
      std::memset(block.bytes, block.mark, size);
      blocks.push_back(block);
    } else {
      const size_t at = random.below(blocks.size());
      const Block block = blocks[at];
      BOOST_TEST_REQUIRE(block.bytes[0] == block.mark);
      BOOST_TEST_REQUIRE(block.bytes[block.size - 1] == block.mark);
      slabs.give(block.bytes, block.size);
      blocks[at] = blocks.back();
      blocks.pop_back();
    }
    if (step % 10'000 == 0) slabs.check();
  }
  slabs.check();
  for (const Block& block : blocks) slabs.give(block.bytes, block.size);
  slabs.check();
  BOOST_TEST(slabs.used_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(empty_slabs_go_back_to_the_system) {
  Slabs slabs;
  std::vector<void*> blocks;
  for (int i = 0; i < 100'000; ++i) blocks.push_back(slabs.take(40));
  const size_t full = slabs.slab_bytes();
  BOOST_TEST(full >= 4'000'000u);
  BOOST_TEST(full < 4'100'000u);  // the heads and the last slab's rest are all that is lost
  for (void* block : blocks) slabs.give(block, 40);
  BOOST_TEST(slabs.slab_bytes() <= 64u << 10);
}

BOOST_AUTO_TEST_CASE(the_account_is_exact) {
  const size_t before = roxdb::memory::used_bytes();
  void* block = roxdb::memory::allocate(1000);
  BOOST_TEST(roxdb::memory::used_bytes() == before + roxdb::memory::block_bytes(1000));
  {
    Slabs slabs;
    slabs.take(33);
    slabs.take(40);
    BOOST_TEST(slabs.used_bytes() == 80u);
    BOOST_TEST(roxdb::memory::used_bytes() == before + roxdb::memory::block_bytes(1000) + 80);
  }  // dies with its blocks
  BOOST_TEST(roxdb::memory::used_bytes() == before + roxdb::memory::block_bytes(1000));
  roxdb::memory::release(block, 1000);
  BOOST_TEST(roxdb::memory::used_bytes() == before);
}

BOOST_AUTO_TEST_CASE(what_another_thread_frees_is_counted) {
  const size_t before = roxdb::memory::used_bytes();
  void* block = roxdb::memory::allocate(100'000);
  std::thread([block] { roxdb::memory::release(block, 100'000); }).join();
  BOOST_TEST(roxdb::memory::used_bytes() == before);
}

BOOST_AUTO_TEST_SUITE_END()
