#include "test/sim/simulated_disk.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

namespace roxdb {
namespace {

Status failure(int os_error) {
  return Status{os_error == ENOENT ? Code::kNotFound : Code::kIo, os_error, "simulated disk"};
}

// The names a path is made of; "/a//./b/" is a, b.
std::vector<std::string> names_of(const std::string& path) {
  std::vector<std::string> names;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    std::string name = path.substr(at, end - at);
    if (!name.empty() && name != ".") names.push_back(std::move(name));
    at = end + 1;
  }
  return names;
}

// Adds one decision to the fingerprint of an image. `kind` keeps numbers of different things apart.
void stir(uint64_t& fingerprint, char kind, uint64_t number) {
  fingerprint = Random(fingerprint ^ number ^ static_cast<uint64_t>(kind) << 56).next();
}

// Calls visit(sector, offset, bytes) for the piece of a write in each sector.
template <class Visit>
void for_each_sector(const SimulatedDisk::FileOperation& write, Visit visit) {
  constexpr size_t kSector = SimulatedDisk::kSectorBytes;
  std::string_view bytes = write.bytes;
  for (uint64_t offset = write.offset; !bytes.empty();) {
    const size_t piece = std::min<size_t>(kSector - offset % kSector, bytes.size());
    visit(offset / kSector, offset, bytes.substr(0, piece));
    bytes.remove_prefix(piece);
    offset += piece;
  }
}

}  // namespace

std::vector<SimulatedDisk::NodePointer> SimulatedDisk::EntryOperation::directories() const {
  std::vector<NodePointer> directories;
  if (from_directory) directories.push_back(from_directory);
  if (to_directory && to_directory != from_directory) directories.push_back(to_directory);
  return directories;
}

SimulatedDisk::SimulatedDisk(const DiskImage& image) : root_(new_node(true)) {
  for (const std::string& path : image.directories) find_or_make_directories(path);
  for (const auto& [path, content] : image.files) {
    const size_t slash = path.rfind('/');
    const NodePointer directory =
        slash == std::string::npos ? root_ : find_or_make_directories(path.substr(0, slash));
    const NodePointer file = new_node(false);
    file->current = file->synced = content;
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    directory->entries[name] = directory->durable_entries[name] = file;
  }
}

// ---- what programs see ----

SimulatedDisk::NodePointer SimulatedDisk::new_node(bool is_directory) {
  auto node = std::make_shared<Node>();
  node->serial = ++serials_;
  node->is_directory = is_directory;
  if (!is_directory) {
    std::erase_if(files_, [](const auto& known) { return known.second.expired(); });
    files_.emplace(node->serial, node);
  }
  return node;
}

SimulatedDisk::NodePointer SimulatedDisk::find_or_make_directories(const std::string& path) {
  NodePointer directory = root_;
  for (const std::string& name : names_of(path)) {
    NodePointer& next = directory->entries[name];
    if (!next) directory->durable_entries[name] = next = new_node(true);
    directory = next;
  }
  return directory;
}

Result<SimulatedDisk::Location> SimulatedDisk::locate(const std::string& path) const {
  std::vector<std::string> names = names_of(path);
  if (names.empty()) return failure(EISDIR);  // the root: there is no name to create or remove
  Location location{root_, std::move(names.back())};
  names.pop_back();
  for (const std::string& name : names) {
    const auto found = location.directory->entries.find(name);
    if (found == location.directory->entries.end()) return failure(ENOENT);
    if (!found->second->is_directory) return failure(ENOTDIR);
    location.directory = found->second;
  }
  return location;
}

Result<SimulatedDisk::NodePointer> SimulatedDisk::find(const std::string& path) const {
  if (names_of(path).empty()) return root_;
  ROX_TRY(const Location location, locate(path));
  const auto found = location.directory->entries.find(location.name);
  if (found == location.directory->entries.end()) return failure(ENOENT);
  return found->second;
}

void SimulatedDisk::change_entries(EntryOperation operation) {
  if (operation.from_directory) operation.from_directory->entries.erase(operation.from_name);
  if (operation.to_directory) operation.to_directory->entries[operation.to_name] = operation.node;
  pending_entries_.push_back(std::move(operation));
}

Result<SimulatedDisk::NodePointer> SimulatedDisk::create_file(const std::string& path) {
  const NodePointer file = new_file();
  ROX_TRY(link_file(path, file));
  return file;
}

Status SimulatedDisk::link_file(const std::string& path, const NodePointer& file) {
  ROX_TRY(const Location location, locate(path));
  if (location.directory->entries.contains(location.name)) return failure(EEXIST);
  change_entries({nullptr, {}, location.directory, location.name, file});
  return kOk;
}

