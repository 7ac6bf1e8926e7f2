#include "persist/files.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/assert.h"

namespace roxdb::persist {
namespace {

constexpr std::string_view kTemporaryMark = ".tmp.";

bool is_decimal(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A second name under which the file of `path` lives on when another takes its place. False: there
// is no file.
Result<bool> keep_file(Environment& environment, const std::string& path,
                       const std::string& second_name) {
  static_cast<void>(environment.remove(second_name).ok());  // of a keep_file() that nobody finished
  const Status status = environment.link(path, second_name);
  if (status.code == Code::kNotFound) return false;
  if (!status.ok()) return status;
  return true;
}

// Each older file becomes older by one, and the oldest goes. Where one is missing, the gap moves.
Status shift_generations(Environment& environment, const std::string& path,
                         const std::string& youngest, int older) {
  for (int age = older; age > 1; --age) {
    const Status status =
        environment.rename(generation_path(path, age - 1), generation_path(path, age));
    if (!status.ok() && status.code != Code::kNotFound) return status;
  }
  return install_file(environment, youngest, generation_path(path, 1));
}

}  // namespace

std::string directory_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<size_t>(slash, 1)));
}

std::string_view name_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string temporary_path(std::string_view path, pid_t pid, uint64_t n) {
  return fmt::format("{}{}{}.{}", path, kTemporaryMark, pid, n);
}

bool is_temporary_name(std::string_view name) {
  const size_t mark = name.rfind(kTemporaryMark);
  if (mark == std::string_view::npos || mark == 0) return false;
  const std::string_view numbers = name.substr(mark + kTemporaryMark.size());
  const size_t dot = numbers.find('.');
  return dot != std::string_view::npos && is_decimal(numbers.substr(0, dot)) &&
         is_decimal(numbers.substr(dot + 1));
}

std::string describe(const Status& status) {
  if (status.os_error == 0) return std::string(status.text);
  return fmt::format("{}: {}", status.text, std::strerror(status.os_error));
}

Status write_all(File& file, std::string_view bytes) {
  while (!bytes.empty()) {
    ROX_TRY(const size_t written, file.write(bytes));
    bytes.remove_prefix(written);
  }
  return kOk;
}

Result<size_t> read_fully(File& file, uint64_t offset, char* out, size_t size) {
  size_t done = 0;
  while (done < size) {
    ROX_TRY(const size_t got, file.read_at(offset + done, out + done, size - done));
    if (got == 0) break;
    done += got;
  }
  return done;
}

Result<std::string> read_file(Environment& environment, const std::string& path, size_t size_max) {
  ROX_TRY(const std::unique_ptr<File> file, environment.open(path, OpenMode::kRead));
  ROX_TRY(const uint64_t size, file->size());
  if (size > size_max) return Status{Code::kCorrupt, 0, "the file is too large"};
  std::string bytes(static_cast<size_t>(size), '\0');
  ROX_TRY(const size_t got, read_fully(*file, 0, bytes.data(), bytes.size()));
  bytes.resize(got);
  return bytes;
}

TemporaryFile::~TemporaryFile() {
  if (path_.empty()) return;
  file_.reset();
  // What is left over when even this fails, the next start removes.
  static_cast<void>(environment_.remove(path_).ok());
}

Status TemporaryFile::create(const std::string& path) {
  ROX_ASSERT(path_.empty());
  ROX_TRY(file_, environment_.open(path, OpenMode::kCreateNew));
  path_ = path;
  return kOk;
}

Status TemporaryFile::append(std::string_view bytes) {
  ROX_TRY(write_all(*file_, bytes));
  size_ += bytes.size();
  if (size_ - synced_size_ < kSyncStepBytes) return kOk;
  ROX_TRY(file_->sync());
  synced_size_ = size_;
  return kOk;
}

Status TemporaryFile::finish() {
  ROX_TRY(file_->sync());
  ROX_TRY(file_->close());
  file_.reset();
  path_.clear();
  return kOk;
}

Status install_file(Environment& environment, const std::string& temporary,
                    const std::string& path) {
  if (const Status status = environment.rename(temporary, path); !status.ok()) {
    static_cast<void>(environment.remove(temporary).ok());
    return status;
  }
  return environment.sync_directory(directory_of(path));
}

std::string generation_path(std::string_view path, int age) {
  return fmt::format("{}.{}", path, age);
}

Status install_generation(Environment& environment, const std::string& temporary,
                          const std::string& path, int older) {
  if (older == 0) return install_file(environment, temporary, path);
  const std::string kept = temporary_path(generation_path(path, 1), environment.process_id(), 0);
  const Result<bool> was_there = keep_file(environment, path, kept);
  if (!was_there.ok()) {
    static_cast<void>(environment.remove(temporary).ok());
    return was_there.status();
  }
  Status status = install_file(environment, temporary, path);
  if (!*was_there) return status;
  if (status.ok()) status = shift_generations(environment, path, kept, older);
  if (!status.ok()) static_cast<void>(environment.remove(kept).ok());
  return status;
}

Status replace_file(Environment& environment, const std::string& path, std::string_view bytes,
                    uint64_t n) {
  const std::string temporary = temporary_path(path, environment.process_id(), n);
  {
    TemporaryFile file(environment);
    ROX_TRY(file.create(temporary));
    ROX_TRY(file.append(bytes));
    ROX_TRY(file.finish());
  }
  return install_file(environment, temporary, path);
}

Status make_durable_directory(Environment& environment, const std::string& path) {
  ROX_TRY(environment.make_directory(path));
  return environment.sync_directory(directory_of(path));
}

Status remove_stale_files(Environment& environment, const std::string& directory,
                          const Logger& log) {
  const auto entries = environment.list(directory);
  if (!entries.ok()) return entries.status().code == Code::kNotFound ? kOk : entries.status();
  for (const DirectoryEntry& entry : *entries) {
    if (!entry.is_file || !is_temporary_name(entry.name)) continue;
    const std::string path = directory + "/" + entry.name;
    ROX_TRY(environment.remove(path));
    log.notice("Removed a temporary file of an earlier run: file={} bytes={}", path, entry.size);
  }
  return kOk;
}

}  // namespace roxdb::persist
