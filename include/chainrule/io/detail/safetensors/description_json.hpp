#pragma once
// Writes a Description as JSON, and reads it again. Needs nlohmann/json.
//     {"kind":"Dense","inputs":64,"outputs":32,"parts":[{"kind":"LeakyReLU","hyperparameters":[["slope",0.2]]}]}

#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/description.hpp>
#include <nlohmann/json.hpp>

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

/// Reads descriptions from texts of a file. Throws ValueError, in the name of `place`, for a text that is no description.
class DescriptionReader {
 public:
  explicit DescriptionReader(std::string place) : place_{std::move(place)} {}

  /// A text that is one description.
  Description one(std::string_view text) const { return description(parsed(text)); }
  /// A text that is an array of descriptions.
  std::vector<Description> list(std::string_view text) const { return descriptions(parsed(text)); }

 private:
  // A list of layers is an array; each description in it is an object with an array of what is inside, the innermost with an array of
  // hyperparameters, which are arrays.
  static constexpr int max_json_depth = 1 + 2 * (max_nesting + 1) + 1;

  OrderedJson parsed(std::string_view text) const {
    using Event = OrderedJson::parse_event_t;
    const auto check_depth = [&](int around, Event event, OrderedJson&) {
      const bool begins = event == Event::array_start || event == Event::object_start;
      if (begins && around >= max_json_depth) raise<ValueError>(place_, ": the description is nested more than ", max_nesting, " deep");
      return true;
    };
    OrderedJson json = OrderedJson::parse(text.begin(), text.end(), check_depth, false);
    if (json.is_discarded()) raise<ValueError>(place_, ": expected a description in JSON, but found ", in_quotes(text));
    return json;
  }

  [[noreturn]] void refuse(const char* expected, const OrderedJson& found) const {
    raise<ValueError>(place_, ": expected ", expected, ", but found ",
                      in_quotes(found.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)));
  }

  std::vector<Description> descriptions(const OrderedJson& json) const {
    if (!json.is_array()) refuse("an array of descriptions", json);
    std::vector<Description> all;
    for (const OrderedJson& part : json) all.push_back(description(part));
    return all;
  }

  Description description(const OrderedJson& json) const {
    if (!json.is_object()) refuse("a description, an object", json);
    Description d;
    for (const auto& [key, value] : json.items()) {
      if (key == "kind" && value.is_string())
        d.kind = value.get<std::string>();
      else if (key == "inputs")
        d.inputs = extent(value);
      else if (key == "outputs")
        d.outputs = extent(value);
      else if (key == "hyperparameters")
        d.hyperparameters = hyperparameters(value);
      else if (key == "parts")
        d.parts = descriptions(value);
      else
        refuse("kind (a text), inputs, outputs, hyperparameters or parts", json);
    }
    if (d.kind.empty()) refuse("a description that says its kind", json);
    return d;
  }

  Index extent(const OrderedJson& json) const {
    if (!json.is_number_unsigned() || json.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()))
      refuse("a number of units, from 1 to 2^31 - 1", json);
    return json.get<Index>();
  }

  std::vector<std::pair<std::string, double>> hyperparameters(const OrderedJson& json) const {
    std::vector<std::pair<std::string, double>> all;
    if (!json.is_array()) refuse("an array of hyperparameters", json);
    for (const OrderedJson& one : json) {
      if (!one.is_array() || one.size() != 2 || !one[0].is_string() || !one[1].is_number()) refuse("a hyperparameter, [name, number]", one);
      all.emplace_back(one[0].get<std::string>(), one[1].get<double>());
    }
    return all;
  }

  std::string place_;
};

}  // namespace chainrule::detail
