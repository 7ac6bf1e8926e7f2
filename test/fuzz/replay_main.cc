// replay_main.cc: runs one fuzz target without a fuzzer, for compilers that have none.
//
//   build/debug/replay/<target> CORPUS_DIRECTORY
//
// Feeds the target every file of its corpus, then kMutations inputs made from them by changing,
// cutting, repeating and splicing bytes. The seed is fixed: a run that failed fails again. The
// inputs run in a child, and the one it works on lies in memory shared with the parent; when the
// child dies, of whatever cause, the parent writes that input to a file beside the program and
// names it. Ends with `N passed, N failed`: one test is the corpus, one the mutations.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutations = 5'000;
constexpr size_t kInputBytesMax = 64u << 10;
constexpr unsigned kHangSeconds = 300;  // one input takes microseconds; this is for endless loops

// What parent and child both see.
struct Shared {
  size_t size;
  char bytes[kInputBytesMax];
};

std::vector<std::string> read_corpus(const char* directory) {
  std::vector<std::string> inputs;
  std::error_code no_corpus;  // a target may be new: then only mutations of "" run
  for (const auto& file : std::filesystem::directory_iterator(directory, no_corpus)) {
    std::ifstream stream(file.path(), std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    bytes.resize(std::min(bytes.size(), kInputBytesMax));
    inputs.push_back(std::move(bytes));
  }
  std::sort(inputs.begin(), inputs.end());  // directories have no order; a run must have one
  return inputs;
}

// One small change. Numbers at the edge are what decoders of lengths and counts stumble over.
void mutate_once(std::string& bytes, const std::vector<std::string>& corpus,
                 roxdb::Random& random) {
  const auto place = [&](size_t room) { return static_cast<size_t>(random.below(room)); };
  const size_t at = bytes.empty() ? 0 : place(bytes.size());
  switch (bytes.empty() ? 5 : random.below(7)) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
      break;
    case 1:
      bytes[at] = static_cast<char>(random.next());
      break;
    case 2:
      bytes.erase(at, 1 + place(8));
      break;
    case 3:
      bytes.resize(at);
      break;
    case 4: {
      const std::string piece = bytes.substr(at, 1 + place(16));
      bytes.insert(place(bytes.size() + 1), piece);
      break;
    }
    case 5: {
      static constexpr const char* kEdges[] = {
          "0", "-1", "\r\n", "2147483648", "9223372036854775808", "18446744073709551615", "*", "$"};
      bytes.insert(at, kEdges[place(std::size(kEdges))]);
      break;
    }
    default: {
      if (corpus.empty()) break;
      const std::string& other = corpus[place(corpus.size())];
      bytes = bytes.substr(0, at) + other.substr(other.empty() ? 0 : place(other.size()));
      break;
    }
  }
  bytes.resize(std::min(bytes.size(), kInputBytesMax));
}

std::vector<std::string> mutations(const std::vector<std::string>& corpus) {
  roxdb::Random random(20'240'131);
  std::vector<std::string> inputs;
  for (int i = 0; i < kMutations; ++i) {
    std::string bytes;
    if (!corpus.empty()) bytes = corpus[static_cast<size_t>(random.below(corpus.size()))];
    for (uint64_t changes = 1 + random.below(8); changes > 0; --changes) {
      mutate_once(bytes, corpus, random);
    }
    inputs.push_back(std::move(bytes));
  }
  return inputs;
}

// Runs the inputs in a child; false when it died. Its failing input is then in a file.
bool replay(const std::string& program, const char* what, const std::vector<std::string>& inputs,
            Shared& shared) {
  const pid_t child = fork();
  if (child == 0) {
    for (const std::string& input : inputs) {
      shared.size = input.size();
      std::memcpy(shared.bytes, input.data(), input.size());
      alarm(kHangSeconds);
      // A copy of exactly this size, so that the sanitizer sees a read one byte past the end.
      const std::unique_ptr<uint8_t[]> exact(new uint8_t[input.size()]);
      std::memcpy(exact.get(), input.data(), input.size());
      LLVMFuzzerTestOneInput(exact.get(), input.size());
    }
    std::exit(0);  // leaks are looked for here
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    std::perror("replay");
    return false;
  }
  if (status == 0) {
    std::printf("%s: %zu inputs\n", what, inputs.size());
    return true;
  }
  const std::string path = program + ".failure-" + what;
  std::ofstream(path, std::ios::binary)
      .write(shared.bytes, static_cast<std::streamsize>(shared.size));
  std::printf("%s: died (wait status 0x%x) on the %zu bytes now in %s\n", what,
              static_cast<unsigned>(status), shared.size, path.c_str());
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_DIRECTORY\n", argv[0]);
    return 2;
  }
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mmap");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // the child must not inherit unwritten lines
  Shared& shared = *static_cast<Shared*>(memory);
  const std::vector<std::string> corpus = read_corpus(argv[1]);
  int failed = 0;
  if (!replay(argv[0], "corpus", corpus, shared)) ++failed;
  if (!replay(argv[0], "mutations", mutations(corpus), shared)) ++failed;
  std::printf("%d passed, %d failed\n", 2 - failed, failed);
  return failed == 0 ? 0 : 1;
}
