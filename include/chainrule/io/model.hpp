#pragma once
// A network together with what its inputs and outputs mean, in one file: the preprocessing of tables, and the names of classes. A program
// that loads this file can score new rows with no chance of another order or scale of columns. Needs nlohmann/json, as io/model_file.hpp.
//
// @code{.cpp}
// save(net, preprocessing, "churn.safetensors", {.threshold = 0.3});       // the program that trains
// const Model<float> churn = load_model<float>("churn.safetensors");       // the program that scores
// const Matrix<float> p = churn.predict(churn.read_table("new.csv"));
// @endcode

#include <chainrule/data/one_hot.hpp>
#include <chainrule/data/preprocessing.hpp>
#include <chainrule/io/model_file.hpp>
#include <map>

namespace chainrule {

namespace detail {

inline constexpr const char* preprocessing_key = "chainrule.preprocessing";
inline constexpr const char* class_names_key = "chainrule.class_names";
inline constexpr const char* threshold_key = "chainrule.threshold";

/// Throws ShapeError where a network of these outputs cannot have these classes: one output for each, or one for two classes.
inline void check_class_count(const std::string& who, Index outputs, std::size_t classes) {
  const Index expected = outputs == 1 ? 2 : outputs;
  if (classes != 0 && static_cast<Index>(classes) != expected)
    raise<ShapeError>(who, ": the network has ", outputs, " outputs, but there are ", classes, " class names; expected ", expected);
}

/// Throws ShapeError where the network has not the inputs and outputs that the preprocessing makes.
inline void check_fits(const std::string& who, Index inputs, Index outputs, const Preprocessing& preprocessing) {
  if (inputs != preprocessing.features())
    raise<ShapeError>(who, ": the network has ", inputs, " inputs, but the preprocessing makes ", preprocessing.features(), " features");
  check_class_count(who, outputs, preprocessing.class_names().size());
}

/// Throws ValueError for a threshold that is not finite, and for one other than 1/2 of a network that does not decide between two classes.
inline void check_threshold(const std::string& who, Index outputs, double threshold) {
  if (!is_finite(threshold)) raise<ValueError>(who, ": the threshold must be finite, but is ", threshold);
  if (threshold != 0.5 && outputs > 2)
    raise<ValueError>(who, ": a threshold is for a network of one output or two classes, but this one has ", outputs, " outputs");
}

/// Class names as one line of text.
inline std::string class_names_text(const std::vector<std::string>& names) {
  TokenWriter line;
  line.add_number(names.size());
  for (const std::string& name : names) line.add_text(name);
  return line.text();
}

/// Reads the text of class_names_text. `place` begins the errors. Throws ValueError for any other text, and for a name that occurs twice.
inline std::vector<std::string> parse_class_names(const std::string& place, std::string_view text) {
  TokenReader line(place, text);
  std::vector<std::string> names(static_cast<std::size_t>(line.take_count("class names")));
  for (std::string& name : names) name = line.take_text();
  line.expect_end();
  static_cast<void>(WordList(place, names, false));
  return names;
}

/// Writes a model file with the texts and the threshold of the options.
template <class Net, class Options>
void write_model(const char* who, const Net& net, const std::string& path, Options options) {
  check_threshold(who, net.outputs(), options.threshold);
  TokenWriter line;
  line.add_number(options.threshold);
  options.texts[threshold_key] = line.text();
  write_file(who, path, to_model_file(net, std::move(options.texts)));
}

}  // namespace detail

/// A network, and what its inputs and outputs mean.
template <class Scalar>
struct Model {
  AnyNetwork<Scalar> net;                     ///< the network
  Preprocessing preprocessing;                ///< turns tables into x; not fitted where the file has none
  std::vector<std::string> class_names = {};  ///< names of classes 0, 1, ...; empty where the file has none
  double threshold = 0.5;                     ///< the second of two classes is taken where its probability is at least this

  /// Reads a table with the layout of the training table: separator, decimal point, header, lines to skip and words for missing values. For
  /// a file of another layout there is read_table(path, options), whose options may begin with preprocessing.table_options(). Throws
  /// StateError where the file of the model has no preprocessing, and what read_table throws.
  Table read_table(const std::string& path) const { return chainrule::read_table(path, preprocessing.table_options()); }

  /// The prediction for each row of a table (outputs x rows). Throws StateError where the file has no preprocessing, and what
  /// Preprocessing::transform throws.
  Matrix<Scalar> predict(const Table& table) const { return net.predict(preprocessing.transform<Scalar>(table)); }

  /// The name of the class of each row: with one output, the second class where its probability is at least the threshold; with two
  /// outputs too where the threshold is not 1/2; else the likeliest class, the first one among equals. Throws as predict does, and
  /// StateError where the file has no class names.
  std::vector<std::string> predict_classes(const Table& table) const {
    if (class_names.empty()) detail::raise<StateError>("Model: the file has no class names");
    const Matrix<Scalar> y_hat = predict(table);
    std::vector<int> labels = labels_of(y_hat);
    if (y_hat.rows() == 1 || (y_hat.rows() == 2 && threshold != 0.5))
      for (std::size_t j = 0; j < labels.size(); ++j)
        labels[j] = static_cast<double>(y_hat(y_hat.rows() - 1, static_cast<Index>(j))) >= threshold ? 1 : 0;
    std::vector<std::string> names;
    for (const int label : labels) names.push_back(class_names[static_cast<std::size_t>(label)]);
    return names;
  }

