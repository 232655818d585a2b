#pragma once

#include <chainrule/core/detail/pairwise_sum.hpp>
#include <span>
#include <vector>

namespace chainrule {

/// A mean of parameter vectors, which observers keep. It is kept in double, because steps of a thousandth of a parameter vanish in float;
/// parameters in long double are rounded.
struct WeightAverage {
  Index count = 0;                ///< number of parameter vectors that have been added
  std::vector<double> numbers{};  ///< the mean, as many numbers as theta

  /// Forgets all vectors, and allocates the memory for vectors as long as these parameters.
  template <class Numbers>
  void reset(const Numbers& theta) {
    count = 0;
    numbers.assign(static_cast<std::size_t>(theta.size()), 0);
  }

  /// Adds a parameter vector, whose share in the mean is `share`; the first one needs a share of 1.
  ///
  ///     mean <- mean + share (theta - mean)
  template <class Numbers>
  void add(const Numbers& theta, double share) {
    ++count;
    const auto* in = theta.data();
    for (double& mean : numbers) mean += detail::rounded(share * (static_cast<double>(*in++) - mean));
  }

  /// Exchanges the mean and the parameters of the network, so that a second call restores them. Does nothing before the first add.
  template <class Net>
  void swap(Net& net) {
    if (count == 0) return;
    auto theta = net.parameters();
    using Scalar = std::remove_cvref_t<decltype(*theta.data())>;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      Scalar& parameter = theta.data()[i];
      const double was = static_cast<double>(parameter);
      parameter = static_cast<Scalar>(numbers[i]);
      numbers[i] = was;
    }
  }

  /// Writes the mean to or reads it from a checkpoint.
  template <class Archive>
  void archive(Archive& a) {
    a(count, std::span(numbers));
    a.expect(count >= 0, "found an impossible number of averaged parameter vectors, ", count);
  }
};

}  // namespace chainrule
