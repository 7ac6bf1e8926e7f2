#include "persist/manifest.h"

#include <boost/test/unit_test.hpp>

#include "base/hash.h"
#include "persist/files.h"
#include "test/sim/crashing_environment.h"

#include <fmt/core.h>

namespace {

using namespace roxdb;
using namespace roxdb::persist;

Manifest example() {
  Manifest manifest;
  manifest.base = ManifestFile{"a.7.base.rox", 1200};
  manifest.increments = {{"a.7.incr.rox", 1201}, {"with blank.8.incr.rox", 5120}};
  manifest.retired = {"a.6.base.rox"};
  manifest.ended = 0x9f2c;
  return manifest;
}

std::string with_hash(std::string text) {
  text += fmt::format("hash {:016x}\n", checksum(text, 0));
  return text;
}

std::string why_refused(std::string_view text) {
  Manifest manifest;
  std::string why;
  BOOST_TEST((decode_manifest(text, manifest, why).code == Code::kCorrupt));
  return why;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(persist_manifest)

BOOST_AUTO_TEST_CASE(a_manifest_comes_back_as_it_was) {
  for (const Manifest& manifest : {example(), Manifest{}}) {
    Manifest decoded = example();
    std::string why;
    BOOST_TEST(decode_manifest(encode_manifest(manifest), decoded, why).ok());
    BOOST_TEST((decoded == manifest));
  }
}

BOOST_AUTO_TEST_CASE(any_cut_and_any_flipped_bit_is_refused) {
  const std::string text = encode_manifest(example());
  for (size_t size = 0; size < text.size(); ++size) {
    BOOST_TEST(why_refused(text.substr(0, size)) != "");
  }
  for (size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    BOOST_TEST(why_refused(flipped) != "");
  }
}

BOOST_AUTO_TEST_CASE(lines_that_make_no_sense_are_refused_though_the_hash_agrees) {
  for (const std::string line :
       {"base 1\n", "base x a\n", "base 1 \n", "base 1 a/b\n", "base 1 ..\n", "base -1 a\n",
        "base 1 a\nbase 1 b\n", "increment 1 a\nbase 0 b\n", "increment 0 a\n", "other 1 a\n",
        "ended 1\n", "ended 000000000000000G\n", "ended 0000000000000001\nended 0000000000000001\n",
        "\n", "base 99999999999999999999 a\n"}) {
    BOOST_TEST_CONTEXT(line) {
      BOOST_TEST(why_refused(with_hash("RoxDB log 1\n" + line)).starts_with("line "));
    }
  }
  BOOST_TEST(why_refused(with_hash("RoxDB log 2\n")) ==
             "format version 2; this program reads version 1");
}

BOOST_AUTO_TEST_CASE(file_names_carry_a_number_and_nothing_else_is_one) {
  BOOST_TEST(log_file_name("a.b", 12, LogFileKind::kBase) == "a.b.12.base.rox");
  BOOST_TEST(*log_file_number("a.b", "a.b.12.base.rox") == 12u);
  BOOST_TEST(*log_file_number("a.b", "a.b.7.incr.rox") == 7u);
  for (const std::string_view name :
       {"a.b.12.base.rox.orphan", "a.b.base.rox", "a.b..base.rox", "a.b.x.base.rox", "a.b",
        "a.c.1.base.rox", "a.b.1.base.rdb", "a.b.manifest.rox", "xa.b.1.base.rox",
        "a.b.1.base.rox.tmp.1.1"}) {
    BOOST_TEST(!log_file_number("a.b", name).has_value(), name);
  }
}

BOOST_AUTO_TEST_CASE(snapshots_are_told_apart_by_their_beginning) {
  CrashingEnvironment environment(1);
  BOOST_TEST(*snapshot_identity(environment, "s") == 0u);
  BOOST_TEST(replace_file(environment, "s", "one").ok());
  const uint64_t one = *snapshot_identity(environment, "s");
  BOOST_TEST(one != 0u);
  BOOST_TEST(replace_file(environment, "s", "two").ok());
  BOOST_TEST(*snapshot_identity(environment, "s") != one);
}

BOOST_AUTO_TEST_SUITE_END()
