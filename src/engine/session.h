// session.h: on whose behalf commands run. A client connection, the log's replay and the library's
// handle each have one; the server's Client derives from it.
#pragma once

#include <cstdint>

namespace roxdb::engine {

class Session {
 public:
  enum class Kind : uint8_t {
    kClient,   // a connection; is a server::Client
    kReplay,   // the log or a snapshot being loaded: no gates, no sinks
    kLibrary,  // an embedding program
  };

  explicit Session(Kind kind) : kind(kind) {}
  virtual ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Kind kind;
  bool no_touch = false;  // CLIENT NO-TOUCH: reads leave the access clocks alone
  int db = 0;             // SELECT
};

}  // namespace roxdb::engine
