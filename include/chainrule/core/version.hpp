#pragma once

#include <chainrule/core/detail/require_cpp20.hpp>

namespace chainrule {

/// The version of the library; the build system reads it from this line, so it is said once.
inline constexpr const char* version = "0.1.0";

}  // namespace chainrule
