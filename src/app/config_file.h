// config_file.h: roxdb.conf, read at the start and written by CONFIG REWRITE. The syntax is
// redis.conf's: one directive per line, words quoted as in inline requests, '#' begins a comment,
// `include` takes a path that may be a pattern.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/config_file.h"

namespace roxdb::app {

class ConfigFile final : public engine::ConfigFile {
 public:
  // Reads the file at `path` (empty: none; "-": standard input), then `lines`, into `settings`.
  // On an error `why` is the report to show, several lines long.
  bool load(const std::string& path, const std::vector<std::string>& lines,
            engine::Settings& settings, std::string& why);
  // Whether a directive stood in the file or among the lines. Lower case.
  bool has(std::string_view directive) const;

  std::string path() const override { return path_; }
  Status rewrite(const engine::Settings& settings, bool everything, std::string& why) override;

 private:
  bool load_text(std::string_view text, std::string_view origin, int depth,
                 engine::Settings& settings, std::string& why);
  void load_directive(const std::vector<std::string>& words, engine::Settings& settings,
                      std::string& reason);
  bool include(const std::string& pattern, int depth, engine::Settings& settings,
               std::string& reason, std::string& why);

  std::string path_;  // absolute
  std::vector<std::string> directives_;
};

// The text of a file after CONFIG REWRITE: `text` with the lines of known directives brought up to
// date, and what is missing at its end: all of it, or what is not the default.
std::string rewritten(std::string_view text, const engine::Settings& settings,
                      bool everything = false);

}  // namespace roxdb::app
