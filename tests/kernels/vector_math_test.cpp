#include <algorithm>
#include <chainrule/core/detail/compatibility.hpp>
#include <chainrule/kernels/map.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

using namespace chainrule;
using chainrule_test::Approx;

namespace {

template <class Scalar>
constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();

/// One of the functions exp, tanh, sigmoid, sin and cos: its exact value, its kernel for each instruction set, and `widest`, which chooses
/// among them.
template <class Scalar>
struct Function {
  using Kernel = void (*)(Index, const Scalar*, Scalar*);
  const char* name;
  long double (*exact)(long double);
  Kernel widest, baseline, avx2, avx512;
  bool nondecreasing = true;
};

long double exact_exp(long double x) { return std::exp(x); }
long double exact_tanh(long double x) { return std::tanh(x); }
long double exact_sin(long double x) { return std::sin(x); }
long double exact_cos(long double x) { return std::cos(x); }
long double exact_sigmoid(long double x) { return 1 / (1 + std::exp(-x)); }

struct Exp {
  template <class V>
  CHAINRULE_FORMULA V operator()(V x) const {
    return exp(x);
  }
};
struct Tanh {
  template <class V>
  CHAINRULE_FORMULA V operator()(V x) const {
    return tanh(x);
  }
};
struct Sigmoid {
  template <class V>
  CHAINRULE_FORMULA V operator()(V x) const {
    return sigmoid(x);
  }
};

struct Sin {
  template <class V>
  CHAINRULE_FORMULA V operator()(V x) const {
    return sin(x);
  }
};
struct Cos {
  template <class V>
  CHAINRULE_FORMULA V operator()(V x) const {
    return cos(x);
  }
};

/// y = F(x), on the best instruction set of this machine.
template <class F, class Scalar>
void best(Index size, const Scalar* x, Scalar* y) {
  kernels::map(size, F{}, y, x);
}
/// y = F(x), on a given instruction set.
template <class Set, class F, class Scalar>
void in_set(Index size, const Scalar* x, Scalar* y) {
  map(Set{}, size, F{}, y, x);
}
#if CHAINRULE_DISPATCH >= 2
template <class F, class Scalar>
constexpr auto in_avx2 = in_set<kernels::avx2::Tag, F, Scalar>;
#else
template <class F, class Scalar>
constexpr auto in_avx2 = in_set<kernels::baseline::Tag, F, Scalar>;
#endif
#if CHAINRULE_DISPATCH >= 1
template <class F, class Scalar>
constexpr auto in_avx512 = in_set<kernels::avx512::Tag, F, Scalar>;
#else
template <class F, class Scalar>
constexpr auto in_avx512 = in_set<kernels::baseline::Tag, F, Scalar>;
#endif

template <class Scalar>
Function<Scalar> exponential() {
  return {"exp", exact_exp, best<Exp, Scalar>, in_set<kernels::baseline::Tag, Exp, Scalar>, in_avx2<Exp, Scalar>, in_avx512<Exp, Scalar>};
}
template <class Scalar>
Function<Scalar> tanh() {
  return {
      "tanh", exact_tanh, best<Tanh, Scalar>, in_set<kernels::baseline::Tag, Tanh, Scalar>, in_avx2<Tanh, Scalar>, in_avx512<Tanh, Scalar>};
}
template <class Scalar>
Function<Scalar> sigmoid() {
  return {"sigmoid",
          exact_sigmoid,
          best<Sigmoid, Scalar>,
          in_set<kernels::baseline::Tag, Sigmoid, Scalar>,
          in_avx2<Sigmoid, Scalar>,
          in_avx512<Sigmoid, Scalar>};
}
template <class Scalar>
Function<Scalar> sine() {
  return {"sin", exact_sin, best<Sin, Scalar>, in_set<kernels::baseline::Tag, Sin, Scalar>, in_avx2<Sin, Scalar>, in_avx512<Sin, Scalar>,
          false};
}
template <class Scalar>
Function<Scalar> cosine() {
  return {"cos", exact_cos, best<Cos, Scalar>, in_set<kernels::baseline::Tag, Cos, Scalar>, in_avx2<Cos, Scalar>, in_avx512<Cos, Scalar>,
          false};
}
template <class Scalar>
std::vector<Function<Scalar>> functions() {
  return {exponential<Scalar>(), tanh<Scalar>(), sigmoid<Scalar>(), sine<Scalar>(), cosine<Scalar>()};
}

/// The kernels of f that this machine can run, the baseline first.
template <class Scalar>
std::vector<typename Function<Scalar>::Kernel> runnable(const Function<Scalar>& f) {
  return chainrule_test::runnable<Scalar>(f.baseline, f.avx2, f.avx512);
}

template <class Scalar>
std::vector<Scalar> values(typename Function<Scalar>::Kernel kernel, const std::vector<Scalar>& x) {
  std::vector<Scalar> y(x.size());
  kernel(static_cast<Index>(x.size()), x.data(), y.data());
  return y;
}

template <class Scalar>
Scalar value(const Function<Scalar>& f, Scalar x) {
  return values<Scalar>(f.widest, {x})[0];
}

/// The error of y in units of the last place of the exact value.
template <class Scalar>
long double units_off(Scalar y, long double exact) {
  if (std::isnan(exact) || std::isinf(static_cast<Scalar>(exact)) || std::isinf(y))
    return std::isnan(exact) == std::isnan(y) && (std::isnan(y) || y == static_cast<Scalar>(exact)) ? 0 : infinity<long double>;
  const int exponent = exact == 0 ? std::numeric_limits<Scalar>::min_exponent : std::ilogb(exact) + 1;
  return std::ldexp(std::abs(y - exact),
                    std::numeric_limits<Scalar>::digits - std::max(exponent, std::numeric_limits<Scalar>::min_exponent));
}

/// Every `step`th float in order, from -infinity to infinity.
std::vector<float> floats(std::int32_t step, std::int32_t from = -0x7f800000, std::int32_t to = 0x7f800000) {
  std::vector<float> x;
  for (std::int64_t i = from; i <= to; i += step)
    x.push_back(detail::bit_cast<float>(i < 0 ? 0x80000000u | static_cast<std::uint32_t>(-i) : static_cast<std::uint32_t>(i)));
  return x;
}

/// Sorted doubles from -infinity to infinity, dense where the functions change.
std::vector<double> doubles() {
  std::vector<double> x{-infinity<double>, -1e300, 0, -0.0, 5e-324, -5e-324, 1e300, infinity<double>};
  for (int i = -20000; i <= 20000; ++i) {
    x.push_back(0.0377123456789 * i);
    x.push_back(0.00101234567891 * i);
    x.push_back(std::ldexp(i < 0 ? -1.0 - i / -20001.0 : 1.0 + i / 20001.0, i % 1000 - 2));
  }
  std::sort(x.begin(), x.end());
  return x;
}

/// The exact values for every `step`th number of x.
template <class Scalar>
std::vector<long double> exact_values(const Function<Scalar>& f, const std::vector<Scalar>& x, std::size_t step = 1) {
  std::vector<long double> exact;
  for (std::size_t i = 0; i < x.size(); i += step) exact.push_back(f.exact(static_cast<long double>(x[i])));
  if (std::string_view(f.name) == "sigmoid")  // is 0 where it would be subnormal
    for (long double& y : exact) y = y < std::numeric_limits<Scalar>::min() ? 0 : y;
  return exact;
}

/// The largest error found and where, and how often y falls while x rises.
template <class Scalar>
struct Worst {
  long double units = 0;
  Scalar at = 0;
  int falls = 0;
  Scalar last = -infinity<Scalar>;

