#pragma once
// A small layer with random numbers, for tests that compare kernels/small_layer.hpp with the kernels for layers of any extents.

#include <algorithm>
#include <chainrule/core/random.hpp>
#include <chainrule/kernels/layer_products.hpp>
#include <chainrule/kernels/small_layer.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

namespace chainrule_test {

using namespace chainrule;
namespace baseline = kernels::baseline;

/// a <- f(a), with the kernels of one instruction set.
template <class Set, class F, class Scalar>
void apply(Set set, const F& f, Index size, Scalar* a) {
  map(
      set, size, [f](auto z) CHAINRULE_FORMULA { return f.f(z); }, a, static_cast<const Scalar*>(a));
}
/// delta <- delta f'(z), from a = f(z), with the kernels of one instruction set.
template <class Set, class F, class Scalar>
void multiply_by_derivative(Set set, const F& f, Index size, const Scalar* a, Scalar* delta) {
  map(
      set, size, [f](auto d, auto a_i) CHAINRULE_FORMULA { return d * f.f_prime_from_output(a_i); }, delta,
      static_cast<const Scalar*>(delta), a);
}

/// Both passes of a small layer for one activation, by one kernel.
template <class Scalar>
struct SmallPasses {
  std::function<void(const kernels::SmallForward<Scalar>&)> forward;
  std::function<void(const kernels::SmallBackward<Scalar>&)> backward;
};
template <class Scalar, class F, class Kernel>
SmallPasses<Scalar> passes_of(const F& f, const Kernel& kernel) {
  return {[=](const kernels::SmallForward<Scalar>& pass) { kernel.forward(f, pass); },
          [=](const kernels::SmallBackward<Scalar>& pass) { kernel.backward(f, pass); }};
}

/// A layer of out x in weights and a batch whose columns have padding between them. Inputs end with a NaN that must not be read, results
/// with a number that must not be overwritten. Its extents are run-time values, so that it is compiled once for all shapes.
template <class Scalar>
struct RandomLayer {
  using Numbers = std::vector<Scalar>;
  static constexpr Scalar untouched = -12345;

  RandomLayer(Index outputs, Index inputs, Index samples_)
      : out{outputs}, in{inputs}, samples{samples_}, x_step{inputs + 1}, dX_step{inputs + 2} {
    Random random{Seed{1}};
    const auto draw = [&](Index size, Scalar last) {
      Numbers numbers;
      for (Index i = 0; i < size; ++i) numbers.push_back(static_cast<Scalar>(4 * random.uniform() - 2));
      numbers.push_back(last);
      return numbers;
    };
    const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN();  // must not reach any result
    w = draw(out * in, nan);
    b = draw(out, nan);
    x = draw(x_step * samples, nan);
    for (Index j = 0; j < samples; ++j) x[static_cast<std::size_t>(j * x_step + in)] = nan;
    delta = draw(out * samples, untouched);
  }

  struct Results {
    explicit Results(const RandomLayer& of)
        : a(static_cast<std::size_t>(of.out * of.samples + 1), untouched),
          dW(static_cast<std::size_t>(of.out * of.in + 1), untouched),
          db(static_cast<std::size_t>(of.out + 1), untouched),
          dX(static_cast<std::size_t>(of.dX_step * of.samples), untouched) {}
    bool operator==(const Results&) const = default;
    Numbers a, dW, db, dX;
  };

  /// The results of both passes of a small-layer kernel.
  Results small(const SmallPasses<Scalar>& kernel) const {
    Results r(*this);
    Numbers d = delta;
    kernel.forward({out, w.data(), in, samples, x.data(), x_step, b.data(), r.a.data()});
    kernel.backward({out, w.data(), in, samples, x.data(), x_step, r.a.data(), d.data(), r.dW.data(), r.db.data(), r.dX.data(), dX_step});
    if (d.back() != untouched) r.db.back() = 0;
    return r;
  }

