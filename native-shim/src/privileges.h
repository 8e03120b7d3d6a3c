/* The checkpoint thread gives up what the program gives up: setuid(2) and its family. */
#ifndef DM_PRIVILEGES_H
#define DM_PRIVILEGES_H

/* Finds libc's functions; in the constructor. World: the program's own. */
void dm_privileges_prepare(void);

/* The checkpoint thread that is about to be started has the credentials of the calling thread. World: Guest. */
void dm_privileges_begin(void);

/* Whether the checkpoint thread has followed the program once: what it has opened before may be another user's. World: Frozen. */
int dm_privileges_are_given_up(void);

/* Whether no thread of the program may any more what the checkpoint thread may: it has given that up past libc, where nobody follows.
 * World: Frozen. */
int dm_privileges_exceed_program(void);

/* In a restored process, as the last step: the checkpoint thread, which needs root's rights to bring back what was opened with these,
 * may again what it might, and no more. */
void dm_privileges_give_up_again(void);

#endif
