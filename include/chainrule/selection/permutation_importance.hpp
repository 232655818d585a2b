#pragma once

#include <algorithm>
#include <chainrule/core/detail/pairwise_sum.hpp>
#include <chainrule/core/random.hpp>
#include <chainrule/core/weighting.hpp>
#include <chainrule/data/preprocessing.hpp>
#include <chainrule/io/detail/fingerprint.hpp>
#include <chainrule/selection/detail/jobs.hpp>
#include <chainrule/selection/detail/text_table.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace chainrule {

/// Options of `permutation_importance`.
struct PermutationImportanceOptions {
  Index repeats = 5;  ///< number of permutations of each feature or group, 1 to 1000000
  Seed seed = {};     ///< decides the permutations
  /// Features that are permuted together, such as those of one column of words: preprocessing.feature_groups(). Each other feature is
  /// permuted alone. A feature can be in one group only.
  std::vector<FeatureGroup> groups = {};
  Index threads = 1;      ///< number of permutations that are predicted at once; the result has the same bits for any number
  std::string path = {};  ///< a file that remembers the permutations that are done, so that the same call goes on there; empty: none
  std::function<void(const SelectionProgress&)> progress = {};  ///< called after each permutation, such as print_progress; may be empty
};

/// How much a metric depends on each feature. `std::cout << importance` prints a table.
class PermutationImportance {
 public:
  /// A feature or a group of features.
  struct Row {
    std::string name;             ///< the name of the group or of the feature, "feature 3" where it has none
    std::vector<Index> features;  ///< rows of x
    std::vector<double> scores;   ///< the metric for each permutation
    double mean = 0;              ///< mean over the permutations by how much the metric becomes worse; NaN where a score is not finite
    double deviation = 0;         ///< standard deviation over the permutations (NumPy's std)
  };

  std::string metric;     ///< the name of the metric
  double score = 0;       ///< the metric without a permutation
  std::vector<Row> rows;  ///< the groups in the order of the options, then the other features in their order

  /// A table with a line for each feature or group, the most important first.
  std::string to_string() const {
    const auto is_before = [](const Row* a, const Row* b) {
      if (!detail::is_finite(a->mean) || !detail::is_finite(b->mean)) return detail::is_finite(a->mean) && !detail::is_finite(b->mean);
      return a->mean > b->mean;
    };
    std::vector<const Row*> sorted;
    for (const Row& row : rows) sorted.insert(std::upper_bound(sorted.begin(), sorted.end(), &row, is_before), &row);
    std::vector<std::vector<std::string>> lines{{"feature", "importance", "deviation"}};
    for (const Row* row : sorted) lines.push_back({row->name, detail::in_table(row->mean), detail::in_table(row->deviation)});
    return detail::text_of(detail::text_table(lines, 1), metric, " without permutation: ", detail::in_table(score), "\n");
  }
  /// Prints the table.
  template <class Stream>
  friend Stream& operator<<(Stream& out, const PermutationImportance& importance) {
    out << importance.to_string();
    return out;
  }
};

namespace detail {

/// The score of one permutation, as it is kept in a file.
struct PermutedScore {
  double score = 0;
  std::uint64_t fingerprint = 0;
  template <class Archive>
  void archive(Archive& a) {
    a(score, fingerprint);
  }
};

/// The groups of the options, and a group for each feature that is in none.
inline std::vector<FeatureGroup> all_groups(const std::vector<FeatureGroup>& given, const std::vector<std::string>& names, Index features) {
  constexpr const char* who = "permutation_importance";
  std::vector<const FeatureGroup*> group_of(static_cast<std::size_t>(features), nullptr);
  for (const FeatureGroup& group : given) {
    if (group.features.empty()) raise<ValueError>(who, ": the group \"", group.name, "\" has no feature");
    for (const Index i : group.features) {
      if (i < 0 || i >= features)
        raise<ValueError>(who, ": the group \"", group.name, "\" has the feature ", i, ", but the ", features,
                          " features are counted from 0");
      const FeatureGroup*& place = group_of[static_cast<std::size_t>(i)];
      if (place != nullptr)
        raise<ValueError>(who, ": feature ", i, " is twice in groups, in \"", place->name, "\" and \"", group.name, "\"");
      place = &group;
    }
  }
  std::vector<FeatureGroup> groups = given;
  for (Index i = 0; i < features; ++i)
    if (const auto k = static_cast<std::size_t>(i); group_of[k] == nullptr)
      groups.push_back({k < names.size() ? names[k] : text_of("feature ", i), {i}});
  return groups;
}

/// Predicts samples in batches, with the features of a group taken from the samples `order[j]` in place of j, and returns the metric.
template <class Net, class Scalar, class Targets, class M>
double permuted_score(const Net& net, const DataView<Scalar, Targets>& data, const M& metric, const std::vector<Index>& features,
                      const std::vector<Index>& order) {
  const Index samples = data.size(), batch = (std::min)(samples, Index{256});
  auto work = net.make_workspace(batch);
  Matrix<Scalar> x(data.features.rows(), batch), y_hat(net.outputs(), samples);
  for (Index first = 0; first < samples; first += batch) {
    const Index count = (std::min)(batch, samples - first);
    x.leftCols(count) = data.features.middleCols(first, count);
    for (Index j = 0; j < count; ++j)
      for (const Index i : features) x(i, j) = data.features(i, order[static_cast<std::size_t>(first + j)]);
    y_hat.middleCols(first, count) = net.predict(x.leftCols(count), work);
  }
  const auto predictions = const_view<Scalar>(y_hat);
  if (data.weights.size() == 0) return static_cast<double>(metric(predictions, data.targets));
  const WeightedTargets<Scalar, Targets> y{data.targets, data.weights};
  if constexpr (std::is_invocable_v<const M&, const ConstMatrixView<Scalar>&, const WeightedTargets<Scalar, Targets>&>)
    return static_cast<double>(metric(predictions, y));
  else
    raise<ValueError>("permutation_importance: the samples have weights, but ", std::string_view(metric.name),
                      " does not take weighted(y, w)");
}

}  // namespace detail

