#include "persist/rdb_blob.h"

#include <bit>
#include <cstring>

#include "persist/rdb_input.h"

namespace roxdb::persist {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are read as they lie");

constexpr size_t kListpackHead = 6;
constexpr size_t kZiplistHead = 10;
constexpr size_t kIntsetHead = 8;
constexpr size_t kZipmapHead = 1;
constexpr uint8_t kEndMark = 0xff;
constexpr uint64_t kCountUnknown16 = 0xffff;
constexpr uint8_t kBigSize = 254;  // a size of four bytes follows

constexpr Status kCut = rdb_corrupt("an element of a packed value reaches beyond its end");
constexpr Status kHead = rdb_corrupt("the head of a packed value is wrong");
constexpr Status kEncoding = rdb_corrupt("an element of a packed value has no known form");
constexpr Status kCount = rdb_corrupt("a packed value has another count than its head says");

}  // namespace

size_t write_back_length(uint64_t size, char* out) {
  const size_t bytes = size <= 127        ? 1
                       : size < 16383     ? 2
                       : size < 2097151   ? 3
                       : size < 268435455 ? 4
                                          : 5;
  for (size_t i = 0; i < bytes; ++i) {
    const uint64_t group = size >> 7 * (bytes - 1 - i) & 127;
    out[i] = static_cast<char>(i == 0 ? group : group | 128);
  }
  return bytes;
}

uint64_t BlobReader::word(size_t offset, size_t size) const {
  uint64_t value = 0;
  std::memcpy(&value, bytes_.data() + offset, size);
  return value;
}

int64_t BlobReader::signed_word(size_t offset, size_t size) const {
  const auto shift = static_cast<unsigned>(64 - 8 * size);
  return static_cast<int64_t>(word(offset, size) << shift) >> shift;
}

Status BlobReader::open() {
  switch (form_) {
    case BlobForm::kListpack:
      ROX_TRY(open_framed(kListpackHead));
      announced_ = word(4, 2);
      break;
    case BlobForm::kZiplist:
      ROX_TRY(open_framed(kZiplistHead));
      last_at_ = kZiplistHead;
      last_offset_ = word(4, 4);
      announced_ = word(8, 2);
      break;
    case BlobForm::kIntset: {
      if (bytes_.size() < kIntsetHead) return kHead;
      const uint64_t width = word(0, 4);
      announced_ = word(4, 4);
      if ((width != 2 && width != 4 && width != 8) || announced_ == 0 ||
          bytes_.size() - kIntsetHead != width * announced_) {
        return kHead;
      }
      at_ = kIntsetHead;
      end_ = bytes_.size();
      return kOk;
    }
    case BlobForm::kZipmap:
      if (bytes_.size() < kZipmapHead + 1 || byte(bytes_.size() - 1) != kEndMark) return kHead;
      at_ = kZipmapHead;
      end_ = bytes_.size() - 1;
      announced_ = byte(0) < kBigSize ? uint64_t{2} * byte(0) : kUnknown;
      return kOk;
  }
  if (announced_ == kCountUnknown16) announced_ = kUnknown;
  return kOk;
}

// A blob that says its size and ends with a mark.
Status BlobReader::open_framed(size_t head_bytes) {
  if (bytes_.size() < head_bytes + 1 || word(0, 4) != bytes_.size() ||
      byte(bytes_.size() - 1) != kEndMark) {
    return kHead;
  }
  at_ = head_bytes;
  end_ = bytes_.size() - 1;
  return kOk;
}

Result<bool> BlobReader::next(BlobElement& element) {
  if (at_ == end_) {
    ROX_TRY(close());
    return false;
  }
  element = {};
  count_++;
  switch (form_) {
    case BlobForm::kListpack:
      ROX_TRY(next_of_listpack(element));
      break;
    case BlobForm::kZiplist:
      ROX_TRY(next_of_ziplist(element));
      break;
    case BlobForm::kIntset:
      ROX_TRY(next_of_intset(element));
      break;
    case BlobForm::kZipmap:
      ROX_TRY(next_of_zipmap(element));
      break;
  }
  return true;
}

Status BlobReader::expect(BlobElement& element) {
  ROX_TRY(const bool is_there, next(element));
  return is_there ? kOk : kCut;
}

Status BlobReader::close() const {
  if (announced_ != kUnknown && announced_ != count_) return kCount;
  if (is_value_) return kCount;
  if (form_ == BlobForm::kZiplist && last_offset_ != last_at_) return kHead;
  return kOk;
}

Status BlobReader::take_text(size_t head, uint64_t size, BlobElement& element) {
  if (size > left() - head) return kCut;
  element.bytes = bytes_.substr(at_ + head, size);
  at_ += head + size;
  return kOk;
}

