#include <chainrule/core/detail/scope_exit.hpp>

#include <stdexcept>

#include "support/catch.hpp"

using namespace chainrule;

TEST_CASE("ScopeExit calls its function at the end of the scope, also after an exception") {
  int calls = 0;
  const auto count = [&calls] { ++calls; };
  try {
    const detail::ScopeExit end(count);
    throw std::runtime_error("on purpose");
  } catch (const std::runtime_error&) {
  }
  CHECK(calls == 1);
}
