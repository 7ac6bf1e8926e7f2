#include "types/string_value.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/limits.h"

namespace roxdb::types {
namespace {

constexpr Status kRefused{Code::kNoMemory, 0, "OOM the value does not fit into memory"};
constexpr Status kNotSaved{Code::kCorrupt, 0, "a string is not what was written"};

bool lies_inline(size_t key_bytes, size_t value_bytes, bool has_expiry) {
  return value_bytes <= kAlwaysInlineBytesMax ||
         Entry::size_of(key_bytes, value_bytes, has_expiry, false) <= memory::kSlabBytesMax;
}

StringEncoding inline_encoding(size_t value_bytes) {
  return value_bytes <= kEmbeddedBytesMax ? StringEncoding::kEmbedded : StringEncoding::kRaw;
}

void copy(char* out, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());  // null has no bytes to copy
}

EntryParts with_inline(EntryParts parts, StringEncoding encoding, std::string_view bytes) {
  parts.type = TypeId::kString;
  parts.encoding = static_cast<uint8_t>(encoding);
  parts.has_payload = false;
  parts.inline_bytes = bytes;
  return parts;
}

EntryParts with_payload(EntryParts parts, StringEncoding encoding, uint64_t payload) {
  parts.type = TypeId::kString;
  parts.encoding = static_cast<uint8_t>(encoding);
  parts.has_payload = true;
  parts.payload = payload;
  parts.inline_bytes = {};
  return parts;
}

EntryParts with_integer(const EntryParts& parts, int64_t value) {
  return with_payload(parts, StringEncoding::kInteger, static_cast<uint64_t>(value));
}

EntryParts with_big(const EntryParts& parts, BigString* big) {
  return with_payload(parts, StringEncoding::kShared, reinterpret_cast<uintptr_t>(big));
}

// An integer's sign in the lowest bit, so that small ones of either sign are short varints.
uint64_t zigzag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}
int64_t unzigzag(uint64_t value) { return static_cast<int64_t>(value >> 1 ^ (0 - (value & 1))); }

// A big value from a file. Its size is only an announcement: the room doubles with what has
// arrived, and ends exact.
Result<BigString*> load_big(ValueReader& in, size_t size) {
  size_t capacity = std::min(size, kAheadBytesMax);
  BigString* big = BigString::try_create(0, capacity);
  while (big != nullptr) {
    if (const Status status = in.read(big->data() + big->size(), capacity - big->size());
        !status.ok()) {
      big->drop();
      return status;
    }
    big->set_size(capacity);
    if (capacity == size) return big;
    capacity = std::min(size, 2 * capacity);
    BigString* bigger = BigString::try_create(big->size(), capacity);
    if (bigger != nullptr) copy(bigger->data(), big->view());
    big->drop();
    big = bigger;
  }
  return kRefused;
}

class StringType final : public ValueType {
 public:
  TypeId id() const override { return TypeId::kString; }
  std::string_view name() const override { return "string"; }
  std::string_view encoding_name(const Entry& entry) const override {
    switch (string_encoding(entry)) {
      case StringEncoding::kInteger:
        return "int";
      case StringEncoding::kEmbedded:
        return "embstr";
      case StringEncoding::kRaw:
      case StringEncoding::kShared:
        break;
    }
    return "raw";
  }

  size_t size(const Entry& entry) const override { return string_size(entry); }
  size_t payload_bytes(const Entry& entry, size_t /*samples*/) const override {
    if (string_encoding(entry) != StringEncoding::kShared) return 0;
    return entry.pointer<const BigString>()->occupied_bytes();
  }
  size_t free_effort(const Entry& /*entry*/) const override { return 1; }
  void release_payload(uint64_t payload, uint8_t encoding,
                       memory::BlockSink& /*sink*/) const override {
    if (encoding != static_cast<uint8_t>(StringEncoding::kShared)) return;
    reinterpret_cast<BigString*>(static_cast<uintptr_t>(payload))->drop();
  }

  void save(const Entry& entry, ValueWriter& out) const override {
    const StringView view(entry);
    const auto value = string_encoding(entry) == StringEncoding::kInteger
                           ? static_cast<int64_t>(entry.payload())
                           : parse_int64(view);
    if (value) {
      out.varint(1);
      out.varint(zigzag(*value));
    } else {
      out.varint(2 * view.size());
      out.write(view);
    }
  }

