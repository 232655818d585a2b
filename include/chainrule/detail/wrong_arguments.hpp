#pragma once
// Calls of a network whose arguments are wrong in kind or in order: none compiles, and each says in one sentence what to write instead.

#include <chainrule/core/targets.hpp>
#include <chainrule/workspace.hpp>
#include <initializer_list>
#include <type_traits>

namespace chainrule::detail {

/// Stands for the network that a constructor without a Seed would make, and does not compile. `Given`: what was given instead.
template <class Net, class Given>
const Net& without_seed() {
  static_assert(!std::is_same_v<Given, Given>,
                "chainrule: a network draws its weights from a seed, which is its first argument: Net net{Seed{42}};");
  return no_result<const Net&>();
}

/// Stands for the result of a pass that was called without a workspace or gradients, and does not compile. `Given`: the type of an
/// argument.
template <class Result, class Given>
Result without_workspace() {
  static_assert(
      !std::is_same_v<Given, Given>,
      "chainrule: a training step keeps what it computes in a workspace and in gradients: auto work = "
      "net.make_workspace(batch_size); auto gradients = net.make_gradients(); then net.forward(x, work), net.loss(y, work), "
      "net.backward(x, y, work, gradients); and net.evaluate(x, y, work); only net.predict(x) and net.predict_raw(x) need no workspace");
  return no_result<Result>();
}

/// A type that is no target.
template <class T>
struct NumbersInBraces {};

/// Stands for targets, in an overload that the compiler takes where no other one fits: everything converts to it. Does not compile where it
/// is made from a list in braces, and says what to write instead.
struct TargetsArgument {
  template <class T>
  TargetsArgument(const T&) {}
  template <class T>
  TargetsArgument(std::initializer_list<T>) {
    static_cast<void>(checked_targets<NumbersInBraces<T>>());
  }
};

/// Whether T is a workspace, not const, of a network with these types.
template <class T, class Scalar, class Sequence>
inline constexpr bool is_workspace = false;
template <class Scalar, int MaxBatch, class Sequence>
inline constexpr bool is_workspace<Workspace<Scalar, MaxBatch, Sequence>, Scalar, Sequence> = true;

/// Stands for a workspace, in an overload that the compiler takes where no other one fits. Does not compile where it is made from anything
/// else, and says what to write instead.
template <class Scalar, class Sequence>
struct WorkspaceArgument {
  template <class T>
  WorkspaceArgument(T&) {
    if constexpr (!is_workspace<T, Scalar, Sequence>) without_workspace<void, T>();
  }
  template <class T>
  WorkspaceArgument(const T&&) {
    without_workspace<void, T>();
  }
};

/// Stands for gradients, in an overload that the compiler takes where no other one fits. Does not compile where it is made from anything
/// else, and says what to write instead.
template <class Gradients>
struct GradientsArgument {
  template <class T>
  GradientsArgument(T&) {
    if constexpr (!std::is_same_v<T, Gradients>) without_workspace<void, T>();
  }
  template <class T>
  GradientsArgument(const T&&) {
    without_workspace<void, T>();
  }
};

}  // namespace chainrule::detail