  void look_at(const std::vector<Scalar>& x, const std::vector<Scalar>& y, const std::vector<long double>& exact, std::size_t step = 1) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!(y[i] >= last)) ++falls;
      last = y[i];
    }
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const long double off = units_off(y[i * step], exact[i]);
      if (!(off <= units)) units = off, at = x[i * step];
    }
  }
};

bool same(double a, double b) { return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b); }

}  // namespace

TEMPLATE_TEST_CASE("exp, tanh and sigmoid kernels give the known values at 0, 1, infinities and NaN", "", float, double, long double) {
  using S = TestType;
  const S inf = infinity<S>, nan = std::numeric_limits<S>::quiet_NaN(), tiny = std::numeric_limits<S>::denorm_min();
  const double few_eps = std::max(1e-15, 4 * static_cast<double>(std::numeric_limits<S>::epsilon()));
  const auto exp = [](S x) {
    S y;
    best<Exp, S>(1, &x, &y);
    return y;
  };
  const auto tanh = [](S x) {
    S y;
    best<Tanh, S>(1, &x, &y);
    return y;
  };
  const auto sigmoid = [](S x) {
    S y;
    best<Sigmoid, S>(1, &x, &y);
    return y;
  };

  CHECK(exp(0) == 1);
  CHECK(exp(1) == Approx(2.718281828459045).epsilon(few_eps));
  CHECK(exp(inf) == inf);
  CHECK(exp(-inf) == 0);
  CHECK(std::isnan(exp(nan)));

  CHECK(same(static_cast<double>(tanh(0)), 0.0));
  CHECK(same(static_cast<double>(tanh(-S{0})), -0.0));
  CHECK(tanh(tiny) == tiny);
  CHECK(tanh(S(1e-20)) == S(1e-20));
  CHECK(tanh(1) == Approx(0.7615941559557649).epsilon(few_eps));
  CHECK(tanh(std::log(S{2})) == Approx(0.6).epsilon(few_eps));
  CHECK(tanh(inf) == 1);
  CHECK(tanh(-inf) == -1);
  CHECK(std::isnan(tanh(nan)));

  CHECK(sigmoid(0) == S(0.5));
  CHECK(sigmoid(-S{0}) == S(0.5));
  CHECK(sigmoid(std::log(S{3})) == Approx(0.75).epsilon(few_eps));
  CHECK(sigmoid(-10) == Approx(4.539786870243440e-05).epsilon(few_eps));
  CHECK(sigmoid(inf) == 1);
  CHECK(sigmoid(-inf) == 0);
  CHECK(std::isnan(sigmoid(nan)));
}

