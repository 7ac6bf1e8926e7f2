#include "app/crash_report.h"

#include <execinfo.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "base/memory.h"
#include "base/version.h"

namespace roxdb::app {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr size_t kFramesMax = 64;
constexpr size_t kStackBytes = 64u << 10;

std::atomic<const CrashReport*> current{nullptr};
alignas(16) char handler_stack[kStackBytes];  // the usual one may be what has run out

// Text to a descriptor without the heap and without stdio.
class RawWriter {
 public:
  explicit RawWriter(int descriptor) : descriptor_(descriptor) {}
  ~RawWriter() { flush(); }

  RawWriter& text(std::string_view bytes) {
    for (const char c : bytes) {
      if (used_ == sizeof buffer_) flush();
      buffer_[used_++] = c;
    }
    return *this;
  }
  RawWriter& decimal(uint64_t value) { return number(value, 10); }
  RawWriter& hexadecimal(uint64_t value) {
    text("0x");
    return number(value, 16);
  }
  void flush() {
    [[maybe_unused]] const ssize_t ignored = ::write(descriptor_, buffer_, used_);
    used_ = 0;
  }

 private:
  RawWriter& number(uint64_t value, unsigned base) {
    char digits[24];
    size_t at = sizeof digits;
    do {
      digits[--at] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    return text({digits + at, sizeof digits - at});
  }

  const int descriptor_;
  char buffer_[1024];
  size_t used_ = 0;
};

struct Frames {
  std::array<void*, kFramesMax> addresses;
  size_t count = 0;
};

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* raw_frames) {
  Frames& frames = *static_cast<Frames*>(raw_frames);
  const auto address = _Unwind_GetIP(context);
  if (address == 0 || frames.count == kFramesMax) return _URC_END_OF_STACK;
  frames.addresses[frames.count++] = reinterpret_cast<void*>(address);
  return _URC_NO_REASON;
}

// Walks with the unwinder that is linked in. libc's backtrace() would load another one, which a
// dying process must not, and a starting one has no time for.
void write_stack(RawWriter& out, int descriptor) {
  out.text("\n------ STACK TRACE ------\n");
  out.flush();
  Frames frames;
  _Unwind_Backtrace(take_frame, &frames);
  ::backtrace_symbols_fd(frames.addresses.data(), static_cast<int>(frames.count), descriptor);
  out.text("\n------ STACK TRACE DONE ------\n");
}

void write_registers(RawWriter& out, const ucontext_t& context) {
  out.text("\n------ REGISTERS ------\n");
#if defined(__x86_64__)
  constexpr std::pair<int, std::string_view> kRegisters[] = {
      {REG_RAX, "RAX:"},   {REG_RBX, " RBX:"}, {REG_RCX, " RCX:"}, {REG_RDX, " RDX:"},
      {REG_RDI, "\nRDI:"}, {REG_RSI, " RSI:"}, {REG_RBP, " RBP:"}, {REG_RSP, " RSP:"},
      {REG_R8, "\nR8:"},   {REG_R9, " R9:"},   {REG_R10, " R10:"}, {REG_R11, " R11:"},
      {REG_R12, "\nR12:"}, {REG_R13, " R13:"}, {REG_R14, " R14:"}, {REG_R15, " R15:"},
      {REG_RIP, "\nRIP:"}, {REG_EFL, " EFL:"}};
  for (const auto& [index, name] : kRegisters) {
    out.text(name).hexadecimal(static_cast<uint64_t>(context.uc_mcontext.gregs[index]));
  }
#elif defined(__aarch64__)
  for (size_t i = 0; i < std::size(context.uc_mcontext.regs); ++i) {
    out.text(i % 4 == 0 ? "\nX" : " X").decimal(i).text(":");
    out.hexadecimal(context.uc_mcontext.regs[i]);
  }
  out.text("\nPC:").hexadecimal(context.uc_mcontext.pc);
#endif
  out.text("\n");
}

uint64_t instruction_of(const ucontext_t& context) {
#if defined(__x86_64__)
  return static_cast<uint64_t>(context.uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return context.uc_mcontext.pc;
#endif
}

// Numbers are read as they lie; the names belong to declarations, which never change.
void write_state(RawWriter& out, const CrashReport& report) {
  out.text("\n------ INFO ------\nroxdb_version:").text(kVersion);
  out.text("\nprocess_id:").decimal(static_cast<uint64_t>(::getpid()));
  out.text("\ntotal_commands_processed:").decimal(report.engine.statistics.commands_processed);
  out.text("\nkeyspace_hits:").decimal(report.engine.statistics.keyspace_hits);
  out.text("\nexpired_keys:").decimal(report.engine.statistics.expired_keys);
  out.text("\nevicted_keys:").decimal(report.engine.statistics.evicted_keys);
  out.text("\nlast_commands, the last one first:");
  report.turn.for_each_recent(
      [&out](const engine::Command& command) { out.text(" ").text(command.spec->name); });
  out.text("\n");
}

void begin(RawWriter& out) {
  out.text("\n\n=== ROXDB BUG REPORT START: Cut & paste starting from here ===\n");
}

void end(RawWriter& out) {
  out.text("\n=== ROXDB BUG REPORT END. Make sure to include from START to END. ===\n\n");
}

void on_fault(int signal, siginfo_t* info, void* raw_context) {
  if (const CrashReport* const report = current.exchange(nullptr)) {
    const auto& context = *static_cast<const ucontext_t*>(raw_context);
    const int descriptor = report->log.open_raw();
    RawWriter out(descriptor);
    begin(out);
    out.text("RoxDB ").text(kVersion).text(" crashed by signal: ");
    out.decimal(static_cast<uint64_t>(signal)).text(", si_code: ");
    const auto code = static_cast<uint64_t>(info->si_code);
    out.text(info->si_code < 0 ? "-" : "").decimal(info->si_code < 0 ? 0 - code : code).text("\n");
    if (signal != SIGABRT && info->si_code > 0) {
      out.text("Accessing address: ").hexadecimal(reinterpret_cast<uint64_t>(info->si_addr));
      out.text("\n");
    }
    out.text("Crashed running the instruction at: ").hexadecimal(instruction_of(context));
    out.text("\n");
    write_registers(out, context);
    write_stack(out, descriptor);
    write_state(out, *report);
    end(out);
  }
  // SA_RESETHAND has put the default action back: let it happen.
  ::raise(signal);
}

// Somebody wants to know what a server does that does not answer; it goes on.
void on_question(int) {
  const CrashReport* const report = current.load();
  if (report == nullptr) return;
  const int error = errno;
  const int descriptor = report->log.open_raw();
  RawWriter out(descriptor);
  out.text("\n\nReceived SIGALRM\n");
  write_stack(out, descriptor);
  out.flush();
  report->log.close_raw(descriptor);
  errno = error;
}

void on_broken_invariant(std::string_view text) {
  const CrashReport* const report = current.exchange(nullptr);
  if (report == nullptr) return;
  const int descriptor = report->log.open_raw();
  RawWriter out(descriptor);
  begin(out);
  out.text("=== ASSERTION FAILED ===\n==> ").text(text).text("\n");
  write_stack(out, descriptor);
  write_state(out, *report);
  end(out);
}

}  // namespace

CrashReport::CrashReport(const LogFile& log_file, const engine::Engine& the_engine,
                         const server::Turn& the_turn)
    : log(log_file), engine(the_engine), turn(the_turn) {
  current.store(this);
  set_fault_handler(on_broken_invariant);

  stack_t stack{};
  stack.ss_sp = handler_stack;
  stack.ss_size = sizeof handler_stack;
  ::sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = static_cast<int>(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER);
  sigemptyset(&action.sa_mask);
  for (const int signal : kSignals) ::sigaction(signal, &action, nullptr);

  struct sigaction question {};
  question.sa_handler = on_question;
  question.sa_flags = SA_RESTART;
  sigemptyset(&question.sa_mask);
  ::sigaction(SIGALRM, &question, nullptr);
}

CrashReport::~CrashReport() {
  current.store(nullptr);
  for (const int signal : kSignals) ::signal(signal, SIG_DFL);
  ::signal(SIGALRM, SIG_DFL);
}

}  // namespace roxdb::app
