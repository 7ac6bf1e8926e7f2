#include "resp/reply_reader.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/numbers.h"

namespace roxdb::resp {
namespace {

using Type = ReplyValue::Type;

constexpr std::string_view kCrlf = "\r\n";
constexpr size_t kFormatBytes = 4;  // "txt:" before the text of a verbatim string

constexpr Status broken(std::string_view text) { return {Code::kProtocol, 0, text}; }

}  // namespace

Result<size_t> ReplyReader::read(std::string_view input) {
  ROX_ASSERT(!complete_);
  size_t taken = 0;
  while (!complete_ && taken < input.size()) {
    const std::string_view rest = input.substr(taken);
    ROX_TRY(const size_t step, payload_left_ > 0 ? read_payload(rest) : read_line(rest));
    taken += step;
  }
  return taken;
}

ReplyValue ReplyReader::take() {
  ROX_ASSERT(complete_);
  complete_ = false;
  return std::exchange(value_, ReplyValue());
}

Result<size_t> ReplyReader::read_line(std::string_view input) {
  const size_t newline = input.find('\n');
  const size_t taken = newline == std::string_view::npos ? input.size() : newline + 1;
  if (line_.size() + taken > kInlineBytesMax) return broken("reply line too long");
  if (line_.empty() && newline != std::string_view::npos) {
    ROX_TRY(parse_line(input.substr(0, taken)));
    return taken;
  }
  line_.append(input.substr(0, taken));
  if (newline == std::string_view::npos) return taken;
  ROX_TRY(parse_line(line_));
  line_.clear();
  return taken;
}

Result<size_t> ReplyReader::read_payload(std::string_view input) {
  const size_t taken = std::min(payload_left_, input.size());
  value_.text.append(input.substr(0, taken));
  payload_left_ -= taken;
  if (payload_left_ == 0) ROX_TRY(finish_payload());
  return taken;
}

Status ReplyReader::parse_line(std::string_view line) {
  if (line.size() < 3 || !line.ends_with(kCrlf)) return broken("reply line without type or end");
  const char type = line[0];
  const std::string_view body = line.substr(1, line.size() - 1 - kCrlf.size());
  switch (type) {
    case '$':
    case '=':
    case '!':
      return parse_bulk(type, body);
    case '*':
    case '%':
    case '~':
    case '>':
    case '|':
      return parse_aggregate(type, body);
    default:
      return parse_scalar(type, body);
  }
}

Status ReplyReader::parse_scalar(char type, std::string_view body) {
  ReplyValue value;
  switch (type) {
    case '+':
    case '-':
      value.type = type == '+' ? Type::kSimple : Type::kError;
      value.text = body;
      break;
    case ':': {
      const auto integer = parse_int64(body);
      if (!integer) return broken("reply integer malformed");
      value.type = Type::kInteger;
      value.integer = *integer;
      break;
    }
    case ',': {
      // "nan" is a reply, though no argument may be one.
      const auto real =
          body == "nan" ? std::numeric_limits<double>::quiet_NaN() : parse_double(body);
      if (!real) return broken("reply double malformed");
      value.type = Type::kReal;
      value.real = *real;
      break;
    }
    case '#':
      if (body != "t" && body != "f") return broken("reply boolean malformed");
      value.type = Type::kBoolean;
      value.boolean = body == "t";
      break;
    case '_':
      if (!body.empty()) return broken("reply null malformed");
      break;
    case '(': {
      const std::string_view digits = body.substr(body.starts_with('-') ? 1 : 0);
      const bool all_digits =
          std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (digits.empty() || !all_digits) return broken("reply big number malformed");
      value.type = Type::kBigNumber;
      value.text = body;
      break;
    }
    default:
      return broken("reply type unknown");
  }
  deliver(std::move(value));
  return kOk;
}

Status ReplyReader::parse_bulk(char type, std::string_view body) {
  if (type == '$' && body == "-1") {
    deliver(ReplyValue());
    return kOk;
  }
  const auto size = parse_uint64(body);
  if (!size || *size > kReplyBytesMax) return broken("reply string length malformed or too big");
  if (type == '=' && *size < kFormatBytes) return broken("reply verbatim string without a format");
  value_.type = type == '$' ? Type::kBulk : type == '=' ? Type::kVerbatim : Type::kError;
  payload_left_ = *size + kCrlf.size();
  return kOk;
}

Status ReplyReader::finish_payload() {
  std::string& text = value_.text;
  if (!text.ends_with(kCrlf)) return broken("reply string without end");
  text.resize(text.size() - kCrlf.size());
  if (value_.type == Type::kVerbatim) {
    if (text[kFormatBytes - 1] != ':') return broken("reply verbatim string without a format");
    std::copy_n(text.begin(), value_.format.size(), value_.format.begin());
    text.erase(0, kFormatBytes);
  }
  deliver(std::exchange(value_, ReplyValue()));
  return kOk;
}

Status ReplyReader::parse_aggregate(char type, std::string_view body) {
  if (type == '*' && body == "-1") {
    deliver(ReplyValue());
    return kOk;
  }
  const auto count = parse_uint64(body);
  const bool pairs = type == '%' || type == '|';
  if (!count || *count > std::numeric_limits<uint64_t>::max() / 2) {
    return broken("reply count malformed or too big");
  }
  if (frames_.size() == kReplyDepthMax) return broken("reply nested too deeply");
  Frame frame;
  frame.value.type = pairs         ? Type::kMap
                     : type == '~' ? Type::kSet
                     : type == '>' ? Type::kPush
                                   : Type::kArray;
  frame.items_left = pairs ? 2 * *count : *count;
  frame.is_attribute = type == '|';
  frames_.push_back(std::move(frame));
  close_full_frames();
  return kOk;
}

void ReplyReader::deliver(ReplyValue value) {
  put(std::move(value));
  close_full_frames();
}

// Gives a finished value to the aggregate it is a member of, or to the caller.
void ReplyReader::put(ReplyValue value) {
  value.attributes = std::exchange(attributes_of_next(), {});
  if (frames_.empty()) {
    value_ = std::move(value);
    complete_ = true;
    return;
  }
  frames_.back().value.items.push_back(std::move(value));
  --frames_.back().items_left;
}

void ReplyReader::close_full_frames() {
  while (!frames_.empty() && frames_.back().items_left == 0) {
    Frame full = std::move(frames_.back());
    frames_.pop_back();
    if (!full.is_attribute) {
      put(std::move(full.value));
      continue;
    }
    auto& attributes = attributes_of_next();
    std::move(full.value.items.begin(), full.value.items.end(), std::back_inserter(attributes));
  }
}

std::vector<ReplyValue>& ReplyReader::attributes_of_next() {
  return frames_.empty() ? attributes_ : frames_.back().attributes;
}

}  // namespace roxdb::resp
