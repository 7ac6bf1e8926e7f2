// rdb_format.h: the numbers of Redis's RDB format that reading and writing share.
//
// A length:   00xxxxxx                    6 bits
//             01xxxxxx + 1 byte           14 bits, big endian
//             0x80 + 4, 0x81 + 8 bytes    32 and 64 bits, big endian
// A string:   length, bytes | 0xc0 int8 | 0xc1 int16 | 0xc2 int32, little endian
//             | 0xc3 LZF: packed length, length, bytes
// Source: the format as Redis 8.0 and Valkey 9.1 write it.
#pragma once

#include <cstdint>

namespace roxdb::persist {

// The number in front of a value: what it is, and in which form.
enum class RdbType : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kSortedSetText = 3,  // scores as decimal text
  kHash = 4,
  kSortedSet = 5,  // scores as doubles
  kModuleOfReleaseCandidate = 6,
  kModule = 7,
  kHashZipmap = 9,
  kListZiplist = 10,
  kSetIntset = 11,
  kSortedSetZiplist = 12,
  kHashZiplist = 13,
  kListZiplists = 14,
  kStream = 15,
  kHashListpack = 16,
  kSortedSetListpack = 17,
  kListListpacks = 18,
  kStream2 = 19,  // with first ID, deleted ID, records added
  kSetListpack = 20,
  kStream3 = 21,               // with the time a consumer was active
  kHashExpiringAbsolute = 22,  // release candidates of Redis 7.4; Valkey has another layout
  kHashExpiringListpackOld = 23,
  kHashExpiring = 24,
  kHashExpiringListpack = 25,
};
inline constexpr uint8_t kRdbTypeMax = 25;

// Whose numbers these are: type 22 differs.
enum class RdbDialect : uint8_t { kRedis, kValkey };

// What is believed of bytes that others wrote.
struct RdbTrust {
  bool any_version = false;   // newer than what we read, too: it may still be understood
  bool any_checksum = false;  // for tests of what stands behind the checksum
};

// What the first two bits of a length are; the rest of kLengthSpecial is one of the forms below.
inline constexpr uint8_t kLength6 = 0;
inline constexpr uint8_t kLength14 = 1;
inline constexpr uint8_t kLengthSpecial = 3;
inline constexpr uint8_t kLength32 = 0x80;  // these two are the whole first byte
inline constexpr uint8_t kLength64 = 0x81;

inline constexpr uint8_t kFormInt8 = 0;
inline constexpr uint8_t kFormInt16 = 1;
inline constexpr uint8_t kFormInt32 = 2;
inline constexpr uint8_t kFormLzf = 3;

// A node of a list: one element as it is, or a listpack of some.
inline constexpr uint64_t kNodePlain = 1;
inline constexpr uint64_t kNodePacked = 2;

// A record of a stream's listpack.
inline constexpr int64_t kRecordDeleted = 1;
inline constexpr int64_t kRecordSameFields = 2;

// Versions: the lowest that says all of a value, and what we read.
inline constexpr uint16_t kRdbVersion = 10;
inline constexpr uint16_t kRdbVersionExpiringFields = 12;
inline constexpr uint16_t kRdbVersionMax = 12;
inline constexpr uint16_t kValkeyVersion = 80;

}  // namespace roxdb::persist
