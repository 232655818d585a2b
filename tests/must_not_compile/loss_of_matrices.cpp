// expect: a loss that is called by hand takes views.*view(y.topRows(2))
// errors: 5
#include <chainrule/chainrule.hpp>
namespace cr = chainrule;

int main() {
  const Eigen::MatrixXf y_hat = Eigen::MatrixXf::Zero(3, 4), y = Eigen::MatrixXf::Ones(3, 4);
  Eigen::MatrixXf dJ(3, 4);
#ifdef MUST_NOT_COMPILE
  cr::Huber{}.value(y_hat.topRows(2), y.topRows(2));
  cr::BinaryCrossEntropy{}.gradient(cr::view(y_hat), y, dJ);
  cr::SoftmaxCrossEntropy{}.link(dJ.topRows(2));
  cr::MeanSquaredError{}.value(cr::view(y_hat), y.cast<double>());
#else
  cr::Huber{}.value(cr::view(y_hat.topRows(2)), cr::view(y.topRows(2)));
  cr::BinaryCrossEntropy{}.gradient(cr::view(y_hat), cr::view(y), cr::mutable_view(dJ));
  cr::SoftmaxCrossEntropy{}.link(cr::mutable_view(dJ.topRows(2)));
  cr::MeanSquaredError{}.value(cr::view(y_hat), cr::view(y));
#endif
}
