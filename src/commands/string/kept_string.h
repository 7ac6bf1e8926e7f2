// kept_string.h: the old value of a key, for a reply that is made after the key has changed. A
// small value is copied; of a big one a reference is held, and so the key gets a new one.
#pragma once

#include <string>
#include <string_view>

#include "base/shared_bytes.h"
#include "resp/reply.h"
#include "types/string_value.h"

namespace roxdb::commands {

class KeptString {
 public:
  // Null: there is none. REQUIRES: a string entry.
  explicit KeptString(const types::Entry* entry) : is_there_(entry != nullptr) {
    if (!is_there_) return;
    blob_ = types::string_blob(*entry);
    if (!blob_) copy_ = types::StringView(*entry).view();
  }
  // A bulk, or null when there is none.
  void reply(resp::Reply& reply) const {
    if (!is_there_) {
      reply.null();
    } else if (blob_) {
      reply.bulk_shared(static_cast<const types::BigString*>(blob_.get())->view(), blob_);
    } else {
      reply.bulk(copy_);
    }
  }

 private:
  bool is_there_;
  SharedRef blob_;
  std::string copy_;
};

}  // namespace roxdb::commands