// e^-100 = 3.783505853677006e-44 = 26.55 x 2^-149; the largest float is e^88.7228394, the smallest normal one e^-87.3365447506, and the
// smallest normal double e^-708.39641853226410622
TEST_CASE("exp kernels reach the smallest subnormal and the largest finite number, sigmoid kernels the smallest normal one and then 0") {
  CHECK(value(exponential<float>(), -100.0f) == 27 * 0x1p-149f);
  CHECK(value(exponential<float>(), -103.9f) == 0x1p-149f);
  CHECK(value(exponential<float>(), -104.0f) == 0);
  CHECK(value(exponential<float>(), 88.7228317f) == Approx(3.40279851e38).epsilon(1e-6));
  CHECK(value(exponential<float>(), 88.722847f) == infinity<float>);
  CHECK(value(exponential<double>(), -745.1) == 0x1p-1074);
  CHECK(value(exponential<double>(), -745.2) == 0);
  CHECK(value(exponential<double>(), 709.78) == Approx(1.7928227943945155e308).epsilon(1e-12));
  CHECK(value(exponential<double>(), 709.79) == infinity<double>);
  for (const auto kernel : runnable(sigmoid<float>())) {
    CHECK(values<float>(kernel, {-87.33654f})[0] == Approx(1.1754998e-38f).epsilon(1e-6));
    for (const float x : {-87.33655f, -88.0f, -100.0f, -104.0f, -1e30f, -infinity<float>}) CHECK(values<float>(kernel, {x})[0] == 0);
  }
  for (const auto kernel : runnable(sigmoid<double>())) {
    CHECK(values<double>(kernel, {-708.3964185322640})[0] == Approx(2.2250738585072e-308).epsilon(1e-12));
    for (const double x : {-708.39641853226425, -745.1, -1e300}) CHECK(values<double>(kernel, {x})[0] == 0);
  }
}

namespace {

template <class Scalar>
void check_accuracy(const std::vector<Scalar>& x) {
  for (const auto& f : functions<Scalar>()) {
    const std::vector<long double> exact = exact_values(f, x);
    for (const auto kernel : runnable(f)) {
      Worst<Scalar> worst;
      worst.look_at(x, values<Scalar>(kernel, x), exact);
      CAPTURE(f.name, worst.units, worst.at);
      CHECK(worst.units <= 3);
      CHECK((worst.falls == 0 || !f.nondecreasing));
    }
  }
}

}  // namespace

// Measured largest errors, for floats and doubles: exp 1, tanh 2.1, sigmoid 2.4, sin and cos 2.4 units in the last place.
TEST_CASE("exp, tanh, sigmoid, sin and cos kernels are within 3 units in the last place, the first three nondecreasing") {
#if defined(CHAINRULE_SMALL_GRID)
  check_accuracy(floats(99991));
#else
  check_accuracy(floats(9973));  // a prime, so that the last bits vary too
#endif
  check_accuracy(doubles());
}

