#include "base/slab_garbage.h"

#include "base/assert.h"

namespace roxdb::memory {

void SlabGarbage::give(void* block, size_t size) {
  if (size > kSlabBytesMax) return release(block, size);
  void* const slab = Slabs::slab_of(block);
  if (slab != last_slab_) {
    last_slab_ = slab;
    last_chain_ = &chains_[slab];  // elements of a map keep their place
  }
  Chain& chain = *last_chain_;
  *static_cast<void**>(block) = chain.first;
  chain.first = block;
  if (chain.last == nullptr) chain.last = block;
  chain.blocks++;
}

bool Slabs::take_back(SlabGarbage& garbage, size_t slabs_max) {
  garbage.last_slab_ = nullptr;
  for (; slabs_max > 0 && !garbage.chains_.empty(); --slabs_max) {
    const auto [address, chain] = *garbage.chains_.begin();
    garbage.chains_.erase(garbage.chains_.begin());
    auto* const slab = static_cast<Slab*>(address);
    ROX_ASSERT(chain.blocks <= slab->live);
    const size_t bytes = size_t{chain.blocks} * slab->block_size;
    *static_cast<void**>(chain.last) = slab->free;
    slab->free = chain.first;
    slab->live -= chain.blocks;
    if (!slab->listed) list(slab);
    if (slab->live == 0) retire(slab);
    used_bytes_ -= bytes;
    account(-static_cast<int64_t>(bytes));
  }
  return !garbage.chains_.empty();
}

}  // namespace roxdb::memory
