// loadgen.cc: asks a server as fast as it answers, from one thread, and tells how long it took.
//
//   loadgen --port 6379 --clients 50 --pipeline 16 --command get --keys 1000000 --seconds 5
//
// Every client sends a batch of `pipeline` requests, waits for all replies, and sends the next one.
// Requests are templates in which only the digits of the keys and the bytes of the values change,
// so that the generator stays faster than the server. A latency is the time from the write of a
// batch to its last reply. Keys have 16 bytes, "key:" and twelve digits.
//
//   --command C      ping get set setex pexpireat incr mget mset
//   --keys N         random keys out of so many; with --sequential each once, in order
//   --values S       random (text), json (one document, all different), integer
//   --value-bytes N  64
//   --per-request N  keys of one mget, mset: 10
//   --first-key N    sequential keys begin here
//   --expiry N       seconds of setex, Unix time in ms of pexpireat
//   --interval-us N  each client waits so long between two batches
//   --requests N, --seconds S    whichever is reached first ends the run
//
// Prints one figure per line, "name value". Exit code 1 when a connection breaks, 2 for arguments.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Options {
  uint16_t port = 6379;
  size_t clients = 50;
  size_t pipeline = 1;
  std::string_view command = "get";
  uint64_t keys = 1'000'000;
  uint64_t first_key = 0;
  bool sequential = false;
  std::string_view values = "random";
  size_t value_bytes = 64;
  size_t keys_per_request = 10;
  uint64_t expiry = 1'000'000;
  uint64_t interval_ns = 0;
  uint64_t requests = UINT64_MAX;
  double seconds = 1e9;
};

uint64_t now_ns() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

// xorshift64*: a few cycles per number; the load needs no better chance.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545f4914f6cdd1du;
  }
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(next()) * bound >> 64);
  }

 private:
  uint64_t state_;
};

// Counts durations in buckets that are 1/64 of their value wide.
class Histogram {
 public:
  void add(uint64_t ns) {
    buckets_[index(ns)]++;
    count_++;
    if (ns > max_) max_ = ns;
  }
  uint64_t max_ns() const { return max_; }
  // The value that `part` (0..1) of all durations do not exceed.
  uint64_t percentile_ns(double part) const {
    auto left = static_cast<uint64_t>(static_cast<double>(count_) * part);
    for (size_t i = 0; i < buckets_.size(); ++i) {
      if (buckets_[i] > left) return std::min(upper(i), max_);
      left -= buckets_[i];
    }
    return max_;
  }

 private:
  static constexpr size_t kSteps = 64;
  static size_t index(uint64_t ns) {
    if (ns < kSteps) return ns;
    const auto shift = static_cast<size_t>(std::bit_width(ns)) - 7;
    return shift * kSteps + (ns >> shift);
  }
  static uint64_t upper(size_t index) {
    if (index < 2 * kSteps) return index;
    const size_t shift = index / kSteps - 1;
    return (index % kSteps + kSteps + 1) << shift;
  }
  std::array<uint64_t, 60 * kSteps> buckets_ = {};
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

// Finds the ends of replies in a stream of bytes that is cut anywhere.
class ReplyCounter {
 public:
  // The number of replies that end in these bytes.
  size_t feed(const char* data, size_t size) {
    size_t complete = 0;
    const char* const end = data + size;
    while (data < end) {
      if (skip_ > 0) {
        const size_t step = std::min(skip_, static_cast<size_t>(end - data));
        data += step;
        skip_ -= step;
        if (skip_ == 0 && open_ == 0) complete++;
        continue;
      }
      const auto* newline =
          static_cast<const char*>(memchr(data, '\n', static_cast<size_t>(end - data)));
      const char* const line_end = newline == nullptr ? end : newline + 1;
      std::string_view line(data, static_cast<size_t>(line_end - data));
      data = line_end;
      if (!partial_.empty() || newline == nullptr) {
        partial_ += line;
        if (newline == nullptr) break;
        line = partial_;
      }
      take_line(line);
      partial_.clear();
      if (skip_ == 0 && open_ == 0) complete++;
    }
    return complete;
  }
  uint64_t errors() const { return errors_; }
  uint64_t nulls() const { return nulls_; }
  const std::string& first_error() const { return first_error_; }

