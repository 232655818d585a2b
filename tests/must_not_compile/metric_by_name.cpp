// expect: a metric is an object, not its name
// errors: 1
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  const cr::FitOptions<float, cr::Labels<int>> options{.metrics = {"accuracy", "macro_f1"}};
#else
  const cr::FitOptions<float, cr::Labels<int>> options{.metrics = {cr::accuracy, cr::macro_f1}};
#endif
  return static_cast<int>(options.metrics.size());
}
