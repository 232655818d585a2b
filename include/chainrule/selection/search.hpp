#pragma once

#include <algorithm>
#include <chainrule/selection/candidate.hpp>
#include <chainrule/selection/detail/train_fold.hpp>
#include <functional>
#include <string>
#include <vector>

namespace chainrule {

/// Options of `search`.
template <class Scalar, class Targets>
struct SearchOptions {
  FitOptions<Scalar, Targets> fit = {};     ///< options of each training; its .validation stays empty, and its .seed is that of all folds
  std::string monitor = "validation_loss";  ///< name of the quantity to minimize, or to maximize with larger_is_better
  bool larger_is_better = false;            ///< true for a quantity to maximize, such as an accuracy
  /// Share of each training part that is not learned from but given to fit as .validation, for EarlyStopping; 0: none. With labels it has
  /// the same shares of classes.
  double held_out = 0;
  Index threads = 1;      ///< number of trainings at once; the result has the same bits for any number
  std::string path = {};  ///< a file that remembers the trainings that are done, so that the same call goes on there; empty: none
  std::function<void(const SelectionProgress&)> progress = {};  ///< called after each training, such as print_progress; may be empty
};

/// The candidates of a search with their results, the best first. `std::cout << result` prints a table.
class SearchResult {
 public:
  /// A candidate and its cross-validation.
  struct Row {
    Candidate candidate;     ///< the hyperparameters
    CrossValidation result;  ///< the quantities for each fold
    double score = 0;        ///< mean of the monitored quantity over the folds; NaN where a training diverged
    double deviation = 0;    ///< standard deviation of the monitored quantity over the folds
  };

  /// Sorts the candidates by the mean of a quantity. Candidates whose mean is not finite come last; among equals the order stays.
  SearchResult(std::vector<Row> rows, std::string monitor, bool larger_is_better) : monitor_{std::move(monitor)} {
    const auto is_before = [larger_is_better](const Row& a, const Row& b) {
      const bool has_a = detail::is_finite(a.score), has_b = detail::is_finite(b.score);
      if (!has_a || !has_b) return has_a && !has_b;
      return larger_is_better ? a.score > b.score : a.score < b.score;
    };
    for (Row& row : rows) {
      row.score = row.result.mean(monitor_);
      row.deviation = row.result.deviation(monitor_);
      rows_.insert(std::upper_bound(rows_.begin(), rows_.end(), row, is_before), std::move(row));
    }
  }

  const std::vector<Row>& rows() const { return rows_; }   ///< all candidates, the best first
  const std::string& monitor() const { return monitor_; }  ///< the quantity by which they are sorted
  /// The best candidate. Throws ValueError where no candidate has a finite score.
  const Candidate& best() const {
    if (rows_.empty() || !detail::is_finite(rows_.front().score))
      detail::raise<ValueError>("search: no candidate is the best, because ", monitor_, " is not finite for any of them",
                                rows_.empty() || rows_.front().result.diverged() == 0 ? "" : ": their trainings diverged");
    return rows_.front().candidate;
  }

  /// A table with a line for each candidate, and how many of its trainings diverged; then the notes on the best candidate.
  std::string to_string() const {
    std::vector<std::string> names;
    for (const Row& row : rows_)
      for (const Candidate::Named& one : row.candidate.values())
        if (std::find(names.begin(), names.end(), one.name) == names.end()) names.push_back(one.name);
    std::vector<std::vector<std::string>> lines(1, names);
    for (const std::string& title :
         {monitor_, std::string("deviation"), std::string("epochs"), std::string("seconds"), std::string("diverged")})
      lines[0].push_back(title);
    for (const Row& row : rows_) {
      std::vector<std::string>& line = lines.emplace_back();
      for (const std::string& name : names) {
        const auto& values = row.candidate.values();
        const auto found = std::find_if(values.begin(), values.end(), [&](const auto& one) { return one.name == name; });
        line.push_back(found == values.end() ? "-" : found->value.to_string());
      }
      double epochs = 0, seconds = 0;
      for (const FoldResult& fold : row.result.folds()) epochs += static_cast<double>(fold.epochs), seconds += fold.seconds;
      const auto folds = static_cast<double>(row.result.folds().size());
      for (const double number : {row.score, row.deviation, epochs / folds, seconds}) line.push_back(detail::in_table(number));
      line.push_back(detail::text_of(row.result.diverged(), " of ", row.result.folds().size()));
    }
    std::string text = detail::text_table(lines, names.size());
    if (!rows_.empty())
      for (const std::string& note : rows_.front().result.notes()) text += "note: " + note + "\n";
    return text;
  }
  /// Prints the table.
  template <class Stream>
  friend Stream& operator<<(Stream& out, const SearchResult& result) {
    out << result.to_string();
    return out;
  }

