// reply_tree.h: replies as a tree of C structures, for programs that hold the library.
#pragma once

#include <string_view>
#include <vector>

#include "resp/reply.h"
#include "roxdb/roxdb.h"

namespace roxdb::embed {

// Frees a tree; null is allowed.
void free_tree(roxdb_reply* root);

// Builds one reply. Speaks protocol 3: maps, sets, reals and nulls keep their kind.
class ReplyTree final : public resp::Reply {
 public:
  ReplyTree() { set_protocol(3); }
  ~ReplyTree() override;
  // The finished tree; the caller frees it with roxdb_reply_free().
  roxdb_reply* take();

  void simple(std::string_view text) override { add_text(ROXDB_STATUS, text); }
  void error(std::string_view text) override { add_text(ROXDB_ERROR, text); }
  void integer(int64_t value) override { add(ROXDB_INTEGER, value); }
  void real(double value) override { add(ROXDB_REAL, 0, value); }
  void boolean(bool value) override { add(ROXDB_BOOLEAN, value ? 1 : 0); }
  void null() override { add(ROXDB_NULL); }
  void null_array() override { add(ROXDB_NULL); }
  void bulk(std::string_view bytes) override { add_text(ROXDB_STRING, bytes); }
  void verbatim(std::string_view, std::string_view text) override { add_text(ROXDB_STRING, text); }
  void big_number(std::string_view digits) override { add_text(ROXDB_STRING, digits); }
  void array(size_t count) override { add_aggregate(ROXDB_ARRAY, count); }
  void map(size_t pairs) override { add_aggregate(ROXDB_MAP, pairs * 2); }
  void set(size_t count) override { add_aggregate(ROXDB_SET, count); }
  void push(size_t count) override { add_aggregate(ROXDB_ARRAY, count); }
  // Attributes describe replies to a human; they are built and dropped.
  void attribute(size_t pairs) override { add_aggregate(ROXDB_MAP, pairs * 2, true); }
  Open open(Aggregate kind) override;
  void close(Open open, size_t count) override;

 private:
  // An aggregate that still gets members.
  struct Level {
    roxdb_reply* node;
    size_t left;
    size_t capacity;
    bool dropped;
  };
  static constexpr size_t kUnknown = SIZE_MAX;

  void add(roxdb_type type, int64_t integer = 0, double real = 0);
  void add_text(roxdb_type type, std::string_view text);
  void add_leaf(const roxdb_reply& leaf);
  void add_aggregate(roxdb_type type, size_t count, bool dropped = false);
  void attach(roxdb_reply* node, bool dropped);
  void close_full_levels();

  roxdb_reply* root_ = nullptr;
  std::vector<Level> levels_;
};

}  // namespace roxdb::embed