Status BlobReader::take_integer(size_t head, size_t size, BlobElement& element) {
  if (size > left() - head) return kCut;
  element.is_integer = true;
  element.integer = signed_word(at_ + head, size);
  at_ += head + size;
  return kOk;
}

Status BlobReader::next_of_listpack(BlobElement& element) {
  const size_t begin = at_;
  const uint8_t first = byte(at_);
  if (first < 0x80) {
    element.is_integer = true;
    element.integer = first;
    at_ += 1;
  } else if (first < 0xc0) {
    ROX_TRY(take_text(1, first & 0x3f, element));
  } else if (first < 0xe0) {
    if (left() < 2) return kCut;
    const int64_t value = (first & 0x1f) << 8 | byte(at_ + 1);
    element.is_integer = true;
    element.integer = value < 1 << 12 ? value : value - (1 << 13);
    at_ += 2;
  } else if (first < 0xf0) {
    if (left() < 2) return kCut;
    ROX_TRY(take_text(2, uint64_t{first & 0xfu} << 8 | byte(at_ + 1), element));
  } else if (first == 0xf0) {
    if (left() < 5) return kCut;
    ROX_TRY(take_text(5, word(at_ + 1, 4), element));
  } else if (first <= 0xf4) {
    ROX_TRY(take_integer(1, first == 0xf4 ? 8 : first - size_t{0xef}, element));
  } else {
    return kEncoding;
  }
  char back[5];
  const size_t back_bytes = write_back_length(at_ - begin, back);
  if (back_bytes > left()) return kCut;
  if (bytes_.substr(at_, back_bytes) != std::string_view(back, back_bytes)) {
    return rdb_corrupt("an element of a listpack has another size when read backwards");
  }
  at_ += back_bytes;
  return kOk;
}

Status BlobReader::next_of_ziplist(BlobElement& element) {
  const size_t begin = at_;
  uint64_t before = byte(at_);
  if (before > kBigSize) return kEncoding;
  size_t head = 1;
  if (before == kBigSize) {
    head = 5;
    if (left() < head) return kCut;
    before = word(at_ + 1, 4);
  }
  if (before != (count_ == 1 ? 0 : begin - last_at_)) {
    return rdb_corrupt("an element of a ziplist points to no other");
  }
  last_at_ = begin;
  at_ += head;
  if (left() < 1) return kCut;

  const uint8_t first = byte(at_);
  switch (first >> 6) {
    case 0:
      return take_text(1, first, element);
    case 1:
      if (left() < 2) return kCut;
      return take_text(2, uint64_t{first & 0x3fu} << 8 | byte(at_ + 1), element);
    case 2:
      if (first != 0x80) return kEncoding;
      if (left() < 5) return kCut;
      return take_text(5, __builtin_bswap32(static_cast<uint32_t>(word(at_ + 1, 4))), element);
    default:
      break;
  }
  switch (first) {
    case 0xc0:
      return take_integer(1, 2, element);
    case 0xd0:
      return take_integer(1, 4, element);
    case 0xe0:
      return take_integer(1, 8, element);
    case 0xf0:
      return take_integer(1, 3, element);
    case 0xfe:
      return take_integer(1, 1, element);
    default:
      break;
  }
  if (first < 0xf1 || first > 0xfd) return kEncoding;
  element.is_integer = true;
  element.integer = (first & 0xf) - 1;
  at_ += 1;
  return kOk;
}

Status BlobReader::next_of_intset(BlobElement& element) {
  ROX_TRY(take_integer(0, word(0, 4), element));
  if (count_ > 1 && element.integer <= last_integer_) {
    return rdb_corrupt("the integers of a set do not ascend");
  }
  last_integer_ = element.integer;
  return kOk;
}

Status BlobReader::next_of_zipmap(BlobElement& element) {
  uint64_t size;
  ROX_TRY(take_zipmap_size(size));
  if (!is_value_) {
    is_value_ = true;
    return take_text(0, size, element);
  }
  is_value_ = false;
  if (left() < 1) return kCut;
  const size_t free_bytes = byte(at_);
  ROX_TRY(take_text(1, size, element));
  if (free_bytes > left()) return kCut;
  at_ += free_bytes;
  return kOk;
}

Status BlobReader::take_zipmap_size(uint64_t& size) {
  if (left() < 1) return kCut;
  size = byte(at_);
  if (size > kBigSize) return kEncoding;
  at_ += 1;
  if (size < kBigSize) return kOk;
  if (left() < 4) return kCut;
  size = word(at_, 4);
  at_ += 4;
  // The long form of a short size was never written; readers that reckon with one form lose their
  // way (CVE-2026-25243).
  return size < kBigSize ? kEncoding : kOk;
}

}  // namespace roxdb::persist
