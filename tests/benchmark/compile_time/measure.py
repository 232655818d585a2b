#!/usr/bin/env python3
"""measure.py COMPILER README EIGEN_LOOP BUILD INCLUDE...: seconds and peak MiB to compile the README's first program at -O0 and -O2, beside
the same program written by hand with Eigen, and headers alone; and the size of the programs, stripped. A layer of more than 16 units calls
the kernels for any extents, which are compiled too: so also with more units."""

import os
import re
import shlex
import subprocess
import sys
import time


def compile_once(compiler, level, source, includes):
    command = shlex.split(compiler) + ["-std=c++20", level, "-c", source, "-o", "/dev/null"]
    for include in includes:
        command += ["-isystem", include]
    begin = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"does not compile: {' '.join(command)}")
    # the compiler proper is a child of the driver: its memory is in the driver's figures, which wait4 returns with its children's
    mebibyte = 2**20 if sys.platform == "darwin" else 2**10
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / mebibyte


def stripped_kib(compiler, source, includes, build):
    program = os.path.join(build, "program")
    command = shlex.split(compiler) + ["-std=c++20", "-O2", source, "-s", "-pthread", "-o", program]
    for include in includes:
        command += ["-isystem", include]
    subprocess.run(command, check=True)
    return os.path.getsize(program) / 2**10


def main():
    compiler, readme, eigen_loop, build = sys.argv[1:5]
    includes = sys.argv[5:]
    os.makedirs(build, exist_ok=True)
    with open(readme, encoding="utf-8") as text:
        quick_start = re.search(r"^```cpp\n(.*?)^```", text.read(), re.DOTALL | re.MULTILINE).group(1)
    with_many_units, found = re.subn(r"Dense<2, 16,(.*)Dense<16,", r"Dense<2, 128,\1Dense<128,", quick_start)
    if found != 1:
        sys.exit(f"{readme}: its first program has no Dense<2, 16, ...> and Dense<16, ...>")
    texts = {
        "README's quick start": quick_start,
        "the same by hand with Eigen": open(eigen_loop, encoding="utf-8").read(),
        "ours with 128 hidden units": with_many_units,
        "chainrule/chainrule.hpp alone": "#include <chainrule/chainrule.hpp>\nint main() {}\n",
        "network.hpp, dense.hpp alone": "#include <chainrule/network.hpp>\n#include <chainrule/layers/dense.hpp>\nint main() {}\n",
        "Eigen/Core alone": "#include <Eigen/Core>\nint main() {}\n",
    }
    programs = {}
    for number, (name, text) in enumerate(texts.items()):
        programs[name] = os.path.join(build, f"{number}.cpp")
        with open(programs[name], "w", encoding="utf-8") as file:
            file.write(text)

    print(f"compile time of one file, {compiler}, the fastest of three")
    print(f"{'':33}{'seconds':>9}{'CPU s':>8}{'peak MiB':>10}")
    for level in ["-O0", "-O2"]:
        runs = {name: [] for name in programs}
        for _ in range(3):
            for name, source in programs.items():
                runs[name].append(compile_once(compiler, level, source, includes))
        best = {name: [min(column) for column in zip(*of)] for name, of in runs.items()}
        for name, (wall, cpu, peak) in best.items():
            print(f"{level} {name:30}{wall:9.2f}{cpu:8.2f}{peak:10.0f}")
        ours, by_hand = list(best.values())[:2]
        print(f"{level} ratio compile seconds {ours[0] / by_hand[0]:.2f} CPU {ours[1] / by_hand[1]:.2f} memory {ours[2] / by_hand[2]:.2f}")
    sizes = [stripped_kib(compiler, source, includes, build) for source in list(programs.values())[:3]]
    print(f"size at -O2, stripped: quick start {sizes[0]:.0f} KiB, by hand {sizes[1]:.0f} KiB, with 128 hidden units {sizes[2]:.0f} KiB")


if __name__ == "__main__":
    main()
