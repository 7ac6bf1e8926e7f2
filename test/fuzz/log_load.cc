// log_load: an increment of the log, read and replayed, whatever is in it.
//
// Input: byte 0 says what follows. Even: the bytes behind the file header, as they are. Odd:
// records whose hashes are made right, so that what lies behind the hash is reached: for each, a
// byte of kind, one of flags, one of sequence step, two of length, then the payload.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "engine/engine.h"
#include "persist/aof_reader.h"
#include "persist/aof_record.h"
#include "persist/replay.h"
#include "test/fuzz/fuzz_target.h"
#include "test/fuzz/one_file.h"

namespace {

using namespace roxdb;
using namespace roxdb::persist;

FileHeader header_of_file() {
  FileHeader header;
  header.magic = kLogMagic;
  header.sequence = 1;
  return header;
}

std::string records_from(std::string_view in, uint64_t seed) {
  std::string out;
  uint64_t sequence = 1;
  constexpr size_t kInstructionBytes = 5;
  while (in.size() > kInstructionBytes) {
    RecordHeader header;
    header.kind = static_cast<uint8_t>(in[0]);
    header.flags = static_cast<uint8_t>(in[1]);
    sequence += static_cast<uint8_t>(in[2]) & 1;
    header.sequence = sequence;
    uint16_t length;
    std::memcpy(&length, in.data() + 3, sizeof length);
    in.remove_prefix(kInstructionBytes);
    header.length = static_cast<uint32_t>(std::min<size_t>(length, in.size()));
    std::string record(kRecordHeaderBytes, '\0');
    record += in.substr(0, header.length);
    in.remove_prefix(header.length);
    std::memcpy(record.data(), &header, sizeof header);
    header.hash = record_hash(record.data(), record.size(), seed);
    std::memcpy(record.data(), &header, sizeof header);
    out += record;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  static engine::Engine engine({.hash_seed = 1});
  const FileHeader header = header_of_file();
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string bytes = encode_file_header(header);
  bytes += (data[0] & 1) != 0 ? records_from(body, header.seed()) : std::string(body);
  const uint64_t file_size = bytes.size();
  test::OneFile disk(bytes);
  const std::unique_ptr<File> file = disk.open();

  AofReader reader(*file, header, file_size);
  std::vector<AofReader::Unit> units;
  uint64_t last_end = header.length;
  uint64_t last_sequence = 0;
  uint64_t damages = 0;
  {
    Replay replay(engine);
    for (;;) {
      const AofReader::Outcome outcome = reader.next(units);
      ROX_ASSERT(reader.end() >= last_end && reader.end() <= file_size);
      last_end = reader.end();
      if (outcome == AofReader::Outcome::kUnits) {
        ROX_ASSERT(!units.empty());
        for (const AofReader::Unit& unit : units) {
          ROX_ASSERT(unit.sequence > last_sequence);
          last_sequence = unit.sequence;
        }
        std::string why;
        ROX_ASSERT(replay.run(units, why).ok() == why.empty());
        continue;
      }
      ROX_ASSERT(outcome != AofReader::Outcome::kReadError);
      if (outcome != AofReader::Outcome::kDamaged) break;
      const Damage& damage = reader.damage();
      ROX_ASSERT(damage.valid_offset == 0 || damage.valid_offset >= damage.offset);
      ROX_ASSERT(damage.resume_offset == 0 || damage.resume_offset >= damage.valid_offset);
      ROX_ASSERT(++damages <= file_size);  // each is passed once
      if (!reader.skip_damage()) break;
    }
  }
  engine.flush(-1, false);
  return 0;
}