Status SimulatedDisk::make_directory(const std::string& path) {
  if (const auto existing = find(path); existing.ok()) {
    return (*existing)->is_directory ? kOk : failure(ENOTDIR);
  }
  ROX_TRY(const Location location, locate(path));
  change_entries({nullptr, {}, location.directory, location.name, new_node(true)});
  return kOk;
}

Status SimulatedDisk::rename(const std::string& from, const std::string& to) {
  ROX_TRY(const Location source, locate(from));
  ROX_TRY(const Location target, locate(to));
  const auto found = source.directory->entries.find(source.name);
  if (found == source.directory->entries.end()) return failure(ENOENT);
  const NodePointer node = found->second;
  if (const auto replaced = target.directory->entries.find(target.name);
      replaced != target.directory->entries.end()) {
    if (replaced->second == node) return kOk;
    if (replaced->second->is_directory) return failure(EISDIR);
    if (node->is_directory) return failure(ENOTDIR);
  }
  const std::vector<std::string> from_names = names_of(from);
  const std::vector<std::string> to_names = names_of(to);
  if (node->is_directory && to_names.size() > from_names.size() &&
      std::equal(from_names.begin(), from_names.end(), to_names.begin())) {
    return failure(EINVAL);  // a directory into itself
  }
  change_entries({source.directory, source.name, target.directory, target.name, node});
  return kOk;
}

Status SimulatedDisk::remove(const std::string& path) {
  ROX_TRY(const Location location, locate(path));
  const auto found = location.directory->entries.find(location.name);
  if (found == location.directory->entries.end()) return failure(ENOENT);
  if (found->second->is_directory) return failure(EISDIR);
  change_entries({location.directory, location.name, nullptr, {}, nullptr});
  return kOk;
}

Status SimulatedDisk::sync_directory(const std::string& path) {
  ROX_TRY(const NodePointer directory, find(path));
  if (!directory->is_directory) return failure(ENOTDIR);

  // A rename between two directories is one change (L5): where it becomes durable, so does all that
  // came before it in the other directory. Backwards, each change that is needed says whose earlier
  // ones are.
  std::set<const Node*> needed = {directory.get()};
  std::vector<bool> durable(pending_entries_.size());
  for (size_t index = pending_entries_.size(); index-- > 0;) {
    const std::vector<NodePointer> concerned = pending_entries_[index].directories();
    durable[index] = std::any_of(concerned.begin(), concerned.end(), [&](const NodePointer& one) {
      return needed.contains(one.get());
    });
    if (!durable[index]) continue;
    for (const NodePointer& one : concerned) needed.insert(one.get());
  }
  std::vector<EntryOperation> left;
  for (size_t index = 0; index < pending_entries_.size(); ++index) {
    EntryOperation& operation = pending_entries_[index];
    if (!durable[index]) {
      left.push_back(std::move(operation));
      continue;
    }
    if (operation.from_directory) {
      operation.from_directory->durable_entries.erase(operation.from_name);
    }
    if (operation.to_directory) {
      operation.to_directory->durable_entries[operation.to_name] = operation.node;
    }
  }
  pending_entries_ = std::move(left);
  return kOk;
}

Result<std::vector<DirectoryEntry>> SimulatedDisk::list(const std::string& path) const {
  ROX_TRY(const NodePointer directory, find(path));
  if (!directory->is_directory) return failure(ENOTDIR);
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, node] : directory->entries) {
    entries.push_back({name, !node->is_directory, node->is_directory, node->current.size()});
  }
  return entries;
}

void SimulatedDisk::append(Node& file, std::string_view bytes) {
  write(file, file.current.size(), bytes);
}

void SimulatedDisk::make_room(Node& file, uint64_t end) {
  if (end <= file.current.size()) return;
  file.current.resize(end);
  file.pending.push_back({false, end, {}, end, false});
}

void SimulatedDisk::write(Node& file, uint64_t offset, std::string_view bytes) {
  file.current.write(offset, bytes);
  file.pending.push_back({false, offset, std::string(bytes), file.current.size(), false});
}

void SimulatedDisk::truncate(Node& file, uint64_t size) {
  file.current.resize(size);
  file.pending.push_back({true, size, {}, size, false});
}

void SimulatedDisk::sync(Node& file) {
  const bool lossless = std::none_of(file.pending.begin(), file.pending.end(),
                                     [](const FileOperation& operation) { return operation.lost; });
  if (lossless) {
    file.synced = file.current;
    file.pending.clear();
    return;
  }
  // What a failed sync lost stays lost, but in sectors that were written to again since: there the
  // page cache still held it (L2).
  std::map<uint64_t, size_t> last_write;  // sector -> index of the last write not lost
  for (size_t index = 0; index < file.pending.size(); ++index) {
    if (file.pending[index].lost) continue;
    for_each_sector(file.pending[index], [&](uint64_t sector, uint64_t, std::string_view) {
      last_write[sector] = index;
    });
  }
  for (size_t index = 0; index < file.pending.size(); ++index) {
    const FileOperation& operation = file.pending[index];
    if (operation.is_truncate) file.synced.resize(operation.offset);
    for_each_sector(operation, [&](uint64_t sector, uint64_t offset, std::string_view bytes) {
      const auto last = last_write.find(sector);
      if (last != last_write.end() && last->second >= index) file.synced.write(offset, bytes);
    });
  }
  file.synced.resize(file.current.size());
  file.pending.clear();
}

