// settings.h: the directives of roxdb.conf, CONFIG GET and CONFIG SET.
//
// A room registers its settings beside the state they change; reading the file, the command line
// and CONFIG all go through here, so that a value is checked and applied in one way. Names, value
// syntax and error texts are Redis's.
//
//   file, argv --> load() ... load() --> finish_loading()       set() of each, then apply() of each
//   CONFIG SET --> set()              all set(), then all apply(); any failure undoes all of them
//   CONFIG GET <-- match()            CONFIG REWRITE <-- for_each(), changed(), lines()
//
// Not thread-safe: one thread owns the data and these.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace roxdb::engine {

struct Setting {
  enum Flag : uint8_t {
    kMutable = 0,
    kImmutable = 1,   // CONFIG SET refuses; file and command line only
    kProtected = 2,   // CONFIG SET only under enable-protected-configs (S1)
    kSecret = 4,      // never shown in logs
    kMultiple = 8,    // the directive may stand on several lines, each adds (save, rename-command)
    kHidden = 16,     // patterns of CONFIG GET do not find it, only its full name does
    kWords = 32,      // CONFIG SET splits the value at blanks; else all of it is one word
    kAccepted = 64,   // taken, kept and shown, but without meaning here
    kFileOnly = 128,  // CONFIG does not know it (rename-command)
  };

  std::string name;
  std::vector<std::string> aliases;  // older names; may be added to after registration
  uint8_t flags = kMutable;
  std::string default_text;  // what get() said when it was registered

  std::function<std::string()> get;
  // Checks and stores one value: the words after the directive's name. One empty word of a kWords
  // setting arrives as no word at all; a kMultiple one gets the words of all its lines so far. On
  // an error nothing is changed and `why` says what is wrong, without a final dot.
  std::function<bool(std::span<const std::string> words, std::string& why)> set;
  // Makes the stored value work: called by CONFIG SET and finish_loading() once per setting that
  // was set. Failure makes CONFIG SET undo, and apply() is then called again with the old values.
  // May be empty; may be added after registration.
  std::function<bool(std::string& why)> apply;
  // The lines CONFIG REWRITE writes; empty function: "name <get()>".
  std::function<std::vector<std::string>()> rewrite;
};

class Settings {
 public:
  // Registration. A name may be registered once; an accepted setting gives way to a real one, and
  // is silently left out where a real one exists, so the order does not matter.
  // `value` must outlive the Settings; its current content is the default.
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
  // What an accepted setting takes. Texts of the errors as of the typed ones above.
  struct Accepts {
    enum class Kind : uint8_t {
      kText,
      kBool,
      kInteger,
      kMemory,  // bytes, with a unit or without
      kOctal,
      kChoice
    };
    Kind kind = Kind::kText;
    int64_t low = 0;
    int64_t high = INT64_MAX;
    std::string_view choices = {};  // kChoice: "no, yes, local"
  };
  // A directive of Redis or Valkey that has no meaning here: taken, checked, kept and shown.
  struct Accepted {
    std::string_view name;
    std::string_view value;  // Redis's default
    Accepts accepts = {};
    uint8_t flags = Setting::kMutable;
    std::string_view aliases = {};  // older names, separated by blanks
  };
  // Many at once: the older names of all settings are gathered once, not once for each.
  void add_accepted(std::span<const Accepted> all);
  void add_accepted(std::string_view name, std::string_view default_text,
                    uint8_t flags = Setting::kMutable) {
    add_accepted(name, default_text, flags, Accepts{}, {});
  }
  void add_accepted(std::string_view name, std::string_view default_text, uint8_t flags,
                    Accepts accepts, std::string_view aliases = {}) {
    const Accepted one{name, default_text, accepts, flags, aliases};
    add_accepted({&one, 1});
  }

  const Setting* find(std::string_view name) const;  // by name or alias, any case
  // All settings whose name or alias matches one of the patterns, as (the name asked for, value):
  // CONFIG GET's reply, sorted by name. Cost O(patterns x settings) matches.
  std::vector<std::pair<std::string, std::string>> match(
      std::span<const std::string_view> patterns) const;
  // In order of names.
  void for_each(const std::function<void(const Setting&)>& visit) const;

  // One directive of a file or the command line: sets it, without apply(). Errors: the text to show
  // is in `why`. Unknown names are the caller's to report: see find() and nearest().
  bool load(std::string_view name, std::span<const std::string> words, std::string& why);
  // Applies what load() has set, in order of names. `why` begins with the name of the setting.
  bool finish_loading(std::string& why);
  // CONFIG SET: all or nothing. `why` is the error reply, "ERR " included.
  bool set(std::span<const std::pair<std::string_view, std::string_view>> pairs,
           bool protected_allowed, std::string& why);
  // The name of a setting nearest to a misspelled one; empty when none is near.
  std::string nearest(std::string_view name) const;

  // For CONFIG REWRITE: whether the value is another than the default, and the lines that say it.
  static bool changed(const Setting& setting) { return setting.get() != setting.default_text; }
  static std::vector<std::string> lines(const Setting& setting);

 private:
  struct Registered {
    Setting setting;
    std::vector<std::string> loaded;  // kMultiple: the words of all lines so far
    bool touched = false;             // set by load(), not yet applied
  };
  Registered* lookup(std::string_view name) const;
  Setting& insert(std::string key, Setting setting);
  static bool assign(Setting& setting, std::vector<std::string> words, std::string& why);

  std::map<std::string, std::unique_ptr<Registered>, std::less<>> by_name_;  // lower case
};

// Splits a line of the configuration file into words, quotes included. False: unbalanced quotes.
bool split_words(std::string_view line, std::vector<std::string>& words);
// The inverse for one word: quoted where split_words would not read it back as it is.
std::string quote_word(std::string_view word);

}  // namespace roxdb::engine