// Near its zeros, which are multiples of pi/2, a sine has the relative error of the reduced argument. Measured: 2.3 units.
TEMPLATE_TEST_CASE("sin and cos kernels are within 3 units in the last place next to their zeros, up to the largest reduced argument", "",
                   float, double) {
  const auto largest = static_cast<double>(kernels::SineConstants<TestType>::largest);
  std::vector<TestType> x;
  for (int i = 1; i <= 4000; ++i) {
    const double turns = i < 2000 ? i : std::floor(largest / 1.5707963267948966 * i / 4000);
    const auto zero = static_cast<TestType>(turns * 1.57079632679489661923L);
    for (const TestType near : {zero, std::nextafter(zero, TestType{0}), std::nextafter(zero, infinity<TestType>)}) {
      x.push_back(near);
      x.push_back(-near);
    }
  }
  x.push_back(static_cast<TestType>(largest));
  for (const auto& f : {sine<TestType>(), cosine<TestType>()}) {
    const std::vector<long double> exact = exact_values(f, x);
    for (const auto kernel : runnable(f)) {
      Worst<TestType> worst;
      worst.look_at(x, values<TestType>(kernel, x), exact);
      CAPTURE(f.name, worst.units, worst.at);
      CHECK(worst.units <= 3);
    }
  }
}

TEMPLATE_TEST_CASE("sin and cos kernels give the known values, also above the largest reduced argument, and NaN for infinity", "", float,
                   double, long double) {
  using S = TestType;
  const double few_eps = std::max(1e-15, 4 * static_cast<double>(std::numeric_limits<S>::epsilon()));
  const auto sin = [](S x) {
    S y;
    best<Sin, S>(1, &x, &y);
    return y;
  };
  const auto cos = [](S x) {
    S y;
    best<Cos, S>(1, &x, &y);
    return y;
  };
  CHECK(sin(0) == 0);
  CHECK(cos(0) == 1);
  CHECK(sin(std::numeric_limits<S>::denorm_min()) == std::numeric_limits<S>::denorm_min());
  CHECK(sin(1) == Approx(0.841470984807896507).epsilon(few_eps));
  CHECK(cos(-1) == Approx(0.540302305868139717).epsilon(few_eps));
  CHECK(sin(S(3.14159274101257324)) == Approx(-8.74227800037247453e-8).epsilon(1e-7));  // the float next to pi
  CHECK(sin(8192) == Approx(-0.956173152843146286).epsilon(few_eps));
  CHECK(cos(4194304) == Approx(0.221636330777741263).epsilon(few_eps));
  CHECK(sin(S(1e10)) == Approx(-0.487506025087510692).epsilon(few_eps));
  CHECK(cos(S(1e10)) == Approx(0.873119622676856001).epsilon(few_eps));
  CHECK(std::isnan(sin(infinity<S>)));
  CHECK(std::isnan(cos(-infinity<S>)));
  CHECK(std::isnan(sin(std::numeric_limits<S>::quiet_NaN())));
}

// e^x = 2^n e^r: n changes where x (for tanh 2x) is an odd multiple of ln 2 / 2, so neighbours there come from different polynomials.
TEST_CASE("tanh and sigmoid kernels stay nondecreasing where the exponential's range reduction changes") {
  int falls = 0;
  const auto look_about = [&](const Function<float>& f, double x) {
    const auto middle = static_cast<std::int32_t>(detail::bit_cast<std::uint32_t>(static_cast<float>(std::abs(x)))) * (x < 0 ? -1 : 1);
    const std::vector<float> neighbours = floats(1, middle - 500, middle + 500);
    for (const auto kernel : runnable(f)) {
      const std::vector<float> y = values<float>(kernel, neighbours);
      falls += std::is_sorted(y.begin(), y.end()) ? 0 : 1;
    }
  };
  for (int i = -151; i <= 151; i += 2) {
    look_about(sigmoid<float>(), i * 0.34657359027997264);
    look_about(tanh<float>(), i * 0.17328679513998632);
  }
  CHECK(falls == 0);
}

