/* Proves: a real computation survives: heat on a plate, cut into a grid of ranks that
 * exchange their edges with non-blocking messages in every step. The checksum of the
 * whole plate is, bit by bit, that of an undisturbed run, for any number of ranks.
 * Usage: stencil [WIDTH [STEPS]], 512 and 500 by default; SAMPLE_STEPS wins.
 * Compiled with OpenMP, the threads of a rank share its part. */
#include "mpi-sample.h"

struct part { int width, height, x0, y0, north, south, west, east; double *now, *next; };

static double *cell(const struct part *part, double *plate, int x, int y) { return &plate[(y + 1) * (part->width + 2) + x + 1]; }

static void exchange(struct part *part, MPI_Comm grid, MPI_Datatype column)
{
    MPI_Request requests[8];
    double *now = part->now;
    MPI_Irecv(cell(part, now, 0, -1), part->width, MPI_DOUBLE, part->north, 0, grid, &requests[0]);
    MPI_Irecv(cell(part, now, 0, part->height), part->width, MPI_DOUBLE, part->south, 1, grid, &requests[1]);
    MPI_Irecv(cell(part, now, -1, 0), 1, column, part->west, 2, grid, &requests[2]);
    MPI_Irecv(cell(part, now, part->width, 0), 1, column, part->east, 3, grid, &requests[3]);
    MPI_Isend(cell(part, now, 0, part->height - 1), part->width, MPI_DOUBLE, part->south, 0, grid, &requests[4]);
    MPI_Isend(cell(part, now, 0, 0), part->width, MPI_DOUBLE, part->north, 1, grid, &requests[5]);
    MPI_Isend(cell(part, now, part->width - 1, 0), 1, column, part->east, 2, grid, &requests[6]);
    MPI_Isend(cell(part, now, 0, 0), 1, column, part->west, 3, grid, &requests[7]);
    MPI_Waitall(8, requests, MPI_STATUSES_IGNORE);
}

/* The border of the plate stays as it is; inside, each point moves to the mean of its neighbours. */
static void step(struct part *part, int width)
{
    #pragma omp parallel for schedule(static)
    for (int y = 0; y < part->height; y++)
        for (int x = 0; x < part->width; x++) {
            double old = *cell(part, part->now, x, y);
            int gx = part->x0 + x, gy = part->y0 + y;
            bool border = gx == 0 || gy == 0 || gx == width - 1 || gy == width - 1;
            double mean = 0.25 * (*cell(part, part->now, x - 1, y) + *cell(part, part->now, x + 1, y) +
                                  *cell(part, part->now, x, y - 1) + *cell(part, part->now, x, y + 1));
            *cell(part, part->next, x, y) = border ? old : old + 0.9 * (mean - old);
        }
    double *swap = part->now;
    part->now = part->next;
    part->next = swap;
}

/* Depends on every bit of every point and on its place, but not on how the plate is cut. */
static uint64_t checksum(const struct part *part, int width, MPI_Comm grid)
{
    uint64_t sum = 0, total;
    for (int y = 0; y < part->height; y++)
        for (int x = 0; x < part->width; x++) {
            uint64_t bits;
            memcpy(&bits, cell(part, part->now, x, y), sizeof bits);
            sum += sample_mix(bits ^ sample_mix((uint64_t)(part->y0 + y) * width + part->x0 + x));
        }
    MPI_Allreduce(&sum, &total, 1, MPI_UINT64_T, MPI_SUM, grid);
    return total;
}

int main(int argc, char **argv)
{
    int provided, size, rank, dimensions[2] = { 0, 0 }, periods[2] = { 0, 0 }, place[2];
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    int width = argc > 1 ? atoi(argv[1]) : 512;
    long steps = argc > 2 ? atol(argv[2]) : 500;
    MPI_Comm grid;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Dims_create(size, 2, dimensions);
    MPI_Cart_create(MPI_COMM_WORLD, 2, dimensions, periods, 0, &grid);
    MPI_Comm_rank(grid, &rank);
    MPI_Cart_coords(grid, rank, 2, place);
    CHECK(width >= dimensions[0] && width >= dimensions[1], "usage: stencil [WIDTH [STEPS]]");

    struct part part = { .y0 = (int)((long)width * place[0] / dimensions[0]), .x0 = (int)((long)width * place[1] / dimensions[1]) };
    part.height = (int)((long)width * (place[0] + 1) / dimensions[0]) - part.y0;
    part.width = (int)((long)width * (place[1] + 1) / dimensions[1]) - part.x0;
    MPI_Cart_shift(grid, 0, 1, &part.north, &part.south);
    MPI_Cart_shift(grid, 1, 1, &part.west, &part.east);
    part.now = calloc((size_t)(part.width + 2) * (part.height + 2), sizeof(double));
    part.next = calloc((size_t)(part.width + 2) * (part.height + 2), sizeof(double));
    for (int y = 0; y < part.height; y++)
        for (int x = 0; x < part.width; x++)
            *cell(&part, part.now, x, y) = (double)(sample_mix((uint64_t)(part.y0 + y) * width + part.x0 + x) >> 11) / 9007199254740992.0;
    MPI_Datatype column;
    MPI_Type_vector(part.height, 1, part.width + 2, MPI_DOUBLE, &column);
    MPI_Type_commit(&column);

    mpi_ready(rank);
    double start = MPI_Wtime();
    while (mpi_more(steps)) {
        exchange(&part, grid, column);
        step(&part, width);
    }

    uint64_t sum = checksum(&part, width, grid);
    if (rank == 0 && getenv("SAMPLE_SECONDS"))
        printf("seconds %.3f\n", MPI_Wtime() - start);
    MPI_Type_free(&column);
    MPI_Comm_free(&grid);
    return mpi_ok(rank, sum);
}
