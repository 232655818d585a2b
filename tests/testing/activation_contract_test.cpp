// For each clause of the contract, an activation with a fault that the clause must find.

#include <chainrule/initializers/xavier.hpp>
#include <chainrule/testing/activation_contract.hpp>

#include "support/contract.hpp"

using namespace chainrule;
using chainrule_test::check_broken;

namespace {

enum class Fault {
  none,
  second,
  third,
  infinite_second,
  third_position,
  derivative,
  nan_derivative,
  not_finite,
  loses_nan,
  spreads_nan,
  limit,
  decreases,
  array_position,
  initializer
};

/// An initializer that may leave out the first weight.
struct Ones {
  static constexpr std::string_view name = "Ones";
  bool skips_first;
  template <class Scalar>
  void operator()(std::span<Scalar> weights, Index, Index, Random&) const {
    std::fill(weights.begin() + (skips_first ? 1 : 0), weights.end(), Scalar{1});
  }
};

/// f(z) = z for z > 0 and z/2 otherwise, with one fault.
struct Faulty {
  static constexpr std::string_view name = "Faulty";
  Fault fault = Fault::none;

  Ones default_initializer() const { return {fault == Fault::initializer}; }

  template <class Chunk>
  Chunk value(const Chunk& z) const {
    Chunk a = (z < 0).select(z / 2, z);
    if (fault == Fault::not_finite) a += 0 * z.square();  // 0 * inf for large z
    if (fault == Fault::loses_nan) a = (z > 0).select(z, (z / 2).min(0));
    if (fault == Fault::loses_nan) a = (z == z).select(a, Chunk::Zero());
    if (fault == Fault::spreads_nan) a += 0 * z.sum();
    if (fault == Fault::limit) a = a.min(1000);
    if (fault == Fault::decreases) a = (z > 2 && z < 2.03125).select(Chunk::Constant(2), a);
    if (fault == Fault::decreases) a = (z > 2.0078125 && z < 2.03125).select(Chunk::Constant(1.9375), a);
    if (fault == Fault::array_position && z[0] != z[1]) a *= 1 + std::numeric_limits<typename Chunk::Scalar>::epsilon();
    return a;
  }

  template <class Chunk>
  Chunk derivative_from_output(const Chunk& a) const {
    Chunk d = (a > 0).select(Chunk::Ones(), Chunk::Constant(0.5));
    if (fault == Fault::derivative) d = (a > 25).select(2 * d, d);
    if (fault == Fault::nan_derivative) d = (a > 25).select(0 * d / 0, d);
    return d;
  }
};

/// f(z) = z^2/2 for |z| < 1e15 and 0 elsewhere, with f', f'' and f''', and with one fault.
struct FaultySquare {
  static constexpr std::string_view name = "FaultySquare";
  Fault fault = Fault::none;

  XavierUniform default_initializer() const { return {}; }
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return inside(z).select(z.square() / 2, 0 * z);
  }
  template <class Chunk>
  Chunk derivative(const Chunk& z) const {
    return inside(z).select(z, 0 * z);
  }
  template <class Chunk>
  Chunk second_derivative(const Chunk& z) const {
    Chunk d = inside(z).select(Chunk::Ones(), 0 * z);
    if (fault == Fault::second) d = (z > 4).select(2 * d, d);
    if (fault == Fault::infinite_second) d += z.square();
    return d;
  }
  template <class Chunk>
  Chunk third_derivative(const Chunk& z) const {
    if (fault == Fault::third) return (z < -4).select(Chunk::Constant(-1), Chunk::Zero());
    if (fault == Fault::third_position && z[0] != z[1]) return Chunk::Constant(1e-30f);
    return Chunk::Zero();
  }

 private:
  template <class Chunk>
  static auto inside(const Chunk& z) {
    return z.abs() < 1e15f;
  }
};

ContractReport report_of_square(Fault fault) {
  return testing::check_activation<float>(FaultySquare{fault}, {.nondecreasing = false, .max_abs_z = 1e4, .coarse_grid = true});
}

constexpr double infinity = std::numeric_limits<double>::infinity();

ContractReport report_of(Fault fault) {
  return testing::check_activation<float>(Faulty{fault},
                                          {.at_minus_infinity = -infinity, .at_infinity = infinity, .kinks = {0}, .coarse_grid = true});
}

void check_found(Fault fault, const char* clause, std::initializer_list<const char*> words) {
  check_broken(report_of(fault), clause, words);
}

