// limits.h: where values change from a packed encoding to a large one. Redis's directives and
// defaults; one object per Engine, changed by CONFIG SET.
#pragma once

#include <cstdint>

namespace roxdb::types {

struct Limits {
  int64_t hash_packed_entries = 512;      // hash-max-listpack-entries
  uint64_t hash_packed_value_bytes = 64;  // hash-max-listpack-value
  int64_t list_node_size = -2;       // list-max-listpack-size: elements, or -1 .. -5: 4 .. 64 KiB
  int64_t list_plain_depth = 0;      // list-compress-depth
  int64_t set_integers = 512;        // set-max-intset-entries
  int64_t set_packed_entries = 128;  // set-max-listpack-entries
  int64_t set_packed_value_bytes = 64;    // set-max-listpack-value
  int64_t zset_packed_entries = 128;      // zset-max-listpack-entries
  uint64_t zset_packed_value_bytes = 64;  // zset-max-listpack-value
  uint64_t stream_block_bytes = 4096;     // stream-node-max-bytes
  int64_t stream_block_entries = 100;     // stream-node-max-entries
  uint64_t hll_sparse_bytes = 3000;       // hll-sparse-max-bytes
};

}  // namespace roxdb::types
