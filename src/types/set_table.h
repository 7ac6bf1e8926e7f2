// set_table.h: the members of a large set.
//
//   SetTable --> containers::Table --cell--> SetMember (slabs): size as a varint, then the bytes
//
// Cost: as of the table, O(1). About 26 bytes for a member of 13.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "containers/table.h"
#include "types/value_home.h"

namespace roxdb::types {

// One member. Its block holds nothing else, and is never changed.
class SetMember {
 public:
  static SetMember* create(memory::Slabs& slabs, std::string_view bytes);

  std::string_view bytes() const {
    const auto* const at = reinterpret_cast<const uint8_t*>(this);
    if (__builtin_expect(*at < 0x80, 1)) return {reinterpret_cast<const char*>(at) + 1, *at};
    return long_bytes();
  }
  size_t block_size() const {
    const std::string_view text = bytes();
    return static_cast<size_t>(text.data() + text.size() - reinterpret_cast<const char*>(this));
  }

 private:
  SetMember() = default;
  std::string_view long_bytes() const;
  uint8_t head_;
};

class SetTable {
 public:
  static SetTable* create(const ValueHome& home);
  // Gives all blocks, its own too. Any thread.
  static void destroy(SetTable* table, memory::BlockSink& sink);
  static SetTable* copy(const ValueHome& home, const SetTable& table);

  size_t size() const { return members_.size(); }
  // Everything: members, table, the object.
  size_t occupied_bytes() const;
  containers::TableStatistics statistics() const { return members_.statistics(); }

  bool contains(std::string_view member) const {
    return members_.find(hash(member), member) != nullptr;
  }
  void look_ahead(std::string_view member, containers::Lookahead& ahead) const {
    ahead.add(members_, hash(member));
  }
  bool add(memory::Slabs& slabs, std::string_view member);     // false: it was there
  bool remove(memory::Slabs& slabs, std::string_view member);  // false: absent

  // Null when empty.
  const SetMember* sample(Random& random) const { return members_.sample(random); }
  // visit(const SetMember*), see containers/table.h.
  template <class Visitor>
  uint64_t scan(uint64_t cursor, Visitor&& visit) const {
    return members_.scan(cursor, visit);
  }
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    members_.for_each(visit);
  }
  void check() const;

 private:
  struct Owner {
    using Item = SetMember;
    const HashSecret* secret;
    uint64_t hash(const SetMember& member) const { return hash_bytes(member.bytes(), *secret); }
    bool equals(const SetMember& member, std::string_view bytes) const {
      return member.bytes() == bytes;
    }
    uint64_t mark(const SetMember&) const { return containers::kNoMark; }
  };

  explicit SetTable(const HashSecret& secret) : members_(Owner{&secret}) {}
  uint64_t hash(std::string_view member) const {
    return hash_bytes(member, *members_.owner().secret);
  }

  containers::Table<Owner> members_;
  size_t bytes_ = 0;  // that the members occupy
};

}  // namespace roxdb::types