  /// Whether a backward pass with a factor gives the same W and b as a backward pass without and then W + factor dJ/dW, b + factor dJ/db.
  bool step_agrees_with_gradients(const SmallPasses<Scalar>& kernel) const {
    const Scalar factor = Scalar{-1} / 3;
    const Results r = small(kernel);
    Numbers stepped_w = w, stepped_b = b, expected_w = w, expected_b = b, d = delta;
    kernel.backward(
        {out, w.data(), in, samples, x.data(), x_step, r.a.data(), d.data(), stepped_w.data(), stepped_b.data(), nullptr, 0, &factor});
    kernels::add_multiple<Scalar>(out * in, factor, r.dW.data(), expected_w.data());
    kernels::add_multiple<Scalar>(out, factor, r.db.data(), expected_b.data());
    const auto same = [](const Numbers& p, const Numbers& q) {  // the NaN at the end is equal too
      return std::equal(p.begin(), p.end() - 1, q.begin()) && std::isnan(p.back());
    };
    return same(stepped_w, expected_w) && same(stepped_b, expected_b);
  }

  /// The results of the kernels for any extents, called one after the other, on the baseline.
  template <class F>
  Results baseline_results(const F& f) const {
    constexpr baseline::Tag set{};
    Results r(*this);
    if (out == 1)
      baseline::dot_products<Scalar>(set, x.data(), x_step, w.data(), in, b[0], r.a.data(), samples);
    else if (samples == 1)
      baseline::matrix_times_vector<Scalar>(set, w.data(), out, x.data(), in, b.data(), r.a.data(), out);
    else
      baseline::product<Scalar>(set, {w.data(), 1, out}, {x.data(), 1, x_step}, in, {kernels::StartKind::column, b.data()}, r.a.data(), out,
                                out, samples);
    const Index size = out * samples;
    apply(set, f, size, r.a.data());

    Numbers d = delta;
    multiply_by_derivative(set, f, size, r.a.data(), d.data());
    baseline::product<Scalar>(set, {d.data(), 1, out}, {x.data(), x_step, 1}, samples, {}, r.dW.data(), out, out, in);
    row_sums_of(
        set, [](auto& sum, const auto& term) CHAINRULE_FORMULA { sum = sum + term; }, std::array{r.db.data()}, out, samples,
        kernels::Columns<const Scalar>{d.data(), out});
    if (samples == 1)
      baseline::dot_products<Scalar>(set, w.data(), out, d.data(), out, 0, r.dX.data(), in);
    else
      baseline::product<Scalar>(set, {w.data(), out, 1}, {d.data(), 1, out}, out, {}, r.dX.data(), dX_step, in, samples);
    return r;
  }

  /// The results of the kernels for any extents, called through LayerProducts, on the best instruction set of this machine.
  template <class F>
  Results machine_results(const F& f) const {
    Results r(*this);
    const kernels::LayerProducts<Scalar> products(out, in);
    const auto view = [this](auto* numbers, Index rows, Index step) {
      using View =
          std::conditional_t<std::is_const_v<std::remove_pointer_t<decltype(numbers)>>, ConstMatrixView<Scalar>, MatrixView<Scalar>>;
      return View(numbers, rows, samples, Eigen::OuterStride<>(step));
    };
    const ConstMatrixView<Scalar> inputs = view(x.data(), in, x_step);
    const Index size = out * samples;
    products.affine(w.data(), inputs, b.data(), 0, view(r.a.data(), out, out), samples);
    kernels::dispatch<Scalar>([&](auto set) { apply(set, f, size, r.a.data()); });

    Numbers d = delta;
    kernels::dispatch<Scalar>([&](auto set) { multiply_by_derivative(set, f, size, static_cast<const Scalar*>(r.a.data()), d.data()); });
    const ConstMatrixView<Scalar> deltas = view(std::as_const(d).data(), out, out);
    const kernels::Block all{0, out, 0, in};
    products.weight_gradient(deltas, inputs, all, r.dW.data());
    products.bias_gradient(deltas, r.db.data());
    products.input_gradient(w.data(), deltas, all, view(r.dX.data(), in, dX_step));
    return r;
  }

  Index out, in, samples, x_step, dX_step;
  Numbers w, b, x, delta;
};

}  // namespace chainrule_test
