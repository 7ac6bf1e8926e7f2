#include "test/sim/simulated_disk.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <functional>
#include <set>

namespace roxdb {
namespace {

constexpr size_t kMany = 400;

FileContent bytes(std::string_view text) { return FileContent(text); }

// A disk with one synced file in the root.
DiskImage disk_with(const std::string& path, std::string_view text) {
  DiskImage image;
  image.files[path] = bytes(text);
  return image;
}

SimulatedDisk::NodePointer found(const SimulatedDisk& disk, const std::string& path) {
  auto node = disk.find(path);
  BOOST_TEST_REQUIRE(node.ok(), path);
  return *std::move(node);
}

SimulatedDisk::NodePointer created(SimulatedDisk& disk, const std::string& path) {
  auto node = disk.create_file(path);
  BOOST_TEST_REQUIRE(node.ok(), path);
  return *std::move(node);
}

// Creates a file and makes it durable with its entry in the root.
SimulatedDisk::NodePointer durable(SimulatedDisk& disk, const std::string& path,
                                   std::string_view text) {
  auto node = created(disk, path);
  if (!text.empty()) disk.append(*node, text);
  disk.sync(*node);
  BOOST_TEST_REQUIRE(disk.sync_directory("/").ok());
  return node;
}

size_t count_where(const std::vector<DiskImage>& images,
                   const std::function<bool(const DiskImage&)>& holds) {
  return static_cast<size_t>(std::count_if(images.begin(), images.end(), holds));
}

bool holds_file(const DiskImage& image, const std::string& path, std::string_view text) {
  const auto file = image.files.find(path);
  return file != image.files.end() && file->second.text() == text;
}

// All contents `path` has among many images; "<absent>" where it is not there.
std::set<std::string> outcomes(const SimulatedDisk& disk, const std::string& path) {
  std::set<std::string> contents;
  for (const DiskImage& image : disk.images(1, kMany)) {
    const auto file = image.files.find(path);
    contents.insert(file == image.files.end() ? "<absent>" : file->second.text());
  }
  return contents;
}

using Outcomes = std::set<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(sim_simulated_disk)

BOOST_AUTO_TEST_CASE(a_disk_starts_as_its_image_and_a_quiet_disk_has_one_image) {
  DiskImage image = disk_with("dir/sub/file", "text");
  image.directories = {"dir", "dir/sub", "empty"};
  const SimulatedDisk disk(image);
  const auto images = disk.images(1, kMany);
  BOOST_TEST_REQUIRE(images.size() == 1u);
  BOOST_TEST((images[0] == image));
  BOOST_TEST((disk.everything() == image));
}

BOOST_AUTO_TEST_CASE(programs_see_every_change_at_once) {
  SimulatedDisk disk({});
  BOOST_TEST(disk.make_directory("dir").ok());
  BOOST_TEST(disk.make_directory("/dir/").ok());  // is there
  const auto file = created(disk, "dir/a");
  disk.append(*file, "0123456789");
  disk.truncate(*file, 3);
  disk.append(*file, "x");
  BOOST_TEST(disk.rename("dir/a", "./dir//b").ok());
  BOOST_TEST((disk.find("dir/a").status().code == Code::kNotFound));
  BOOST_TEST(found(disk, "dir/b")->current.text() == "012x");
  const auto entries = disk.list("dir");
  BOOST_TEST_REQUIRE(entries->size() == 1u);
  BOOST_TEST((*entries)[0].name == "b");
  BOOST_TEST((*entries)[0].size == 4u);
  BOOST_TEST((*entries)[0].is_file);
  BOOST_TEST(disk.remove("dir/b").ok());
  BOOST_TEST(disk.list("dir")->empty());
}

BOOST_AUTO_TEST_CASE(errors_are_those_of_the_system) {
  SimulatedDisk disk(disk_with("dir/file", ""));
  BOOST_TEST((disk.find("x").status().code == Code::kNotFound));
  BOOST_TEST((disk.create_file("x/y").status().code == Code::kNotFound));
  BOOST_TEST((disk.rename("x", "y").code == Code::kNotFound));
  BOOST_TEST((disk.rename("dir/file", "x/y").code == Code::kNotFound));
  BOOST_TEST((disk.remove("x").code == Code::kNotFound));
  BOOST_TEST((disk.sync_directory("x").code == Code::kNotFound));
  BOOST_TEST(disk.create_file("dir/file").status().os_error == EEXIST);
  BOOST_TEST(disk.create_file("dir/file/x").status().os_error == ENOTDIR);
  BOOST_TEST(disk.make_directory("dir/file").os_error == ENOTDIR);
  BOOST_TEST(disk.list("dir/file").status().os_error == ENOTDIR);
  BOOST_TEST(disk.remove("dir").os_error == EISDIR);
  BOOST_TEST(disk.rename("dir/file", "dir").os_error == EISDIR);
  BOOST_TEST(disk.rename("dir", "dir/inside").os_error == EINVAL);
}

// L1.
BOOST_AUTO_TEST_CASE(what_was_synced_is_in_every_image) {
  SimulatedDisk disk({});
  const auto file = durable(disk, "file", "synced");
  disk.append(*file, " and more");
  for (const std::string& text : outcomes(disk, "file")) {
    BOOST_TEST(text.starts_with("synced"), text);
  }
}

BOOST_AUTO_TEST_CASE(syncing_a_file_does_not_sync_its_entry) {
  SimulatedDisk disk({});
  const auto file = created(disk, "file");
  disk.append(*file, "text");
  disk.sync(*file);
  BOOST_TEST((outcomes(disk, "file") == Outcomes{"<absent>", "text"}));
}

BOOST_AUTO_TEST_CASE(syncing_a_directory_does_not_sync_its_files) {
  SimulatedDisk disk({});
  const auto file = created(disk, "file");
  disk.append(*file, "text");
  BOOST_TEST(disk.sync_directory("/").ok());
  BOOST_TEST((outcomes(disk, "file") == Outcomes{"", std::string(4, '\0'), "text"}));
}

BOOST_AUTO_TEST_CASE(the_two_ends_are_always_among_the_images) {
  SimulatedDisk disk({});
  const auto file = durable(disk, "file", "a");
  for (int round = 0; round < 300; ++round) disk.append(*file, "b");
  created(disk, "new");
  for (const size_t count_max : {2, 5, 50}) {
    const auto images = disk.images(7, count_max);
    BOOST_TEST_REQUIRE(images.size() == count_max);
    BOOST_TEST((images[0] == disk_with("file", "a")));
    BOOST_TEST(images[0].rule == "synced");
    BOOST_TEST((images[1] == disk.everything()));
    BOOST_TEST(images[1].rule == "everything");
    BOOST_TEST(holds_file(images[1], "new", ""));
  }
}

// Appends of 100 bytes: some share a sector, so their prefixes are what one sector can show.
BOOST_AUTO_TEST_CASE(every_prefix_of_the_writes_is_an_image) {
  SimulatedDisk disk({});
  const auto file = durable(disk, "file", "");
  std::string text;
  std::vector<std::string> prefixes = {text};
  for (int number = 0; number < 20; ++number) {
    const std::string piece(100, static_cast<char>('a' + number));
    disk.append(*file, piece);
    prefixes.push_back(text += piece);
  }
  const Outcomes seen = outcomes(disk, "file");
  for (const std::string& prefix : prefixes) BOOST_TEST(seen.contains(prefix), prefix.size());
}

// L2: three writes to three sectors; all eight subsets may reach the disk.
BOOST_AUTO_TEST_CASE(sectors_arrive_in_any_order) {
  SimulatedDisk disk({});
  const auto file = durable(disk, "file", "");
  const size_t sector = SimulatedDisk::kSectorBytes;
  for (const char c : {'a', 'b', 'c'}) disk.append(*file, std::string(sector, c));
  Outcomes whole_length;
  for (const std::string& text : outcomes(disk, "file")) {
    if (text.size() == 3 * sector) whole_length.insert(text);
  }
  BOOST_TEST(whole_length.size() == 8u);
  const std::string zeros(sector, '\0');
  BOOST_TEST(whole_length.contains(zeros + zeros + std::string(sector, 'c')));
  BOOST_TEST(whole_length.contains(std::string(sector, 'a') + zeros + std::string(sector, 'c')));
}

BOOST_AUTO_TEST_CASE(one_long_write_is_torn_between_sectors_and_only_there) {
  SimulatedDisk disk({});
  const auto file = durable(disk, "file", "head");
  const size_t sector = SimulatedDisk::kSectorBytes;
  disk.append(*file, std::string(4 * sector, 'x'));
  const auto images = disk.images(1, kMany);
  size_t torn = 0;
  for (const DiskImage& image : images) {
    const std::string text = image.files.at("file").text();
    const std::string rest = text.substr(4);
    torn += rest.find('x') != std::string::npos && rest.find('\0') != std::string::npos;
    for (size_t at = 5; at < text.size(); ++at) {
      if (at % sector != 0) BOOST_TEST_REQUIRE(text[at] == text[at - 1], "torn at " << at);
    }
  }
  BOOST_TEST(torn > 10u);
}

BOOST_AUTO_TEST_CASE(a_sector_never_shows_a_later_write_without_the_earlier_one) {
  SimulatedDisk disk({});
  const auto file = durable(disk, "file", "");
  disk.append(*file, "a");
  disk.append(*file, "b");
  const Outcomes seen = outcomes(disk, "file");
  using namespace std::string_literals;
  BOOST_TEST((seen == Outcomes{""s, "a"s, "ab"s, "\0"s, "\0\0"s, "a\0"s}));
}

// L3.
BOOST_AUTO_TEST_CASE(a_file_may_have_grown_without_its_data) {
  SimulatedDisk disk({});
  const auto file = durable(disk, "file", "12");
  disk.append(*file, std::string(2'000, 'x'));
  BOOST_TEST(outcomes(disk, "file").contains("12" + std::string(2'000, '\0')));
  disk.sync(*file);
  BOOST_TEST((outcomes(disk, "file") == Outcomes{"12" + std::string(2'000, 'x')}));
}

// L4: what was written after the cut never shows without it, and what was before never after it.
BOOST_AUTO_TEST_CASE(a_truncation_separates_before_from_after) {
  SimulatedDisk disk({});
  const auto file = durable(disk, "file", "old");
  disk.append(*file, "AAA");
  disk.truncate(*file, 3);
  disk.append(*file, "BBB");
  const Outcomes seen = outcomes(disk, "file");
  using namespace std::string_literals;
  BOOST_TEST((seen == Outcomes{"old"s, "oldAAA"s, "oldBBB"s, "old\0\0\0"s}));
}

BOOST_AUTO_TEST_CASE(a_truncation_may_be_lost) {
  SimulatedDisk disk(disk_with("file", "0123456789"));
  disk.truncate(*found(disk, "file"), 4);
  BOOST_TEST((outcomes(disk, "file") == Outcomes{"0123456789", "0123"}));
}

// L5, L6.
BOOST_AUTO_TEST_CASE(a_created_file_may_be_absent_until_its_directory_is_synced) {
  SimulatedDisk disk({});
  created(disk, "file");
  BOOST_TEST((outcomes(disk, "file") == Outcomes{"<absent>", ""}));
  BOOST_TEST(disk.sync_directory(".").ok());
  BOOST_TEST((outcomes(disk, "file") == Outcomes{""}));
}

BOOST_AUTO_TEST_CASE(a_removed_file_may_be_present_until_its_directory_is_synced) {
  SimulatedDisk disk(disk_with("file", "text"));
  BOOST_TEST(disk.remove("file").ok());
  BOOST_TEST((outcomes(disk, "file") == Outcomes{"<absent>", "text"}));
  BOOST_TEST(disk.sync_directory("").ok());
  BOOST_TEST((outcomes(disk, "file") == Outcomes{"<absent>"}));
}

BOOST_AUTO_TEST_CASE(a_rename_happens_whole_or_not_at_all) {
  DiskImage image = disk_with("new", "new");
  image.files["name"] = bytes("old");
  SimulatedDisk disk(image);
  BOOST_TEST(disk.rename("new", "name").ok());
  const auto images = disk.images(1, kMany);
  BOOST_TEST_REQUIRE(images.size() == 2u);
  BOOST_TEST((images[0] == image));
  BOOST_TEST((images[1] == disk_with("name", "new")));
  BOOST_TEST(disk.sync_directory("/").ok());
  BOOST_TEST(disk.images(1, kMany).size() == 1u);
}

// The classic mistake: renaming before syncing. The name may then stand for nothing.
BOOST_AUTO_TEST_CASE(a_rename_may_outrun_the_data) {
  SimulatedDisk disk(disk_with("name", "old"));
  const auto file = created(disk, "temporary");
  disk.append(*file, "new");
  BOOST_TEST(disk.rename("temporary", "name").ok());
  BOOST_TEST(disk.sync_directory("/").ok());
  BOOST_TEST((outcomes(disk, "name") == Outcomes{"", std::string(3, '\0'), "new"}));
}

BOOST_AUTO_TEST_CASE(entry_changes_of_a_directory_happen_in_order) {
  SimulatedDisk disk({});
  created(disk, "a");
  created(disk, "b");
  BOOST_TEST(disk.remove("a").ok());
  created(disk, "c");
  std::set<std::set<std::string>> seen;
  for (const DiskImage& image : disk.images(1, kMany)) {
    std::set<std::string> names;
    for (const auto& [path, content] : image.files) names.insert(path);
    seen.insert(names);
  }
  const std::set<std::set<std::string>> prefixes = {{}, {"a"}, {"a", "b"}, {"b"}, {"b", "c"}};
  BOOST_TEST((seen == prefixes));
}

BOOST_AUTO_TEST_CASE(directories_go_their_own_ways) {
  DiskImage image;
  image.directories = {"one", "two"};
  SimulatedDisk disk(image);
  created(disk, "one/a");
  created(disk, "two/b");
  const auto images = disk.images(1, kMany);
  BOOST_TEST(images.size() == 4u);
  BOOST_TEST(count_where(images, [](const DiskImage& one) {
               return !one.files.contains("one/a") && one.files.contains("two/b");
             }) == 1u);
  BOOST_TEST(disk.sync_directory("one").ok());
  BOOST_TEST((outcomes(disk, "one/a") == Outcomes{""}));
  BOOST_TEST((outcomes(disk, "two/b") == Outcomes{"<absent>", ""}));
}

BOOST_AUTO_TEST_CASE(a_file_in_an_unsynced_directory_may_be_gone_with_it) {
  SimulatedDisk disk({});
  BOOST_TEST(disk.make_directory("dir").ok());
  const auto file = created(disk, "dir/file");
  disk.sync(*file);
  BOOST_TEST(disk.sync_directory("dir").ok());
  BOOST_TEST((outcomes(disk, "dir/file") == Outcomes{"<absent>", ""}));
  BOOST_TEST(disk.sync_directory("/").ok());
  BOOST_TEST((outcomes(disk, "dir/file") == Outcomes{""}));
}

BOOST_AUTO_TEST_CASE(a_rename_between_directories_is_one_change_of_both) {
  DiskImage image = disk_with("one/file", "text");
  image.directories = {"one", "two"};
  SimulatedDisk disk(image);
  created(disk, "one/before");
  BOOST_TEST(disk.rename("one/file", "two/file").ok());
  created(disk, "one/behind");
  for (const DiskImage& one : disk.images(1, kMany)) {
    BOOST_TEST(one.files.contains("one/file") != one.files.contains("two/file"));
    if (one.files.contains("one/behind")) BOOST_TEST(one.files.contains("two/file"));
  }
  // Syncing the directory it went to makes durable what it builds on, and no more.
  BOOST_TEST(disk.sync_directory("two").ok());
  BOOST_TEST((outcomes(disk, "two/file") == Outcomes{"text"}));
  BOOST_TEST((outcomes(disk, "one/file") == Outcomes{"<absent>"}));
  BOOST_TEST((outcomes(disk, "one/before") == Outcomes{""}));
  BOOST_TEST((outcomes(disk, "one/behind") == Outcomes{"<absent>", ""}));
}

BOOST_AUTO_TEST_CASE(a_renamed_directory_keeps_its_files) {
  DiskImage image = disk_with("dir/file", "text");
  image.directories = {"dir"};
  SimulatedDisk disk(image);
  BOOST_TEST(disk.rename("dir", "aside").ok());
  BOOST_TEST(found(disk, "aside/file")->current.text() == "text");
  const auto images = disk.images(1, kMany);
  BOOST_TEST_REQUIRE(images.size() == 2u);
  BOOST_TEST((images[0] == image));
  BOOST_TEST(holds_file(images[1], "aside/file", "text"));
}

// L7: the second sync succeeds and covers only what came after the first, failed one.
BOOST_AUTO_TEST_CASE(a_failed_sync_loses_data_that_a_later_sync_does_not_bring_back) {
  const size_t sector = SimulatedDisk::kSectorBytes;
  const std::string lost(sector, 'l');
  const std::string kept(sector, 'k');
  SimulatedDisk disk({});
  const auto file = durable(disk, "file", "");
  disk.append(*file, lost);
  disk.fail_sync(*file);
  BOOST_TEST(outcomes(disk, "file").contains(lost));  // some of it may have arrived
  disk.append(*file, kept);
  disk.sync(*file);
  BOOST_TEST(file->current.text() == lost + kept);  // the page cache does not tell
  BOOST_TEST((outcomes(disk, "file") == Outcomes{std::string(sector, '\0') + kept}));
  BOOST_TEST(holds_file(disk.everything(), "file", lost + kept));
}

BOOST_AUTO_TEST_CASE(a_sector_written_again_after_a_failed_sync_is_stored_whole) {
  SimulatedDisk disk({});
  const auto file = durable(disk, "file", "");
  disk.append(*file, "lost?");
  disk.fail_sync(*file);
  disk.append(*file, "no");
  disk.sync(*file);
  BOOST_TEST((outcomes(disk, "file") == Outcomes{"lost?no"}));
}

BOOST_AUTO_TEST_CASE(equal_seeds_give_equal_images_and_no_image_comes_twice) {
  SimulatedDisk disk({});
  BOOST_TEST(disk.make_directory("dir").ok());
  for (const char* path : {"dir/a", "dir/b", "c"}) {
    const auto file = created(disk, path);
    for (int round = 0; round < 30; ++round) disk.append(*file, std::string(200, 'x'));
  }
  const auto images = disk.images(5, 200);
  const auto same = disk.images(5, 200);
  const auto other = disk.images(6, 200);
  BOOST_TEST(images.size() == 200u);
  BOOST_TEST_REQUIRE(same.size() == images.size());
  size_t different = 0;
  for (size_t index = 0; index < images.size(); ++index) {
    BOOST_TEST_REQUIRE((images[index] == same[index]));
    BOOST_TEST_REQUIRE(images[index].rule == same[index].rule);
    different += !(images[index] == other[index]);
  }
  BOOST_TEST(different > 50u);
  BOOST_TEST(count_where(images, [](const DiskImage& one) { return one.rule == "torn"; }) >= 50u);
}

BOOST_AUTO_TEST_CASE(images_do_not_change_the_disk_nor_each_other) {
  SimulatedDisk disk({});
  const auto file = durable(disk, "file", std::string(10'000, 'a'));
  disk.append(*file, std::string(10'000, 'b'));
  auto images = disk.images(1, 50);
  const DiskImage second = images[1];
  images[0].files["file"].write(5'000, "scribble");
  BOOST_TEST((images[1] == second));
  BOOST_TEST(file->current.text() == std::string(10'000, 'a') + std::string(10'000, 'b'));
  BOOST_TEST((disk.images(1, 50)[0] == disk_with("file", std::string(10'000, 'a'))));
}

// L3: until a sync the new size may be there or not, without any data.
BOOST_AUTO_TEST_CASE(room_is_a_new_size_and_nothing_else) {
  SimulatedDisk disk(DiskImage{});
  const auto file = durable(disk, "file", "text");
  disk.make_room(*file, 8);
  disk.make_room(*file, 6);  // there already
  BOOST_TEST(file->current.text() == std::string("text\0\0\0\0", 8));
  const std::set<std::string> grown = {"text", std::string("text\0\0\0\0", 8)};
  BOOST_TEST((outcomes(disk, "file") == grown));
  disk.sync(*file);
  BOOST_TEST(outcomes(disk, "file").size() == 1u);
}

// L2: over room that was synced the size stands still, and sectors arrive in any order, which
// leaves zeros before data.
BOOST_AUTO_TEST_CASE(what_is_written_over_room_arrives_in_any_order) {
  constexpr size_t kSector = SimulatedDisk::kSectorBytes;
  SimulatedDisk disk(DiskImage{});
  const auto file = durable(disk, "file", "");
  disk.make_room(*file, 3 * kSector);
  disk.sync(*file);
  disk.write(*file, 0, std::string(kSector, 'a'));
  disk.write(*file, kSector, std::string(kSector, 'b'));
  std::set<std::string> seen;  // the first byte of each sector
  for (const std::string& text : outcomes(disk, "file")) {
    BOOST_TEST(text.size() == 3 * kSector);
    std::string marks;
    for (size_t at = 0; at < text.size(); at += kSector) marks += text[at] != 0 ? text[at] : '-';
    seen.insert(marks);
  }
  const std::set<std::string> expected = {"---", "a--", "-b-", "ab-"};
  BOOST_TEST((seen == expected));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace roxdb
