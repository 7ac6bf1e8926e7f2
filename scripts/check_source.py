#!/usr/bin/env python3
"""What a machine can see in the sources: banned calls, `throw`, leftover notes, dead headers.

Production code reaches files, clocks, chance and processes through base/environment.h, so that the
tests can put a failing world in its place. A call of the operating system beside it would be a
path that no test ever sees fail. Calls with a safer form (strcpy, sprintf) are banned everywhere.

Comments and literals are blanked before the search. `write(...)` in a file that declares a
function of that name, itself or in a header it includes, is that function; `::write(...)` and
`std::rename(...)` are always the system's.
"""
import os
import re
import sys

SYSTEM = {
    "files": "open openat creat read pread readv write pwrite writev fsync fdatasync "
             "sync_file_range rename renameat unlink unlinkat remove truncate ftruncate fallocate "
             "mkdir rmdir link symlink fopen freopen fdopen opendir flock lockf mkstemp tmpfile",
    "time": "time clock clock_gettime gettimeofday sleep usleep nanosleep",
    "chance": "rand srand rand_r random srandom drand48 lrand48 getrandom getentropy",
    "processes": "fork vfork clone execv execve execvp execl execlp posix_spawn system popen kill "
                 "wait waitpid wait4",
}
SYSTEM_TYPES = re.compile(
    r"std\s*::\s*(filesystem|[io]?fstream|random_device|mt19937\w*|this_thread\s*::\s*sleep\w*|"
    r"chrono\s*::\s*(system|steady|high_resolution)_clock)\b")
BANNED = ("strcpy strncpy strcat strncat stpcpy sprintf vsprintf alloca gets strtok atoi atol atof "
          "setjmp longjmp setlocale")
BANNED_TYPES = re.compile(r"std\s*::\s*(regex|basic_regex|auto_ptr|strstream)\b")

# Where the system may be called, and why. A name that ends in / is a room.
ALLOWED = {
    "src/base/real_environment.cc": "the production side of the seam",
    "src/base/assert.cc": "the last words of a dying process",
    "src/base/memory.cc": "the last words when memory has run out",
    "src/base/process_info.cc": "figures for INFO, read only",
    "src/net/": "sockets and the loop",
    "src/app/": "the process itself: pidfile, daemon, signals, configuration files",
}

LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME)\b")
# Blanked in this order of appearance; raw strings have no escapes and may hold quotes.
BLANK = re.compile(
    r'R"([^()\\\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'|'
    r"//[^\n]*|/\*.*?\*/", re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
# A name after a type is a declaration, after anything else a call.
DECLARED = re.compile(r"(?:(?<=[\w>&*\]])(?<!&&)(?<!\breturn)(?<!\belse)\s+|(?<!\bstd)(?<=\w)::)"
                      r"(\w+)\s*\(")
CALLED = re.compile(r"(?P<before>(?:\breturn\b|\belse\b|\bco_return\b|[^\w\s>&*.:\]]|&&|^)\s*|"
                    r"(?:\bstd\s*|(?<![\w>]))::\s*)(?P<name>%s)\s*\(", re.MULTILINE)


def call_of(names):
    return re.compile(CALLED.pattern % "|".join(names.split()), re.MULTILINE)


SYSTEM_CALLS = {kind: call_of(names) for kind, names in SYSTEM.items()}
BANNED_CALLS = call_of(BANNED)


def blank(text):
    return BLANK.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def sources(*roots):
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                if name.endswith((".h", ".cc", ".c")):
                    yield os.path.join(folder, name)


class Checker:
    def __init__(self):
        self.text = {}
        for path in sources("src", "include", "test", "tools"):
            with open(path, encoding="utf-8") as file:
                self.text[path] = file.read()
        self.code = {path: blank(text) for path, text in self.text.items()}
        self.complaints = []

    def complain(self, path, offset, reason):
        line = self.text[path].count("\n", 0, offset) + 1
        self.complaints.append("%s:%d: %s" % (path, line, reason))

    def declared(self, path):
        """Names of functions that the file or a header it includes declares."""
        names = set()
        headers = [os.path.join("src", name) for name in INCLUDE.findall(self.text[path])]
        for one in [path] + headers:
            names.update(name for name in DECLARED.findall(self.code.get(one, "")))
        return names

    def calls(self, path, pattern, own):
        for found in pattern.finditer(self.code[path]):
            if found.group("name") not in own or found.group("before").rstrip().endswith("::"):
                yield found.start("name"), found.group("name")

    def check_calls(self, path):
        own = self.declared(path)
        for offset, name in self.calls(path, BANNED_CALLS, own):
            self.complain(path, offset, "%s() is banned" % name)
        for found in BANNED_TYPES.finditer(self.code[path]):
            self.complain(path, found.start(), "%s is banned" % found.group())
        for found in re.finditer(r"\bthrow\b", self.code[path]):
            self.complain(path, found.start(), "nothing in src/ throws: return a Status")
        if any(path == place or path.startswith(place) and place.endswith("/")
               for place in ALLOWED):
            return
        for kind, pattern in SYSTEM_CALLS.items():
            for offset, name in self.calls(path, pattern, own):
                self.complain(path, offset, "%s(): %s go through Environment" % (name, kind))
        for found in SYSTEM_TYPES.finditer(self.code[path]):
            self.complain(path, found.start(), "%s: goes through Environment" % found.group())

    def check_leftovers(self, path):
        for found in LEFTOVER.finditer(self.text[path]):
            self.complain(path, found.start(), "leftover " + found.group())

    def check_dead_headers(self):
        included = {"src/" + name for path, text in self.text.items() if path.startswith("src/")
                    for name in INCLUDE.findall(text)}
        for path in self.text:
            if path.startswith("src/") and path.endswith(".h") and path not in included:
                self.complain(path, 0, "no file of src/ includes this header")

    def check_note_at_the_door(self, path):
        if not self.text[path].startswith("// %s: " % os.path.basename(path)):
            self.complain(path, 0, "a header opens with `// %s: what it is for`" %
                          os.path.basename(path))

    def run(self):
        for path in self.text:
            self.check_leftovers(path)
            if path.startswith("src/"):
                self.check_calls(path)
                if path.endswith(".h"):
                    self.check_note_at_the_door(path)
        self.check_dead_headers()
        for line in self.complaints:
            print(line)
        print("  %-5s banned calls, leftovers, dead headers: %d files" % (
            "FAIL" if self.complaints else "ok", len(self.text)))
        return 1 if self.complaints else 0


if __name__ == "__main__":
    sys.exit(Checker().run())
