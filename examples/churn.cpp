// Predicts which customers leave, from a table with words and missing values; churn_score then scores new rows.
//
// Shows the whole way: reading, a split into three parts, preprocessing fitted to the first, class weights for a rare class, early stopping
// by average precision, probabilities that are right, the importance of each column, a threshold, and one file with all that scoring needs.
// The customers are invented: support/invented_customers.hpp writes the table, unless --data names another one.
#include <algorithm>
#include <chainrule/chainrule.hpp>
#include <chainrule/io/model.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/calibration_plot.hpp"
#include "support/flags.hpp"
#include "support/invented_customers.hpp"
#include "support/training_output.hpp"
namespace cr = chainrule;
using cr::Index;

// One output: the logit of leaving, which the loss turns into a probability. How many features the table makes is known at run time.
using Net =
    cr::Network<float, cr::ClassWeighted<cr::BinaryCrossEntropy>, cr::Dense<cr::Dynamic, cr::Dynamic, cr::ReLU>, cr::Dense<cr::Dynamic, 1>>;

/// 1 where the probability is at least the threshold, else 0.
std::vector<int> labels_at(double threshold, const cr::Matrix<float>& p) {
  std::vector<int> labels;
  for (const float probability : p.reshaped()) labels.push_back(static_cast<double>(probability) >= threshold ? 1 : 0);
  return labels;
}

/// Writes the probability for each customer of a part of the table.
void write_predictions(std::ofstream& file, const char* part, const cr::Table& table, const cr::Matrix<float>& p) {
  for (Index i = 0; i < table.size(); ++i)
    file << table.text(i, table.column("customer")) << ',' << part << ',' << table.text(i, table.column("churn")) << ',' << p(0, i) << '\n';
}

