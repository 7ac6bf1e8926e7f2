// table_bench.cc: what an operation of the hash table costs, without anything round it.
//
//   table_bench [million items of the large table, default 10] [of the growth run, default 20]
//
// Prints nanoseconds per operation at one million items and at the large size, one by one and in
// batches of 16 that prefetch in two steps; the bytes of table per item; and the longest single
// insert while a table grows, with how many took longer than a tenth of a millisecond. That is
// processor time; interrupts and page faults are in it, the work counted by the table is without.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "containers/table.h"

// jemalloc hands pages back to the system on whatever thread allocates next, some milliseconds at a
// time. That is not the table's doing, so here it has a thread of its own.
extern "C" [[gnu::visibility("default")]] const char* malloc_conf;
const char* malloc_conf = "background_thread:true";

namespace roxdb::containers {
namespace {

using Clock = std::chrono::steady_clock;

// As large as the entry of a 16 byte key with a short value.
struct BenchItem {
  uint64_t hash;
  uint64_t id;
  char value[24];
  std::string_view key() const { return {reinterpret_cast<const char*>(&id), sizeof id}; }
};

struct BenchOwner {
  using Item = BenchItem;
  static constexpr uint32_t kLinesMax = kSegmentLinesMax;
  uint64_t hash(const Item& item) const { return item.hash; }
  bool equals(const Item& item, std::string_view key) const { return item.key() == key; }
  uint64_t mark(const Item&) const { return kNoMark; }
};
using BenchTable = Table<BenchOwner>;

uint64_t hash_of(uint64_t id) { return Random(id).next(); }

constexpr size_t kBatch = 16;
constexpr size_t kLookups = 4'000'000;

double nanoseconds_each(Clock::time_point start, size_t operations) {
  const std::chrono::duration<double, std::nano> passed = Clock::now() - start;
  return passed.count() / static_cast<double>(operations);
}

// A result that is printed cannot be optimised away.
size_t found_total = 0;

// Looks up random ids below `ids`, in batches of `batch`; 1 does without prefetching.
double find(const BenchTable& table, uint64_t first, uint64_t ids, size_t batch) {
  Random random(1);
  BenchItem wanted[kBatch];
  containers::Lookahead ahead;
  const auto start = Clock::now();
  for (size_t done = 0; done < kLookups; done += batch) {
    for (size_t i = 0; i < batch; ++i) {
      wanted[i].id = first + random.below(ids);
      wanted[i].hash = hash_of(wanted[i].id);
      ahead.add(table, wanted[i].hash);
    }
    ahead.run();
    for (size_t i = 0; i < batch; ++i) {
      found_total += table.find(wanted[i].hash, wanted[i].key()) != nullptr;
    }
  }
  return nanoseconds_each(start, kLookups);
}

// Erases and inserts again, with a lookup before each as a command does.
double replace_items(BenchTable& table, uint64_t ids, size_t batch) {
  constexpr size_t kOperations = kLookups / 4;
  Random random(2);
  BenchItem wanted[kBatch];
  containers::Lookahead ahead;
  const auto start = Clock::now();
  for (size_t done = 0; done < kOperations; done += batch) {
    for (size_t i = 0; i < batch; ++i) {
      wanted[i].id = random.below(ids);
      wanted[i].hash = hash_of(wanted[i].id);
      ahead.add(table, wanted[i].hash);
    }
    ahead.run();
    for (size_t i = 0; i < batch; ++i) {
      const uint64_t hash = wanted[i].hash;
      BenchItem* item = table.erase(hash, table.find(hash, wanted[i].key()));
      table.insert(hash, item);
    }
  }
  return nanoseconds_each(start, kOperations);
}

void measure(size_t count) {
  // Items of one order and hashes of another: neighbours in memory are strangers in the table.
  std::vector<BenchItem> items(count);
  for (size_t i = 0; i < count; ++i) items[i] = {.hash = hash_of(i), .id = i, .value = {}};
  BenchTable table;
  auto start = Clock::now();
  for (BenchItem& item : items) table.insert(item.hash, &item);
  const double insert = nanoseconds_each(start, count);
  std::printf("%zu items, %.2f bytes of table each\n", count,
              static_cast<double>(table.bytes()) / static_cast<double>(count));
  std::printf("  insert                 %7.1f ns\n", insert);
  for (const size_t batch : {size_t{1}, kBatch}) {
    const double hit = find(table, 0, count, batch);
    const double miss = find(table, count, count, batch);
    const double replaced = replace_items(table, count, batch);
    std::printf(
        "  batches of %-2zu  find   %7.1f ns   miss %7.1f ns   find+erase+insert %7.1f ns\n", batch,
        hit, miss, replaced);
  }
  Random random(3);
  start = Clock::now();
  for (size_t i = 0; i < kLookups; ++i) found_total += table.sample(random) != nullptr;
  std::printf("  sample                 %7.1f ns\n", nanoseconds_each(start, kLookups));
  start = Clock::now();
  table.for_each([](BenchItem* item) { found_total += item->id & 1; });
  std::printf("  for_each               %7.1f ns\n", nanoseconds_each(start, count));
  start = Clock::now();
  for (BenchItem& item : items) table.erase(item.hash, table.find(item.hash, item.key()));
  std::printf("  find+erase, all        %7.1f ns\n", nanoseconds_each(start, count));
}

// The processor time of this thread: what other programs take does not show in it.
double thread_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

void grow(size_t count) {
  std::vector<BenchItem> items(count);
  for (size_t i = 0; i < count; ++i) items[i] = {.hash = hash_of(i), .id = i, .value = {}};
  BenchTable table;
  double longest = 0;
  size_t longest_at = 0;
  size_t slow = 0;
  double before = thread_us();
  for (size_t i = 0; i < count; ++i) {
    table.insert(items[i].hash, &items[i]);
    const double after = thread_us();
    slow += after - before > 100;
    if (after - before > longest) {
      longest = after - before;
      longest_at = i;
    }
    before = after;
  }
  const TableWork work = table.largest_work();
  std::printf("growth to %zu items: longest insert %.0f us (item %zu), %zu above 100 us\n", count,
              longest, longest_at, slow);
  std::printf("  most work of one insert: %u cells moved, %u words written, %u splits\n",
              work.cells, work.words, work.splits);
}

}  // namespace
}  // namespace roxdb::containers

int main(int argc, char** argv) {
  constexpr size_t kMillion = 1'000'000;
  const auto millions = [&](int index, size_t usual) {
    const size_t given = argc > index ? std::strtoul(argv[index], nullptr, 10) : usual;
    return std::max<size_t>(given, 1) * kMillion;
  };
  roxdb::containers::measure(kMillion);
  roxdb::containers::measure(millions(1, 10));
  roxdb::containers::grow(millions(2, 20));
  std::printf("(%zu found)\n", roxdb::containers::found_total);
}
