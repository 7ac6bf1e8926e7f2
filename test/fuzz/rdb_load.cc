// rdb_load: a file of Redis, imported and verified, whatever is in it.
//
// Input: byte 0 even: the file as it is. Odd: what follows the magic of version 11; the end and the
// checksum are made right behind it.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "engine/engine.h"
#include "persist/crc64.h"
#include "persist/rdb_reader.h"
#include "persist/snapshot.h"
#include "test/fuzz/fuzz_target.h"
#include "test/fuzz/one_file.h"

namespace {

std::string file_from(std::string_view body) {
  std::string bytes = "REDIS0011";
  bytes += body;
  bytes += '\xff';
  const uint64_t sum = roxdb::persist::crc64(0, bytes);
  bytes.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace roxdb;
  using namespace roxdb::persist;
  if (size < 1) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string bytes = (data[0] & 1) != 0 ? file_from(body) : std::string(body);
  if (!is_rdb(bytes)) return 0;
  roxdb::test::OneFile disk(bytes);

  const LoadResult verified = verify_snapshot(disk.environment, disk.kPath, {});
  ROX_ASSERT(verified.status.ok() == verified.message.empty());
  for (const bool salvage : {false, true}) {
    engine::Engine engine({.environment = &disk.environment, .hash_seed = 1});
    const LoadResult loaded =
        load_snapshot(engine, disk.kPath, {.salvage = salvage, .keep_expired = true});
    ROX_ASSERT(loaded.foreign);
    ROX_ASSERT(engine.size() == loaded.entries_kept);
    if (salvage) {
      ROX_ASSERT(loaded.status.ok());
    } else {
      ROX_ASSERT(loaded.status.ok() == loaded.message.empty());
      ROX_ASSERT(!loaded.status.ok() || verified.status.ok());
    }
  }
  return 0;
}
