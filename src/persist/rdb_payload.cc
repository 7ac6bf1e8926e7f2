#include "persist/rdb_payload.h"

#include <cstring>

#include "persist/crc64.h"
#include "persist/rdb_output.h"
#include "persist/rdb_value_reader.h"
#include "persist/rdb_value_writer.h"

namespace roxdb::persist {
namespace {

constexpr size_t kVersionBytes = 2;
constexpr size_t kSumBytes = 8;
constexpr size_t kFooterBytes = kVersionBytes + kSumBytes;

constexpr Status kFooter = rdb_corrupt("version or checksum are wrong");

}  // namespace

Result<RdbPayload> open_payload(std::string_view bytes, RdbTrust trust) {
  if (bytes.size() < 1 + kFooterBytes) return kFooter;
  const std::string_view value = bytes.substr(0, bytes.size() - kFooterBytes);
  uint16_t version;
  uint64_t sum;
  std::memcpy(&version, bytes.data() + value.size(), sizeof version);
  std::memcpy(&sum, bytes.data() + bytes.size() - kSumBytes, sizeof sum);
  if (version > kRdbVersionMax && version != kValkeyVersion && !trust.any_version) return kFooter;
  if (!trust.any_checksum && crc64(0, bytes.substr(0, bytes.size() - kSumBytes)) != sum) {
    return kFooter;
  }
  return RdbPayload{value, version >= kValkeyVersion ? RdbDialect::kValkey : RdbDialect::kRedis};
}

Result<types::Entry*> load_payload(const RdbPayload& payload, const types::EntryParts& parts,
                                   const types::ValueHome& home) {
  RdbBytes in(payload.bytes);
  ROX_TRY(const uint8_t type, in.number<uint8_t>());
  if (!is_rdb_value(type, payload.dialect)) return rdb_corrupt("a value of no known type");
  ROX_TRY(types::Entry * entry, read_rdb_value(in, type, payload.dialect, parts, home));
  if (entry == nullptr) return rdb_corrupt("a value without elements");
  if (in.at_end()) return entry;
  destroy_entry(home, entry);
  return rdb_corrupt("bytes behind the value");
}

Status make_payload(const types::Entry& entry, int64_t now_ms, size_t bytes_max, std::string& out) {
  const auto type = rdb_type_of(entry, now_ms);
  if (!type) return {Code::kNotFound, 0, "the value has no form"};
  RdbOutput output(out, bytes_max);
  output.byte(static_cast<uint8_t>(*type));
  write_rdb_value(entry, *type, now_ms, output);
  output.number(rdb_version_of(*type));
  output.number(crc64(0, out));
  if (output.has_overflowed()) return {Code::kNoMemory, 0, "the payload is too long"};
  return kOk;
}

}  // namespace roxdb::persist
