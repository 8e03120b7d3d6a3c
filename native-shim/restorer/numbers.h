/* Process numbers for who may not choose them: an ordinary user where user namespaces are not allowed. World: Bare.
 *
 * The kernel gives numbers in order and begins again at the end (alloc_pid in kernel/pid.c: idr_alloc_cyclic). So whoever makes a
 * process or thread first makes threads that end at once, until the wanted number is the next one. All numbers of the computation are
 * taken on the way, in the order in which the kernel comes to them, whoever makes them: the turn says who is next. When somebody
 * else on the host is faster the number is missed, and taken in the next round.
 *
 * Recipe: await the turn; count; make the process; tell what number it got.
 */
#ifndef DM_NUMBERS_H
#define DM_NUMBERS_H

#include <stdint.h>

#include "run.h"

enum dm_number_kind {
    DM_NUMBER_EARLY = 0,  /* a process that is born before its creator makes a session */
    DM_NUMBER_LATE = 1,   /* a process that is born after that */
    DM_NUMBER_THREAD = 2, /* when all processes have their memory */
};

/* On the board; the first ones are those of the plan's nodes, in their order. */
struct dm_number {
    int32_t number;
    int32_t creator; /* index of who makes it, or DM_PLAN_INIT */
    uint32_t kind;   /* enum dm_number_kind */
    uint32_t made;
    uint32_t misses;
};

static inline struct dm_number *dm_number_at(const struct dm_board *board, int32_t index)
{
    return (struct dm_number *)((uint64_t)board + board->numbers_at) + index;
}

static inline int dm_numbers_are_counted(const struct dm_board *board)
{
    return board->number_count != 0;
}

/* How many the plan has: 0 when numbers are chosen. */
uint32_t dm_numbers_of(const struct dm_run *run);

/* Waits until no other run on this host counts, fills them in behind the board's other parts, and gives the first turn.
 * 0 or -errno. */
int dm_numbers_begin(struct dm_run *run);

/* Lets another run on this host count: when all is made, and in each new process. */
void dm_numbers_end(struct dm_run *run);

enum { DM_TURN_NONE = -1, DM_TURN_FAILED = -2 };

/* Waits until one of those that `creator` makes is next; which. DM_TURN_NONE: it has made them all. */
int32_t dm_numbers_turn(struct dm_board *board, int error_fd, int32_t creator, enum dm_number_kind kind);

/* 0: the next process or thread will have the number. -1: it was missed, and the turn is somebody else's; or the run has failed. */
int dm_numbers_count(struct dm_board *board, int error_fd, int32_t index);

/* What was made has this number (or -errno), which may not be the one it should have; gives the next turn. */
void dm_numbers_made(struct dm_board *board, int32_t index, int64_t got);

/* Waits until all members are here: from now on threads are made. 0, or -1 when the run has failed. */
int dm_numbers_of_threads(struct dm_board *board);

#endif
