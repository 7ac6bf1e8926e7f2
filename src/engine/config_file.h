// config_file.h: the configuration file, as commands see it. It belongs to the application, which
// provides it as a service; the library has none.
#pragma once

#include <string>

#include "base/status.h"
#include "engine/settings.h"

namespace roxdb::engine {

class ConfigFile {
 public:
  virtual ~ConfigFile() = default;
  // The absolute path; empty when the server was started without a file.
  virtual std::string path() const = 0;
  // Writes the settings back: lines the file has are changed in place, others are added at its end
  // when their value is not the default, comments stay. The file is replaced as a whole or not at
  // all. `everything`: defaults are added, too. On an error `why` is for a person to read.
  virtual Status rewrite(const Settings& settings, bool everything, std::string& why) = 0;
};

}  // namespace roxdb::engine
