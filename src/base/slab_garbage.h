// slab_garbage.h: small blocks that a thread which does not own their slabs has found to be
// garbage.
//
//   another thread   give(block) ...      chains the blocks of each slab through their first words;
//                                         touches nothing but them
//   the owner        Slabs::take_back()   links each chain into its slab: O(1) a slab
//
// So a set of ten million members is taken apart in the background, though its members lie in the
// slabs of the database beside everything else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "base/memory.h"

namespace roxdb::memory {

// Made on one thread, handed to the owner of the slabs as a whole. The slabs must outlive it.
class SlabGarbage final : public BlockSink {
 public:
  // Blocks beyond kSlabBytesMax lie in no slab and are released at once.
  void give(void* block, size_t size) override;
  bool empty() const { return chains_.empty(); }

 private:
  friend class Slabs;
  struct Chain {
    void* first = nullptr;
    void* last = nullptr;
    uint32_t blocks = 0;
  };

  std::unordered_map<void*, Chain> chains_;  // by slab
  void* last_slab_ = nullptr;                // neighbours die together: saves most look-ups
  Chain* last_chain_ = nullptr;
};

}  // namespace roxdb::memory
