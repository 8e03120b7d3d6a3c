/* The MPI side of sample.h: rank 0 speaks, and all ranks agree when it is over. */
#pragma once
#include "../sample.h"
#include <mpi.h>

static inline void mpi_ready(int rank)
{
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        sample_ready();
}

/* As sample_more: rank 0 decides for all. Collective. */
static inline bool mpi_more(long default_steps)
{
    int rank, more = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0)
        more = sample_more(default_steps);
    MPI_Bcast(&more, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return more;
}

/* Ends MPI; rank 0 prints the last line. Returns the exit status. */
static inline int mpi_ok(int rank, uint64_t checksum)
{
    int status = rank == 0 ? sample_ok(checksum) : 0;
    MPI_Finalize();
    return status;
}