/// f(z) = z with f' computed from z, and with an empty name.
struct Nameless {
  static constexpr std::string_view name = "";
  XavierUniform default_initializer() const { return {}; }
  template <class Chunk>
  Chunk value(const Chunk& z) const {
    return z;
  }
  template <class Chunk>
  Chunk derivative(const Chunk&) const {
    return Chunk::Ones();
  }
};

}  // namespace

TEST_CASE("an activation without a fault satisfies the contract, and the report lists its clauses", "[contract]") {
  const ContractReport report = report_of(Fault::none);
  CHECK(report.to_string() == "Faulty satisfies the contract of an activation, in float: 8 clauses");
  using Names = std::vector<std::string>;
  CHECK(report.clauses == Names{"name", "derivative", "finite", "NaN", "limits", "nondecreasing", "array position", "initializer"});
  CHECK(report.failures.empty());
}

TEST_CASE("check_activation finds a wrong derivative and NaN in it", "[contract]") {
  check_found(Fault::derivative, "derivative",
              {"Faulty VIOLATES the contract of an activation, in float, 1 of 8 clauses",
               "derivative: f'(z) is 2 at z = ", "but a central difference of f gives 1", "kinks"});
  check_found(Fault::nan_derivative, "derivative", {"f'(z) is nan at z = "});
  check_found(Fault::nan_derivative, "finite", {"finite: f and f' of a finite z must be finite, but at z = ", " and nan"});
}

TEST_CASE("check_activation finds faults of the second and third derivative, where an activation has them", "[contract]") {
  const ContractReport report = report_of_square(Fault::none);
  CHECK(report.to_string() == "FaultySquare satisfies the contract of an activation, in float: 8 clauses");
  CHECK(report.clauses[2] == "second derivative");
  CHECK(report.clauses[3] == "third derivative");
  check_broken(report_of_square(Fault::second), "second derivative",
               {"f''(z) is 2 at z = 4.", "but a central difference of f' gives 1; the error is "});
  check_broken(report_of_square(Fault::third), "third derivative", {"f'''(z) is -1 at z = -", "a central difference of f'' gives 0"});
  check_broken(report_of_square(Fault::infinite_second), "finite", {"f'' of a finite z must be finite, but at z = -3.4", "it is inf"});
  check_broken(report_of_square(Fault::third_position), "array position",
               {"in an array of 1 numbers f'''(", ") is 0, but in another array it is 1e-30"});
}

TEST_CASE("check_activation takes a kink that the properties do not name for a fault, and checks only limits that they name",
          "[contract]") {
  const ContractReport report = testing::check_activation<double>(Faulty{}, {.derivative_rounding = 8, .min_z = -1e-4, .max_z = 1e-4});
  CHECK(report.is_broken("derivative"));
  CHECK(std::count(report.clauses.begin(), report.clauses.end(), "limits") == 0);
}

TEST_CASE("check_activation finds NaN and infinity for large z", "[contract]") {
  check_found(Fault::not_finite, "finite", {"at z = -3.402", "they are nan and "});
}

TEST_CASE("check_activation finds a NaN that is lost or spreads", "[contract]") {
  check_found(Fault::loses_nan, "NaN", {"NaN: f(NaN) must be NaN, so that a fault is seen, but it is 0"});
  check_found(Fault::spreads_nan, "NaN", {"NaN: a NaN in place 0 changes f(", ") in place 1 from -", " to nan"});
}

TEST_CASE("check_activation finds a wrong limit", "[contract]") {
  check_found(Fault::limit, "limits", {"limits: f(inf) is 1000, but the limit is inf"});
}

TEST_CASE("check_activation finds where an activation falls, unless the properties allow it", "[contract]") {
  check_found(Fault::decreases, "nondecreasing",
              {"nondecreasing: f falls to 1.9375 at z = 2.0", " after 2, by ", ".nondecreasing = false"});
  CHECK_FALSE(
      testing::check_activation<float>(Faulty{Fault::decreases}, {.nondecreasing = false, .coarse_grid = true}).is_broken("nondecreasing"));
}

TEST_CASE("check_activation finds results that depend on the position in an array", "[contract]") {
  check_found(Fault::array_position, "array position", {"array position: in an array of 2 numbers f(", ", but alone they are "});
}

TEST_CASE("check_activation finds weights that are not set and a missing name", "[contract]") {
  check_found(Fault::initializer, "initializer", {"initializer: default_initializer() leaves weight 0 of 60 NaN or infinite"});
  const ContractReport report = testing::check_activation<double>(Nameless{});
  CHECK(report.broken == std::vector<std::string>{"name"});
}
