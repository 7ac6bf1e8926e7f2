#include "containers/record_block.h"

#include <cstring>

#include "base/assert.h"

namespace roxdb::containers {
namespace {

constexpr uint8_t kDeleted = 1;
constexpr uint8_t kOwnFields = 2;
constexpr unsigned kIdShift = 2;
enum IdForm : uint8_t { kNextSeq = 0, kSameMs = 1, kLaterMs = 2, kLaterMsAndSeq = 3 };
constexpr uint8_t kHeadMask = 15;

constexpr size_t kVarintBytesMax = 10;
constexpr Status kDamaged{Code::kCorrupt, 0, "a block of a stream is not what was written"};

size_t varint_size(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) size++;
  return size;
}

char* put_varint(char* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>(value | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}

// Of bytes that we wrote or have verified.
const char* get_varint(const char* at, uint64_t& value) {
  value = static_cast<uint8_t>(*at) & 0x7f;
  for (unsigned shift = 7; (static_cast<uint8_t>(*at++) & 0x80) != 0; shift += 7) {
    value |= (static_cast<uint64_t>(static_cast<uint8_t>(*at)) & 0x7f) << shift;
  }
  return at;
}

// Of bytes from outside; null when no varint ends before `end`.
const char* get_varint_checked(const char* at, const char* end, uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; at != end && shift < 64; shift += 7) {
    const auto byte = static_cast<uint8_t>(*at++);
    if (shift == 63 && byte > 1) return nullptr;
    value |= (uint64_t{byte} & 0x7f) << shift;
    if (byte < 0x80) return at;
  }
  return nullptr;
}

size_t element_bytes_max(std::string_view text) {
  return text.size() + (text.size() < 0x80 ? 1 : 5);
}

size_t bytes_max(std::span<const std::string_view> pairs, size_t first, size_t step) {
  size_t bytes = 0;
  for (size_t i = first; i < pairs.size(); i += step) bytes += element_bytes_max(pairs[i]);
  return bytes;
}

char* put_elements(char* out, std::span<const std::string_view> pairs, size_t first, size_t step) {
  for (size_t i = first; i < pairs.size(); i += step) out = packed::Encoded(pairs[i]).write(out);
  return out;
}

// The most a record takes behind its own size.
size_t body_bytes_max(std::span<const std::string_view> pairs) {
  return 1 + 2 * kVarintBytesMax + varint_size(pairs.size() / 2) + bytes_max(pairs, 0, 1);
}

}  // namespace

size_t RecordBlock::record_bytes_max(std::span<const std::string_view> pairs) {
  const size_t body = body_bytes_max(pairs);
  return varint_size(body) + body;
}

size_t RecordBlock::names_bytes_max(std::span<const std::string_view> pairs) {
  return bytes_max(pairs, 0, 2);
}

RecordBlock* RecordBlock::create(memory::Slabs& slabs, const Id& id,
                                 std::span<const std::string_view> pairs, size_t room) {
  const size_t fitting = fitting_room(room);
  auto* block = new (slabs.take(sizeof(RecordBlock) + fitting)) RecordBlock;
  block->id = id;
  block->last_ = {id.ms, id.seq - 1};
  block->room_ = static_cast<uint32_t>(fitting);
  block->live_ = block->deleted_ = 0;
  block->fields_ = static_cast<uint32_t>(pairs.size() / 2);
  const char* end = put_elements(block->data(), pairs, 0, 2);
  block->size_ = block->records_at_ = static_cast<uint32_t>(end - block->data());
  return block;
}

RecordBlock* RecordBlock::clone(memory::Slabs& slabs, size_t room) const {
  ROX_ASSERT(room >= size_);
  const size_t fitting = fitting_room(room);
  auto* block = static_cast<RecordBlock*>(slabs.take(sizeof(RecordBlock) + fitting));
  std::memcpy(static_cast<void*>(block), this, sizeof(RecordBlock) + size_);
  block->room_ = static_cast<uint32_t>(fitting);
  return block;
}