  Result<Entry*> load(ValueReader& in, EntryParts parts, const ValueHome& home) const override {
    memory::Slabs& slabs = home.slabs;
    ROX_TRY(const uint64_t head, in.varint());
    if (head == 1) {
      ROX_TRY(const uint64_t value, in.varint());
      return create_integer(slabs, parts, unzigzag(value));
    }
    const uint64_t size = head / 2;
    if (head % 2 != 0 || size > kStringBytesMax) return kNotSaved;
    if (!lies_inline(parts.key.size(), size, parts.expire_at_ms >= 0)) {
      ROX_TRY(BigString * big, load_big(in, size));
      return Entry::create(slabs, with_big(parts, big));
    }
    char bytes[memory::kSlabBytesMax];
    ROX_TRY(in.read(bytes, size));
    const std::string_view view(bytes, size);
    if (parse_int64(view)) return kNotSaved;  // save() writes the shorter form
    return Entry::create(slabs, with_inline(parts, inline_encoding(size), view));
  }

  Entry* copy(const Entry& entry, EntryParts parts, const ValueHome& home) const override {
    memory::Slabs& slabs = home.slabs;
    const StringEncoding encoding = string_encoding(entry);
    if (encoding == StringEncoding::kShared) {
      BigString* big = entry.pointer<BigString>();
      big->retain();  // both keep it until one of them is edited
      return Entry::create(slabs, with_big(parts, big));
    }
    if (encoding == StringEncoding::kInteger) {
      return create_integer(slabs, parts, static_cast<int64_t>(entry.payload()));
    }
    return Entry::create(slabs, with_inline(parts, encoding, entry.inline_bytes()));
  }
};

}  // namespace

BigString* BigString::try_create(size_t size, size_t capacity) {
  ROX_ASSERT(size <= capacity);
  void* block = memory::try_allocate(sizeof(BigString) + capacity);
  return block == nullptr ? nullptr : new (block) BigString(size, capacity);
}

void BigString::release(SharedBlob* blob) {
  auto* big = static_cast<BigString*>(blob);
  const size_t bytes = sizeof(BigString) + big->capacity_;
  big->~BigString();
  memory::release(big, bytes);
}

Entry* StringValue::create(const ValueHome& home, EntryParts parts) {
  return Entry::create(home.slabs, with_inline(parts, StringEncoding::kEmbedded, {}));
}

Status StringValue::assign(std::string_view bytes) {
  Entry& old = mutable_entry();
  const size_t old_size = string_size(old);
  if (overwrite_string(old, bytes)) {
    home_->resized(kType, old_size, bytes.size());
    return kOk;
  }
  ROX_TRY(Entry * fresh, create_string(home_->slabs, old.parts(), bytes));
  if (string_encoding(old) == StringEncoding::kShared) old.pointer<BigString>()->drop();
  Entry::destroy(home_->slabs, &old);
  cell_->set_pointer(fresh);
  home_->resized(kType, old_size, bytes.size());
  return kOk;
}

void StringValue::assign_integer(int64_t value) {
  Entry& old = mutable_entry();
  home_->resized(kType, string_size(old), printed_size(value));
  const StringEncoding encoding = string_encoding(old);
  if (encoding == StringEncoding::kInteger) {
    old.set_payload(static_cast<uint64_t>(value));
    return;
  }
  if (encoding == StringEncoding::kShared) old.pointer<BigString>()->drop();
  rebuild(with_integer(old.parts(), value));
}

std::optional<int64_t> StringValue::integer() const {
  const StringEncoding encoding = string_encoding(entry());
  if (encoding == StringEncoding::kInteger) return static_cast<int64_t>(entry().payload());
  if (encoding == StringEncoding::kShared) return std::nullopt;  // too long for one
  return parse_int64(entry().inline_bytes());
}

Status StringValue::put(size_t offset, std::string_view bytes) {
  const size_t old_size = size();
  const size_t new_size = std::max(old_size, offset + bytes.size());
  ROX_TRY(char* data, make_room(new_size));
  home_->resized(kType, old_size, new_size);
  if (offset > old_size) std::memset(data + old_size, 0, offset - old_size);
  copy(data + offset, bytes);
  return kOk;
}

Result<char*> StringValue::resize(size_t new_size) {
  const size_t old_size = size();
  ROX_TRY(char* data, make_room(new_size));
  home_->resized(kType, old_size, new_size);
  if (new_size > old_size) std::memset(data + old_size, 0, new_size - old_size);
  return data;
}

Result<char*> StringValue::make_room(size_t size) {
  const bool is_big = string_encoding(entry()) == StringEncoding::kShared;
  if (is_big ? size <= kAlwaysInlineBytesMax
             : lies_inline(entry().key_size(), size, entry().has_expiry())) {
    return make_inline(size);
  }
  ROX_TRY(BigString * big, make_big(size));
  big->set_size(size);
  return big->data();
}

