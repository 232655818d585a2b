// expect: metrics take the predictions first and then the targets, unlike scikit-learn
// errors: 1
#include <chainrule/chainrule.hpp>
#include <vector>
namespace cr = chainrule;

int main() {
  const Eigen::RowVectorXf y_hat{{0.9f, 0.2f, 0.6f}};
  const std::vector<int> y{1, 0, 1};
#ifdef MUST_NOT_COMPILE
  return cr::roc_auc(y, y_hat) + cr::log_loss(y, y_hat) + cr::precision(y, y_hat) > 0 ? 0 : 1;
#else
  return cr::roc_auc(y_hat, y) + cr::log_loss(y_hat, y) + cr::precision(y_hat, y) > 0 ? 0 : 1;
#endif
}
