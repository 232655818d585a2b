// The function that libFuzzer calls with each input.

#include <cstddef>
#include <cstdint>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chainrule_fuzz::attempt([&] { chainrule_fuzz::read({reinterpret_cast<const char*>(data), size}); });
  return 0;
}
