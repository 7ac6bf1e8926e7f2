// manifest_load: any text is refused, or is a manifest that says the same when it is written again.
//
// Input: byte 0 even: the text as it is. Odd: the hash line is made right behind it.
#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/hash.h"
#include "persist/manifest.h"
#include "test/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace roxdb;
  using namespace roxdb::persist;
  if (size < 1) return 0;
  std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  if ((data[0] & 1) != 0) text += fmt::format("hash {:016x}\n", checksum(text, 0));
  Manifest manifest;
  std::string why;
  const Status status = decode_manifest(text, manifest, why);
  ROX_ASSERT(status.ok() == why.empty());
  if (!status.ok()) return 0;
  Manifest again;
  ROX_ASSERT(decode_manifest(encode_manifest(manifest), again, why).ok());
  ROX_ASSERT(again == manifest);
  return 0;
}
