#include "persist/file_check.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "persist/files.h"
#include "test/persist/contents.h"
#include "test/persist/snapshot_file.h"
#include "test/sim/crashing_environment.h"
#include "test/sim/failing_environment.h"

namespace roxdb::persist {
namespace {

using State = FileCheck::State;

struct Checked {
  State state = State::kReading;
  Status status;
  std::string why;
  int slices = 0;
};

Checked check_in(Environment& environment, Magic magic, uint64_t bytes_max, uint64_t slice) {
  FileCheck check(environment, "file", magic, bytes_max);
  Checked checked;
  do checked.slices++;
  while (check.read_on(slice) == State::kReading);
  checked.state = check.state();
  checked.status = check.status();
  checked.why = check.why();
  return checked;
}

Checked check(const std::string& bytes, Magic magic, uint64_t bytes_max = UINT64_MAX,
              uint64_t slice = UINT64_MAX) {
  DiskImage image;
  image.files["file"] = FileContent(bytes);
  CrashingEnvironment environment(1, image);
  return check_in(environment, magic, bytes_max, slice);
}

std::string snapshot_bytes(size_t blocks, size_t value_bytes) {
  SnapshotFile file;
  for (size_t i = 0; i < blocks; ++i) {
    file.block(BlockType::kEntries,
               RawEntry(std::to_string(i), std::string(value_bytes, 'v')).bytes(), 1);
  }
  return file.finish();
}

std::string log_bytes(size_t units, size_t value_bytes) {
  CrashingEnvironment environment(1);
  FileHeader header = new_file_header(environment, kLogMagic);
  header.sequence = 1;
  uint64_t sequence = 1;
  RecordBuffer buffer(header.seed());
  const std::string value(value_bytes, 'v');
  const std::string_view args[] = {"SET", "key", value};
  const engine::LogCommand command{0, args};
  for (size_t i = 0; i < units; ++i) buffer.append_unit({&command, 1}, 1'000, sequence);
  return encode_file_header(header) + std::string(buffer.bytes());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_file_check)

BOOST_AUTO_TEST_CASE(whole_files_are_good) {
  BOOST_TEST((check(snapshot_bytes(0, 0), kSnapshotMagic).state == State::kGood));
  BOOST_TEST((check(snapshot_bytes(3, 50), kSnapshotMagic).state == State::kGood));
  BOOST_TEST((check(log_bytes(0, 0), kLogMagic).state == State::kGood));
  BOOST_TEST((check(log_bytes(3, 50), kLogMagic).state == State::kGood));
  // Room is no damage.
  BOOST_TEST((check(log_bytes(3, 50) + std::string(5'000, '\0'), kLogMagic).state == State::kGood));
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_and_every_cut_is_found) {
  for (const Magic& magic : {kSnapshotMagic, kLogMagic}) {
    const std::string good = magic == kSnapshotMagic ? snapshot_bytes(2, 9) : log_bytes(2, 9);
    for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
      std::string bytes = good;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
      const Checked checked = check(bytes, magic);
      BOOST_TEST_CONTEXT("bit " << bit % 8 << " of byte " << bit / 8) {
        BOOST_TEST_REQUIRE((checked.state == State::kBad));
        BOOST_TEST((checked.status.code == Code::kCorrupt));
        BOOST_TEST(checked.why.starts_with("offset "), checked.why);
      }
    }
    // A log that is cut between two units is a shorter log.
    const size_t unit = (good.size() - kFileHeaderBytes) / 2;
    for (size_t size = 0; size < good.size(); ++size) {
      const bool is_whole =
          magic == kLogMagic && size >= kFileHeaderBytes && (size - kFileHeaderBytes) % unit == 0;
      BOOST_TEST(
          (check(good.substr(0, size), magic).state == (is_whole ? State::kGood : State::kBad)),
          "cut at " << size);
    }
  }
}

// Every block is good, but they are not those that the trailer was written for.
BOOST_AUTO_TEST_CASE(a_trailer_that_knows_other_blocks_is_bad) {
  const std::string whole = snapshot_bytes(2, 30);
  SnapshotFile other;
  other.block(BlockType::kEntries, RawEntry("x", "other").bytes(), 1);
  other.block(BlockType::kEntries, RawEntry("y", std::string(30, 'v')).bytes(), 1);
  const std::string mixed =
      other.bytes() + whole.substr(whole.size() - kBlockHeaderBytes - kTrailerBytes);
  const Checked checked = check(mixed, kSnapshotMagic);
  BOOST_TEST((checked.state == State::kBad));
  BOOST_TEST((checked.why.find("the trailer knows other blocks") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_or_not_ours_is_left_alone) {
  CrashingEnvironment environment(1);
  BOOST_TEST((check_in(environment, kLogMagic, UINT64_MAX, 1).state == State::kNotOurs));
  BOOST_TEST((check("REDIS0011 and so on", kSnapshotMagic).state == State::kNotOurs));
  BOOST_TEST((check("REDIS0011 and so on", kLogMagic).state == State::kBad));
  BOOST_TEST((check("", kSnapshotMagic).state == State::kBad));
}

BOOST_AUTO_TEST_CASE(a_read_error_is_named_as_one) {
  for (const Magic& magic : {kSnapshotMagic, kLogMagic}) {
    DiskImage image;
    image.files["file"] =
        FileContent(magic == kSnapshotMagic ? snapshot_bytes(2, 9) : log_bytes(2, 9));
    for (uint64_t n = 1;; ++n) {
      CrashingEnvironment disk(1, image);
      FailingEnvironment failing(disk);
      failing.add({.nth = n, .os_error = EIO});
      const Checked checked = check_in(failing, magic, UINT64_MAX, UINT64_MAX);
      if (failing.injected() == 0) {
        BOOST_TEST((checked.state == State::kGood));
        BOOST_TEST(n > 4u);
        break;
      }
      BOOST_TEST((checked.state == State::kBad));
      BOOST_TEST((checked.status.code == Code::kIo));
    }
  }
}

BOOST_AUTO_TEST_CASE(files_are_read_a_slice_at_a_time) {
  const Checked snapshot = check(snapshot_bytes(20, 10'000), kSnapshotMagic, UINT64_MAX, 20'000);
  BOOST_TEST((snapshot.state == State::kGood));
  BOOST_TEST(snapshot.slices >= 8);
  BOOST_TEST(snapshot.slices <= 12);
  const Checked log = check(log_bytes(60, 100'000), kLogMagic, UINT64_MAX, 1u << 20);
  BOOST_TEST((log.state == State::kGood));
  BOOST_TEST(log.slices >= 4);
  BOOST_TEST(log.slices <= 8);
}

// What stands behind the end that is given is still on its way.
BOOST_AUTO_TEST_CASE(a_log_that_grows_is_read_to_the_end_that_is_given) {
  const std::string two = log_bytes(2, 50);
  BOOST_TEST((check(two + "half a rec", kLogMagic).state == State::kBad));
  BOOST_TEST((check(two + "half a rec", kLogMagic, two.size()).state == State::kGood));
  // ... but all before it has to be there.
  for (const size_t size :
       {two.size() - 1, kFileHeaderBytes + (two.size() - kFileHeaderBytes) / 2}) {
    BOOST_TEST((check(two.substr(0, size), kLogMagic, two.size()).state == State::kBad));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb::persist
