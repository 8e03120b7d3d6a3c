/* Proves: collectives survive: sums of integers and floating-point numbers, gather,
 * all-to-all and a split communicator, each compared with what it must be. */
#include "mpi-sample.h"

enum { COUNT = 5000, MOST = 64 };

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    CHECK(size <= MOST, "at most %d ranks", MOST);
    static uint64_t mine[COUNT], sum[COUNT];
    MPI_Comm half;
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    uint64_t checksum = 0;
    mpi_ready(rank);

    for (uint64_t step = 0; mpi_more(200); step++) {
        for (int i = 0; i < COUNT; i++)
            mine[i] = sample_mix(step) + (uint64_t)i * (rank + 1);
        MPI_Allreduce(mine, sum, COUNT, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
        for (int i = 0; i < COUNT; i++) {
            uint64_t expected = sample_mix(step) * size + (uint64_t)i * size * (size + 1) / 2;
            CHECK(sum[i] == expected, "step %d: sum %d is wrong in rank %d", (int)step, i, rank);
        }

        double part = 1.0 / (1 << rank), total;
        MPI_Allreduce(&part, &total, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
        CHECK(total == 2.0 - 1.0 / (1 << (size - 1)), "step %d: the floating-point sum is %g", (int)step, total);

        int out[MOST], in[MOST], members, first;
        for (int i = 0; i < size; i++)
            out[i] = rank * 1000 + i + (int)step;
        MPI_Alltoall(out, 1, MPI_INT, in, 1, MPI_INT, MPI_COMM_WORLD);
        for (int i = 0; i < size; i++)
            CHECK(in[i] == i * 1000 + rank + (int)step, "step %d: all-to-all from %d to %d is %d", (int)step, i, rank, in[i]);

        MPI_Comm_size(half, &members);
        MPI_Allreduce(&rank, &first, 1, MPI_INT, MPI_MIN, half);
        CHECK(first == rank % 2 && members == (size + 1 - rank % 2) / 2, "step %d: the split communicator differs", (int)step);
        checksum = sample_mix(checksum ^ sum[COUNT - 1]);
    }
    MPI_Comm_free(&half);
    return mpi_ok(rank, checksum);
}
