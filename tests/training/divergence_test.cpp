#include <chainrule/training/divergence.hpp>

#include <chainrule/layers/dense.hpp>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("the first number of theta that is not finite, by name") {
  const std::tuple layers{Dense<2, 3>{}, Dense<3, 1>{}};  // 6 + 3, 3 + 1 numbers
  std::vector<double> theta(13, 0.5);
  CHECK(detail::first_not_finite(layers, theta.data()).empty());
  theta[12] = std::numeric_limits<double>::quiet_NaN();
  CHECK(detail::first_not_finite(layers, theta.data()) == "layer<1>.bias(0, 0), which is nan");
  theta[4] = -std::numeric_limits<double>::infinity();
  CHECK(detail::first_not_finite(layers, theta.data()) == "layer<0>.weight(1, 1), which is -inf");
}

namespace {

/// A training in float whose numbers are moderate.
detail::Circumstances moderate() {
  detail::Circumstances at;
  at.steps = 7;
  at.learning_rate = 0.5;
  at.limit = static_cast<double>(std::numeric_limits<float>::max());
  at.largest_input = 2;
  at.largest_target = 3;
  at.largest_parameter = 4;
  at.largest_parameter_at_start = 3.5;
  return at;
}

}  // namespace

TEST_CASE("a divergence is an Error, and says where, what and what to try") {
  detail::Circumstances at = moderate();
  at.largest_parameter = 1e9;
  CHECK_THROWS_SAYING(detail::raise_divergence("epoch 3, batch 17 of 100", "the loss is nan", at), Error,
                      "training stopped in epoch 3, batch 17 of 100: the loss is nan. ", "the learning rate, 0.5 here", "Standardizer",
                      "The parameters are those of the last finite step");
  at.steps = 0;
  CHECK_THROWS_SAYING(detail::raise_divergence("epoch 1, batch 1 of 1", "the loss is nan", at), Error,
                      "The parameters are as they were before the training");
}

TEST_CASE("the cause of a divergence is that which its numbers show") {
  using detail::cause_of;
  using Stage = detail::Circumstances::Stage;
  const std::string blames_rate = "is too large";
  const auto says = [](const std::string& text, const std::string& part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
    return text;
  };
  const auto is_acquitted = [&](const std::string& text) { return text.find(blames_rate) == std::string::npos; };

  detail::Circumstances at = moderate();
  at.largest_target = 1e25;
  CHECK(is_acquitted(says(cause_of(at), "The targets of this batch are as large as 1e+25")));
  at = moderate();
  at.largest_input = 1e30;
  CHECK(is_acquitted(says(cause_of(at), "The inputs of this batch are as large as 1e+30")));
  at = moderate();
  at.largest_weight = 1e30;
  CHECK(is_acquitted(says(cause_of(at), "The weights of the samples of this batch are as large as 1e+30")));
  at = moderate();
  at.parameter_not_finite = "layer<0>.bias(1, 0), which is inf";
  CHECK(is_acquitted(says(cause_of(at), "The parameters were not finite before this step, first layer<0>.bias(1, 0), which is inf")));

  at = moderate();
  at.largest_parameter = 500;
  CHECK_FALSE(is_acquitted(says(cause_of(at), "grown from at most 3.5 to 500, so the learning rate, 0.5 here")));
  at.largest_parameter = 6;
  says(cause_of(at), "the learning rate, 0.5, is an unlikely cause: look for outliers");
  at.outputs_are_finite = true;  // a link that overflows
  at.largest_output = 95;
  says(cause_of(at), "an unlikely cause, but the loss is not finite at outputs of up to 95");

  at.steps = 0;
  CHECK(is_acquitted(says(cause_of(at),
                          "No step has been made yet, so the learning rate is not the cause: the loss is not finite at "
                          "outputs of up to 95; scale the inputs (here up to 2) and targets (up to 3; Standardizer)")));
  at.outputs_are_finite = false;
  says(cause_of(at), "parameters of up to 6 let the activations grow from layer to layer");
  at.largest_parameter = 1e30;
  says(cause_of(at), "No step has been made yet, so the learning rate is not the cause: the parameters are as large as 1e+30");
  at = moderate();
  at.steps = 0;
  at.stage = Stage::gradient;
  at.largest_output = 95;
  says(cause_of(at), "at outputs of up to 95, the derivative of a layer or of the loss overflows or is undefined");

  at.stage = Stage::step;
  at.largest_gradient = 0.25;
  CHECK(is_acquitted(says(cause_of(at), "so the optimizer divides by 0 or its moments overflow")));
  at.learning_rate = 1e30;
  CHECK_FALSE(is_acquitted(says(cause_of(at), "With a gradient of up to 0.25, the learning rate, 1e+30 here")));
}
