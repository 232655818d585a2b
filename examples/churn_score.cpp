// Scores new customers with the file that churn has saved, from a table with other columns, separator and decimal point.
//
// The file says all that is needed: which columns are read, how they become numbers, the net, the names of the classes and the threshold.
#include <chainrule/io/model.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/flags.hpp"
namespace cr = chainrule;

int main(int argc, char** argv) try {
  std::string data = CHAINRULE_EXAMPLE_DATA "/churn_new.csv", path = CHAINRULE_EXAMPLE_OUTPUT "/churn.safetensors";
  examples::Flags flags("Scores new customers with the model that the example churn has saved.");
  flags.add("--data", data, "CSV file of customers, with ; between the columns and decimal commas");
  flags.add("--model", path, "File that the example churn has saved");
  flags.parse(argc, argv);

  const cr::Model<float> churn = cr::load_model<float>(path);

  // The words for missing values are those of the training table. Where the rest of the layout is the same too: churn.read_table(data).
  cr::TableOptions layout = churn.preprocessing.table_options();
  layout.separator = ';';
  layout.decimal = ',';
  const cr::Table table = cr::read_table(data, layout);
  const cr::Matrix<float> p = churn.predict(table);
  const std::vector<std::string> classes = churn.predict_classes(table);
  int leaving = 0;
  for (cr::Index i = 0; i < table.size(); ++i) {
    const bool leaves = classes[static_cast<std::size_t>(i)] == churn.class_names[1];
    leaving += leaves ? 1 : 0;
    std::printf("%-8s  P(leaves) = %.4f  %s\n", std::string(table.text(i, table.column("customer"))).c_str(), static_cast<double>(p(0, i)),
                leaves ? "will leave" : "will stay");
  }
  std::printf("%d of %td customers will leave, as P >= %.2f\n", leaving, table.size(), churn.threshold);
} catch (const std::exception& error) {
  std::fprintf(stderr, "churn_score: %s\n", error.what());
  return 1;
}
