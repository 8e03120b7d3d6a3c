/* What makes a process a member of a computation, and how it is passed on to the programs that it starts.
 * World: Guest; dm_membership_environment: also a vfork(2) child and a signal handler.
 *
 * dmlaunch puts LD_PRELOAD and four variables into the environment of the program. The constructor takes them out of what
 * the program sees: its environment is the one that its user made, no log of it shows the token, and an mpirun that copies
 * its environment to other hosts copies nothing of ours. Every exec puts them in again (exec.c), whatever environment the
 * program asks for. Programs that start others by system calls of their own keep them: see docs/decisions/0004.
 */
#ifndef DM_MEMBERSHIP_H
#define DM_MEMBERSHIP_H

#include <stddef.h>
#include <stdint.h>

/* Takes the variables out of this environment, in place. 0 when it makes us a member; negative when not, and then nothing has
 * been changed: they are not there, or this is one of Dormouse's own commands. */
int dm_membership_take(char **environment);

/* The values, for C#; NULL when this process is no member. */
const char *dm_membership_coordinator(void);
const char *dm_membership_token(void);
const char *dm_membership_stdio(void);
const char *dm_membership_namespaces(void);

/* After a restart, while the program's threads are parked: what they start from now on belongs to this coordinator, and gets
 * the library of the Dormouse that has woken us. Too long a text, or an empty `library`, leaves the old one. Called by C#. */
void dm_membership_change(const char *coordinator, const char *token, const char *stdio, const char *namespaces,
                          const char *library);

/* The prefix below which Dormouse is installed, not terminated, and its length; 0: unknown. */
size_t dm_membership_prefix(const char **prefix);

/* An environment for a program that is to be a member, made of one that somebody asks for; neither it nor its strings are
 * changed. `room` holds as many bytes as the first function says (0: this process is no member, there is nothing to add), and the
 * strings of `environment` are used where they lie. `carries`: whether LD_PRELOAD may be in it (exec_target.h); `extra`:
 * one more entry, or NULL. */
size_t dm_membership_room(char *const *environment);
char **dm_membership_environment(char *const *environment, int carries, char *extra, void *room);

#endif