/// Measures how much worse a metric becomes where the values of a feature are permuted among the samples, so that they say nothing about
/// the target any more (Breiman 2001, "Random forests", section 10; scikit-learn's permutation_importance).
///
///     importance = score - score with permuted values      with the opposite sign for a metric of which smaller is better
///
/// @code{.cpp}
/// const auto importance = permutation_importance(net, test, roc_auc, {.repeats = 10, .groups = preprocessing.feature_groups()});
/// std::cout << importance;
/// @endcode
/// data: a Dataset, better one that was not learned from. metric: one of the library, such as accuracy, or an object of yours with a
/// `name`, a `larger_is_better` and a call (predictions, targets), which several threads make at once with .threads above 1; where samples
/// have weights, they are in the targets: weighted(y, w). A score that is NaN or infinite gives an importance of NaN and ends nothing.
///
/// Two features with the same information may both get an importance near 0, because the network still reads the other one while one is
/// permuted; permute them together, as a group.
///
/// Throws ShapeError for empty data, ValueError for groups with features that are not there or in two groups, repeats out of range, and a
/// file of other data, network or options; what predict and the metric throw.
template <class Net, class Data, class M>
PermutationImportance permutation_importance(const Net& net, const Data& data, const M& metric,
                                             const PermutationImportanceOptions& options = {}) {
  constexpr bool has_direction = requires {
    bool(metric.larger_is_better);
    std::string(metric.name);
  };
  static_assert(has_direction,
                "chainrule: a metric for permutation_importance needs a name and says whether larger is better: static constexpr "
                "std::string_view name = \"my_metric\"; static constexpr bool larger_is_better = true;");
  const auto view = DataView(data);
  const detail::JobOptions jobs{"permutation_importance", options.threads, options.path, options.progress};
  if (options.repeats < 1 || options.repeats > 1'000'000)
    detail::raise<ValueError>(jobs.who, ": repeats must be 1 to 1000000, got ", options.repeats);
  if (view.size() < 1) detail::raise<ShapeError>(jobs.who, ": the data are empty");
  if (view.features.rows() != net.inputs())
    detail::raise<ShapeError>(jobs.who, ": the network has ", net.inputs(), " inputs, but the data have ", view.features.rows(),
                              " features");
  std::vector<std::string> names;
  if constexpr (requires { data.feature_names; }) names = data.feature_names;
  const std::vector<FeatureGroup> groups = detail::all_groups(options.groups, names, view.features.rows());

  std::vector<Index> order(static_cast<std::size_t>(view.size()));
  std::iota(order.begin(), order.end(), Index{0});
  PermutationImportance result{std::string(metric.name), detail::permuted_score(net, view, metric, {}, order), {}};
  std::uint64_t fingerprint = 0;
  if (!options.path.empty()) {
    detail::Digest digest;
    digest.add(detail::fingerprint_of(net))
        .add(result.metric)
        .add(std::to_string(options.seed.value))
        .add_numbers(net.parameters())
        .add_numbers(net.buffers());
    digest.add_numbers(view.features).add_numbers(view.targets).add_numbers(view.weights);
    for (const FeatureGroup& group : groups) digest.add_numbers(group.features);
    digest.add_numbers(std::vector<double>{result.score});
    fingerprint = digest.value();
  }
  const auto scores = detail::run_jobs<detail::PermutedScore>(
      jobs, static_cast<Index>(groups.size()) * options.repeats,
      [&](Index job, const detail::PermutedScore* stored) {
        if (stored != nullptr) {
          detail::check_digest(jobs, stored->fingerprint, fingerprint, "a permutation");
          return *stored;
        }
        const Index group = job / options.repeats, repeat = job % options.repeats;
        Random random{derived_seed(derived_seed(options.seed, static_cast<std::uint64_t>(group)), static_cast<std::uint64_t>(repeat))};
        std::vector<Index> permuted = order;
        shuffle(permuted.begin(), permuted.end(), random);
        const auto& features = groups[static_cast<std::size_t>(group)].features;
        return detail::PermutedScore{detail::permuted_score(net, view, metric, features, permuted), fingerprint};
      },
      [&](Index job, const detail::PermutedScore& done) {
        return detail::text_of(groups[static_cast<std::size_t>(job / options.repeats)].name, ": ", result.metric, " ",
                               detail::in_table(done.score));
      });

  auto next = scores.begin();
  const auto repeats = static_cast<double>(options.repeats);
  for (const FeatureGroup& group : groups) {
    PermutationImportance::Row row{group.name, group.features, {}};
    for (Index r = 0; r < options.repeats; ++r) row.scores.push_back((next++)->score);
    const auto loss_of = [&](double score) { return metric.larger_is_better ? result.score - score : score - result.score; };
    for (const double score : row.scores) row.mean += loss_of(score) / repeats;
    for (const double score : row.scores)
      row.deviation += detail::rounded((loss_of(score) - row.mean) * (loss_of(score) - row.mean)) / repeats;
    row.deviation = std::sqrt(row.deviation);
    if (!detail::is_finite(row.mean)) row.mean = std::numeric_limits<double>::quiet_NaN();
    result.rows.push_back(std::move(row));
  }
  return result;
}

}  // namespace chainrule
