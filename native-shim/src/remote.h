/* Programs that start others on other hosts: ssh(1) and rsh(1). An exec of one becomes an exec of dmssh with the same arguments,
 * which starts the remote command as a member (launcher/Dormouse.Launcher/Ssh). World: Guest, vfork(2) child, signal handler.
 *
 * Recipe: char path[dm_remote_path_bytes()], variable[dm_remote_variable_bytes(program)]; then the two functions that fill them.
 */
#ifndef DM_REMOTE_H
#define DM_REMOTE_H

#include <stddef.h>

/* Whether this is the name of one, with or without a directory. NULL: no. */
int dm_remote_is(const char *program);

/* Where dmssh lies; 0 when it is not there, and the program has to be started as it is. */
size_t dm_remote_path_bytes(void);
int dm_remote_path(char *path);

/* The variable that tells dmssh what was meant. */
size_t dm_remote_variable_bytes(const char *program);
char *dm_remote_variable(const char *program, char *variable);

#endif