char* StringValue::make_inline(size_t size) {
  Entry& old = mutable_entry();
  BigString* const big =
      string_encoding(old) == StringEncoding::kShared ? old.pointer<BigString>() : nullptr;
  const size_t old_inline_size = old.inline_bytes().size();
  if (!old.has_payload() &&
      memory::Slabs::occupied(old.size() - old_inline_size + size) == old.occupied_bytes()) {
    old.set_inline_size(size);
    old.set_encoding(static_cast<uint8_t>(StringEncoding::kRaw));
  } else {
    char bytes[memory::kSlabBytesMax];
    const StringView view(old);
    const size_t kept = std::min(view.size(), size);
    copy(bytes, view.view().substr(0, kept));
    std::memset(bytes + kept, 0, size - kept);
    rebuild(with_inline(old.parts(), StringEncoding::kRaw, {bytes, size}));
    if (big != nullptr) big->drop();
  }
  return mutable_entry().mutable_inline_bytes();
}

Result<BigString*> StringValue::make_big(size_t size) {
  Entry& old = mutable_entry();
  BigString* big =
      string_encoding(old) == StringEncoding::kShared ? old.pointer<BigString>() : nullptr;
  if (big != nullptr && big->unique() && size <= big->capacity()) return big;

  const StringView view(old);
  const size_t kept = std::min(view.size(), size);
  // What begins empty is often written once.
  const size_t room = kept > 0 && size > kept ? std::min(2 * size, kStringBytesMax) : size;
  BigString* fresh = BigString::try_create(kept, room);
  if (fresh == nullptr) fresh = BigString::try_create(kept, size);
  if (fresh == nullptr) return kRefused;
  copy(fresh->data(), view.view().substr(0, kept));
  if (big != nullptr) {
    old.set_payload(reinterpret_cast<uintptr_t>(fresh));
    big->drop();
  } else {
    rebuild(with_big(old.parts(), fresh));
  }
  return fresh;
}

// The old entry's payload is the caller's business.
void StringValue::rebuild(const EntryParts& parts) {
  Entry* old = &mutable_entry();
  cell_->set_pointer(Entry::create(home_->slabs, parts));
  Entry::destroy(home_->slabs, old);
}

ScratchString::ScratchString(const ValueHome& home, const EntryParts& parts) : home_(home.aside()) {
  cell_.set_pointer(StringValue::create(home, parts));
}

ScratchString::~ScratchString() {
  auto* const entry = static_cast<Entry*>(cell_.pointer());
  if (entry == nullptr) return;
  if (string_encoding(*entry) == StringEncoding::kShared) entry->pointer<BigString>()->drop();
  Entry::destroy(home_.slabs, entry);
}

Entry* ScratchString::take() {
  auto* const entry = static_cast<Entry*>(cell_.pointer());
  cell_.set_pointer(nullptr);
  return entry;
}

Result<Entry*> create_string(memory::Slabs& slabs, EntryParts parts, std::string_view bytes) {
  if (const auto value = parse_int64(bytes)) return create_integer(slabs, parts, *value);
  if (lies_inline(parts.key.size(), bytes.size(), parts.expire_at_ms >= 0)) {
    return Entry::create(slabs, with_inline(parts, inline_encoding(bytes.size()), bytes));
  }
  BigString* big = BigString::try_create(bytes.size(), bytes.size());
  if (big == nullptr) return kRefused;
  copy(big->data(), bytes);
  return Entry::create(slabs, with_big(parts, big));
}

Entry* create_integer(memory::Slabs& slabs, EntryParts parts, int64_t value) {
  return Entry::create(slabs, with_integer(parts, value));
}

bool overwrite_string(Entry& entry, std::string_view bytes) {
  const StringEncoding encoding = string_encoding(entry);
  if (const auto value = parse_int64(bytes)) {
    if (encoding != StringEncoding::kInteger) return false;
    entry.set_payload(static_cast<uint64_t>(*value));
    return true;
  }
  if (encoding == StringEncoding::kInteger) return false;
  if (encoding == StringEncoding::kShared) {
    auto* big = entry.pointer<BigString>();
    if (!big->unique() || bytes.size() > big->capacity() ||
        memory::block_bytes(sizeof(BigString) + bytes.size()) != big->occupied_bytes() ||
        lies_inline(entry.key_size(), bytes.size(), entry.has_expiry())) {
      return false;
    }
    copy(big->data(), bytes);
    big->set_size(bytes.size());
    return true;
  }
  if (const size_t old_size = entry.inline_bytes().size(); bytes.size() != old_size) {
    if (!lies_inline(entry.key_size(), bytes.size(), entry.has_expiry()) ||
        memory::Slabs::occupied(entry.size() - old_size + bytes.size()) != entry.occupied_bytes()) {
      return false;
    }
    entry.set_inline_size(bytes.size());
  }
  entry.set_encoding(static_cast<uint8_t>(inline_encoding(bytes.size())));
  copy(entry.mutable_inline_bytes(), bytes);
  return true;
}

const ValueType& string_type() {
  static const StringType kType;
  return kType;
}

}  // namespace roxdb::types
