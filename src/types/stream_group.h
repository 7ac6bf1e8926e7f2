// stream_group.h: a consumer group of a stream: who was given which record and has not said yet
// that it is done.
//
//   Group  "mailers"          last delivered 977-4
//     pending      by ID      12-0   40-1   977-2   977-4
//                              |      |      |       |       one Pending each, hanging in
//     consumers   "a"         12-0    |     977-2    |       three orders at once
//                 "b"                40-1          977-4
//     by time     40-1  12-0  977-2  977-4                   linked, longest idle first
//
// A record is pending for one consumer of a group at most, so the group owns the Pending, and the
// consumer's index points to the same one. A pending record may be gone from the stream.
//
// I1  Every pending of a group hangs in its index, in the list by time of delivery (of one time: in
//     the order they came), and in the index of its consumer, if it has one.
// I2  Every pending in the index of a consumer names that consumer.
// I3  Consumers ascend strictly by name.
// Cost: everything by ID O(log pending); by name O(log consumers), a new name O(consumers) moved
// pointers. A delivery that is dated back is linked in behind O(younger ones), or O(older ones),
// whichever is less; many to the same time, one after the other, cost that once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

#include "base/assert.h"
#include "base/memory.h"
#include "containers/id_index.h"

namespace roxdb::types {

using containers::Id;
using containers::IdIndex;

// Things that know their name(), ascending. T has name() and its blocks are its owner's.
template <class T>
class ByName {
 public:
  size_t size() const { return count_; }
  T* operator[](size_t index) const { return items_[index]; }
  T* const* begin() const { return items_; }
  T* const* end() const { return items_ + count_; }
  T* find(std::string_view name) const {
    const size_t at = lower_bound(name);
    return at < count_ && items_[at]->name() == name ? items_[at] : nullptr;
  }
  // REQUIRES: it is there.
  size_t index_of(std::string_view name) const { return lower_bound(name); }
  // REQUIRES: the name is absent.
  void insert(memory::Slabs& slabs, T* item) {
    const size_t at = lower_bound(item->name());
    if (count_ == room_) {
      const uint32_t room = room_ == 0 ? 2 : 2 * room_;
      auto** items = static_cast<T**>(slabs.take(room * sizeof(T*)));
      std::copy(items_, items_ + count_, items);
      if (room_ > 0) slabs.give(items_, room_ * sizeof(T*));
      items_ = items;
      room_ = room;
    }
    std::copy_backward(items_ + at, items_ + count_, items_ + count_ + 1);
    items_[at] = item;
    count_++;
  }
  // REQUIRES: it is there.
  void erase(memory::Slabs& slabs, const T* item) {
    const size_t at = lower_bound(item->name());
    std::copy(items_ + at + 1, items_ + count_, items_ + at);
    if (--count_ > 0) return;
    memory::SlabSink sink(slabs);
    release(sink);
  }
  // Gives the array back, not what it points to.
  void release(memory::BlockSink& sink) {
    if (room_ > 0) sink.give(items_, room_ * sizeof(T*));
    items_ = nullptr;
    count_ = room_ = 0;
  }
  size_t occupied_bytes() const {
    return room_ == 0 ? 0 : memory::Slabs::occupied(room_ * sizeof(T*));
  }

 private:
  size_t lower_bound(std::string_view name) const {
    return static_cast<size_t>(
        std::lower_bound(items_, items_ + count_, name,
                         [](const T* item, std::string_view key) { return item->name() < key; }) -
        items_);
  }

  T** items_ = nullptr;
  uint32_t count_ = 0;
  uint32_t room_ = 0;
};

class Consumer;

// A record that was delivered and not acknowledged.
struct Pending : containers::IdItem {
  int64_t delivered_at_ms;
  uint64_t deliveries;
  Consumer* consumer;  // null: given back by its consumer, nobody's now
  Pending* earlier;
  Pending* later;
};
static_assert(sizeof(Pending) == 56);

class Consumer {
 public:
  static constexpr int64_t kNeverActive = -1;

  int64_t seen_at_ms;    // the last time it asked for anything
  int64_t active_at_ms;  // the last time it was given something
  std::string_view name() const { return {reinterpret_cast<const char*>(this + 1), name_size_}; }
  const IdIndex& pending() const { return pending_; }
  size_t own_bytes() const { return memory::Slabs::occupied(block_size()); }

 private:
  friend class Group;
  explicit Consumer(std::string_view its_name, int64_t now_ms)
      : seen_at_ms(now_ms),
        active_at_ms(kNeverActive),
        name_size_(static_cast<uint32_t>(its_name.size())) {
    if (!its_name.empty())
      std::memcpy(reinterpret_cast<char*>(this + 1), its_name.data(), name_size_);
  }
  size_t block_size() const { return sizeof(Consumer) + name_size_; }

  IdIndex pending_;
  uint32_t name_size_;
};

class Group {
 public:
  static constexpr int64_t kReadUnknown = -1;

  static Group* create(memory::Slabs& slabs, std::string_view name, const Id& last_delivered,
                       int64_t records_read);
  // Gives all blocks of the group back, itself included.
  static void destroy(memory::BlockSink& sink, Group* group);
  // The same group in other slabs.
  Group* clone(memory::Slabs& slabs) const;

  Id last_delivered;
  int64_t records_read;  // how many records, since the first ever; or kReadUnknown

  std::string_view name() const { return {reinterpret_cast<const char*>(this + 1), name_size_}; }
  const ByName<Consumer>& consumers() const { return consumers_; }
  // REQUIRES: the name is absent.
  Consumer* add_consumer(memory::Slabs& slabs, std::string_view consumer, int64_t now_ms);
  // Whatever it had pending is acknowledged; the number of those.
  size_t remove_consumer(memory::Slabs& slabs, Consumer* consumer);

  const IdIndex& pending() const { return pending_; }
  Pending* find(const Id& id) const { return static_cast<Pending*>(pending_.find(id)); }
  Pending* oldest() const { return oldest_; }  // by time of delivery
  // REQUIRES: the ID is not pending.
  Pending* add(memory::Slabs& slabs, const Id& id, Consumer* consumer, int64_t delivered_at_ms,
               uint64_t deliveries);
  // Hands a pending record over; null: nobody's.
  void assign(memory::Slabs& slabs, Pending* pending, Consumer* consumer);
  void set_time(Pending* pending, int64_t delivered_at_ms);
  void remove(memory::Slabs& slabs, Pending* pending);

  // Bytes of all blocks of the group. `samples` consumers are looked at, all when 0.
  size_t occupied_bytes(size_t samples) const;
  void check() const;

 private:
  Group(std::string_view its_name, const Id& last, int64_t read)
      : last_delivered(last),
        records_read(read),
        name_size_(static_cast<uint32_t>(its_name.size())) {
    if (!its_name.empty())
      std::memcpy(reinterpret_cast<char*>(this + 1), its_name.data(), name_size_);
  }
  size_t block_size() const { return sizeof(Group) + name_size_; }
  void link(Pending* pending);
  void unlink(Pending* pending);

  IdIndex pending_;
  Pending* oldest_ = nullptr;
  Pending* newest_ = nullptr;
  Pending* last_linked_ = nullptr;  // where the search for a place may begin; null: anywhere
  ByName<Consumer> consumers_;
  uint32_t name_size_;
};

}  // namespace roxdb::types