void SimulatedDisk::fail_sync(Node& file) {
  for (FileOperation& operation : file.pending) operation.lost = true;
}

// ---- what a power cut may leave ----

std::vector<SimulatedDisk::NodePointer> SimulatedDisk::unsynced_files() const {
  std::vector<NodePointer> files;
  for (const auto& [serial, known] : files_) {
    NodePointer file = known.lock();
    if (file && !file->pending.empty()) files.push_back(std::move(file));
  }
  return files;
}

std::map<uint64_t, size_t> SimulatedDisk::unsynced_directories() const {
  std::map<uint64_t, size_t> changes;
  for (const EntryOperation& operation : pending_entries_) {
    for (const NodePointer& directory : operation.directories()) ++changes[directory->serial];
  }
  return changes;
}

SimulatedDisk::Choice SimulatedDisk::plain_choice(std::string rule, bool with_entries,
                                                  bool with_data) const {
  Choice choice;
  choice.rule = std::move(rule);
  for (const auto& [serial, count] : unsynced_directories()) {
    choice.entries[serial] = with_entries ? count : 0;
  }
  for (const NodePointer& file : unsynced_files()) {
    choice.files[file->serial].size_at = with_data ? file->pending.size() : 0;
  }
  return choice;
}

std::vector<SimulatedDisk::Choice> SimulatedDisk::systematic_choices() const {
  const Choice none = plain_choice("synced", false, false);
  const Choice all = plain_choice("everything", true, true);
  const Choice entries_only = plain_choice("entries only", true, false);
  std::vector<Choice> choices = {none, all, entries_only, plain_choice("data only", false, true)};

  const auto add = [&](Choice choice, std::string rule) -> Choice& {
    choice.rule = std::move(rule);
    choices.push_back(std::move(choice));
    return choices.back();
  };
  const auto k_of_n = [](const char* what, size_t k, size_t n) {
    return what + std::to_string(k) + " of " + std::to_string(n);
  };
  for (const auto& [serial, count] : unsynced_directories()) {
    for (size_t happened = 0; happened <= count; ++happened) {
      const std::string rule = k_of_n("entries ", happened, count);
      add(all, rule).entries[serial] = happened;
      add(none, rule).entries[serial] = happened;
    }
  }
  for (const NodePointer& file : unsynced_files()) {
    const size_t count = file->pending.size();
    for (size_t happened = 0; happened <= count; ++happened) {
      const std::string rule = k_of_n("prefix ", happened, count);
      add(all, rule).files[file->serial] = {happened, FileChoice::Data::kAsSize, 0};
      add(entries_only, rule).files[file->serial] = {happened, FileChoice::Data::kAsSize, 0};
    }
    add(all, "zeros").files[file->serial] = {count, FileChoice::Data::kNone, 0};
  }
  return choices;
}

SimulatedDisk::Choice SimulatedDisk::random_choice(Random& random) const {
  Choice choice;
  choice.rule = "torn";
  // Half of the choices are an end of the range: uniform ones alone would almost never leave one
  // file whole while another is torn.
  const auto moment = [&](size_t count) {
    switch (random.below(4)) {
      case 0:
        return size_t{0};
      case 1:
        return count;
      default:
        return static_cast<size_t>(random.below(count + 1));
    }
  };
  for (const auto& [serial, count] : unsynced_directories()) choice.entries[serial] = moment(count);
  for (const NodePointer& file : unsynced_files()) {
    choice.files[file->serial] = {moment(file->pending.size()),
                                  static_cast<FileChoice::Data>(random.below(4)), random.next()};
  }
  return choice;
}

