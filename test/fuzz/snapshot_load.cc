// snapshot_load: a snapshot, loaded, verified and salvaged, whatever is in it.
//
// Input: bit 0 of byte 0 says what follows. 0: the file as it is. 1: blocks whose hashes are made
// right, so that what lies behind the hash is reached. For each: type, flags, codec, entries,
// database, a byte that is odd when the payload is to be compressed, two of length, then the
// payload. Bit 1: a trailer that knows these blocks follows.
#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "engine/engine.h"
#include "persist/snapshot.h"
#include "persist/snapshot_format.h"
#include "test/fuzz/fuzz_target.h"
#include "test/fuzz/one_file.h"
#include "test/persist/snapshot_file.h"

namespace {

using namespace roxdb;
using namespace roxdb::persist;

std::string compressed(std::string_view raw) {
  std::string out(ZSTD_compressBound(raw.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), raw.data(), raw.size(), 1));
  return out;
}

std::string file_from(std::string_view in, bool with_trailer) {
  SnapshotFile file;
  constexpr size_t kInstructionBytes = 8;
  while (in.size() > kInstructionBytes) {
    const auto byte = [in](size_t at) { return static_cast<uint8_t>(in[at]); };
    BlockHeader header;
    header.type = byte(0);
    header.flags = byte(1);
    header.codec = byte(2);
    header.entries = byte(3);
    header.database = byte(4);
    const bool compress = (byte(5) & 1) != 0;
    uint16_t length;
    std::memcpy(&length, in.data() + 6, sizeof length);
    in.remove_prefix(kInstructionBytes);
    const std::string_view payload = in.substr(0, length);
    in.remove_prefix(payload.size());
    header.raw_size = static_cast<uint32_t>(payload.size());
    file.counts().entries += header.entries;
    file.counts().by_type[0] += header.entries;
    file.sealed(header, compress ? compressed(payload) : std::string(payload));
  }
  return with_trailer ? file.finish() : file.bytes();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const bool is_made = (data[0] & 1) != 0;
  roxdb::test::OneFile disk(is_made ? file_from(body, (data[0] & 2) != 0) : std::string(body));
  CrashingEnvironment& environment = disk.environment;

  const LoadResult verified = verify_snapshot(environment, disk.kPath, {});
  ROX_ASSERT(verified.status.ok() == verified.message.empty());
  ROX_ASSERT(verified.status.ok() == (verified.exit_code == 0));

  engine::Engine engine({.environment = &environment, .hash_seed = 1});
  const LoadResult loaded = load_snapshot(engine, disk.kPath, {.keep_expired = true});
  ROX_ASSERT(loaded.status.ok() == loaded.message.empty());
  ROX_ASSERT(!loaded.status.ok() || verified.status.ok());
  ROX_ASSERT(engine.size() == loaded.entries_kept);
  ROX_ASSERT(!loaded.status.ok() || engine.size() == loaded.counts.entries);

  const LoadResult salvaged = salvage_snapshot(environment, disk.kPath, "copy");
  if (!salvaged.status.ok()) return 0;
  ROX_ASSERT(salvaged.losses.empty() == verified.status.ok());
  const LoadResult copy = verify_snapshot(environment, "copy", {});
  ROX_ASSERT(copy.status.ok() && copy.counts.entries == salvaged.entries_kept);
  return 0;
}
