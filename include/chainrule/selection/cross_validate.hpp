#pragma once

#include <chainrule/selection/detail/train_fold.hpp>
#include <functional>
#include <string>
#include <vector>

namespace chainrule {

/// Options of `cross_validate`.
template <class Scalar, class Targets>
struct CrossValidationOptions {
  FitOptions<Scalar, Targets> fit = {};  ///< options of each training; its .validation stays empty, and its .seed is that of all folds
  /// Share of each training part that is not learned from but given to fit as .validation, for EarlyStopping, so that no validation part of
  /// a fold decides when a training stops; 0: none. With labels it has the same shares of classes.
  double held_out = 0;
  Index threads = 1;      ///< number of folds that are trained at once; the result has the same bits for any number
  std::string path = {};  ///< a file that remembers the folds that are done, so that the same call goes on there; empty: none
  std::function<void(const SelectionProgress&)> progress = {};  ///< called after each fold, such as print_progress; may be empty
};

namespace detail {

template <class Data>
using CrossValidationOptionsFor =
    CrossValidationOptions<typename Data::ScalarType, typename ViewOf<typename Data::ScalarType, Data>::TargetsView>;

}  // namespace detail

/// Trains a network anew for each fold, with the fold's training part alone, and measures it on the fold's validation part, as
/// scikit-learn's cross_validate does. Samples of the validation part take no part in scaling, class weights or early stopping.
/// @code{.cpp}
/// const auto result = cross_validate(data, stratified_k_fold(data, 5), [](auto& part) {
///   Net net{part.seed};
///   net.buffers<0>().set(Standardizer<float>(part.train.features));
///   return Learner{net, Adam{}};
/// }, {.fit = {.epochs = 20, .batch_size = 32}, .progress = print_progress});
/// std::cout << result;
/// const double accuracy = result.mean("validation_accuracy");
/// @endcode
/// data: a Dataset. folds: from k_fold or stratified_k_fold, or of your own, such as groups of samples that belong together. make(part)
/// gets a TrainingPart and returns a Learner. It may change part.fit. With .threads above 1, several threads call it at once, and the
/// metrics and the schedule of options.fit. Each fold is trained by Trainer::fit with part.fit, whose seed and part.seed are derived from
/// options.fit.seed and the number of the fold.
///
/// An observer can keep the networks, for an Ensemble of members that were trained on folds:
/// @code{.cpp}
/// std::vector<Net> nets(5, Net{Seed{}});
/// const auto make_and_keep = [&](auto& part) {
///   return Learner{Net{part.seed}, Adam{}, [&kept = nets[part.fold]](auto& run) { kept = run.net; }};  // after each epoch
/// };
/// cross_validate(data, stratified_k_fold(data, 5), make_and_keep, {.fit = {.epochs = 20}});
/// const Ensemble<Net> ensemble(nets);
/// @endcode
/// Weights of samples count in the training and in validation_loss; metrics leave them out, as those of fit do. A training that diverges
/// is reported and does not end the others; its quantities are NaN, and so are their means. With .path, a stopped program goes on with the
/// folds that are missing, with the same bits; functions of yours must be the same as before.
///
/// Throws ShapeError for empty data; ValueError for folds that are empty, share a sample or have one class alone to learn from while their
/// validation part has others, and for a file of other data, network or options; what Trainer::fit throws, except DivergenceError; and what
/// make throws.
template <class Data, class Make>
CrossValidation cross_validate(const Data& data, const std::vector<Fold>& folds, const Make& make,
                               const std::type_identity_t<detail::CrossValidationOptionsFor<Data>>& options) {
  return cross_validate(data, folds, detail::NoPreparation{}, make, options);
}

/// Cross-validates data that must be prepared, such as a Table or features without a scale. prepare(train) gets the training part of a
/// fold, fits what it needs, and returns a function, which turns this training part and then the validation part into a Dataset:
/// @code{.cpp}
/// const auto prepare = [](const Table& train) {
///   Preprocessing preprocessing({.label = "churn"});
///   preprocessing.fit(train);
///   return [preprocessing](const Table& part) { return preprocessing.dataset<float>(part); };
/// };
/// const auto make = [](auto& part) { return Learner{Net{part.seed}, Adam{}}; };
/// const Table table = read_table("churn.csv");
/// const auto result = cross_validate(table, stratified_k_fold(table, "churn", 5), prepare, make, {.fit = {.epochs = 20}});
/// @endcode
/// data: a Dataset, a Table, or a type of yours with size() and a function subset(data, indices). With .threads above 1 several threads
/// call prepare and subset at once.
template <class Data, class Prepare, class Make>
CrossValidation cross_validate(const Data& data, const std::vector<Fold>& folds, const Prepare& prepare, const Make& make,
                               const std::type_identity_t<detail::CrossValidationOptionsFor<detail::Prepared<Data, Prepare>>>& options) {
  if constexpr (detail::checked_maker<Make, detail::Prepared<Data, Prepare>>()) {
    const detail::JobOptions jobs{"cross_validate", options.threads, options.path, options.progress};
    detail::check_folds(jobs.who, data.size(), folds);
    return CrossValidation(detail::run_jobs<FoldResult>(
        jobs, static_cast<Index>(folds.size()),
        [&](Index fold, const FoldResult* stored) {
          return detail::train_fold(jobs, data, folds[static_cast<std::size_t>(fold)], fold, prepare, make, options, "", "", stored);
        },
        [](Index fold, const FoldResult& result) { return detail::text_of("fold ", fold, ": ", detail::in_progress(result)); }));
  } else {
    return CrossValidation{};
  }
}

}  // namespace chainrule
