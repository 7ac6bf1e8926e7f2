#include "commands/sort/pattern.h"

#include "types/hash_value.h"

namespace roxdb::commands {

using types::HashView;
using types::TypeId;

SortPattern::SortPattern(std::string_view text) : is_element(text == "#") {
  const size_t star = text.find('*');
  has_star = star != std::string_view::npos;
  if (!has_star) return;
  before_star = text.substr(0, star);
  behind_star = text.substr(star + 1);
  const size_t arrow = behind_star.find("->");
  if (arrow == std::string_view::npos || arrow + 2 == behind_star.size()) return;
  field = behind_star.substr(arrow + 2);
  behind_star = behind_star.substr(0, arrow);
}

// A replay runs each unit at the time of its record: due fields that nobody had removed yet are
// hidden then as they were before.
PatternReader::PatternReader(engine::Call& call, bool is_trial)
    : call_(call), is_trial_(is_trial), fields_at_ms_(call.now_ms()) {}

std::optional<std::string_view> PatternReader::read(const SortPattern& pattern,
                                                    std::string_view element) {
  if (pattern.is_element) return element;
  if (!pattern.has_star) return std::nullopt;
  key_.assign(pattern.before_star).append(element).append(pattern.behind_star);
  const engine::Key key = call_.engine().key(key_);
  const engine::Entry* entry = nullptr;
  if (!is_trial_) {
    entry = call_.read(call_.db(), key);
  } else if (engine::Cell* cell = call_.engine().find(call_.db(), key)) {
    entry = &engine::Keyspace::entry(*cell);
  }
  if (entry == nullptr) return std::nullopt;
  if (pattern.field.empty()) {
    if (entry->type() != TypeId::kString) return std::nullopt;
    return string_.emplace(*entry).view();
  }
  if (entry->type() != TypeId::kHash) return std::nullopt;
  const auto field = HashView(*entry, fields_at_ms_).find(pattern.field, digits_);
  if (!field) return std::nullopt;
  return field->value;
}

}  // namespace roxdb::commands
