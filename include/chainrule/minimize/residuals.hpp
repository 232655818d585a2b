#pragma once

#include <chainrule/kernels/sum_order.hpp>
#include <chainrule/minimize/detail/residual_rows.hpp>

namespace chainrule {

/// The residuals of a network over a whole data set and their derivatives by theta, as a function of a flat vector theta: what
/// least-squares solvers of other libraries, such as Ceres, ask for. The loss must be a sum of squares: SquaredError, MeanSquaredError, or
/// one of your own with a function `residuals` (core/concepts.hpp). A layer of your own needs what net.parameter_jacobian needs.
/// @code{.cpp}
/// Network<double, SquaredError, Dense<1, 8, Tanh>, Dense<8, 1>> net{Seed{1}};
/// RegressionDataset<double> data = read_csv<RegressionDataset<double>>("points.csv", {.target = "y"});
/// auto r = residuals(net, data);                            // copies the network, views the data
/// Eigen::VectorXd theta = net.parameters(), values(r.residuals());
/// Eigen::MatrixXd jacobian(r.size(), r.residuals());        // a column for each residual, as a row of the row-major Jacobian of Ceres
/// r(theta, values, jacobian);
/// @endcode
/// Residual j outputs + o is that of output o of sample j. They are scaled such that half the sum of their squares is J:
///
///     R(o, j) = sqrt(w_j/(samples m)) r(o, j),   J = 1/2 sum R^2        with the weights w_j of the samples and their mean m
///
/// A call allocates nothing, and its bits do not depend on anything but theta and the data. Numbers that are not finite are returned, not
/// thrown. The constructor throws what that of Objective throws, and ValueError for an AnyLoss that is no sum of squares. Residuals cannot
/// be copied or moved; several threads need one each.
template <class Net, class Targets>
class Residuals {
  using Scalar = typename Net::ScalarType;

 public:
  using ScalarType = Scalar;               ///< the type of all numbers
  using View = DataView<Scalar, Targets>;  ///< the view of the data

  /// Copies the network and allocates everything that evaluations need.
  Residuals(const Net& net, const View& data) : passes_("residuals", net, data, 1), rows_("residuals", passes_, kernels::max_chain) {}

  Index size() const { return passes_.parameters(); }                              ///< the number of parameters
  Index residuals() const { return passes_.net().outputs() * passes_.samples(); }  ///< the number of residuals: outputs samples

  /// Writes the residuals at theta to `values`. Both are Eigen vectors, std::vector or std::span. Throws ShapeError for another size;
  /// nothing has changed then.
  template <class Theta, class Values>
  void operator()(const Theta& theta, Values&& values) {
    Scalar* const first = begin(theta, values);
    for (Index j = 0; j < passes_.samples(); j += rows_.samples_at_once())
      rows_.compute(rows_.samples(j), first + j * passes_.net().outputs());
  }

  /// Writes the residuals at theta to `values`, and their derivatives to `jacobian`, parameters x residuals, an Eigen matrix or map.
  /// Throws ShapeError for another size; nothing has changed then.
  ///
  ///     jacobian(i, k) = dR_k/dtheta_i
  template <class Theta, class Values, detail::EigenDense Jacobian>
  void operator()(const Theta& theta, Values&& values, Jacobian&& jacobian) {
    MatrixView<Scalar> all = detail::mutable_view<Scalar>(jacobian);
    if (all.rows() != size() || all.cols() != residuals())
      detail::raise<ShapeError>("residuals: the Jacobian is ", size(), " x ", residuals(),
                                " here, parameters x residuals, but the matrix given for it is ", all.rows(), " x ", all.cols());
    Scalar* const first = begin(theta, values);
    const Index outputs = passes_.net().outputs();
    for (Index j = 0; j < passes_.samples(); j += rows_.samples_at_once()) {
      const auto some = rows_.samples(j);
      rows_.compute(some, first + j * outputs, detail::columns_of(all, j * outputs, some.count * outputs));
    }
  }

 private:
  // Checks the sizes, sets theta, and returns where the residuals are to be written.
  template <class Theta, class Values>
  Scalar* begin(const Theta& theta, Values& values) {
    const ConstVectorView<Scalar> t = detail::vector_of_parameters<Scalar>("residuals", "theta", theta, size());
    if (static_cast<Index>(values.size()) != residuals())
      detail::raise<ShapeError>("residuals: there are ", residuals(), " residuals, but the vector given for them has ",
                                static_cast<Index>(values.size()), " numbers");
    passes_.set_parameters(t);
    return values.data();
  }

  detail::NetOnData<Net, Targets> passes_;
  detail::ResidualRows<detail::NetOnData<Net, Targets>> rows_;
};

/// Makes the residuals of a network and a data set: a Dataset with a name, or DataView{x, y} of memory of your own. The data is viewed, so
/// it must outlive them; the network is copied and does not change.
template <class Net, class Data>
auto residuals(const Net& net, Data&& data) {
  using View = decltype(DataView(std::forward<Data>(data)));
  return Residuals<Net, typename View::TargetsView>(net, View(std::forward<Data>(data)));
}

}  // namespace chainrule