bool RecordBlock::has_fields_of(std::span<const std::string_view> pairs) const {
  if (pairs.size() != size_t{2} * fields_) return false;
  const char* name = data();
  for (size_t i = 0; i < pairs.size(); i += 2) {
    const packed::Encoded field(pairs[i]);
    const size_t size = packed::size_at(name);
    if (field.size() != size || !field.is_at(name)) return false;
    name += size;
  }
  return true;
}

void RecordBlock::append(const Id& new_id, std::span<const std::string_view> pairs) {
  const bool own_fields = !has_fields_of(pairs);
  char id_bytes[2 * kVarintBytesMax];
  char* id_end = id_bytes;
  IdForm form = kNextSeq;
  if (new_id.ms != last_.ms) {
    form = new_id.seq == 0 ? kLaterMs : kLaterMsAndSeq;
    id_end = put_varint(id_end, new_id.ms - last_.ms);
    if (form == kLaterMsAndSeq) id_end = put_varint(id_end, new_id.seq);
  } else if (new_id.seq != last_.seq + 1) {
    form = kSameMs;
    id_end = put_varint(id_end, new_id.seq - last_.seq);
  }
  const auto id_size = static_cast<size_t>(id_end - id_bytes);

  // The size stands in front of what it measures: it gets the bytes that its bound needs, and is
  // padded when one less would have done.
  const size_t body_max = 1 + id_size +
                          (own_fields ? varint_size(pairs.size() / 2) + bytes_max(pairs, 0, 1)
                                      : bytes_max(pairs, 1, 2));
  const size_t prefix = varint_size(body_max);
  char* const start = data() + size_;
  char* out = start + prefix;
  *out++ = static_cast<char>((own_fields ? kOwnFields : 0) | form << kIdShift);
  std::memcpy(out, id_bytes, id_size);
  out += id_size;
  if (own_fields) {
    out = put_varint(out, pairs.size() / 2);
    out = put_elements(out, pairs, 0, 1);
  } else {
    out = put_elements(out, pairs, 1, 2);
  }
  size_t body = static_cast<size_t>(out - start) - prefix;
  for (size_t i = 0; i < prefix; ++i, body >>= 7) {
    start[i] = static_cast<char>((body & 0x7f) | (i + 1 < prefix ? 0x80 : 0));
  }
  size_ = static_cast<uint32_t>(out - data());
  ROX_ASSERT(size_ <= room_);
  last_ = new_id;
  live_++;
}

void RecordBlock::erase(const Record& record) {
  ROX_ASSERT(!record.deleted);
  data()[record.head] = static_cast<char>(data()[record.head] | kDeleted);
  live_--;
  deleted_++;
}

void RecordBlock::cut_deleted_tail() {
  RecordWalk walk(*this);
  uint32_t end = records_at_;
  uint32_t deleted = 0;
  uint32_t deleted_before = 0;  // the last one that is not
  for (Record record; walk.next(record);) {
    if (record.deleted) {
      deleted++;
    } else {
      end = record.end;
      last_ = record.id;
      deleted_before = deleted;
    }
  }
  size_ = end;
  deleted_ = deleted_before;
}

bool RecordWalk::next(Record& record) {
  if (at_ == block_.size_) return false;
  const char* const data = block_.data();
  uint64_t size;
  const char* at = get_varint(data + at_, size);
  record.head = static_cast<uint32_t>(at - data);
  record.end = record.head + static_cast<uint32_t>(size);
  const auto head = static_cast<uint8_t>(*at++);
  record.deleted = (head & kDeleted) != 0;
  record.own_fields = (head & kOwnFields) != 0;
  uint64_t more = 1;
  switch (head >> kIdShift) {
    case kSameMs:
      at = get_varint(at, more);
      [[fallthrough]];
    case kNextSeq:
      id_.seq += more;
      break;
    case kLaterMs:
    case kLaterMsAndSeq:
      at = get_varint(at, more);
      id_.ms += more;
      id_.seq = 0;
      if (head >> kIdShift == kLaterMsAndSeq) at = get_varint(at, id_.seq);
      break;
  }
  record.id = id_;
  record.fields = block_.fields_;
  if (record.own_fields) {
    uint64_t fields;
    at = get_varint(at, fields);
    record.fields = static_cast<uint32_t>(fields);
  }
  record.elements = static_cast<uint32_t>(at - data);
  at_ = record.end;
  return true;
}

