/* Proves: point-to-point messages survive: a token goes round the ring, together with
 * blocks of growing size (eager and rendezvous protocols); every byte is checked. */
#include "mpi-sample.h"

enum { LARGEST = 1 << 18 };

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    int next = (rank + 1) % size, previous = (rank + size - 1) % size;
    unsigned char *out = malloc(LARGEST), *in = malloc(LARGEST);
    uint64_t token = 0;
    mpi_ready(rank);

    for (uint64_t turn = 0; mpi_more(200); turn++) {
        int count = 1 << turn % 19;
        sample_fill(out, count < 512 ? count : 512, rank + turn, 0);
        memset(out + 512, rank + turn, count < 512 ? 0 : count - 512);
        MPI_Sendrecv(out, count, MPI_BYTE, next, 1, in, count, MPI_BYTE, previous, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        sample_compare(in, count < 512 ? count : 512, previous + turn, 0, "block");
        for (int i = 512; i < count; i++)
            CHECK(in[i] == (unsigned char)(previous + turn), "turn %d: byte %d of %d from rank %d differs", (int)turn, i, count, previous);

        if (rank != 0)
            MPI_Recv(&token, 1, MPI_UINT64_T, previous, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        token = sample_mix(token + rank);
        MPI_Send(&token, 1, MPI_UINT64_T, next, 2, MPI_COMM_WORLD);
        if (rank == 0)
            MPI_Recv(&token, 1, MPI_UINT64_T, previous, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    return mpi_ok(rank, token);
}
