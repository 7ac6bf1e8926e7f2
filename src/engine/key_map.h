// key_map.h: a map by database and key, for those who keep an eye on keys that may not even exist:
// who waits for them, watches them or has cached them. Clients choose the names, so the hash is the
// keyed one of the tables (reliability S8).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"

namespace roxdb::engine {

struct KeyName {
  int db;
  std::string name;
};
// The same for lookups, without a copy.
struct KeyView {
  int db;
  std::string_view name;
};

struct KeyNameHash {
  using is_transparent = void;
  const HashSecret* secret;  // outlives the map
  size_t operator()(const KeyView& key) const {
    return hash_bytes(key.name, *secret) ^ static_cast<size_t>(key.db);
  }
  size_t operator()(const KeyName& key) const { return (*this)(KeyView{key.db, key.name}); }
};

struct KeyNameEqual {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return a.db == b.db && std::string_view(a.name) == std::string_view(b.name);
  }
};

template <class T>
class KeyMap : public std::unordered_map<KeyName, T, KeyNameHash, KeyNameEqual> {
 public:
  explicit KeyMap(const HashSecret& secret)
      : std::unordered_map<KeyName, T, KeyNameHash, KeyNameEqual>(0, KeyNameHash{&secret}) {}
};

}  // namespace roxdb::engine
