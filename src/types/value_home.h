// value_home.h: what a value needs of the database it lies in.
#pragma once

#include "base/hash.h"
#include "base/memory.h"
#include "types/limits.h"

namespace roxdb::types {

// References to what outlives every value. Passed along, never kept in a value: swapping databases
// and loading files move values between owners.
struct ValueHome {
  memory::Slabs& slabs;      // all blocks of a value are taken here
  const HashSecret& secret;  // of its tables
  const Limits& limits;
};

}  // namespace roxdb::types