  /// Throws ValueError where the data set names other features or classes than the model, or the same in another order.
  template <class Targets>
  void check(const Dataset<Scalar, Targets>& data) const {
    const auto compare = [](const char* what, const std::vector<std::string>& model, const std::vector<std::string>& found) {
      if (!model.empty() && !found.empty() && model != found)
        detail::raise<ValueError>("Model: expected the ", what, " ", detail::quoted_list(model), ", in this order, but the data set has ",
                                  detail::quoted_list(found));
    };
    if (preprocessing.is_fitted()) compare("features", preprocessing.feature_names(), data.feature_names);
    if constexpr (detail::LabelVector<Targets>) compare("classes", class_names, data.target_names);
  }
};

/// Options of save: the numbers and texts that a file keeps beside the network and its preprocessing or class names.
struct SaveOptions {
  double threshold = 0.5;                         ///< Model::threshold, such as best_f1_threshold gives it
  std::map<std::string, std::string> texts = {};  ///< more texts by key, which read_safetensors(path).metadata() gives back
};

/// Saves a network and the preprocessing of its tables, with the names of its classes, in one file, which load_model reads. load and
/// load_network read the network alone. Of the texts in the options, a key that the library uses gets the library's text. An existing file
/// is replaced only when the new one is complete. Throws StateError where nothing was fitted, ShapeError where the network has other inputs
/// or outputs than the preprocessing makes, ValueError for a threshold that is not finite, or not 1/2 with more than two outputs, and what
/// save(net, path) and to_model_file throw.
template <class Net>
void save(const Net& net, const Preprocessing& preprocessing, const std::string& path, SaveOptions options = {}) {
  detail::check_fits("save", net.inputs(), net.outputs(), preprocessing);
  options.texts[detail::preprocessing_key] = preprocessing.to_string();
  detail::write_model("save", net, path, std::move(options));
}

/// Saves a network and the names of its classes in one file, which load_model reads, for features that are no table. Throws ShapeError
/// where there are no names or the network has not as many outputs, ValueError for a name that occurs twice, and what the function above
/// throws.
template <class Net>
void save(const Net& net, const std::vector<std::string>& class_names, const std::string& path, SaveOptions options = {}) {
  if (class_names.empty()) detail::raise<ShapeError>("save: there are no class names");
  detail::check_class_count("save", net.outputs(), class_names.size());
  static_cast<void>(detail::WordList("save: the list of class names", class_names, false));
  options.texts[detail::class_names_key] = detail::class_names_text(class_names);
  detail::write_model("save", net, path, std::move(options));
}

/// Makes a model from a file that save() has written. `Own`: activations, layers and losses of yours that are in it. Throws what
/// parse_network throws, ValueError for a broken text of the preprocessing, class names or threshold, and ShapeError where they do not fit
/// the network.
template <class Scalar, class... Own>
Model<Scalar> parse_model(const SafetensorsFile& file, const LoadOptions& options = {}, LoadReport* report = nullptr) {
  const auto text_at = [&](const char* key) -> const std::string* {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? nullptr : &found->second;
  };
  Preprocessing preprocessing;
  std::vector<std::string> class_names;
  if (const std::string* text = text_at(detail::preprocessing_key)) {
    preprocessing = detail::in_name_of(file.name(), [&] { return Preprocessing::from_string(*text); });
    class_names = preprocessing.class_names();
  }
  if (const std::string* text = text_at(detail::class_names_key))
    class_names = detail::parse_class_names(detail::place_of(file, detail::class_names_key), *text);
  LoadReport loaded;
  Model<Scalar> model{parse_network<Scalar, Own...>(file, options, &loaded), std::move(preprocessing), std::move(class_names)};
  if (const std::string* text = text_at(detail::threshold_key)) {
    detail::TokenReader line(detail::place_of(file, detail::threshold_key), *text);
    model.threshold = line.take_number<double>();
    line.expect_end();
    detail::check_threshold(file.name(), model.net.outputs(), model.threshold);
  }
  if (model.preprocessing.is_fitted()) detail::check_fits(file.name(), model.net.inputs(), model.net.outputs(), model.preprocessing);
  detail::check_class_count(file.name(), model.net.outputs(), model.class_names.size());
  if (report != nullptr) *report = std::move(loaded);
  return model;
}

/// Reads a model from a file that save() has written. Throws what parse_model throws, and ValueError where the file cannot be read.
template <class Scalar, class... Own>
Model<Scalar> load_model(const std::string& path, const LoadOptions& options = {}, LoadReport* report = nullptr) {
  return parse_model<Scalar, Own...>(read_safetensors(path), options, report);
}

/// Reads the preprocessing alone from a file that save() has written, for a network whose type the program knows and that load() fills.
/// Throws ValueError where the file cannot be read or has none.
inline Preprocessing load_preprocessing(const std::string& path) {
  const SafetensorsFile file = read_safetensors(path);
  const auto found = file.metadata().find(detail::preprocessing_key);
  if (found == file.metadata().end()) detail::raise<ValueError>(path, " has no preprocessing; save(net, preprocessing, path) writes one");
  return detail::in_name_of(path, [&] { return Preprocessing::from_string(found->second); });
}

}  // namespace chainrule