bool FieldReader::next(packed::Element& field, packed::Element& value) {
  if (left_ == 0) return false;
  left_--;
  field = packed::read(run_, name_at_);
  if (own_fields_) value_at_ = field.next();
  value = packed::read(run_, value_at_);
  value_at_ = value.next();
  name_at_ = own_fields_ ? value_at_ : field.next();
  return true;
}

// --- bytes from outside --------------------------------------------------------------------

Result<RecordBlock*> RecordBlock::load(memory::Slabs& slabs, const Shape& shape,
                                       std::string_view bytes) {
  if (bytes.size() > kRecordBlockBytesMax || shape.records_at > bytes.size()) return kDamaged;
  const size_t fitting = fitting_room(bytes.size());
  auto* block = new (slabs.take(sizeof(RecordBlock) + fitting)) RecordBlock;
  block->id = shape.id;
  block->last_ = shape.last;
  block->size_ = static_cast<uint32_t>(bytes.size());
  block->room_ = static_cast<uint32_t>(fitting);
  block->live_ = shape.live;
  block->deleted_ = shape.deleted;
  block->fields_ = shape.fields;
  block->records_at_ = shape.records_at;
  std::memcpy(block->data(), bytes.data(), bytes.size());
  if (const Status status = block->verify(); !status.ok()) {
    memory::SlabSink sink(slabs);
    destroy(sink, block);
    return status;
  }
  return block;
}

Status RecordBlock::verify() const {
  const std::string_view run = bytes();
  const auto names = packed::check(run.substr(0, records_at_));
  if (!names || *names != fields_ || fields_ == 0) return kDamaged;
  uint64_t live = 0;
  uint64_t deleted = 0;
  Id previous{id.ms, id.seq - 1};
  const char* at = run.data() + records_at_;
  const char* const end = run.data() + run.size();
  while (at != end) {
    uint64_t size;
    at = get_varint_checked(at, end, size);
    if (at == nullptr || size == 0 || size > static_cast<uint64_t>(end - at)) return kDamaged;
    const char* const record_end = at + size;
    const auto head = static_cast<uint8_t>(*at++);
    if (head > kHeadMask) return kDamaged;
    const auto form = static_cast<uint8_t>(head >> kIdShift);
    // The block's own ID comes first, and only its form has no bytes to be checked.
    const bool is_first = live + deleted == 0;
    if (is_first && form != kNextSeq) return kDamaged;
    uint64_t more = 1;
    if (form != kNextSeq) {
      at = get_varint_checked(at, record_end, more);
      if (at == nullptr || more == 0) return kDamaged;
    }
    if (form == kNextSeq || form == kSameMs) {
      const bool overflows = __builtin_add_overflow(previous.seq, more, &previous.seq);
      if (overflows && !is_first) return kDamaged;
    } else {
      if (__builtin_add_overflow(previous.ms, more, &previous.ms)) return kDamaged;
      previous.seq = 0;
      if (form == kLaterMsAndSeq) {
        at = get_varint_checked(at, record_end, previous.seq);
        if (at == nullptr) return kDamaged;
      }
    }
    uint64_t elements = fields_;
    if ((head & kOwnFields) != 0) {
      at = get_varint_checked(at, record_end, elements);
      if (at == nullptr || elements == 0 || elements > size) return kDamaged;
      elements *= 2;
    }
    const auto found = packed::check({at, static_cast<size_t>(record_end - at)});
    if (!found || *found != elements) return kDamaged;
    ((head & kDeleted) != 0 ? deleted : live)++;
    at = record_end;
  }
  if (live != live_ || deleted != deleted_ || live == 0 || previous != last_) return kDamaged;
  return kOk;
}

void RecordBlock::check() const { ROX_ASSERT(verify().ok() && size_ <= room_); }

}  // namespace roxdb::containers
