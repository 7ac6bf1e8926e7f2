// crash_report.h: what is left in the log when the process dies by its own fault (reliability O6):
// the signal or the broken invariant, registers, the stack, the version, what was being done.
//
// A report is written with system calls only, on a stack of its own; then the signal does what it
// would have done. SIGALRM asks for the stack alone, and the process goes on. Addresses are
// resolved afterwards: addr2line -Cfe roxdb-server <address>.
#pragma once

#include "app/log_file.h"
#include "engine/engine.h"
#include "server/session.h"

namespace roxdb::app {

// Reports are written while it lives; there is one at a time. Handlers of signals have nothing but
// globals to look at, so this is the one object that is reached through one.
class CrashReport {
 public:
  CrashReport(const LogFile& log, const engine::Engine& engine, const server::Turn& turn);
  ~CrashReport();
  CrashReport(const CrashReport&) = delete;
  CrashReport& operator=(const CrashReport&) = delete;

  const LogFile& log;
  const engine::Engine& engine;
  const server::Turn& turn;
};

}  // namespace roxdb::app
