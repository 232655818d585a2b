// expect: a network draws its weights from a seed, which is its first argument
// errors: 4
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

using Net = cr::Network<float, cr::SquaredError, cr::Dense<4, 8, cr::Tanh>, cr::Dense<8, 2>>;

int main() {
#ifdef MUST_NOT_COMPILE
  Net net;
  Net other{42};
  cr::AnyNetwork<float> any;
  cr::AnyNetwork<float> other_any{42, cr::SquaredError{}, {cr::Dense<4, 2>{}}};
#else
  Net net{cr::Seed{}};
  Net other{cr::Seed{42}};
  cr::AnyNetwork<float> any{cr::Seed{}, cr::SquaredError{}, {cr::Dense<4, 2>{}}};
  cr::AnyNetwork<float> other_any{cr::Seed{42}, cr::SquaredError{}, {cr::Dense<4, 2>{}}};
#endif
}
