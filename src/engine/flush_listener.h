// flush_listener.h: who must hear that a client has emptied all databases: whoever owns the files
// provides it as a service, for an old snapshot would bring the keys back.
#pragma once

namespace roxdb::engine {

class FlushListener {
 public:
  virtual ~FlushListener() = default;
  // FLUSHALL has run and is about to be answered; not while a log is replayed. May take as long as
  // saving what is in the databases by now.
  virtual void all_databases_flushed() = 0;
};

}  // namespace roxdb::engine
