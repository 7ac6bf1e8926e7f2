// settings.h: the directives of roxdb.conf, CONFIG GET and CONFIG SET.
//
// A room registers its settings beside the state they change; reading the file, the command line
// and CONFIG all go through here, so that a value is checked and applied in one way. Names and
// value syntax are Redis's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace roxdb::engine {

struct Setting {
  enum Flag : uint8_t {
    kMutable = 0,
    kImmutable = 1,  // CONFIG SET refuses; file and command line only
    kProtected = 2,  // CONFIG SET only under enable-protected-configs (S1)
    kSecret = 4,     // never shown in logs
    kMultiple = 8,   // the directive may stand on several lines, each adds (save, rename-command)
    kHidden = 16,    // CONFIG GET * does not list it
  };

  std::string name;
  std::vector<std::string> aliases;
  uint8_t flags = kMutable;
  std::string default_text;  // what get() said when it was registered

  std::function<std::string()> get;
  // Checks and stores one value: the words after the directive's name. On an error nothing is
  // changed and `why` says what is wrong, without a final dot.
  std::function<bool(std::span<const std::string> words, std::string& why)> set;
  // Called after a CONFIG SET or load that changed one or more settings with this same hook;
  // failure rolls the settings back.
  std::function<bool(std::string& why)> apply;
  // The lines CONFIG REWRITE writes when the value is not the default; empty: "name <get()>".
  std::function<std::vector<std::string>()> rewrite;
};

class Settings {
 public:
  // Registration. `value` must outlive the Settings; its current content is the default.
  Setting& add(Setting setting);
  Setting& add_bool(std::string_view name, bool* value, uint8_t flags = Setting::kMutable);
  Setting& add_integer(std::string_view name, int64_t* value, int64_t low, int64_t high,
                       uint8_t flags = Setting::kMutable);
  // Bytes: "100mb"; shown as a plain number.
  Setting& add_memory(std::string_view name, uint64_t* value, uint64_t low, uint64_t high,
                      uint8_t flags = Setting::kMutable);
  Setting& add_string(std::string_view name, std::string* value, uint8_t flags = Setting::kMutable);
  // `names` lists the words in the order of their numbers, starting at 0.
  Setting& add_choice(std::string_view name, int* value, std::vector<std::string> names,
                      uint8_t flags = Setting::kMutable);
  // A directive of Redis or Valkey that has no meaning here: taken, kept and shown.
  Setting& add_accepted(std::string_view name, std::string_view default_text,
                        uint8_t flags = Setting::kMutable);

  const Setting* find(std::string_view name) const;  // by name or alias, any case
  // All settings whose name or alias matches one of the patterns, as (the name asked for, value).
  std::vector<std::pair<std::string, std::string>> match(
      std::span<const std::string_view> patterns) const;
  // In order of names.
  void for_each(const std::function<void(const Setting&)>& visit) const;

  // One directive of a file or the command line: sets it, without apply(). Errors: the text to show
  // is in `why`.
  bool load(std::string_view name, std::span<const std::string> words, std::string& why);
  // CONFIG SET: all or nothing. `why` is the error reply's text after "ERR ".
  bool set(std::span<const std::pair<std::string_view, std::string_view>> pairs, std::string& why);
  // The name of a setting nearest to a misspelled one; empty when none is near.
  std::string nearest(std::string_view name) const;

  bool protected_configs_allowed = false;  // enable-protected-configs yes (or local: see server)
  bool loading_finished = false;           // later changes of immutable settings are refused

 private:
  std::map<std::string, std::unique_ptr<Setting>> by_name_;
  std::map<std::string, Setting*> by_alias_;
};

// Splits a value into words as a line of the configuration file is split, quotes included.
bool split_words(std::string_view line, std::vector<std::string>& words);

}  // namespace roxdb::engine
