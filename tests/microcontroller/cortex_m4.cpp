// Start-up of a Cortex-M4 and what the program needs of it, with nothing of an operating system: no heap, no system calls but two of
// ARM's semihosting that a debugger or QEMU answers. How deep the stack has been is read from what was painted on it.

#include "board.hpp"

#include <algorithm>
#include <cstdint>

extern "C" {
// where cortex_m4.ld puts things
extern std::uint32_t data_in_flash[], data_begin[], data_end[], bss_begin[], bss_end[], stack_begin[], stack_end[];

[[noreturn]] void reset();
[[noreturn]] void start();
[[noreturn]] void abort();  // instead of the C library's, which raises a signal
}

namespace {

constexpr std::uint32_t paint = 0xc0ffee11;

// ARM's "Semihosting for AArch32 and AArch64", 2.0: operation in r0, argument in r1.
enum class Call : std::uint32_t { write_text = 0x04, exit = 0x18 };
void semihosting(Call call, const void* argument) {
  register auto r0 asm("r0") = static_cast<std::uint32_t>(call);
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

[[noreturn]] void leave(bool well) {
  constexpr std::uintptr_t application_exit = 0x20026, internal_error = 0x20024;  // ADP_Stopped_...
  for (;;) semihosting(Call::exit, reinterpret_cast<const void*>(well ? application_exit : internal_error));
}

void print_number(const char* what, std::uint32_t number) {
  char text[11] = {};
  char* at = text + 10;
  do *--at = static_cast<char>('0' + number % 10);
  while ((number /= 10) > 0);
  board::print(what);
  board::print(at);
  board::print("\n");
}

[[noreturn]] void fault() {
  board::print("fault\nfailed\n");
  leave(false);
}

// The stack's end, the reset handler, and 14 exceptions, none of which should come.
using Handler = void (*)();
struct Vectors {
  const void* stack;
  Handler reset;
  Handler exceptions[14];
};
[[gnu::section(".vectors"), gnu::used]] const Vectors vectors{
    stack_end, reset, {fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault}};

}  // namespace

void board::print(const char* text) { semihosting(Call::write_text, text); }

// Without a stack: the FPU on (coprocessors 10 and 11 in CPACR), then paint from the stack's begin to its end.
[[gnu::naked]] void reset() {
  asm volatile(
      "ldr r0, =0xe000ed88\n"
      "ldr r1, [r0]\n"
      "orr r1, r1, #0xf00000\n"
      "str r1, [r0]\n"
      "dsb\n"
      "isb\n"
      "ldr r0, =stack_begin\n"
      "ldr r1, =stack_end\n"
      "ldr r2, =%c0\n"
      "1: str r2, [r0], #4\n"
      "cmp r0, r1\n"
      "blo 1b\n"
      "b start\n"
      ".ltorg\n"
      :
      : "i"(paint));
}

void start() {
  std::copy(data_in_flash, data_in_flash + (data_end - data_begin), data_begin);
  std::fill(bss_begin, bss_end, 0u);
  const bool well = learn_and_predict();
  const std::uint32_t* deepest = std::find_if(stack_begin, stack_end, [](std::uint32_t word) { return word != paint; });
  print_number("stack: ", static_cast<std::uint32_t>(stack_end - deepest) * 4);
  leave(well && deepest != stack_begin);
}

void abort() {
  board::print("abort\nfailed\n");
  leave(false);
}
