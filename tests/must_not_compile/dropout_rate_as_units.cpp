// expect: the rate is an argument: Dropout<>{0.2}
// errors: 1
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::Dropout<0.2> layer;
#else
  cr::Dropout<> layer{0.2};
#endif
  return layer.rate() < 1 ? 0 : 1;
}
