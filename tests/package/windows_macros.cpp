// Includes the library after the macros of windows.h that have no prefix. Headers of the standard library and of Eigen come before the
// macros, because libstdc++ removes min and max when its first header is included.
#include <Eigen/Core>
#if __has_include(<nlohmann/json.hpp>)
#include <nlohmann/json.hpp>
#endif
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <clocale>
#include <cmath>
#include <concepts>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <istream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <numbers>
#include <numeric>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#undef DELETE  // another number in windows.h, after which tests/compilers/run compiles this
#define near
#define far
#define small char
#define interface struct
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define ERROR 0
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define DELETE 1
#define STRICT 1
#define TRUE 1
#define FALSE 0

#include <chainrule/chainrule.hpp>
#if __has_include(<nlohmann/json.hpp>)
#include <chainrule/io/model_file.hpp>
#endif
