#include <chainrule/data/csv.hpp>
#include <chainrule/data/preprocessing.hpp>
#include <chainrule/data/write_csv.hpp>

#include "fuzz.hpp"

namespace {

/// Fits a preprocessing to the table, which gives the same numbers after it was written as text and read again.
void preprocess(const chainrule::Table& table, unsigned choice) {
  using namespace chainrule;
  PreprocessingOptions options{.label = table.names().back(),
                               .unknown = UnknownWord::own_category,
                               .missing_word = MissingWord::own_category,
                               .missing_number = (choice & 4) != 0 ? MissingNumber::median : MissingNumber::mean,
                               .scale = (choice & 8) != 0 ? FeatureScale::min_max : FeatureScale::standardize,
                               .min_count = (choice & 16) != 0 ? 2 : 1};
  Preprocessing preprocessing(options);
  preprocessing.fit(table);
  const Preprocessing again = Preprocessing::from_string(preprocessing.to_string());
  chainrule_fuzz::require(again.to_string() == preprocessing.to_string());
  const Dataset<double> data = preprocessing.dataset<double>(table), same = again.dataset<double>(table);
  chainrule_fuzz::require(data.features.allFinite() && data.features == same.features && data.targets == same.targets);
}

}  // namespace

/// Reads CSV with options that the first byte chooses.
void chainrule_fuzz::read(std::string_view bytes) {
  using namespace chainrule;
  if (bytes.empty()) return;
  const unsigned choice = static_cast<unsigned char>(bytes[0]);
  const std::string_view text = bytes.substr(1);
  CsvOptions options;
  options.header = (choice & 1) != 0;
  options.separator = (choice & 32) != 0 ? ' ' : (choice & 2) != 0 ? ';' : ',';
  options.decimal = (choice & 64) != 0 ? ',' : '.';
  options.skip_lines = (choice & 128) != 0 ? 1 : 0;
  options.missing = (choice & 4) != 0 ? Missing::drop_row : (choice & 8) != 0 ? Missing::nan : Missing::error;
  attempt([&] { parse_csv<Matrix<float>>(text, options); });
  attempt([&] {
    const TableOptions layout{.header = options.header,
                              .separator = options.separator,
                              .decimal = options.decimal,
                              .skip_lines = options.skip_lines,
                              .keep_index = (choice & 16) != 0};
    preprocess(parse_table(text, layout), choice);
  });
  attempt([&] { Preprocessing::from_string(text); });
  options.target = -1;
  attempt([&] {
    const Dataset<float> data = parse_csv<Dataset<float>>(text, options);
    require(static_cast<Index>(data.targets.size()) == data.size());
    for (const int label : data.targets) require(label >= 0 && label < static_cast<int>(data.target_names.size()));
    options.classes = data.target_names;
    options.decimal = '.';
    options.skip_lines = 0;
    const std::string written = to_csv(data, options);  // refuses NaN
    const Dataset<float> back = parse_csv<Dataset<float>>(written, options);
    require(back.features == data.features && back.targets == data.targets && back.target_names == data.target_names);
  });
  options.classes.clear();
  options.target = {0, -1};
  attempt([&] {
    const RegressionDataset<double> data = parse_csv<RegressionDataset<double>>(text, options);
    require(data.targets.rows() == 2 && data.targets.cols() == data.size() && data.targets.allFinite());
    require(options.missing == Missing::nan || data.features.allFinite());
  });
}
