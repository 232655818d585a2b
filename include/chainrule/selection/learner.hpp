#pragma once

#include <chainrule/core/random.hpp>
#include <chainrule/training/early_stopping.hpp>
#include <chainrule/training/fit_options.hpp>
#include <chainrule/training/interrupt.hpp>
#include <tuple>
#include <type_traits>
#include <utility>

namespace chainrule {

/// A network that is to be trained, the optimizer, and observers of the training, such as EarlyStopping: what a function returns that
/// cross_validate or search calls for each training. The network can be any that a Trainer takes. EarlyStopping needs .held_out in their
/// options, for samples to measure its monitor on.
/// @code{.cpp}
/// const auto make = [](auto& part) {
///   return Learner{Net{part.seed}, Adam{.learning_rate = 0.01}, EarlyStopping{.patience = 5}};
/// };
/// @endcode
template <class Net, class Rule, class... Observers>
struct Learner {
  static_assert(
      (!std::is_same_v<std::remove_cvref_t<Observers>, Interrupt> && ...),
      "chainrule: a Learner takes no Interrupt, because a training that it ends would count as complete; with .path a program that "
      "is killed goes on where it was");

  /// Takes the network, the optimizer and the observers.
  Learner(Net network, Rule optimizer, Observers... observer)
      : net{std::move(network)}, rule{std::move(optimizer)}, observers{std::move(observer)...} {}

  Net net;                             ///< the network before the training
  Rule rule;                           ///< the optimizer
  std::tuple<Observers...> observers;  ///< the observers of the training
};

/// The argument of a function that makes a Learner: the samples to learn from, and options of the training, which it may change.
template <class Data>
struct TrainingPart {
  const Data& train;  ///< the training part, after the preparation; scalers and class weights are made from it alone
  Index fold;         ///< number of the fold, counted from 0
  Seed seed;          ///< a seed that each fold has for itself: for the weights of the network
  detail::OptionsFor<typename Data::ScalarType, Data> fit;  ///< the options of this training, with `seed` as theirs
};

namespace detail {

template <class T>
inline constexpr bool is_learner = false;
template <class Net, class Rule, class... Observers>
inline constexpr bool is_learner<Learner<Net, Rule, Observers...>> = true;

}  // namespace detail
}  // namespace chainrule
