#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>
#include <vector>

#include "persist/aof_reader.h"
#include "persist/aof_record.h"
#include "persist/aof_writer.h"
#include "persist/files.h"
#include "persist/recovery.h"
#include "test/base/temporary_directory.h"
#include "test/sim/crashing_environment.h"
#include "test/sim/failing_environment.h"

namespace {

using namespace roxdb;
using namespace roxdb::persist;
using engine::LogCommand;

// A log file in the making, and what must come out of it.
struct Log {
  explicit Log(uint64_t first_sequence = 1) : next_sequence(first_sequence) {
    header = new_file_header(environment, kLogMagic);
    header.sequence = first_sequence;
  }

  Log& unit(const std::vector<std::pair<int, std::vector<std::string>>>& commands) {
    std::vector<std::vector<std::string_view>> args;
    std::vector<LogCommand> unit;
    for (const auto& [db, words] : commands) args.emplace_back(words.begin(), words.end());
    for (size_t i = 0; i < commands.size(); ++i) unit.push_back({commands[i].first, args[i]});
    RecordBuffer buffer(header.seed());
    buffer.append_unit(unit, 1'000, next_sequence);
    offsets.push_back(kFileHeaderBytes + body.size());
    body += buffer.bytes();
    return *this;
  }
  Log& set(const std::string& key, const std::string& value) {
    return unit({{0, {"SET", key, value}}});
  }
  // Any record, with a hash that is right.
  Log& record(RecordHeader record_header, const std::string& payload) {
    record_header.length = static_cast<uint32_t>(payload.size());
    record_header.sequence = next_sequence++;
    std::string bytes(kRecordHeaderBytes, '\0');
    bytes += payload;
    std::memcpy(bytes.data(), &record_header, sizeof record_header);
    record_header.hash = record_hash(bytes.data(), bytes.size(), header.seed());
    std::memcpy(bytes.data(), &record_header, sizeof record_header);
    body += bytes;
    return *this;
  }
  Log& synced(uint64_t sequence) {
    RecordBuffer buffer(header.seed());
    buffer.append_synced(sequence, 1'000, next_sequence);
    offsets.push_back(kFileHeaderBytes + body.size());
    body += buffer.bytes();
    return *this;
  }
  std::string bytes() const { return encode_file_header(header) + body; }

  CrashingEnvironment environment{1};
  FileHeader header;
  std::string body;
  std::vector<uint64_t> offsets;  // of the records that begin a unit
  uint64_t next_sequence;
};

struct Read {
  std::string text;  // "<sequence>@<db> <payload>\n" for each unit
  AofReader::Outcome outcome;
  Damage damage;
  uint64_t end;
  uint64_t next_sequence;
};

Read read_bytes(const std::string& bytes, const FileHeader& header) {
  DiskImage disk;
  disk.files["log"] = FileContent(bytes);
  CrashingEnvironment environment(1, disk);
  auto file = environment.open("log", OpenMode::kRead);
  BOOST_TEST_REQUIRE(file.ok());
  AofReader reader(**file, header, bytes.size());
  Read read;
  std::vector<AofReader::Unit> units;
  while ((read.outcome = reader.next(units)) == AofReader::Outcome::kUnits) {
    for (const AofReader::Unit& unit : units) {
      read.text += std::to_string(unit.sequence) + "@" + std::to_string(unit.db) + " " +
                   std::string(unit.commands) + "\n";
    }
  }
  read.damage = reader.damage();
  read.end = reader.end();
  read.next_sequence = reader.next_sequence();
  return read;
}

Read read_log(const Log& log) { return read_bytes(log.bytes(), log.header); }

// What salvage reads: on behind each damage.
struct Salvage {
  uint64_t units = 0;
  uint64_t damages = 0;
  AofReader::Outcome outcome;
  uint64_t reads;  // calls of File::read_at
};

Salvage salvage(const Log& log, const std::string& bytes) {
  DiskImage disk;
  disk.files["log"] = FileContent(bytes);
  CrashingEnvironment world(1, disk);
  FailingEnvironment environment(world);
  auto file = environment.open("log", OpenMode::kRead);
  BOOST_TEST_REQUIRE(file.ok());
  AofReader reader(**file, log.header, bytes.size());
  Salvage found;
  std::vector<AofReader::Unit> units;
  for (;;) {
    found.outcome = reader.next(units);
    BOOST_TEST_REQUIRE(units.empty() == (found.outcome != AofReader::Outcome::kUnits));
    found.units += units.size();
    if (found.outcome == AofReader::Outcome::kUnits) continue;
    if (found.outcome != AofReader::Outcome::kDamaged) break;
    found.damages++;
    BOOST_TEST_REQUIRE(found.damages <= bytes.size());  // each moves on
    if (!reader.skip_damage()) break;
  }
  found.reads = environment.calls(CallKind::kRead);
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_aof)

BOOST_AUTO_TEST_CASE(units_come_back_as_they_were_appended) {
  Log log(7);
  log.set("k", "").unit(
      {{3, {"SET", "a", "1"}}, {0, {"DEL", "b"}}, {0, {"DEL", std::string("\0\r\n", 3)}}});
  log.synced(8).set("long", std::string(100'000, 'x'));
  const Read read = read_log(log);
  BOOST_TEST((read.outcome == AofReader::Outcome::kEnd));
  BOOST_TEST(read.text ==
             "7@0 *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n\n"
             "8@3 *3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
             "*2\r\n$3\r\nDEL\r\n$1\r\nb\r\n*2\r\n$3\r\nDEL\r\n$3\r\n" +
                 std::string("\0\r\n", 3) +
                 "\r\n\n"
                 "10@0 *3\r\n$3\r\nSET\r\n$4\r\nlong\r\n$100000\r\n" +
                 std::string(100'000, 'x') + "\r\n\n");
  BOOST_TEST(read.next_sequence == 11u);
  BOOST_TEST(read.end == log.bytes().size());
}

// 16 MiB is the most one record holds; a unit of just that and one byte more are both tried.
BOOST_AUTO_TEST_CASE(a_huge_unit_is_split_and_comes_back_whole_or_not_at_all) {
  const size_t frame = std::string("*2\r\n$3\r\nDEL\r\n$16777190\r\n\r\n").size();
  for (const size_t extra : {size_t{0}, size_t{1}, kRecordPayloadBytesMax}) {
    const std::string key(kRecordPayloadBytesMax - frame + extra, 'k');
    Log log;
    log.set("a", "b").unit({{0, {"DEL", key}}});
    const uint64_t pieces = 1 + (extra + kRecordPayloadBytesMax - 1) / kRecordPayloadBytesMax;
    BOOST_TEST(log.next_sequence == 2 + pieces);
    log.set("c", "d");
    const Read read = read_log(log);
    BOOST_TEST((read.outcome == AofReader::Outcome::kEnd));
    BOOST_TEST(read.text.size() > key.size());
    BOOST_TEST(std::count(read.text.begin(), read.text.end(), 'k') ==
               static_cast<std::ptrdiff_t>(key.size()));

    // Without its last piece the whole unit goes, and the file is cut before it (R3).
    if (pieces == 1) continue;
    const std::string bytes = log.bytes();
    const size_t first_piece_end = log.offsets[1] + kRecordHeaderBytes + kRecordPayloadBytesMax;
    const Read cut = read_bytes(bytes.substr(0, first_piece_end), log.header);
    BOOST_TEST((cut.outcome == AofReader::Outcome::kDamaged));
    BOOST_TEST(cut.damage.torn);
    BOOST_TEST(cut.end == log.offsets[1]);
    BOOST_TEST(cut.next_sequence == 2u);
  }
}

// T5: the log is cut at every byte of its last three units.
BOOST_AUTO_TEST_CASE(a_cut_at_any_byte_loses_exactly_the_units_it_touches) {
  Log log;
  for (int i = 0; i < 20; ++i) log.set("key" + std::to_string(i), std::string(30, 'v'));
  const std::string bytes = log.bytes();
  log.offsets.push_back(bytes.size());
  for (size_t size = log.offsets[17]; size <= bytes.size(); ++size) {
    const Read read = read_bytes(bytes.substr(0, size), log.header);
    const size_t whole =
        static_cast<size_t>(std::upper_bound(log.offsets.begin(), log.offsets.end(), size) -
                            log.offsets.begin()) -
        1;
    BOOST_TEST_CONTEXT("cut at " << size) {
      const bool at_border = log.offsets[whole] == size;
      BOOST_TEST(
          (read.outcome == (at_border ? AofReader::Outcome::kEnd : AofReader::Outcome::kDamaged)));
      BOOST_TEST((at_border || read.damage.torn));
      BOOST_TEST(read.end == log.offsets[whole]);
      BOOST_TEST(read.next_sequence == whole + 1);
    }
  }
}

// T6: every bit of a small log. A flip in the last unit is a torn tail, for nothing valid follows;
// anywhere else it is damage, and never a wrong unit.
BOOST_AUTO_TEST_CASE(a_flipped_bit_anywhere_is_found_and_judged) {
  Log log;
  log.set("first", "1").set("second", std::string(900, 'x')).synced(2).set("third", "3");
  log.set("last", "4");
  const std::string bytes = log.bytes();
  const std::string all = read_log(log).text;
  for (size_t at = kFileHeaderBytes; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      const Read read = read_bytes(flipped, log.header);
      BOOST_TEST_CONTEXT("byte " << at << " bit " << bit << ": " << read.damage.why) {
        BOOST_TEST_REQUIRE((read.outcome == AofReader::Outcome::kDamaged));
        BOOST_TEST_REQUIRE(read.damage.torn == (at >= log.offsets.back()));
        BOOST_TEST_REQUIRE(all.starts_with(read.text));
        if (at < log.offsets.back()) BOOST_TEST_REQUIRE(read.damage.units_behind >= 1u);
      }
    }
  }
}

// R2: garbage behind the last record, or far behind it.
BOOST_AUTO_TEST_CASE(what_follows_the_last_record_without_being_one_is_a_torn_tail) {
  Log log;
  log.set("a", "1").set("b", "2");
  Random random(5);
  for (int round = 0; round < 200; ++round) {
    std::string tail(1 + random.below(3'000), '\0');
    if (round % 2 == 1) {
      for (char& byte : tail) byte = static_cast<char>(random.next());
    }
    tail.push_back('x');
    const Read read = read_bytes(log.bytes() + tail, log.header);
    BOOST_TEST((read.outcome == AofReader::Outcome::kDamaged));
    BOOST_TEST(read.damage.torn);
    BOOST_TEST(read.end == log.bytes().size());
  }
}

// F4: room that was made ahead, also more than is read at once.
BOOST_AUTO_TEST_CASE(zeros_behind_the_last_unit_are_the_end_of_the_log) {
  for (const bool empty : {false, true}) {
    Log log;
    if (!empty) log.set("a", "1").set("b", "2");
    for (const size_t zeros : {1u, 31u, 32u, 33u, 4'096u, 3u << 20}) {
      const Read read = read_bytes(log.bytes() + std::string(zeros, '\0'), log.header);
      BOOST_TEST((read.outcome == AofReader::Outcome::kEnd));
      BOOST_TEST(read.text == read_log(log).text);
      BOOST_TEST(read.end == log.bytes().size());
    }
  }
}

BOOST_AUTO_TEST_CASE(zeros_between_records_are_damage) {
  Log log;
  log.set("a", "1").set("b", "2").set("c", "3");
  std::string bytes = log.bytes();
  bytes.insert(log.offsets[1], 100, '\0');
  const Read read = read_bytes(bytes, log.header);
  BOOST_TEST((read.outcome == AofReader::Outcome::kDamaged));
  BOOST_TEST(!read.damage.torn);
  BOOST_TEST(read.damage.units_behind == 2u);
}

// R3: the end of a unit is missing, and room takes its place.
BOOST_AUTO_TEST_CASE(zeros_inside_a_unit_are_a_torn_tail) {
  Log log;
  log.set("a", "1");
  const size_t end = log.bytes().size();
  log.record({.kind = static_cast<uint8_t>(RecordKind::kCommands), .flags = kMoreFollows}, "*1");
  const Read read = read_bytes(log.bytes() + std::string(5'000, '\0'), log.header);
  BOOST_TEST((read.outcome == AofReader::Outcome::kDamaged));
  BOOST_TEST(read.damage.torn);
  BOOST_TEST(read.end == end);
}

// A power cut may leave a sector unwritten and a later one written.
BOOST_AUTO_TEST_CASE(an_unwritten_sector_is_torn_unless_the_log_says_it_was_synced) {
  Log log;
  for (int i = 0; i < 10; ++i) log.set("key" + std::to_string(i), std::string(200, 'v'));
  const size_t units = log.offsets.size();
  for (const bool says_synced : {false, true}) {
    if (says_synced) log.synced(units).set("more", "1");
    std::string bytes = log.bytes();
    std::fill(bytes.begin() + 1024, bytes.begin() + 1536, '\0');
    const Read read = read_bytes(bytes, log.header);
    BOOST_TEST((read.outcome == AofReader::Outcome::kDamaged));
    BOOST_TEST(read.damage.torn == !says_synced);
    BOOST_TEST(read.damage.units_behind > 0u);
    BOOST_TEST(read.end < 1024u);
  }
}

BOOST_AUTO_TEST_CASE(a_gap_and_a_step_back_in_the_sequence_are_damage) {
  for (const uint64_t second : {uint64_t{3}, uint64_t{1}}) {
    Log log;
    log.set("a", "1");
    log.next_sequence = second;
    log.set("b", "2");
    const Read read = read_log(log);
    BOOST_TEST((read.outcome == AofReader::Outcome::kDamaged));
    BOOST_TEST(!read.damage.torn);
    BOOST_TEST(read.damage.why == "sequence expected 2, found " + std::to_string(second));
  }
}

BOOST_AUTO_TEST_CASE(records_of_another_file_never_verify) {
  Log log;
  log.set("a", "1");
  Log other;
  other.header.id[0] = 'x';
  other.set("b", "2");
  const Read read = read_bytes(encode_file_header(log.header) + other.body, log.header);
  BOOST_TEST((read.outcome == AofReader::Outcome::kDamaged));
  BOOST_TEST(read.text == "");
}

BOOST_AUTO_TEST_CASE(a_read_error_is_never_taken_for_the_end) {
  Log log;
  for (int i = 0; i < 5'000; ++i) log.set("key" + std::to_string(i), std::string(500, 'v'));
  DiskImage disk;
  disk.files["log"] = FileContent(log.bytes());
  CrashingEnvironment world(1, disk);
  for (uint64_t nth = 1;; ++nth) {
    FailingEnvironment environment(world);
    environment.add({.kind = CallKind::kRead, .nth = nth});
    auto file = environment.open("log", OpenMode::kRead);
    BOOST_TEST_REQUIRE(file.ok());
    AofReader reader(**file, log.header, log.bytes().size());
    std::vector<AofReader::Unit> units;
    AofReader::Outcome outcome;
    while ((outcome = reader.next(units)) == AofReader::Outcome::kUnits) {
    }
    if (environment.injected() == 0) {
      BOOST_TEST((outcome == AofReader::Outcome::kEnd));
      BOOST_TEST(nth > 2u);
      break;
    }
    BOOST_TEST((outcome == AofReader::Outcome::kReadError));
    BOOST_TEST(reader.error().os_error == EIO);
  }
}

// F5: a record kind of a later version says itself whether it may be left out.
BOOST_AUTO_TEST_CASE(an_unknown_record_is_skipped_when_it_may_be_and_refused_otherwise) {
  for (const uint8_t flags : {kRecordMayBeSkipped, uint8_t{0}}) {
    Log log;
    log.set("a", "1");
    log.record({.kind = 99, .flags = flags}, "xxxx");
    log.set("b", "2");
    const Read read = read_log(log);
    if (flags == kRecordMayBeSkipped) {
      BOOST_TEST((read.outcome == AofReader::Outcome::kEnd));
      BOOST_TEST(std::count(read.text.begin(), read.text.end(), '@') == 2);
    } else {
      BOOST_TEST((read.outcome == AofReader::Outcome::kUnknownKind));
      BOOST_TEST(read.damage.why.find("99") != std::string::npos);
    }
  }
}

// A unit is commands from its first record to its last; a record of another kind that claims to be
// part of one neither ends it nor begins one.
BOOST_AUTO_TEST_CASE(flags_that_do_not_fit_are_damage_and_salvage_passes_each_once) {
  const auto commands = static_cast<uint8_t>(RecordKind::kCommands);
  const auto synced = static_cast<uint8_t>(RecordKind::kSynced);
  const std::string get = "*1\r\n$4\r\nPING\r\n";
  for (const uint8_t kind : {commands, synced, uint8_t{99}}) {
    for (const uint8_t inner : {kMoreFollows, kContinues, uint8_t{kMoreFollows | kContinues}}) {
      Log log;
      log.set("a", "1").record({.kind = commands, .flags = kMoreFollows}, get);
      log.record({.kind = kind, .flags = static_cast<uint8_t>(inner | kRecordMayBeSkipped)}, get);
      log.record({.kind = commands, .flags = kContinues}, get).set("b", "2").synced(1);
      log.record({.kind = commands, .flags = kContinues}, get).set("c", "3");
      BOOST_TEST_CONTEXT("kind " << int{kind} << " flags " << int{inner}) {
        const Salvage found = salvage(log, log.bytes());
        BOOST_TEST((found.outcome == AofReader::Outcome::kEnd));
        // Three units stand apart from them; a fourth begins, ends or goes on in the middle where
        // the flags say so.
        const bool fits = kind == commands || (kind == 99 && (inner & kContinues) != 0);
        BOOST_TEST(found.units == (fits ? 4u : 3u));
        BOOST_TEST(found.damages >= 1u);
      }
    }
  }
}

// Units are handed out as views of the reader's memory: nothing that is read ahead of the next call
// may move it, whatever the lengths are. Here the low byte of each is 0.
BOOST_AUTO_TEST_CASE(units_stay_readable_whatever_their_lengths_are) {
  Log log;
  std::string expected;
  for (uint64_t i = 1; log.body.size() < (size_t{3} << 20); ++i) {
    std::string payload = std::to_string(i);
    payload.resize(512, '.');
    log.record({.kind = static_cast<uint8_t>(RecordKind::kCommands)}, payload);
    expected += std::to_string(i) + "@0 " + payload + "\n";
  }
  BOOST_TEST((read_log(log).text == expected));
  BOOST_TEST(salvage(log, log.bytes()).reads <= 4u);
}

// Each damage is followed by a search for the place to go on: all of them together may not read
// the file more than a few times.
BOOST_AUTO_TEST_CASE(a_file_of_many_damages_is_read_a_few_times_at_most) {
  constexpr size_t kWindowBytes = 1u << 20;  // what the reader takes in at once
  Log log;
  for (int i = 0; log.body.size() < 3 * kWindowBytes; ++i) log.set(std::to_string(i), "value");
  std::string broken = log.bytes();
  for (size_t i = 1; i < log.offsets.size(); i += 2) broken[log.offsets[i] + 40]++;
  Salvage found = salvage(log, broken);
  BOOST_TEST(found.damages == log.offsets.size() / 2);
  BOOST_TEST(found.units == log.offsets.size() - found.damages);
  BOOST_TEST(found.reads <= 4 * (broken.size() / kWindowBytes + 1));

  // Records that are whole and never fit: beginnings of units that do not end.
  Log endless;
  while (endless.body.size() < 3 * kWindowBytes) {
    endless.record({.kind = 1, .flags = kMoreFollows}, std::string(100, 'x'));
  }
  found = salvage(endless, endless.bytes());
  BOOST_TEST(found.units == 0u);
  BOOST_TEST(found.damages + 1 >= endless.next_sequence - 1);
  BOOST_TEST(found.reads <= 4 * (endless.bytes().size() / kWindowBytes + 1));
}

// The search hashes whatever looks like the beginning of a record: here each of 100,000 places
// claims a megabyte, and only some of them are tried.
BOOST_AUTO_TEST_CASE(the_search_behind_a_damage_ends_when_its_budget_is_used_up) {
  Log log;
  log.set("a", "1").set("b", "2");
  RecordHeader huge{.length = 1u << 20, .kind = 1, .sequence = 5};
  std::string tail(size_t{2} << 20, '\0');
  for (size_t at = 0; at < 100'000 * 8; at += 8) {
    std::memcpy(
        tail.data() + at,
        at / 8 % 2 == 0 ? reinterpret_cast<char*>(&huge) : reinterpret_cast<char*>(&huge.sequence),
        8);
  }
  const Read read = read_bytes(log.bytes() + tail, log.header);
  BOOST_TEST((read.outcome == AofReader::Outcome::kDamaged));
  BOOST_TEST(!read.damage.torn);  // nobody knows
  BOOST_TEST(read.end == log.bytes().size());
  const Salvage found = salvage(log, log.bytes() + tail);
  BOOST_TEST(found.units == 2u);
  BOOST_TEST(found.damages == 1u);
}

// --- the writer

BOOST_AUTO_TEST_CASE(a_failed_write_leaves_the_file_as_it_was_and_the_next_one_goes_on) {
  for (const size_t short_bytes : {size_t{0}, size_t{1}, size_t{40}}) {
    for (const bool truncate_fails : {false, true}) {
      CrashingEnvironment world(1);
      FailingEnvironment environment(world);
      FileHeader header = new_file_header(world, kLogMagic);
      header.sequence = 1;
      auto file = AofWriter::create_file(environment, "log", header);
      BOOST_TEST_REQUIRE(file.ok());
      AofWriter writer("log", header);
      writer.attach(*file, kFileHeaderBytes);
      uint64_t sequence = 1;
      const std::string_view args[] = {"SET", "key", "value"};
      const LogCommand command{0, args};
      writer.append({&command, 1}, 1, sequence);
      BOOST_TEST(writer.flush().ok());
      const uint64_t size = writer.size();

      writer.append({&command, 1}, 1, sequence);
      if (short_bytes > 0) environment.add({.kind = CallKind::kWrite, .short_bytes = short_bytes});
      environment.add(
          {.kind = CallKind::kWrite, .nth = short_bytes > 0 ? 2u : 1u, .os_error = ENOSPC});
      if (truncate_fails) environment.add({.kind = CallKind::kTruncate});
      BOOST_TEST(writer.flush().os_error == ENOSPC);
      BOOST_TEST(writer.size() == size);
      BOOST_TEST(writer.waiting_bytes() > 0u);
      BOOST_TEST(*(*file)->size() == (truncate_fails ? size + short_bytes : size));
      environment.clear();
      BOOST_TEST(writer.flush().ok());
      BOOST_TEST(writer.waiting_bytes() == 0u);
      BOOST_TEST(*(*file)->size() == writer.size());
      AofReader reader(**file, header, writer.size());
      std::vector<AofReader::Unit> units;
      BOOST_TEST((reader.next(units) == AofReader::Outcome::kUnits));
      BOOST_TEST(units.size() == 2u);
    }
  }
}

BOOST_AUTO_TEST_CASE(storing_ahead_is_asked_for_once_per_many_bytes) {
  CrashingEnvironment environment(1);
  FileHeader header = new_file_header(environment, kLogMagic);
  header.sequence = 1;
  auto file = AofWriter::create_file(environment, "log", header);
  BOOST_TEST_REQUIRE(file.ok());
  AofWriter writer("log", header);
  writer.attach(*file, kFileHeaderBytes);
  uint64_t sequence = 1;
  const std::string value(1u << 20, 'v');
  const std::string_view args[] = {"SET", "key", value};
  const LogCommand command{0, args};
  std::string asked;
  for (int i = 0; i < 20; ++i) {
    writer.append({&command, 1}, 1, sequence);
    BOOST_TEST_REQUIRE(writer.flush().ok());
    asked += writer.take_store_ahead() ? 'x' : '.';
  }
  BOOST_TEST(asked == ".......x.......x....");
}

BOOST_AUTO_TEST_CASE(room_is_wanted_for_small_groups_only_and_goes_at_the_end) {
  const TemporaryDirectory directory;
  const std::string path = directory / "log";
  FileHeader header = new_file_header(real_environment(), kLogMagic);
  header.sequence = 1;
  auto file = AofWriter::create_file(real_environment(), path, header);
  BOOST_TEST_REQUIRE(file.ok());
  AofWriter writer(path, header);
  writer.attach(*file, kFileHeaderBytes);
  uint64_t sequence = 1;
  const auto write = [&](size_t value_bytes) {
    const std::string value(value_bytes, 'v');
    const std::string_view args[] = {"SET", "key", value};
    const LogCommand command{0, args};
    writer.append({&command, 1}, 1, sequence);
    BOOST_TEST_REQUIRE(writer.flush().ok());
  };
  write(1u << 20);
  BOOST_TEST(!writer.wants_room());
  write(10);
  BOOST_TEST(writer.wants_room());
  const uint64_t offset = writer.take_room();
  BOOST_TEST(offset == writer.size());
  BOOST_TEST(!writer.wants_room());
  BOOST_TEST_REQUIRE((*file)->make_room(offset, AofWriter::kRoomBytes).ok());
  write(10);
  BOOST_TEST(*(*file)->size() == offset + AofWriter::kRoomBytes);
  // Room is made anew before the last of it is used, and behind it.
  while (writer.size() < offset + AofWriter::kRoomBytes - (1u << 20)) write(50'000);
  BOOST_TEST(writer.wants_room());
  BOOST_TEST(writer.take_room() == offset + AofWriter::kRoomBytes);
  BOOST_TEST(writer.trim().ok());
  BOOST_TEST(*(*file)->size() == writer.size());
  write(10);
  AofReader reader(**file, header, *(*file)->size());
  std::vector<AofReader::Unit> units;
  AofReader::Outcome outcome;
  while ((outcome = reader.next(units)) == AofReader::Outcome::kUnits) continue;
  BOOST_TEST((outcome == AofReader::Outcome::kEnd));
  BOOST_TEST(reader.next_sequence() == sequence);
}

BOOST_AUTO_TEST_SUITE_END()
