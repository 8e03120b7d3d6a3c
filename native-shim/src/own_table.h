/* The checkpoint thread's own descriptor table. World: Guest.
 *
 * Why: a table that two tasks share costs the program two atomic operations in every read, write and poll (the kernel's
 * fdget leaves its fast path when files_struct.count > 1, fs/file.c), and whatever we open would take numbers that
 * the program counts on. So the thread leaves the program's table as soon as it runs; at a checkpoint C# borrows the program's
 * descriptors by pidfd_getfd(2) (Descriptors/BorrowedDescriptors.cs).
 */
#ifndef DM_OWN_TABLE_H
#define DM_OWN_TABLE_H

#include <stdint.h>

/* Whether descriptors of this process can be borrowed later (Linux 5.6, no seccomp filter against it). Opens and closes a
 * descriptor: to be called while no thread of the program runs. */
int dm_table_can_be_borrowed(void);

/* Gives the calling thread an empty table. 0 or -errno (kernels before 5.9): then the table stays shared. */
int dm_table_leave(void);

/* A copy of the program's descriptor in our own table, which the caller closes; or -errno. */
int64_t dm_table_borrow(int fd);

/* In a restored process, all threads of the program parked: leaves the table to them, and takes along only `keep`. 0 when the
 * table stays shared, 1 when it is our own now. */
int dm_table_leave_with(uint32_t keep);

#endif
