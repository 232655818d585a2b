#pragma once
// One training of a cross-validation or a search: prepares the two parts of a fold, makes a network, trains it and measures it.

#include <algorithm>
#include <chainrule/data/split.hpp>
#include <chainrule/io/checkpoint.hpp>
#include <chainrule/selection/cross_validation.hpp>
#include <chainrule/selection/detail/jobs.hpp>
#include <chainrule/selection/learner.hpp>
#include <chainrule/training/divergence.hpp>
#include <chainrule/training/trainer.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace chainrule::detail {

/// The preparation of data that need none: fitted to a training part, it gives every part back as it is.
struct NoPreparation {
  template <class Data>
  auto operator()(const Data&) const {
    return [](const Data& part) -> const Data& { return part; };
  }
};

/// The data set that a preparation makes of a part of the data.
template <class Data, class Prepare>
using Prepared = std::remove_cvref_t<decltype(std::declval<const Prepare&>()(std::declval<const Data&>())(std::declval<const Data&>()))>;

/// Whether Make is a function of a TrainingPart, and of a Candidate before it for a search, that returns a Learner. Where not, a sentence
/// says what to write.
template <class Make, class Set, class... Candidate>
constexpr bool checked_maker() {
  constexpr bool is_function = std::is_invocable_v<const Make&, Candidate..., TrainingPart<Set>&>;
  static_assert(is_function,
                "chainrule: the function that makes a network is called with a TrainingPart, and for a search with a Candidate before it: "
                "[](auto& part) { return Learner{Net{part.seed}, Adam{}}; }");
  if constexpr (is_function) {
    constexpr bool returns_learner = is_learner<std::remove_cvref_t<std::invoke_result_t<const Make&, Candidate..., TrainingPart<Set>&>>>;
    static_assert(returns_learner,
                  "chainrule: the function that makes a network must return it with its optimizer: return Learner{net, Adam{}};");
    return returns_learner;
  }
  return false;
}

/// Throws ValueError unless every fold has samples in both parts, all of them in the data, and none in both parts.
inline void check_folds(const char* who, Index samples, const std::vector<Fold>& folds) {
  if (samples < 1) raise<ShapeError>(who, ": the data are empty");
  if (folds.empty()) raise<ValueError>(who, ": there are no folds; k_fold(data, 5) or stratified_k_fold(data, 5) makes some");
  std::size_t number = 0;
  for (const Fold& fold : folds) {
    std::vector<char> used(static_cast<std::size_t>(samples), 0);
    const auto use = [&](const std::vector<Index>& part, const char* name, char mark) {
      if (part.empty()) raise<ValueError>(who, ": the ", name, " part of fold ", number, " is empty");
      for (const Index i : part) {
        if (i < 0 || i >= samples)
          raise<ValueError>(who, ": fold ", number, " has the sample ", i, ", but the ", samples, " samples are counted from 0");
        char& place = used[static_cast<std::size_t>(i)];
        if (place != 0 && place != mark)
          raise<ValueError>(who, ": sample ", i, " is in both parts of fold ", number, ", so its target would be known from the training");
        place = mark;
      }
    };
    use(fold.train, "training", 1);
    use(fold.validation, "validation", 2);
    ++number;
  }
}

/// Throws ShapeError for a part without samples, and ValueError where all samples to learn from have the same label, but the validation
/// part has others.
template <class Scalar, class Targets>
void check_classes(const char* who, Index fold, const Dataset<Scalar, Targets>& train, const Dataset<Scalar, Targets>& validation) {
  if (train.size() < 1 || validation.size() < 1) raise<ShapeError>(who, ": the preparation has left no sample in a part of fold ", fold);
  if constexpr (LabelVector<Targets>) {
    const auto first = DataView(train).targets.front();
    const auto is_first = [first](const auto label) { return label == first; };
    const auto learned = DataView(train).targets, tested = DataView(validation).targets;
    if (std::all_of(learned.begin(), learned.end(), is_first) && !std::all_of(tested.begin(), tested.end(), is_first))
      raise<ValueError>(who, ": all samples to learn from in fold ", fold, " are of class ", first,
                        ", but the validation part has others; stratified_k_fold gives each fold all classes");
  }
}

/// Divides a training part into samples to learn from and samples that are held out, with the same shares of classes where it has labels.
template <class Scalar, class Targets>
Split<Dataset<Scalar, Targets>> hold_out(const Dataset<Scalar, Targets>& train, double share, Seed seed) {
  if constexpr (LabelVector<Targets>)
    return stratified_split(train, {.test_share = share, .seed = seed});
  else
    return split(train, {.test_share = share, .seed = seed});
}