 private:
  void take_line(std::string_view line) {
    if (open_ > 0) open_--;
    if (line[0] == '+' || line[0] == ':') return;
    if (line[0] == '-') {
      if (errors_++ == 0) first_error_ = line.substr(0, line.size() - 2);
      return;
    }
    const long count = strtol(line.data() + 1, nullptr, 10);  // a line ends in CR LF
    if (count < 0) {
      nulls_++;
    } else if (line[0] == '$') {
      skip_ = static_cast<size_t>(count) + 2;
    } else {
      open_ += static_cast<size_t>(count);
    }
  }

  size_t skip_ = 0;  // bytes of a bulk string, with its CR LF, still to come
  size_t open_ = 0;  // elements of arrays still to come
  std::string partial_;
  std::string first_error_;
  uint64_t errors_ = 0;
  uint64_t nulls_ = 0;
};

// Bytes of one batch, and where in them keys and values stand.
class Batch {
 public:
  Batch(const Options& options, Random& random) : options_(options), random_(random) {
    for (size_t i = 0; i < options.pipeline; ++i) add_request();
    for (const size_t at : values_) write_value(bytes_.data() + at);
  }
  // Gives every request its next key, and its next value where they are to differ.
  void renew(uint64_t& sequence) {
    for (const size_t at : keys_) {
      write_key(bytes_.data() + at,
                options_.sequential ? sequence++ : random_.below(options_.keys));
    }
    if (options_.values != "random" || options_.sequential) {
      for (const size_t at : values_) write_value(bytes_.data() + at);
    }
  }
  std::string_view bytes() const { return bytes_; }

 private:
  void add_request() {
    const std::string_view command = options_.command;
    const size_t keys = command == "mget" || command == "mset" ? options_.keys_per_request
                        : command == "ping"                    ? 0
                                                               : 1;
    const bool has_value = command == "set" || command == "setex" || command == "mset";
    const bool has_expiry = command == "setex" || command == "pexpireat";
    const size_t words = 1 + keys * (has_value ? 2 : 1) + (has_expiry ? 1 : 0);
    bytes_ += "*" + std::to_string(words) + "\r\n";
    add_word(command);
    for (size_t i = 0; i < keys; ++i) {
      add_word("key:000000000000");
      keys_.push_back(bytes_.size() - 14);
      if (has_expiry) add_word(std::to_string(options_.expiry));
      if (!has_value) continue;
      add_word(std::string(options_.value_bytes, 'x'));
      values_.push_back(bytes_.size() - 2 - options_.value_bytes);
    }
  }
  void add_word(std::string_view word) {
    bytes_ += "$" + std::to_string(word.size()) + "\r\n";
    bytes_ += word;
    bytes_ += "\r\n";
  }
  static void write_key(char* digits, uint64_t number) {
    for (int i = 11; i >= 0; --i) {
      digits[i] = static_cast<char>('0' + number % 10);
      number /= 10;
    }
  }
  void write_value(char* out) {
    if (options_.values == "json") return write_document(out);
    const bool digits = options_.values == "integer";
    static constexpr std::string_view kText =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint64_t bits = 0;
    for (size_t i = 0; i < options_.value_bytes; ++i) {
      if (i % 10 == 0) bits = random_.next();
      out[i] = digits ? static_cast<char>('1' + bits % 9) : kText[bits & 63];
      bits >>= 6;
    }
  }
  // A document as a web shop might cache it: the same names always, other figures and words.
  void write_document(char* out) {
    static constexpr std::array<std::string_view, 16> kWords = {
        "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "heron",
        "inlet", "jetty", "knoll", "larch", "marsh", "north", "ocean", "pebble"};
    const uint64_t bits = random_.next();
    const auto word = [&](unsigned shift) { return kWords[bits >> shift & 15].data(); };
    std::array<char, 400> text;
    const int size =
        snprintf(text.data(), text.size(),
                 "{\"id\":%" PRIu64
                 ",\"name\":\"%s %s\",\"email\":\"%s.%s%u@example.org\",\"price\":%u.%02u,"
                 "\"stock\":%u,\"updated\":17%08u,\"token\":\"%016" PRIx64 "\",\"tags\":\"",
                 bits >> 30, word(0), word(4), word(8), word(12),
                 static_cast<unsigned>(bits >> 50 & 1023), static_cast<unsigned>(bits >> 20 & 511),
                 static_cast<unsigned>(bits >> 40 & 63), static_cast<unsigned>(bits >> 44 & 2047),
                 static_cast<unsigned>(bits >> 16 & 0x3ffffff), random_.next());
    std::string document(text.data(), static_cast<size_t>(size));
    while (document.size() + 2 < options_.value_bytes) {
      document.append(kWords[random_.below(kWords.size())]).append(" ");
    }
    document.resize(options_.value_bytes - 2);
    document += "\"}";
    memcpy(out, document.data(), document.size());
  }

