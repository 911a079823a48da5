"""One batch on several processes: its gradient by `jax.distributed`, and the batch size from which that pays.

Run it in the project's root, on Linux: ``python benchmarks/several_processes.py``. A loss is printed for JAX once. Then
its gradient is computed by one process that has one core, by two that have one core each, and by one that has two, on
the loopback interface alone, again and again in turn; and by the program as it is, without JAX. Gradients are compared
with those of the program that was printed. The same file is what each process runs; a part of it is shown in
``docs/howto/several_machines.md``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SIZES = (64, 256, 1024, 4096, 16384, 65536)
WIDTHS = (64, 128, 10)


# [what each process runs]
def gradient_on_several(file, address, process, processes):
    """Return a function (theta, x, y) → (mean loss, gradient), of this process's part of a batch."""
    import jax
    from jax.sharding import NamedSharding, PartitionSpec

    if processes > 1:
        jax.distributed.initialize(address, processes, process, coordinator_bind_address=address)
    spec = importlib.util.spec_from_file_location("loss", file)
    net = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(net)

    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("batch",))  # the devices of all processes
    by_rows = NamedSharding(mesh, PartitionSpec("batch"))
    everywhere = NamedSharding(mesh, PartitionSpec())

    def mean_and_gradient(theta, *batch):
        n = len(batch[0])  # of the whole batch
        losses, _, gradient, _ = net.run(theta, 1.0 / n, *batch)
        return losses[0].sum() / n, gradient

    run = jax.jit(mean_and_gradient, out_shardings=everywhere)

    def call(theta, *mine):
        theta = jax.make_array_from_process_local_data(everywhere, theta)
        batch = [jax.make_array_from_process_local_data(by_rows, part) for part in mine]
        value, gradient = run(theta, *batch)
        return float(value), np.asarray(gradient)

    return call, net


# [end]


def batch(n):
    """Return a batch of random rows and classes, the same in every process."""
    rng = np.random.default_rng(n)
    return rng.normal(size=(n, WIDTHS[0])), rng.integers(WIDTHS[-1], size=(n, 1)).astype(float)


def work(options):
    """Be one process: compute each batch's gradient, and print it and what the calls took, if this is the first one."""
    if options.cores:
        os.sched_setaffinity(0, options.cores)
    gradient_of, net = gradient_on_several(options.file, options.address, options.process, options.processes)
    for n in options.sizes:
        mine = slice(n * options.process // options.processes, n * (options.process + 1) // options.processes)
        x, y = (part[mine] for part in batch(n))
        value, gradient = gradient_of(net.theta, x, y)  # compiles it for this size
        seconds = []
        for _ in range(options.rounds):
            start = time.perf_counter()
            gradient_of(net.theta, x, y)
            seconds.append(time.perf_counter() - start)
        if options.process == 0:
            found = {"n": n, "seconds": min(seconds), "value": value, "gradient": gradient[net.order].tolist()}
            print(json.dumps(found), flush=True)


def by_processes(file, cores, sizes, rounds):
    """Return for each size what was found by as many processes as there are lists of cores, each on its own ones."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, __file__, "--file", file, "--address", address, "--processes", len(cores)]
    command += ["--rounds", rounds, "--sizes", *sizes]
    running = []
    try:
        for k, own in enumerate(cores):
            arguments = map(str, [*command, "--process", k, "--cores", *own])
            environment = os.environ | {"JAX_PLATFORMS": "cpu"}
            running.append(subprocess.Popen([*arguments], stdout=subprocess.PIPE, text=True, env=environment))
        printed = [process.communicate(timeout=600)[0] for process in running]
    finally:
        for process in running:
            process.kill()
    if any(process.returncode for process in running):
        raise SystemExit("a process failed; what it said stands above")
    lines = printed[0].splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]  # Gloo says there who is connected


def printed_loss(folder):
    """Print the loss of a network for JAX, and return the file and the program."""
    sys.path.insert(0, str(ROOT))
    from autograd_mini import nn, vectorize

    model = nn.Sequential(nn.MLP(WIDTHS[0], [WIDTHS[1]], "tanh", rng=0), nn.LayerNorm(WIDTHS[1]))
    model = nn.Sequential(model, nn.MLP(WIDTHS[1], [WIDTHS[2]], "identity", rng=1))
    program = vectorize(lambda x, y: nn.cross_entropy(model(x), y[0]), threads=1)
    program(*batch(2))
    program.save(folder / "loss.py", backend="jax")
    return folder / "loss.py", program


def seconds_here(program, n, rounds):
    """Return what the program itself takes, without JAX: the best of some calls, on one core."""
    x, y = batch(n)
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        program.value_and_grad(x, y)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def difference(program, found):
    """Return by how much a gradient differs from the program's, relative to its largest number."""
    value, gradient = program.value_and_grad(*batch(found["n"]))
    others = np.array([found["value"], *found["gradient"]])
    return float(np.abs(others - [value, *gradient]).max() / np.abs([value, *gradient]).max())


def main():
    """Print the table; return 1 if a gradient isn't that of one process to 12 digits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="of batches; even numbers")
    parser.add_argument("--rounds", type=int, default=10, help="calls each time, of which the best one counts")
    parser.add_argument("--repeats", type=int, default=4, help="how often the processes are started")
    for name in ("--address", "--file"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    for name in ("--process", "--processes"):
        parser.add_argument(name, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--cores", type=int, nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.file:
        return work(options)
    first, second = (sorted(os.sched_getaffinity(0)) * 2)[:2]
    ways = {
        "1 of JAX, 1 core": [[first]],
        "2 of JAX, 1 each": [[first], [second]],
        "1 of JAX, 2 cores": [[first, second]],
    }
    best, furthest = {}, 0.0
    with tempfile.TemporaryDirectory() as folder:
        file, program = printed_loss(Path(folder))
        here = "no JAX, 1 core"
        for _ in range(options.repeats):
            for way, cores in ways.items():
                for found in by_processes(file, cores, options.sizes, options.rounds):
                    best.setdefault((way, found["n"]), []).append(found["seconds"])
                    furthest = max(furthest, difference(program, found))
            for n in options.sizes:
                best.setdefault((here, n), []).append(seconds_here(program, n, options.rounds))
    print(f"\n{'-'.join(map(str, WIDTHS))} with LayerNorm, {len(program.parameters)} parameters; ms for a gradient")
    print("".join(f"{head:>19}" for head in ["examples", *ways, "1 core / 2 by 1", here]))
    for n in options.sizes:
        one, two, both, alone = [1e3 * min(best[way, n]) for way in (*ways, here)]
        print(f"{n:>19}" + "".join(f"{number:>19.2f}" for number in (one, two, both, one / two, alone)))
    print(f"the furthest gradient is {furthest:.0e} of its largest number away from the program's own")
    return int(furthest > 1e-12)


if __name__ == "__main__":
    sys.exit(main())
