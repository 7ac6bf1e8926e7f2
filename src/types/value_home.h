// value_home.h: what a value needs of the database it lies in.
#pragma once

#include <cstddef>

#include "base/hash.h"
#include "base/memory.h"
#include "types/key_sizes.h"
#include "types/limits.h"

namespace roxdb::types {

// References to what outlives every value. Passed along, never kept in a value: swapping databases
// and loading files move values between owners.
struct ValueHome {
  memory::Slabs& slabs;      // all blocks of a value are taken here
  const HashSecret& secret;  // of its tables
  const Limits& limits;
  KeySizes* sizes = nullptr;  // told when a value changes its size; null: nobody counts
  // How many hashes of the database have fields that expire: edits of values that lie in it change
  // that, the rest is the keyspace's business. Null: nobody asks.
  size_t* expiring_hashes = nullptr;

  // For a value that is not in the database, or not yet.
  ValueHome aside() const { return {slabs, secret, limits}; }
  void resized(TypeId type, size_t before, size_t after) const {
    if (sizes != nullptr) sizes->resize(type, before, after);
  }
};

}  // namespace roxdb::types
