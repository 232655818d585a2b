#pragma once
// A Description as JSON and back. Needs nlohmann/json.
//     {"kind":"Dense","inputs":64,"outputs":32,"parts":[{"kind":"LeakyReLU","hyperparameters":[["slope",0.2]]}]}

#include <chainrule/bytes/excerpt.hpp>
#include <chainrule/core/description.hpp>
#include <nlohmann/json.hpp>

namespace chainrule::detail {

using OrderedJson = nlohmann::ordered_json;

inline OrderedJson to_json(const Description& of) {
  OrderedJson json{{"kind", of.kind}};
  if (of.inputs != 0) {
    json["inputs"] = of.inputs;
    json["outputs"] = of.outputs;
  }
  // class weights are many of one name
  OrderedJson numbers = OrderedJson::array();
  for (const auto& [name, value] : of.hyperparameters) numbers.push_back(OrderedJson::array({name, value}));
  if (!numbers.empty()) json["hyperparameters"] = numbers;
  for (const Description& part : of.parts) json["parts"].push_back(to_json(part));
  return json;
}

/// Reads descriptions from the texts of a file. `place` is for errors, all ValueError.
class DescriptionReader {
 public:
  explicit DescriptionReader(std::string place) : place_{std::move(place)} {}

  Description one(std::string_view text) const { return description(parsed(text)); }
  std::vector<Description> list(std::string_view text) const { return descriptions(parsed(text)); }

 private:
  static constexpr int deepest = 64;  // a Residual in a Residual ...

  OrderedJson parsed(std::string_view text) const {
    int depth = 0;
    for (const char c : text) {  // also those in quotes, which no name of ours has
      if (c == '[' || c == '{') ++depth;
      if (c == ']' || c == '}') --depth;
      if (depth > deepest) raise<ValueError>(place_, ": the description is nested more than ", deepest, " deep");
    }
    OrderedJson json = OrderedJson::parse(text.begin(), text.end(), nullptr, false);
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