  const Options& options_;
  Random& random_;
  std::string bytes_;
  std::vector<size_t> keys_;    // offsets of their digits
  std::vector<size_t> values_;  // offsets
};

struct Client {
  Client(const Options& options, Random& random) : batch(options, random) {}
  ~Client() { close(fd); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  int fd = -1;
  Batch batch;
  ReplyCounter replies;
  size_t written = 0;  // of the batch
  size_t awaited = 0;  // replies; 0: nothing is under way
  bool wants_to_write = false;
  uint64_t sent_at_ns = 0;
  uint64_t send_at_ns = 0;
};

[[noreturn]] void die(const char* what) {
  fprintf(stderr, "loadgen: %s: %s\n", what, strerror(errno));
  exit(1);
}

int connect_to(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("connect");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) die("fcntl");
  return fd;
}

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options), sequence_(options.first_key), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) die("epoll_create1");
    for (size_t i = 0; i < options.clients; ++i) {
      clients_.push_back(std::make_unique<Client>(options, random_));
      clients_.back()->fd = connect_to(options.port);
      watch(*clients_.back(), EPOLL_CTL_ADD, EPOLLIN);
    }
  }
  ~Load() { close(epoll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void run() {
    started_ns_ = now_ns();
    for (auto& client : clients_) begin_batch(*client, started_ns_);
    std::array<epoll_event, 256> events;
    while (under_way_ > 0 || waiting_ > 0) {
      // Who paces clients wants precise times and has the core for it.
      const int count = epoll_wait(epoll_, events.data(), events.size(), waiting_ > 0 ? 0 : -1);
      if (count < 0 && errno != EINTR) die("epoll_wait");
      for (int i = 0; i < count; ++i) {
        auto& client = *static_cast<Client*>(events[static_cast<size_t>(i)].data.ptr);
        if (client.wants_to_write) write_some(client);
        read_some(client);
      }
      if (waiting_ > 0) wake_waiting();
    }
    ended_ns_ = now_ns();
  }

  void print() const {
    const double seconds = static_cast<double>(ended_ns_ - started_ns_) / 1e9;
    uint64_t errors = 0;
    uint64_t nulls = 0;
    for (const auto& client : clients_) {
      if (errors == 0 && client->replies.errors() > 0) {
        fprintf(stderr, "loadgen: %s\n", client->replies.first_error().c_str());
      }
      errors += client->replies.errors();
      nulls += client->replies.nulls();
    }
    const auto us = [](uint64_t ns) { return static_cast<double>(ns) / 1e3; };
    printf("requests %" PRIu64 "\nseconds %.3f\nper_second %.0f\nerrors %" PRIu64 "\nnulls %" PRIu64
           "\np50_us %.1f\np99_us %.1f\np999_us %.1f\nmax_us %.1f\n",
           answered_, seconds, static_cast<double>(answered_) / seconds, errors, nulls,
           us(latencies_.percentile_ns(0.5)), us(latencies_.percentile_ns(0.99)),
           us(latencies_.percentile_ns(0.999)), us(latencies_.max_ns()));
  }

 private:
  void watch(Client& client, int operation, uint32_t events) {
    epoll_event event = {};
    event.events = events;
    event.data.ptr = &client;
    if (epoll_ctl(epoll_, operation, client.fd, &event) != 0) die("epoll_ctl");
  }

  void begin_batch(Client& client, uint64_t now) {
    if (requested_ >= options_.requests ||
        static_cast<double>(now - started_ns_) / 1e9 >= options_.seconds) {
      return;
    }
    requested_ += options_.pipeline;
    under_way_++;
    client.batch.renew(sequence_);
    client.written = 0;
    client.awaited = options_.pipeline;
    client.sent_at_ns = now;
    write_some(client);
  }

  void write_some(Client& client) {
    const std::string_view bytes = client.batch.bytes();
    while (client.written < bytes.size()) {
      const ssize_t size =
          write(client.fd, bytes.data() + client.written, bytes.size() - client.written);
      if (size < 0 && errno == EAGAIN) break;
      if (size < 0) die("write");
      client.written += static_cast<size_t>(size);
    }
    const bool unfinished = client.written < bytes.size();
    if (unfinished == client.wants_to_write) return;
    client.wants_to_write = unfinished;
    watch(client, EPOLL_CTL_MOD, EPOLLIN | (unfinished ? uint32_t{EPOLLOUT} : 0u));
  }

  void read_some(Client& client) {
    const ssize_t size = read(client.fd, buffer_.data(), buffer_.size());
    if (size < 0 && errno == EAGAIN) return;
    if (size == 0) errno = ECONNRESET;
    if (size <= 0) die("read");
    const size_t complete = client.replies.feed(buffer_.data(), static_cast<size_t>(size));
    if (complete > client.awaited) {
      errno = EPROTO;
      die("more replies than requests");
    }
    client.awaited -= complete;
    if (complete == 0 || client.awaited > 0) return;
    const uint64_t now = now_ns();
    latencies_.add(now - client.sent_at_ns);
    answered_ += options_.pipeline;
    under_way_--;
    if (options_.interval_ns == 0) return begin_batch(client, now);
    client.send_at_ns = client.sent_at_ns + options_.interval_ns;
    waiting_++;
  }

  void wake_waiting() {
    const uint64_t now = now_ns();
    for (auto& client : clients_) {
      if (client->send_at_ns == 0 || client->send_at_ns > now) continue;
      client->send_at_ns = 0;
      waiting_--;
      begin_batch(*client, now);
    }
  }

  const Options& options_;
  Random random_{now_ns() | 1};
  uint64_t sequence_;
  int epoll_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<char> buffer_ = std::vector<char>(256 << 10);
  Histogram latencies_;
  uint64_t started_ns_ = 0;
  uint64_t ended_ns_ = 0;
  uint64_t requested_ = 0;
  uint64_t answered_ = 0;
  size_t under_way_ = 0;  // batches
  size_t waiting_ = 0;    // clients between two batches
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--sequential") {
      options.sequential = true;
      continue;
    }
    if (++i == argc) return false;
    const char* const text = argv[i];
    const uint64_t number = strtoull(text, nullptr, 10);
    if (name == "--port") {
      options.port = static_cast<uint16_t>(number);
    } else if (name == "--clients") {
      options.clients = number;
    } else if (name == "--pipeline") {
      options.pipeline = number;
    } else if (name == "--command") {
      options.command = text;
    } else if (name == "--keys") {
      options.keys = number;
    } else if (name == "--first-key") {
      options.first_key = number;
    } else if (name == "--values") {
      options.values = text;
    } else if (name == "--value-bytes") {
      options.value_bytes = number;
    } else if (name == "--per-request") {
      options.keys_per_request = number;
    } else if (name == "--expiry") {
      options.expiry = number;
    } else if (name == "--interval-us") {
      options.interval_ns = number * 1000;
    } else if (name == "--requests") {
      options.requests = number;
    } else if (name == "--seconds") {
      options.seconds = strtod(text, nullptr);
    } else {
      return false;
    }
  }
  return options.clients > 0 && options.pipeline > 0 && options.keys > 0 && options.value_bytes > 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    fprintf(stderr, "loadgen: wrong arguments; the source opens with a list of them\n");
    return 2;
  }
  Load load(options);
  load.run();
  load.print();
}
