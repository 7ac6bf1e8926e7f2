// stream_load: any bytes are refused as a stream, or are one that can be read, changed and saved
// again.
//
// Input: what ValueType::save() writes.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "test/fuzz/fuzz_target.h"
#include "types/stream_value.h"

namespace {

using namespace roxdb;
using namespace roxdb::types;

class Bytes final : public ValueReader, public ValueWriter {
 public:
  explicit Bytes(std::string_view bytes) : left(bytes) {}
  Status read(char* out, size_t size) override {
    if (size > left.size()) return {Code::kCorrupt, 0, "the input ended"};
    std::memcpy(out, left.data(), size);
    left.remove_prefix(size);
    return kOk;
  }
  void write(std::string_view bytes) override { written += bytes; }

  std::string_view left;
  std::string written;
};

size_t bytes_of_records(const Stream& stream) {
  size_t bytes = 0;
  containers::RecordCursor cursor(stream.log(), containers::kIdMin, containers::kIdMax,
                                  containers::RecordCursor::Direction::kBackward);
  while (cursor.next()) {
    containers::FieldReader fields = cursor.fields();
    containers::packed::Element field;
    containers::packed::Element value;
    while (fields.next(field, value)) bytes += field.text_size() + value.text_size();
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  memory::Slabs slabs;
  const HashSecret secret = hash_secret_from_seed(1);
  const Limits limits;
  const ValueHome home{slabs, secret, limits};
  Bytes in({reinterpret_cast<const char*>(data), size});
  const auto loaded = stream_type().load(in, {.key = "s"}, home);
  if (!loaded.ok()) {
    ROX_ASSERT(slabs.used_bytes() == 0);
    return 0;
  }
  Entry* entry = *loaded;
  auto& stream = *entry->pointer<Stream>();
  stream.check();
  const size_t bytes = bytes_of_records(stream);

  Bytes saved({});
  stream_type().save(*entry, saved);
  Bytes again(saved.written);
  const auto twin = stream_type().load(again, {.key = "t"}, home);
  ROX_ASSERT(twin.ok() && again.left.empty());
  ROX_ASSERT(bytes_of_records(stream_of(**twin)) == bytes);

  for (Group* group : stream.groups()) {
    while (group->oldest() != nullptr) group->remove(slabs, group->oldest());
  }
  stream.trim(home, {.by = StreamTrim::By::kLength,
                     .length = stream.size() / 2,
                     .references = References::kAcked});
  stream.check();
  memory::SlabSink sink(slabs);
  for (Entry* each : {entry, *twin}) {
    stream_type().release_payload(each->payload(), each->encoding(), sink);
    Entry::destroy(slabs, each);
  }
  ROX_ASSERT(slabs.used_bytes() == 0);
  return 0;
}
