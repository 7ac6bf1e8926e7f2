#include "engine/limit_settings.h"

namespace roxdb::engine {

void add_limit_settings(Settings& settings, types::Limits& limits) {
  const auto count = [&](std::string_view name, int64_t* value) -> Setting& {
    return settings.add_integer(name, value, 0, INT64_MAX);
  };
  const auto bytes = [&](std::string_view name, uint64_t* value) -> Setting& {
    return settings.add_memory(name, value, 0, INT64_MAX);
  };
  count("hash-max-listpack-entries", &limits.hash_packed_entries).aliases = {
      "hash-max-ziplist-entries"};
  bytes("hash-max-listpack-value", &limits.hash_packed_value_bytes).aliases = {
      "hash-max-ziplist-value"};
  settings.add_integer("list-max-listpack-size", &limits.list_node_size, INT32_MIN, INT32_MAX)
      .aliases = {"list-max-ziplist-size"};
  settings.add_integer("list-compress-depth", &limits.list_plain_depth, 0, INT32_MAX);
  count("set-max-intset-entries", &limits.set_integers);
  count("set-max-listpack-entries", &limits.set_packed_entries);
  count("set-max-listpack-value", &limits.set_packed_value_bytes);
  count("zset-max-listpack-entries", &limits.zset_packed_entries).aliases = {
      "zset-max-ziplist-entries"};
  bytes("zset-max-listpack-value", &limits.zset_packed_value_bytes).aliases = {
      "zset-max-ziplist-value"};
  bytes("stream-node-max-bytes", &limits.stream_block_bytes);
  count("stream-node-max-entries", &limits.stream_block_entries);
  bytes("hll-sparse-max-bytes", &limits.hll_sparse_bytes);
}

}  // namespace roxdb::engine