/// A number made from everything that decides the result of a training, except the code of functions.
template <class Data, class LearnerType>
std::uint64_t fingerprint_of_training(const std::string& settings, const Data& train, const Data& validation,
                                      const OptionsFor<typename Data::ScalarType, Data>& fit, const LearnerType& learner,
                                      const Progress& run, const Data* held_out) {
  std::string lines = settings + fingerprint_of(learner.net) + training_fingerprint(learner.rule, train.size(), fit, run);
  add_line(lines, "epochs: ", fit.epochs);
  if (learner.net.frozen() != nullptr)
    for (const auto& range : learner.net.frozen()->ranges()) add_line(lines, "frozen: ", range.begin, " to ", range.end);
  if (fit.schedule)
    for (int i = 0; i < 8; ++i) add_line(lines, "schedule: ", fit.schedule(static_cast<double>(fit.epochs) * i / 8));
  std::apply(
      [&lines](const auto&... observer) {
        [[maybe_unused]] const auto add = [&lines](const auto& one) {
          if constexpr (requires { std::string_view(one.name); }) add_line(lines, "observer: ", std::string_view(one.name));
          if constexpr (requires { Index(one.patience); }) add_line(lines, "patience: ", one.patience);
          if constexpr (requires { double(one.minimum_improvement); }) add_line(lines, "minimum_improvement: ", one.minimum_improvement);
          if constexpr (requires { bool(one.larger_is_better); }) add_line(lines, "larger_is_better: ", one.larger_is_better);
          if constexpr (requires { bool(one.restore_best); }) add_line(lines, "restore_best: ", one.restore_best);
          if constexpr (requires { double(one.factor); }) add_line(lines, "factor: ", one.factor);
          if constexpr (requires { double(one.decay); }) add_line(lines, "decay: ", one.decay);
          if constexpr (requires { std::string_view(one.monitor); }) add_line(lines, "monitor: ", std::string_view(one.monitor));
        };
        (add(observer), ...);
      },
      learner.observers);
  Digest digest;
  digest.add(lines).add_numbers(learner.net.parameters()).add_numbers(learner.net.buffers());
  for (const Data* part : {&train, &validation, held_out})
    if (part != nullptr) digest.add_numbers(part->features).add_numbers(DataView(*part).targets).add_numbers(part->weights);
  return digest.value();
}

/// Trains and measures one fold. `settings` goes into the fingerprint; make(part) returns the Learner; `monitor` must be measured unless it
/// is empty. Where `stored` is a result, it is compared with this training, which is then not made.
template <class Data, class Prepare, class Make, class Options>
FoldResult train_fold(const JobOptions& job, const Data& data, const Fold& fold, Index number, const Prepare& prepare, const Make& make,
                      const Options& options, const std::string& monitor, const std::string& settings, const FoldResult* stored) {
  using Set = Prepared<Data, Prepare>;
  using Scalar = typename Set::ScalarType;
  using Targets = typename ViewOf<Scalar, Set>::TargetsView;
  using Made = std::remove_cvref_t<decltype(make(std::declval<TrainingPart<Set>&>()))>;
  const auto raw_train = subset(data, fold.train), raw_validation = subset(data, fold.validation);
  const auto prepared = prepare(raw_train);
  const Set& all_train = prepared(raw_train);
  const Set& validation = prepared(raw_validation);
  const Seed seed = derived_seed(options.fit.seed, static_cast<std::uint64_t>(number));

  std::optional<Split<Set>> parts;
  if (!is_zero(options.held_out)) parts.emplace(hold_out(all_train, options.held_out, seed));
  const Set& train = parts ? parts->train : all_train;
  check_classes(job.who, number, train, validation);
  TrainingPart<Set> part{train, number, seed, options.fit};
  part.fit.seed = seed;
  Made learner = make(part);
  auto measured = part.fit;
  if (part.fit.validation)
    raise<ValueError>(job.who,
                      ": fit.validation must be empty, because each fold has a validation part; .held_out "
                      "holds samples out of the training part for EarlyStopping");
  if (parts) part.fit.validation.emplace(parts->test);
  measured.validation.emplace(validation);

  const DataView<Scalar, Targets> train_view(train);
  check_fit(learner.net, train_view, measured);
  Evaluator<typename std::remove_cvref_t<decltype(learner.net)>, Targets> evaluator(learner.net, train_view, measured);
  Run run(learner.net);
  run.quantities = evaluator.quantities();
  if (!monitor.empty() && !run.has(monitor))
    raise<ValueError>(job.who, ": monitors \"", monitor, "\", which is not measured; there are: ", run.quantity_names());
  FoldResult result;
  if (!job.path.empty())
    result.fingerprint = fingerprint_of_training(settings, train, validation, part.fit, learner, run, parts ? &parts->test : nullptr);
  if (stored != nullptr) {
    check_digest(job, stored->fingerprint, result.fingerprint, text_of("fold ", number, settings.empty() ? "" : " of ", settings));
    return *stored;
  }

  const auto begin = std::chrono::steady_clock::now();
  const auto train_and_measure = [&] {
    Trainer trainer(learner.net, learner.rule);
    const History history = std::apply([&](auto&... observer) { return trainer.fit(train, part.fit, observer...); }, learner.observers);
    result.epochs = history.epochs();
    result.notes = history.notes;
    if (!history.rows().empty()) run.loss = history["loss"].back();
    auto work = learner.net.make_workspace((std::min)(part.fit.batch_size, train.size()), part.fit.precision);
    evaluator.measure(run, work, 0);
  };
  result.diverged = divergence_of(train_and_measure);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  result.quantities = run.quantities;
  return result;
}

/// The quantities of a fold as text: "validation_loss 0.09341, validation_accuracy 0.9721", or "diverged".
inline std::string in_progress(const FoldResult& result) {
  if (!result.diverged.empty()) return "diverged";
  std::string text;
  for (const Quantity& quantity : result.quantities)
    if (quantity.name.starts_with("validation_")) text += text_of(text.empty() ? "" : ", ", quantity.name, " ", in_table(quantity.value));
  return text;
}

}  // namespace chainrule::detail