 private:
  std::vector<Row> rows_;
  std::string monitor_;
};

namespace detail {

template <class Data>
using SearchOptionsFor = SearchOptions<typename Data::ScalarType, typename ViewOf<typename Data::ScalarType, Data>::TargetsView>;

}  // namespace detail

/// Cross-validates a network for each candidate and sorts the candidates by the mean of options.monitor over the folds, as scikit-learn's
/// GridSearchCV and RandomizedSearchCV do.
/// @code{.cpp}
/// using Net = Network<float, SoftmaxCrossEntropy, Dense<Dynamic, Dynamic, Tanh>, Dense<Dynamic, Dynamic>>;
/// const auto candidates = grid({{"learning_rate", {0.001, 0.01}}, {"hidden", {8, 32}}});
/// const auto make = [](const Candidate& candidate, auto& part) {
///   const Index hidden = candidate.whole("hidden");
///   return Learner{Net{part.seed, {part.train.features.rows(), hidden}, {hidden, 3}},
///                  Adam{.learning_rate = candidate["learning_rate"]}};
/// };
/// const auto result = search(data, stratified_k_fold(data, 5), candidates, make,
///                            {.fit = {.epochs = 20}, .monitor = "validation_accuracy", .larger_is_better = true});
/// std::cout << result;
/// TrainingPart<Dataset<float>> all{data, 0, Seed{1}, {.epochs = 20}};  // the best candidate, trained with all samples
/// Learner best = make(result.best(), all);
/// Trainer{best.net, best.rule}.fit(data, all.fit);
/// @endcode
/// candidates: from grid or random_candidates, or a list of your own. make(candidate, part) is as for cross_validate; with
/// `part.fit.batch_size = candidate.whole("batch_size")` options of the training are hyperparameters too. All candidates have the same
/// folds and seeds. A candidate with a training that diverges is reported and never the best. The other errors are those of cross_validate,
/// and ValueError for no candidates and for a monitor that is not measured.
template <class Data, class Make>
SearchResult search(const Data& data, const std::vector<Fold>& folds, const std::vector<Candidate>& candidates, const Make& make,
                    const std::type_identity_t<detail::SearchOptionsFor<Data>>& options) {
  return search(data, folds, candidates, detail::NoPreparation{}, make, options);
}

/// Searches with data that must be prepared, such as a Table: prepare(train) is as for cross_validate.
template <class Data, class Prepare, class Make>
SearchResult search(const Data& data, const std::vector<Fold>& folds, const std::vector<Candidate>& candidates, const Prepare& prepare,
                    const Make& make, const std::type_identity_t<detail::SearchOptionsFor<detail::Prepared<Data, Prepare>>>& options) {
  if constexpr (detail::checked_maker<Make, detail::Prepared<Data, Prepare>, const Candidate&>()) {
    const detail::JobOptions jobs{"search", options.threads, options.path, options.progress};
    detail::check_folds(jobs.who, data.size(), folds);
    if (candidates.empty()) detail::raise<ValueError>("search: there are no candidates");
    const auto count = static_cast<Index>(folds.size());
    const auto candidate_of = [&](Index job) -> const Candidate& { return candidates[static_cast<std::size_t>(job / count)]; };
    auto results = detail::run_jobs<FoldResult>(
        jobs, static_cast<Index>(candidates.size()) * count,
        [&](Index job, const FoldResult* stored) {
          const auto make_candidate = [&](auto& part) { return make(candidate_of(job), part); };
          return detail::train_fold(jobs, data, folds[static_cast<std::size_t>(job % count)], job % count, prepare, make_candidate, options,
                                    options.monitor, candidate_of(job).to_string() + "\n", stored);
        },
        [&](Index job, const FoldResult& result) {
          return detail::text_of(candidate_of(job).to_string(), ", fold ", job % count, ": ", detail::in_progress(result));
        });
    std::vector<SearchResult::Row> rows;
    for (auto first = results.begin(); first != results.end(); first += count)
      rows.push_back({candidates[rows.size()], CrossValidation(std::vector<FoldResult>(first, first + count))});
    return SearchResult(std::move(rows), options.monitor, options.larger_is_better);
  } else {
    return SearchResult({}, options.monitor, options.larger_is_better);
  }
}

}  // namespace chainrule
