"""Proves: mpi4py goes on: objects sent by pickle, buffers, collective operations and a communicator of some ranks."""
from array import array

from mpi4py import MPI

import sample


def more(world):
    """Rank 0 decides for all."""
    steps = sample.steps(100) if world.rank == 0 else None
    while world.bcast(next(steps, None) is not None if steps else None):
        yield


def main():
    world = MPI.COMM_WORLD
    rank, size = world.rank, world.size
    pairs = world.Split(rank % 2)
    following, former = (rank + 1) % size, (rank - 1) % size
    checksum = 0
    world.barrier()
    if rank == 0:
        sample.ready()
    for step, _ in enumerate(more(world)):
        got = world.sendrecv({"from": rank, "step": step, "data": [sample.mix(rank + step)] * (step % 500)}, dest=following, source=former)
        sample.check(got == {"from": former, "step": step, "data": [sample.mix(former + step)] * (step % 500)}, f"step {step}: rank {former} sent something else")

        block, sums = array("d", [float(rank + i) for i in range(1000)]), array("d", bytes(8000))
        world.Allreduce(block, sums, op=MPI.SUM)
        expected = [float(size * i + size * (size - 1) // 2) for i in range(1000)]
        sample.check(sums.tolist() == expected, f"step {step}: a sum is wrong")

        members = pairs.allgather(rank)
        sample.check(members == list(range(rank % 2, size, 2)), f"step {step}: the smaller communicator has {members}")
        checksum = sample.mix(checksum ^ world.allreduce(sample.mix(rank ^ checksum), op=MPI.BXOR))
    if rank == 0:
        sample.ok(checksum)
    MPI.Finalize()


main()
