#include <chainrule/selection/candidate.hpp>

#include "support/catch.hpp"

using namespace chainrule;
using namespace chainrule_test;

TEST_CASE("A grid has all combinations of its values, the last one changing fastest") {
  const auto candidates = grid({{"learning_rate", {0.001, 0.01}}, {"hidden", {8, 32, 128}}, {"activation", {"relu"}}});
  REQUIRE(candidates.size() == 6);
  CHECK(candidates[0].to_string() == "learning_rate=0.001 hidden=8 activation=relu");
  CHECK(candidates[1].to_string() == "learning_rate=0.001 hidden=32 activation=relu");
  CHECK(candidates[5].to_string() == "learning_rate=0.01 hidden=128 activation=relu");
  CHECK(candidates[5]["learning_rate"] == 0.01);
  CHECK(candidates[5].whole("hidden") == 128);
  CHECK(candidates[5].text("activation") == "relu");
  CHECK_THROWS_SAYING(grid({}), ValueError, "grid: there is no hyperparameter");
  CHECK_THROWS_SAYING(grid({{"hidden", {}}}), ValueError, "grid: \"hidden\" has no value");
  CHECK_THROWS_SAYING(grid({{"hidden", {1}}, {"hidden", {2}}}), ValueError, "candidate: \"hidden\" is there twice");
  const std::vector<Choice> many(2000, 1.0);
  CHECK_THROWS_SAYING(grid({{"a", many}, {"b", many}}), ValueError, "more than a million combinations");
}

TEST_CASE("A candidate names what it has where a name or a kind of value is wrong") {
  const Candidate candidate{{{"learning_rate", 0.01}, {"hidden", 32}, {"activation", "relu"}}};
  CHECK_THROWS_SAYING(candidate["hiden"], ValueError, "there is no \"hiden\"; there are: learning_rate, hidden, activation");
  CHECK_THROWS_SAYING(candidate["activation"], ValueError, "\"activation\" is the text \"relu\", not a number");
  CHECK_THROWS_SAYING(candidate.text("hidden"), ValueError, "\"hidden\" is the number 32, not a text");
  CHECK_THROWS_SAYING(candidate.whole("learning_rate"), ValueError, "\"learning_rate\" is 0.01, not a whole number");
}

TEST_CASE("Random candidates stay within their ranges, are the same for a seed, and keep their beginning in a longer list") {
  const auto draw = [](Index count, std::uint64_t seed) {
    return random_candidates(count, Seed{seed},
                             {{"rate", Range::log_uniform(1e-4, 1e-1)},
                              {"dropout", Range::uniform(-0.5, 0.5)},
                              {"hidden", Range::whole(8, 10)},
                              {"activation", {"relu", "tanh"}}});
  };
  const auto candidates = draw(400, 1);
  Index small = 0, relu = 0, hidden[3] = {}, negative = 0;
  for (const Candidate& candidate : candidates) {
    CHECK((candidate["rate"] >= 1e-4 && candidate["rate"] <= 1e-1 && std::abs(candidate["dropout"]) <= 0.5));
    small += candidate["rate"] < 1e-3 ? 1 : 0;  // a third of the decades
    relu += candidate.text("activation") == "relu" ? 1 : 0;
    negative += candidate["dropout"] < 0 ? 1 : 0;
    ++hidden[candidate.whole("hidden") - 8];
  }
  CHECK((small > 100 && small < 170));  // 400/3 with a standard deviation of 9.4
  CHECK((relu > 160 && relu < 240));
  CHECK((negative > 160 && negative < 240));
  CHECK((hidden[0] > 90 && hidden[1] > 90 && hidden[2] > 90));
  const auto fewer = draw(3, 1);
  for (std::size_t i = 0; i < 3; ++i) CHECK(fewer[i] == candidates[i]);
  CHECK(!(draw(1, 2)[0] == candidates[0]));
  for (const Candidate& candidate : fewer)  // four significant digits and "0.0000"
    CHECK(candidate.values()[0].value.to_string().size() <= 9);
}

TEST_CASE("Ranges without a number or a choice are refused") {
  CHECK_THROWS_SAYING(Range::uniform(1, 1), ValueError, "low must be below high and both finite, got 1 and 1");
  CHECK_THROWS_SAYING(Range::log_uniform(0, 1), ValueError, "log_uniform needs a low above 0, got 0");
  CHECK_THROWS_SAYING(Range::uniform(0, std::numeric_limits<double>::infinity()), ValueError, "both finite, got 0 and inf");
  CHECK_THROWS_SAYING(Range(std::vector<Choice>{}), ValueError, "range: there is no choice");
  CHECK_THROWS_SAYING(random_candidates(0, Seed{1}, {{"a", {1, 2}}}), ValueError, "must be at least 1, got 0");
  CHECK_THROWS_SAYING(random_candidates(1, Seed{1}, {}), ValueError, "random_candidates: there is no hyperparameter");
}
