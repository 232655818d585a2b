// expect: stratified parts keep each class's share, so the targets must be integer labels
#include <chainrule/data/split.hpp>
namespace cr = chainrule;

int main() {
#ifdef MUST_NOT_COMPILE
  cr::RegressionDataset<float> data;
#else
  cr::Dataset<float> data;
#endif
  data.features.resize(2, 0);
  return static_cast<int>(cr::stratified_split(data).train.size());
}
