// extra_state.h: what a database holds besides its keys, and what its files must carry: libraries
// of functions. Whoever owns it provides itself as a service; whoever writes files knows only
// bytes.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace roxdb::engine {

class ExtraState {
 public:
  // All of it as bytes; empty when there is nothing to keep. The form is that of Redis's files:
  // libraries one behind the other, each opcode 245 and a string.
  virtual std::string save() const = 0;
  // Adds what save() wrote, or what comes from a file of Redis; what has the same name gives way if
  // `replaces`. Code::kCorrupt: the bytes make no sense, or name what is there already; `why` is
  // for a person to read.
  virtual Status load(std::string_view bytes, bool replaces, std::string& why) = 0;
  // Before other files are loaded.
  virtual void clear() = 0;

 protected:
  ~ExtraState() = default;
};

}  // namespace roxdb::engine
