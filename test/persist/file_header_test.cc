#include "persist/file_header.h"

#include <boost/test/unit_test.hpp>

#include "base/hash.h"
#include "persist/files.h"
#include "test/sim/crashing_environment.h"

namespace roxdb::persist {
namespace {

// What reading a file with these bytes says.
Status read_bytes(const std::string& bytes, FileHeader& header, std::string& why,
                  uint16_t major_max = 1) {
  DiskImage image;
  image.files["file"] = FileContent(bytes);
  CrashingEnvironment environment(1, image);
  const auto file = environment.open("file", OpenMode::kRead);
  ROX_ASSERT(file.ok());
  return read_file_header(**file, kSnapshotMagic, major_max, header, why);
}

FileHeader sample_header() {
  CrashingEnvironment environment(7);
  FileHeader header = new_file_header(environment, kSnapshotMagic);
  header.minor = 3;
  header.flags = 0x80000001;
  header.sequence = 1'234'567'890'123;
  return header;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_file_header)

BOOST_AUTO_TEST_CASE(what_was_written_is_read) {
  const FileHeader written = sample_header();
  FileHeader header;
  std::string why;
  const std::string bytes = encode_file_header(written);
  BOOST_TEST(bytes.size() == kFileHeaderBytes);
  BOOST_TEST_REQUIRE(read_bytes(bytes + "body", header, why).ok());
  BOOST_TEST(header.major == 1);
  BOOST_TEST(header.minor == 3);
  BOOST_TEST(header.length == kFileHeaderBytes);
  BOOST_TEST((header.id == written.id));
  BOOST_TEST(header.created_ms == written.created_ms);
  BOOST_TEST(header.created_ms == 1'700'000'000'000);
  BOOST_TEST(header.flags == written.flags);
  BOOST_TEST(header.sequence == written.sequence);
  BOOST_TEST(header.seed() == written.seed());
}

BOOST_AUTO_TEST_CASE(two_files_have_two_ids) {
  CrashingEnvironment environment(7);
  const FileHeader one = new_file_header(environment, kSnapshotMagic);
  const FileHeader other = new_file_header(environment, kSnapshotMagic);
  BOOST_TEST((one.id != other.id));
  BOOST_TEST(one.seed() != other.seed());
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_is_found) {
  const std::string good = encode_file_header(sample_header());
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    FileHeader header;
    std::string why;
    BOOST_TEST((read_bytes(bytes, header, why).code == Code::kCorrupt), "bit " << bit);
    BOOST_TEST(!why.empty());
  }
}

BOOST_AUTO_TEST_CASE(one_flipped_bit_can_be_mended_and_two_cannot) {
  const auto mend = [](const std::string& bytes, FileHeader& header, Magic magic) {
    DiskImage image;
    image.files["file"] = FileContent(bytes);
    CrashingEnvironment environment(1, image);
    const auto file = environment.open("file", OpenMode::kRead);
    const auto mended = mend_file_header(**file, magic, 1, header);
    BOOST_TEST_REQUIRE(mended.ok());
    return *mended;
  };
  const FileHeader written = sample_header();
  const std::string good = encode_file_header(written);
  const auto flipped = [](std::string bytes, size_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    return bytes;
  };
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    FileHeader header;
    BOOST_TEST_REQUIRE(mend(flipped(good, bit) + "body", header, kSnapshotMagic), "bit " << bit);
    BOOST_TEST_REQUIRE(encode_file_header(header) == good);
    FileHeader untouched;
    BOOST_TEST_REQUIRE(!mend(flipped(good, bit), untouched, kLogMagic));
    for (const size_t other : {bit + 1, bit + 200}) {
      const std::string twice = flipped(flipped(good, bit), other % (8 * good.size()));
      BOOST_TEST_REQUIRE(!mend(twice, untouched, kSnapshotMagic));
    }
    BOOST_TEST_REQUIRE((untouched.magic == Magic{}));
  }
  FileHeader later = written;
  later.major = 2;
  FileHeader header;
  BOOST_TEST(!mend(flipped(encode_file_header(later), 77), header, kSnapshotMagic));
  BOOST_TEST(!mend(good.substr(0, 63), header, kSnapshotMagic));
}

BOOST_AUTO_TEST_CASE(every_shorter_file_is_refused) {
  const std::string good = encode_file_header(sample_header());
  for (size_t size = 0; size < good.size(); ++size) {
    FileHeader header;
    std::string why;
    BOOST_TEST((read_bytes(good.substr(0, size), header, why).code == Code::kCorrupt));
    BOOST_TEST(!why.empty());
  }
}

// F5: both versions are named, and a log is not taken for a snapshot.
BOOST_AUTO_TEST_CASE(other_majors_and_kinds_are_refused_by_name) {
  FileHeader header = sample_header();
  header.major = 2;
  FileHeader found;
  std::string why;
  BOOST_TEST((read_bytes(encode_file_header(header), found, why).code == Code::kCorrupt));
  BOOST_TEST(why == "format version 2.3; this program reads up to version 1");
  BOOST_TEST(read_bytes(encode_file_header(header), found, why, 2).ok());

  header = sample_header();
  header.magic = kLogMagic;
  BOOST_TEST((read_bytes(encode_file_header(header), found, why).code == Code::kCorrupt));
  BOOST_TEST(why == "the magic of another kind of file");
}

// A later minor version puts further fields before the hash.
BOOST_AUTO_TEST_CASE(a_longer_header_is_read) {
  std::string bytes = encode_file_header(sample_header());
  bytes.resize(kFileHeaderBytes - sizeof(uint64_t));
  bytes += "a field of the future...";
  bytes[12] = static_cast<char>(bytes.size() + sizeof(uint64_t));
  const uint64_t hash = checksum(bytes, 0);
  bytes.append(reinterpret_cast<const char*>(&hash), sizeof hash);
  FileHeader header;
  std::string why;
  BOOST_TEST_REQUIRE(read_bytes(bytes, header, why).ok());
  BOOST_TEST(header.length == bytes.size());
  BOOST_TEST(header.sequence == sample_header().sequence);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist
