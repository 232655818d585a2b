#pragma once
// Writes a Description as JSON, and reads it again. Needs nlohmann/json.
//     {"kind":"Dense","inputs":64,"outputs":32,"parts":[{"kind":"LeakyReLU","hyperparameters":[["slope",0.2]]}]}

#include <algorithm>
#include <array>
#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/description.hpp>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

namespace chainrule::detail {

using OrderedJson = nlohmann::ordered_json;

/// The description as JSON. Throws ValueError where it is nested more than max_nesting deep.
inline OrderedJson to_json(const Description& of) {
  check_nesting(of, of.kind);
  OrderedJson json{{"kind", of.kind}};
  if (of.inputs != 0) {
    json["inputs"] = of.inputs;
    json["outputs"] = of.outputs;
  }
  // an array, not an object, because all class weights have the same name
  OrderedJson numbers = OrderedJson::array();
  for (const auto& [name, value] : of.hyperparameters) numbers.push_back(OrderedJson::array({name, value}));
  if (!numbers.empty()) json["hyperparameters"] = numbers;
  for (const Description& part : of.parts) json["parts"].push_back(to_json(part));
  return json;
}

/// Reads descriptions from texts of a file. It is a SAX handler: nlohmann's parser calls it for each part, in the order of the text, and
/// builds no tree. So time and memory grow with the length of the text, a text that nests very deep cannot overflow the stack, and of two
/// entries with the same name neither is lost. Throws ValueError, in the name of `place`, for a text that is no description.
class DescriptionReader {
 public:
  using Json = nlohmann::json;

  explicit DescriptionReader(std::string place) : place_{std::move(place)} {}

  /// Reads a text that is one description.
  Description one(std::string_view text) {
    read(text, Level::one);
    return std::move(read_.front());
  }
  /// Reads a text that is an array of descriptions.
  std::vector<Description> list(std::string_view text) {
    read(text, Level::list);
    return std::move(read_);
  }

  // The functions that nlohmann/json's SAX parser calls. Each returns true, so that the parser goes on, or throws.
  bool start_object(std::size_t) {
    if (level() != Level::one && level() != Level::descriptions) refuse("an object");
    if (open_.size() > std::size_t{max_nesting}) raise<ValueError>(place_, ": the description is nested more than ", max_nesting, " deep");
    levels_.push_back(Level::description);
    open_.emplace_back();
    has_.emplace_back();
    return true;
  }

  bool key(std::string& key) {
    key_ = static_cast<std::size_t>(std::find(keys.begin(), keys.end(), key) - keys.begin());
    if (key_ == keys.size())
      raise<ValueError>(place_, ": expected kind, inputs, outputs, hyperparameters or parts, but found ", in_quotes(key));
    if (std::exchange(has_.back()[key_], true)) raise<ValueError>(place_, ": ", key, " is there twice in one description");
    return true;
  }

  bool end_object() {
    if (open_.back().kind.empty()) raise<ValueError>(place_, ": expected a description that says its kind, but found one without");
    Description done = std::move(open_.back());
    open_.pop_back();
    has_.pop_back();
    levels_.pop_back();
    (open_.empty() ? read_ : open_.back().parts).push_back(std::move(done));
    return true;
  }

  bool start_array(std::size_t) {
    if (level() == Level::list || is_value_of("parts"))
      levels_.push_back(Level::descriptions);
    else if (is_value_of("hyperparameters"))
      levels_.push_back(Level::hyperparameters);
    else if (level() == Level::hyperparameters)
      levels_.push_back(Level::name);
    else
      refuse("an array");
    return true;
  }

  bool end_array() {
    if (level() == Level::name || level() == Level::number) refuse("the end of one");
    levels_.pop_back();
    return true;
  }

  bool string(std::string& text) {
    if (is_value_of("kind")) {
      open_.back().kind = std::move(text);
    } else if (level() == Level::name) {
      open_.back().hyperparameters.emplace_back(std::move(text), 0);
      levels_.back() = Level::number;
    } else {
      refuse(text_of("the text ", in_quotes(text)));
    }
    return true;
  }

  bool number_unsigned(std::uint64_t number) {
    const bool is_input = is_value_of("inputs");
    if (!is_input && !is_value_of("outputs")) return number_float(static_cast<double>(number), std::to_string(number));
    if (number > static_cast<std::uint64_t>((std::numeric_limits<std::int32_t>::max)())) refuse(text_of("the number ", number));
    (is_input ? open_.back().inputs : open_.back().outputs) = static_cast<Index>(number);
    return true;
  }
  bool number_integer(std::int64_t number) { return number_float(static_cast<double>(number), std::to_string(number)); }
  bool number_float(double number, const std::string& text) {
    if (level() != Level::number) refuse(text_of("the number ", excerpt(text)));
    open_.back().hyperparameters.back().second = number;
    levels_.back() = Level::after_number;
    return true;
  }

  bool null() { refuse("null"); }
  bool boolean(bool value) { refuse(value ? "true" : "false"); }
  bool binary(Json::binary_t&) { refuse("bytes"); }  // for binary forms of JSON; never called for a text

  bool parse_error(std::size_t, const std::string&, const Json::exception&) {
    raise<ValueError>(place_, ": expected a description in JSON, but found ", in_quotes(text_));
  }

 private:
  // Where the parser is: before a text that is one description or a list of them; in an array of descriptions, in a description, in an
  // array of hyperparameters; and in one hyperparameter before its name, before its number and after that.
  enum class Level { one, list, descriptions, description, hyperparameters, name, number, after_number };
  static constexpr std::array<std::string_view, 5> keys = {"kind", "inputs", "outputs", "hyperparameters", "parts"};

  void read(std::string_view text, Level first) {
    text_ = text;
    levels_ = {first};
    open_.clear();
    has_.clear();
    read_.clear();
    Json::sax_parse(text.begin(), text.end(), this);
  }

  Level level() const { return levels_.back(); }
  bool is_value_of(std::string_view key) const { return level() == Level::description && keys[key_] == key; }

  std::string_view expected() const {
    switch (level()) {
      case Level::list:
        return "an array of descriptions";
      case Level::one:
      case Level::descriptions:
        return "a description, an object";
      case Level::description:
        return is_value_of("kind")              ? "a text"
               : is_value_of("hyperparameters") ? "an array of hyperparameters"
               : is_value_of("parts")           ? "an array of descriptions"
                                                : "a number of units, from 0 to 2^31 - 1";
      default:
        return "a hyperparameter, [name, number]";
    }
  }
  [[noreturn]] void refuse(std::string_view found) const { raise<ValueError>(place_, ": expected ", expected(), ", but found ", found); }

  std::string place_;
  std::string_view text_ = {};
  std::vector<Level> levels_ = {};
  std::vector<Description> open_ = {};         // the description that is being read, behind those that it is a part of
  std::vector<std::array<bool, 5>> has_ = {};  // has_[d][k]: whether keys[k] has occurred in open_[d]
  std::size_t key_ = 0;                        // the last key, one of `keys`
  std::vector<Description> read_ = {};
};

}  // namespace chainrule::detail
