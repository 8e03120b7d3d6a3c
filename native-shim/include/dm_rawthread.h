/* Threads that the program cannot see: made with clone(2), not pthread_create.
 * World: Guest (prepare), all (the thread itself).
 *
 * With pthread_create libc would turn multi-threaded (slower malloc and stdio for a
 * single-threaded program), pthread_exit in main would wait for us for ever, and the
 * program's own pthread_atfork and thread-list users would meet a stranger.
 *
 * A raw thread has a TLS block of its own, made by hand: the static TLS layout of this
 * process with fresh copies of the initial images, and a zeroed thread descriptor. So
 * errno, the stack protector and initial-exec variables work in it; anything in libc
 * that looks at its thread descriptor (pthread_*, cancellation, locale, malloc's
 * per-thread cache) must not be called.
 *
 *     static struct dm_raw_thread checkpointer;
 *     dm_raw_thread_prepare(&checkpointer, 256 * 1024);   once, in the constructor
 *     dm_raw_thread_start(&checkpointer, run, argument);   there and in every fork child
 *
 * credentials(7) are per thread in the kernel: setuid(3) and friends change the program's
 * threads only. src/privileges.c has the checkpoint thread follow.
 */
#ifndef DM_RAWTHREAD_H
#define DM_RAWTHREAD_H

#include <stddef.h>
#include <stdint.h>

#include "dm_api.h"

/* Read by the new thread, when whoever started it may have gone on. */
struct dm_raw_entry {
    int (*function)(void *);
    void *argument;
};

struct dm_raw_thread {
    void *stack; /* lowest usable byte; a PROT_NONE page lies below */
    size_t stack_bytes;
    void *tls_block; /* mapping that holds static TLS and thread descriptor */
    size_t tls_bytes;
    void *fs_base;
    struct dm_raw_entry entry;
    uint32_t tid; /* 0 while it does not run: cleared and woken by the kernel (set_tid_address(2)) */
    uint32_t padding;
};

/* Maps stack and TLS block. Owner: the caller, for ever; they are never recycled, so that after fork the child
 * finds the frames and thread-local variables of the thread that it has lost. 0 or -errno. */
DM_API int dm_raw_thread_prepare(struct dm_raw_thread *thread, size_t stack_bytes) __attribute__((warn_unused_result));

/* Runs function(argument) in a new kernel thread with every signal blocked; its result is the exit status of the
 * thread. The stack starts anew, the TLS block goes on with what is in it. Also in a fork child for a thread of the
 * parent, and again after the thread has ended. 0 or -errno (EAGAIN at RLIMIT_NPROC). */
DM_API int dm_raw_thread_start(struct dm_raw_thread *thread, int (*function)(void *), void *argument)
    __attribute__((warn_unused_result));

/* The threads ever started, for whoever lists /proc/self/task and must leave our own ones alone. */
enum { DM_RAW_THREADS_MAX = 8 };
extern DM_API struct dm_raw_thread *dm_raw_threads[DM_RAW_THREADS_MAX];
extern DM_API uint32_t dm_raw_thread_count;

/* True when `tid` is one of them. */
DM_API int dm_raw_thread_is_ours(uint32_t tid);

#endif
