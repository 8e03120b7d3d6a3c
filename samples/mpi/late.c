/* Proves: ranks that have never talked find each other after a restart, under the addresses that MPI knows from its start. Nobody talks before
 * the file DIRECTORY/stage-1 appears; in each of three stages every rank meets one that it has not met yet.
 * Usage: late DIRECTORY, with 4 ranks. */
#include "mpi-sample.h"

enum { BYTES = 1 << 17, STAGES = 3 };

/* Of two hosts with two ranks each the first two partners are on the other one. */
static const int s_distance[STAGES] = { 2, 3, 1 };

static void await_file(const char *directory, int stage)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/stage-%d", directory, stage);
    while (access(path, F_OK) != 0)
        sample_idle();
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    CHECK(argc == 2 && size == STAGES + 1, "usage: late DIRECTORY, with %d ranks", STAGES + 1);
    unsigned char *out = malloc(BYTES), *in = malloc(BYTES);
    uint64_t sum = 0;
    if (rank == 0)
        sample_ready();

    for (int stage = 1; stage <= STAGES; stage++) {
        await_file(argv[1], stage);
        int partner = rank ^ s_distance[stage - 1];
        uint64_t seed = 100 * stage, theirs = 0;
        sample_fill(out, BYTES, seed + rank, 0);
        MPI_Sendrecv(out, BYTES, MPI_BYTE, partner, stage, in, BYTES, MPI_BYTE, partner, stage, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        sample_compare(in, BYTES, seed + partner, 0, "message of a stage");
        sum = sample_mix(sum + rank + stage);
        MPI_Sendrecv(&sum, 1, MPI_UINT64_T, partner, 9, &theirs, 1, MPI_UINT64_T, partner, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        sum ^= theirs;
        if (rank == 0) {
            printf("stage %d\n", stage);
            fflush(stdout);
        }
    }
    return mpi_ok(rank, sum);
}
