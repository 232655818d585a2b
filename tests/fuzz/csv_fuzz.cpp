#include <chainrule/data/csv.hpp>
#include <chainrule/data/write_csv.hpp>

#include "fuzz.hpp"

/// Reads CSV with options that the first byte chooses.
void chainrule_fuzz::read(std::string_view bytes) {
  using namespace chainrule;
  if (bytes.empty()) return;
  const unsigned choice = static_cast<unsigned char>(bytes[0]);
  const std::string_view text = bytes.substr(1);
  CsvOptions options;
  options.header = (choice & 1) != 0;
  options.separator = (choice & 2) != 0 ? ';' : ',';
  options.missing = (choice & 4) != 0 ? Missing::drop_row : (choice & 8) != 0 ? Missing::nan : Missing::error;
  attempt([&] { parse_csv<Matrix<float>>(text, options); });
  options.target = -1;
  attempt([&] {
    const Dataset<float> data = parse_csv<Dataset<float>>(text, options);
    require(static_cast<Index>(data.targets.size()) == data.size());
    for (const int label : data.targets) require(label >= 0 && label < static_cast<int>(data.target_names.size()));
    options.classes = data.target_names;
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
