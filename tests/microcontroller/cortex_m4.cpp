// Start-up code and board functions for a Cortex-M4 without an operating system. There is no heap. Printing and exiting use ARM's
// semihosting, which QEMU or a debugger answers. The stack is filled with a known word at start-up, so that its greatest depth can be read
// at the end.

#include "board.hpp"

#include <algorithm>
#include <cstdint>

extern "C" {
// section bounds, defined in cortex_m4.ld
extern std::uint32_t data_in_flash[], data_begin[], data_end[], bss_begin[], bss_end[], stack_begin[], stack_end[];

[[noreturn]] void reset();
[[noreturn]] void start();
[[noreturn]] void abort();  // replaces the C library's, which raises a signal
}

namespace {

constexpr std::uint32_t fill_word = 0xc0ffee11;

// Calling convention of ARM's "Semihosting for AArch32 and AArch64", release 2.0: operation in r0, argument in r1.
enum class Call : std::uint32_t { write_text = 0x04, exit = 0x18 };
void semihosting(Call call, const void* argument) {
  register auto r0 asm("r0") = static_cast<std::uint32_t>(call);
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

[[noreturn]] void exit_program(bool passed) {
  constexpr std::uintptr_t application_exit = 0x20026, internal_error = 0x20024;  // ADP_Stopped_...
  for (;;) semihosting(Call::exit, reinterpret_cast<const void*>(passed ? application_exit : internal_error));
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
  exit_program(false);
}

// The vector table: initial stack pointer, reset handler and 14 exception handlers, which no correct run calls.
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

// Switches on the FPU (coprocessors 10 and 11 in CPACR) and fills the stack with fill_word. Naked, because it must not use the stack.
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
      : "i"(fill_word));
}

void start() {
  std::copy(data_in_flash, data_in_flash + (data_end - data_begin), data_begin);
  std::fill(bss_begin, bss_end, 0u);
  const bool passed = learn_and_predict();
  const std::uint32_t* deepest = std::find_if(stack_begin, stack_end, [](std::uint32_t word) { return word != fill_word; });
  print_number("stack: ", static_cast<std::uint32_t>(stack_end - deepest) * 4);
  exit_program(passed && deepest != stack_begin);
}

void abort() {
  board::print("abort\nfailed\n");
  exit_program(false);
}