FileContent SimulatedDisk::content_of(const Node& file, const FileChoice& choice,
                                      uint64_t& fingerprint) {
  const std::vector<FileOperation>& pending = file.pending;

  // The moments between the truncations around the size's (L4), as numbers of operations seen.
  size_t earliest = 0;
  size_t latest = pending.size();
  for (size_t index = 0; index < pending.size(); ++index) {
    if (!pending[index].is_truncate) continue;
    if (index < choice.size_at) {
      earliest = index + 1;
    } else {
      latest = index;
      break;
    }
  }
  const auto moment_of = [&](uint64_t sector) {
    switch (choice.data) {
      case FileChoice::Data::kAsSize:
        return choice.size_at;
      case FileChoice::Data::kNone:
        return earliest;
      case FileChoice::Data::kEither:
        return Random(choice.seed ^ sector).next() % 2 == 0 ? earliest : latest;
      case FileChoice::Data::kAnytime:
        break;
    }
    return earliest + Random(choice.seed ^ sector).below(latest - earliest + 1);
  };

  const uint64_t size =
      choice.size_at == 0 ? file.synced.size() : pending[choice.size_at - 1].size_after;
  stir(fingerprint, 's', size);
  FileContent content = file.synced;
  for (size_t index = 0; index < latest; ++index) {
    const FileOperation& operation = pending[index];
    if (operation.is_truncate) {
      stir(fingerprint, 't', index);
      content.resize(operation.offset);
    }
    for_each_sector(operation, [&](uint64_t sector, uint64_t offset, std::string_view bytes) {
      if (index >= moment_of(sector)) return;
      stir(fingerprint, 'w', index << 32 | sector);
      content.write(offset, bytes);
    });
  }
  content.resize(size);
  return content;
}

DiskImage SimulatedDisk::image_of(const Choice& choice, uint64_t& fingerprint) const {
  // The entries of the directories that have a choice; others have what they show.
  std::map<uint64_t, Entries> chosen;
  std::map<uint64_t, size_t> left = choice.entries;
  for (size_t index = 0; index < pending_entries_.size(); ++index) {
    const EntryOperation& operation = pending_entries_[index];
    const std::vector<NodePointer> concerned = operation.directories();
    const bool happened =
        std::all_of(concerned.begin(), concerned.end(),
                    [&](const NodePointer& directory) { return left[directory->serial] > 0; });
    for (const NodePointer& directory : concerned) {
      chosen.try_emplace(directory->serial, directory->durable_entries);
      // What did not happen ends the prefix of both directories of a rename (L5).
      size_t& count = left[directory->serial];
      count = happened ? count - 1 : 0;
    }
    if (!happened) continue;
    stir(fingerprint, 'e', index);
    if (operation.from_directory) {
      chosen[operation.from_directory->serial].erase(operation.from_name);
    }
    if (operation.to_directory) {
      chosen[operation.to_directory->serial][operation.to_name] = operation.node;
    }
  }

  DiskImage image;
  image.rule = choice.rule;
  std::vector<std::pair<std::string, NodePointer>> directories = {{"", root_}};
  while (!directories.empty()) {
    const auto [prefix, directory] = std::move(directories.back());
    directories.pop_back();
    const auto changed = chosen.find(directory->serial);
    const Entries& entries = changed != chosen.end() ? changed->second : directory->entries;
    for (const auto& [name, node] : entries) {
      const std::string path = prefix + name;
      if (node->is_directory) {
        image.directories.insert(path);
        directories.emplace_back(path + "/", node);
      } else if (const auto wanted = choice.files.find(node->serial);
                 wanted != choice.files.end()) {
        stir(fingerprint, 'f', node->serial);
        image.files.emplace(path, content_of(*node, wanted->second, fingerprint));
      } else {
        image.files.emplace(path, choice.page_cache ? node->current : node->synced);
      }
    }
  }
  return image;
}

std::vector<DiskImage> SimulatedDisk::images(uint64_t seed, size_t count_max) const {
  ROX_ASSERT(count_max >= 2);
  Random random(seed);
  std::vector<Choice> choices = systematic_choices();
  // Where the rules alone would fill the list, torn images keep a quarter of it.
  const size_t systematic_max = std::max<size_t>(2, count_max - count_max / 4);
  if (choices.size() > systematic_max) {
    for (size_t index = 2; index < systematic_max; ++index) {
      std::swap(choices[index], choices[index + random.below(choices.size() - index)]);
    }
    choices.resize(systematic_max);
  }

  std::vector<DiskImage> images;
  std::set<uint64_t> fingerprints;
  const auto add = [&](const Choice& choice) {
    uint64_t fingerprint = 0;
    DiskImage image = image_of(choice, fingerprint);
    const bool is_new = fingerprints.insert(fingerprint).second;
    if (is_new) images.push_back(std::move(image));
    return is_new;
  };
  for (const Choice& choice : choices) add(choice);
  // A disk with few choices soon repeats itself: so many times in a row, and that was all.
  constexpr int kPatience = 100;
  for (int patience = kPatience; images.size() < count_max && patience > 0;) {
    patience = add(random_choice(random)) ? kPatience : patience - 1;
  }
  return images;
}

DiskImage SimulatedDisk::everything() const {
  Choice choice = plain_choice("everything", true, true);
  choice.files.clear();
  choice.page_cache = true;
  uint64_t ignored = 0;
  return image_of(choice, ignored);
}

}  // namespace roxdb
