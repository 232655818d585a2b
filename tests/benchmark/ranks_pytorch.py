"""Prints how long the training steps of ranks.cpp take with PyTorch: in one process, and with DistributedDataParallel on gloo in two.

A step is forward, backward and Adam. Each process has one thread, and with two each is bound to a core of its own and has half of the batch.
Printed is the shortest of some steps' mean times, as ranks.cpp prints it. ranks_run calls this where python3 has torch (Debian: python3-torch).
"""
import os
import sys
import time

import torch
import torch.distributed
import torch.multiprocessing

NETS = [("784-128-10", [784, 128, 10], 128), ("784-500-250-10", [784, 500, 250, 10], 128), ("1024-1024-1024-1024", [1024] * 4, 256)]


def shortest_step(sizes, samples, processes):
    """Returns the seconds of a step on `samples` samples of this process."""
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1])
    if processes > 1:
        net = torch.nn.parallel.DistributedDataParallel(net)
    loss, rule = torch.nn.CrossEntropyLoss(), torch.optim.Adam(net.parameters())
    x, y = torch.randn(samples, sizes[0]), torch.randint(sizes[-1], (samples,))

    def step():
        rule.zero_grad(set_to_none=True)
        loss(net(x), y).backward()
        rule.step()

    for _ in range(5):
        step()
    begin = time.perf_counter()
    step()
    steps = max(1, int(0.05 / (time.perf_counter() - begin)))
    if processes > 1:  # all processes make as many steps
        counts = torch.tensor([steps])
        torch.distributed.all_reduce(counts, op=torch.distributed.ReduceOp.MIN)
        steps = int(counts)
    shortest = float("inf")
    for _ in range(15):
        begin = time.perf_counter()
        for _ in range(steps):
            step()
        shortest = min(shortest, (time.perf_counter() - begin) / steps)
    return shortest


def work(rank, processes):
    torch.set_num_threads(1)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[rank % len(cores)]})
    if processes > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29511")
        torch.distributed.init_process_group("gloo", rank=rank, world_size=processes)
    for name, sizes, batch in NETS:
        seconds = shortest_step(sizes, batch // processes, processes)
        if rank == 0:
            print(f"{name:<22} batch {batch:4}  PyTorch {torch.__version__}, {processes} processes  {seconds * 1e6:9.1f} us a step", flush=True)


if __name__ == "__main__":
    for count in (1, 2):
        torch.multiprocessing.spawn(work, args=(count,), nprocs=count)
    sys.exit(0)