int main(int argc, char** argv) try {
  std::string data;
  Index rows = 5000, epochs = 60, batch_size = 64, hidden = 32;
  double learning_rate = 0.001;
  std::uint64_t seed = 1;
  examples::Flags flags("Predicts which customers leave, and saves the net and its preprocessing in one file.");
  flags.add("--data", data, "CSV file with the columns of the invented table (default: invent it)");
  flags.add("--rows", rows, "Number of customers to invent", 500);
  flags.add("--epochs", epochs, "Largest number of passes through the training samples");
  flags.add("--batch-size", batch_size, "Number of samples per step");
  flags.add("--hidden", hidden, "Number of units in the hidden layer", 1, 10'000);
  flags.add("--learning-rate", learning_rate, "Step size of AdamW");
  flags.add_seed(seed, "the initial weights and the order of the samples");
  const examples::TrainingOutput output(flags, "churn");
  flags.parse(argc, argv);
  if (data.empty()) {
    data = output.path("churn.csv");
    examples::write_invented_customers(data, static_cast<int>(rows), cr::Seed{1});
    std::printf("%td invented customers: %s\n", rows, data.c_str());
  }

  // Reading. Texts stay texts; the notes say what was left out. The three parts have the same share of customers who left.
  const cr::Table table = cr::read_table(data);
  for (const std::string& note : table.notes()) std::printf("%s\n", note.c_str());
  const auto [rest, test] = cr::stratified_split(table, "churn", {.test_share = 0.2, .seed = cr::Seed{1}});
  const auto [train, validation] = cr::stratified_split(rest, "churn", {.test_share = 0.25, .seed = cr::Seed{2}});

  // Preprocessing. Words, medians and scales come from the training part alone.
  cr::Preprocessing preprocessing({.label = "churn",
                                   .ignore = {"customer"},
                                   .ordinal = {{"contract", {"monthly", "yearly", "two years"}}},
                                   .unknown = cr::UnknownWord::own_category,
                                   .missing_word = cr::MissingWord::own_category,
                                   .missing_number = cr::MissingNumber::median,
                                   .min_count = 20});
  preprocessing.fit(train);
  std::printf("\n%s", preprocessing.report().c_str());
  const cr::Dataset<float> learned = preprocessing.dataset<float>(train);
  const cr::Dataset<float> held_out = preprocessing.dataset<float>(validation);
  const cr::Dataset<float> tested = preprocessing.dataset<float>(test);

  // Training. The weight makes both classes count the same in total, and average precision looks at the rare one.
  const auto leavers = std::count(learned.targets.begin(), learned.targets.end(), 1);
  const double weight = static_cast<double>(learned.size() - leavers) / static_cast<double>(leavers);
  std::printf("\n%td customers to learn from, %td for validation, %td for the test; %.1f %% left, each counts %.2f times\n", learned.size(),
              held_out.size(), tested.size(), 100.0 * static_cast<double>(leavers) / static_cast<double>(learned.size()), weight);
  Net net{cr::Seed{seed}, {{1, weight}}, {preprocessing.features(), hidden}, {hidden, 1}};
  cr::Trainer trainer{net, cr::AdamW{.learning_rate = learning_rate, .weight_decay = 0.01}};
  cr::EarlyStopping stopping{.patience = 10, .monitor = "validation_average_precision", .larger_is_better = true};
  const cr::History history = trainer.fit(learned,
                                          {.epochs = epochs,
                                           .batch_size = batch_size,
                                           .validation = held_out,
                                           .seed = cr::Seed{seed},
                                           .metrics = {cr::average_precision, cr::roc_auc}},
                                          stopping);
  std::printf("trained for %td epochs, %.2f s; validation average precision was best after epoch %td: %.4f\n", history.epochs(),
              history.rows().back().seconds, stopping.best.epoch, stopping.best.value);
  output.write_learning_curves(history);

  // Calibration. The class weight has multiplied the odds of leaving, so ln(weight) is taken from the logit; the temperature does the rest.
  const cr::Matrix<float> p_weighted = net.predict(tested.features);
  net.layer<1>().bias[0] -= static_cast<float>(std::log(weight));
  const cr::Matrix<float> p_unscaled = net.predict(tested.features);
  const double temperature = cr::fit_temperature(cr::BinaryCrossEntropy{}, net.predict_raw(held_out.features), held_out.targets);
  cr::apply_temperature(net, temperature);
  const cr::Matrix<float> p = net.predict(tested.features);
  std::printf("\nTest customers by the probability of leaving, and the share who left\n%s",
              cr::ReliabilityDiagram(p, tested.targets, 10, cr::ReliabilityOf::yes).to_string().c_str());
  std::printf("by the class predicted, the error was %.4f with the class weight, %.4f without it, and is %.4f with the temperature %.3f\n",
              cr::expected_calibration_error(p_weighted, tested.targets), cr::expected_calibration_error(p_unscaled, tested.targets),
              cr::expected_calibration_error(p, tested.targets), temperature);
  std::printf("the probabilities say that %.0f of them leave (%.0f with the class weight); %td did\n", static_cast<double>(p.sum()),
              static_cast<double>(p_weighted.sum()), std::count(tested.targets.begin(), tested.targets.end(), 1));
  examples::plot_calibration("churn_calibration", {"with class weight", "calibrated"}, {p_weighted, p}, tested.targets, output);

  // Importance: how much the average precision falls where the values of a column are permuted among the customers.
  const cr::PermutationImportance importance = cr::permutation_importance(
      net, tested, cr::average_precision, {.repeats = 5, .seed = cr::Seed{seed}, .groups = preprocessing.feature_groups()});
  std::printf("\nColumns by their importance for the test customers\n%s", importance.to_string().c_str());

  // The threshold for an answer, chosen on the validation part.
  const double threshold = cr::best_f1_threshold(net.predict(held_out.features), held_out.targets);
  const std::vector<int> answers = labels_at(threshold, p);
  std::printf("\nTest customers, taken for leaving where P >= %.2f\n%s\n", threshold,
              cr::ConfusionMatrix(answers, tested.targets).to_string(preprocessing.class_names()).c_str());

  // Saving. The file holds the net, its preprocessing and the threshold.
  const std::string path = output.path("churn.safetensors");
  cr::save(net, preprocessing, path, {.threshold = threshold});
  std::printf("model: %s\n", path.c_str());
  std::ofstream predictions(output.path("churn_predictions.csv"));
  predictions.precision(9);
  predictions << "customer,part,churn,p\n";
  write_predictions(predictions, "train", train, net.predict(learned.features));
  write_predictions(predictions, "validation", validation, net.predict(held_out.features));
  write_predictions(predictions, "test", test, p);
  if (!predictions.flush()) throw std::runtime_error("cannot write \"" + output.path("churn_predictions.csv") + "\"");
  std::printf("predictions: %s\n", output.path("churn_predictions.csv").c_str());
  std::printf("test average precision %.4f, AUC %.4f, precision %.3f and recall %.3f at the threshold\n",
              cr::average_precision(p, tested.targets), cr::roc_auc(p, tested.targets), cr::precision(answers, tested.targets),
              cr::recall(answers, tested.targets));
} catch (const std::exception& error) {
  std::fprintf(stderr, "churn: %s\n", error.what());
  return 1;
}