TEMPLATE_TEST_CASE("tanh kernels are odd and stay between -1 and 1, sigmoid kernels between 0 and 1", "", float, double) {
  std::vector<TestType> x, minus_x;
  for (const double at : doubles()) x.push_back(static_cast<TestType>(at));
  for (const TestType at : x) minus_x.push_back(-at);
  for (const auto kernel : runnable(tanh<TestType>())) {
    const std::vector<TestType> y = values<TestType>(kernel, x), minus_y = values<TestType>(kernel, minus_x);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < x.size(); ++i) wrong += same(y[i], -minus_y[i]) && std::abs(y[i]) <= 1 ? 0 : 1;
    CHECK(wrong == 0);
  }
  for (const auto kernel : runnable(sigmoid<TestType>())) {
    const std::vector<TestType> y = values<TestType>(kernel, x);
    CHECK(std::all_of(y.begin(), y.end(), [](TestType a) { return a >= 0 && a <= 1; }));
  }
}

TEMPLATE_TEST_CASE("exp, tanh, sigmoid, sin and cos kernels give the same bits on all instruction sets with fused multiply-adds", "", float,
                   double) {
  std::vector<TestType> x{std::numeric_limits<TestType>::quiet_NaN()};
  for (const double at : doubles()) x.push_back(static_cast<TestType>(at));
  for (const auto& f : functions<TestType>()) {
    const auto kernels = runnable(f);
    if (kernels.size() < 2) continue;
    const std::vector<TestType> y = values<TestType>(kernels[kernels.size() - 2], x), z = values<TestType>(kernels.back(), x);
    if (kernels.size() == 2 && CHAINRULE_DISPATCH == 2) continue;  // one of the two is the baseline, without fused multiply-adds
    CAPTURE(f.name);
    CHECK(std::equal(y.begin(), y.end(), z.begin(), [](TestType a, TestType b) { return same(a, b); }));
  }
}

TEMPLATE_TEST_CASE("exp, tanh, sigmoid, sin and cos kernels give the same bits at any position and size, and write only their range", "",
                   float, double) {
  std::vector<TestType> x;
  for (int i = 0; i < 70; ++i) x.push_back(static_cast<TestType>(0.173 * i - 6));
  x[33] = std::numeric_limits<TestType>::quiet_NaN();
  for (const auto& f : functions<TestType>())
    for (const auto kernel : runnable(f)) {
      std::vector<TestType> one;
      for (const TestType at : x) one.push_back(values<TestType>(kernel, {at})[0]);
      std::size_t wrong = 0;
      for (std::size_t size = 0; size <= 70; ++size) {
        std::vector<TestType> y(size + 2, TestType{-7}), in_place = x;
        kernel(static_cast<Index>(size), x.data(), y.data() + 1);
        kernel(static_cast<Index>(size), in_place.data(), in_place.data());
        wrong += y.front() == -7 && y.back() == -7 ? 0 : 1;
        for (std::size_t i = 0; i < size; ++i) wrong += same(y[i + 1], one[i]) ? 0 : 1;
        for (std::size_t i = 0; i < 70; ++i) wrong += same(in_place[i], i < size ? one[i] : x[i]) ? 0 : 1;
      }
      CAPTURE(f.name);
      CHECK(wrong == 0);
    }
}

// Takes minutes: all floats are checked for order, one in 61 against its exact value. Not part of a normal run.
TEST_CASE("exp, tanh, sigmoid, sin and cos kernels are within 3 units in the last place over all floats", "[.sweep]") {
  constexpr std::int64_t piece = 0xff000, end = 0x7f800000;
  for (const auto& f : functions<float>()) {
    const auto kernels = runnable(f);
    std::vector<Worst<float>> worst(kernels.size());
    for (std::int64_t i = -end; i <= end; i += piece) {
      const std::vector<float> x = floats(1, static_cast<std::int32_t>(i), static_cast<std::int32_t>(std::min(i + piece - 1, end)));
      const std::vector<long double> exact = exact_values(f, x, 61);
      for (std::size_t k = 0; k < kernels.size(); ++k) worst[k].look_at(x, values<float>(kernels[k], x), exact, 61);
    }
    for (const Worst<float>& w : worst) {
      WARN(f.name << ": at most " << w.units << " units off, at " << w.at << "; it falls " << w.falls << " times");
      CHECK(w.units <= 3);
      CHECK(w.falls == 0);
    }
  }
}
