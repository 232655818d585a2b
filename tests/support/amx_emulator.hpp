#pragma once
// Runs the instructions of AMX that the library uses on processors that have none: they raise SIGILL there, and a handler of it reads the
// instruction, does what Intel's manual says (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, "TDPBF16PS" and the
// other names below), and lets the program go on behind it. So the kernels for AMX are tested on every processor with AVX512_BF16.

#include <chainrule/kernels/bf16.hpp>
#include <cmath>
#include <cstring>

#if defined(CHAINRULE_HAS_BF16_KERNELS) && defined(__linux__)
#define CHAINRULE_TEST_EMULATES_AMX
#include <ucontext.h>
#include <csignal>
#include <cstdlib>
#endif

namespace chainrule_test {

#if defined(CHAINRULE_TEST_EMULATES_AMX)

/// While it lives, AMX instructions of this thread are emulated, if `emulates` is true.
class AmxEmulator {
 public:
  explicit AmxEmulator(bool emulates) : emulates_{emulates} {
    if (!emulates) return;
    registers() = Registers{};
    struct sigaction action {};
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = [](int, siginfo_t*, void* context) {
      if (!run_one(*static_cast<ucontext_t*>(context))) std::abort();  // an instruction that this emulator does not know
    };
    sigaction(SIGILL, &action, &before_);
  }
  AmxEmulator(const AmxEmulator&) = delete;
  AmxEmulator& operator=(const AmxEmulator&) = delete;
  ~AmxEmulator() {
    if (emulates_) sigaction(SIGILL, &before_, nullptr);
  }

 private:
  static constexpr int rows = 16, bytes_of_row = 64, pairs = 16;
  struct Tile {
    unsigned char bytes[rows][bytes_of_row];
    float number(int row, int column) const {
      float x;
      std::memcpy(&x, bytes[row] + 4 * column, sizeof x);
      return x;
    }
    // Number k of a row of bfloat16 numbers. Subnormal ones count as 0.
    float bf16(int row, int k) const {
      chainrule::kernels::Bf16 x;
      std::memcpy(&x, bytes[row] + 2 * k, sizeof x);
      return without_subnormal(chainrule::kernels::from_bf16(x));
    }
    void set(int row, int column, float x) { std::memcpy(bytes[row] + 4 * column, &x, sizeof x); }
  };
  struct Registers {
    bool are_configured = false;
    Tile tiles[8] = {};
  };
  static Registers& registers() {
    static Registers all;
    return all;
  }
  static float without_subnormal(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

  // Sums of products: those of the first and those of the second number of each pair by themselves, then both, and then C.
  static void multiply(Tile& c, const Tile& a, const Tile& b) {
    for (int m = 0; m < rows; ++m)
      for (int n = 0; n < pairs; ++n) {
        float first = 0, second = 0;
        for (int k = 0; k < pairs; ++k) {
          first = without_subnormal(std::fma(a.bf16(m, 2 * k), b.bf16(k, 2 * n), first));
          second = without_subnormal(std::fma(a.bf16(m, 2 * k + 1), b.bf16(k, 2 * n + 1), second));
        }
        c.set(m, n, without_subnormal(without_subnormal(c.number(m, n)) + without_subnormal(first + second)));
      }
  }

  // Does the instruction where the program stopped. Returns whether it is one of AMX.
  static bool run_one(ucontext_t& context) {
    const auto* code = reinterpret_cast<const unsigned char*>(context.uc_mcontext.gregs[REG_RIP]);
    if (code[0] != 0xc4 || (code[1] & 31) != 2) return false;
    const unsigned prefix = code[2] & 3u, opcode = code[3], modrm = code[4], mode = modrm >> 6, reg = modrm >> 3 & 7u, rm = modrm & 7u;
    constexpr unsigned none = 0, f3 = 2, f2 = 3;
    const unsigned char* next = code + 5;
    Registers& all = registers();
    if (opcode == 0x49 && prefix == none && modrm == 0xc0) {  // TILERELEASE
      all = Registers{};
    } else if (opcode == 0x49 && prefix == f2 && mode == 3) {  // TILEZERO
      if (!all.are_configured) return false;
      all.tiles[reg] = Tile{};
    } else if (opcode == 0x5c && prefix == f3 && mode == 3) {  // TDPBF16PS
      if (!all.are_configured) return false;
      multiply(all.tiles[reg], all.tiles[rm], all.tiles[~(code[2] >> 3) & 7u]);
    } else if (mode != 3 && (opcode == 0x49 || opcode == 0x4b)) {
      const Address at = address(context, code[1], mode, rm, next);
      if (opcode == 0x49 && prefix == none) {  // LDTILECFG: palette 1, and all tiles of 16 rows of 64 bytes
        all = Registers{};
        all.are_configured = at.first[0] == 1;
        for (int tile = 0; tile < 8; ++tile)
          all.are_configured = all.are_configured && at.first[16 + 2 * tile] == bytes_of_row && at.first[48 + tile] == rows;
      } else if (!all.are_configured) {
        return false;
      } else if (prefix == f2) {  // TILELOADD
        for (int row = 0; row < rows; ++row) std::memcpy(all.tiles[reg].bytes[row], at.first + row * at.step, bytes_of_row);
      } else if (prefix == f3) {  // TILESTORED
        for (int row = 0; row < rows; ++row) std::memcpy(at.first + row * at.step, all.tiles[reg].bytes[row], bytes_of_row);
      } else {
        return false;
      }
    } else {
      return false;
    }
    context.uc_mcontext.gregs[REG_RIP] = reinterpret_cast<greg_t>(next);
    return true;
  }

  // The memory operand of an instruction: base + displacement, and the index register as the step between rows of a tile.
  struct Address {
    unsigned char* first;
    std::ptrdiff_t step;
  };
  static Address address(const ucontext_t& context, unsigned char extensions, unsigned mode, unsigned rm, const unsigned char*& next) {
    static constexpr int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                      REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    const auto value = [&](unsigned number) { return context.uc_mcontext.gregs[order[number]]; };
    const unsigned index_extension = (extensions & 0x40) != 0 ? 0 : 8, base_extension = (extensions & 0x20) != 0 ? 0 : 8;
    unsigned base = rm | base_extension;
    greg_t step = 0;
    bool has_base = !(mode == 0 && rm == 5);  // without one it is relative to the next instruction
    const bool is_relative = !has_base;
    if (rm == 4) {
      const unsigned sib = *next++, index = (sib >> 3 & 7u) | index_extension;
      base = (sib & 7u) | base_extension;
      if (index != 4) step = value(index) << (sib >> 6);
      has_base = !(mode == 0 && (sib & 7u) == 5);
    }
    greg_t displacement = 0;
    if (mode == 1) {
      displacement = static_cast<signed char>(*next++);
    } else if (mode == 2 || !has_base) {
      std::int32_t four_bytes;
      std::memcpy(&four_bytes, next, sizeof four_bytes);
      displacement = four_bytes;
      next += sizeof four_bytes;
    }
    const greg_t from = is_relative ? reinterpret_cast<greg_t>(next) : has_base ? value(base) : 0;
    return {reinterpret_cast<unsigned char*>(from + displacement), step};
  }

  bool emulates_;
  struct sigaction before_ {};
};

/// Whether AMX can be emulated here: the kernels around it need AVX512_BF16.
inline bool can_emulate_amx() { return chainrule::kernels::has_bf16_unit(chainrule::kernels::Bf16Unit::avx512); }

#else

/// Emulates nothing on this system.
struct AmxEmulator {
  explicit AmxEmulator(bool) {}
};
/// Whether AMX can be emulated here.
inline bool can_emulate_amx() { return false; }

#endif

}  // namespace chainrule_test
