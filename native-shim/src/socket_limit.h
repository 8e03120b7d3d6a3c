/* Time limits that sockets put on blocking calls: SO_RCVTIMEO and SO_SNDTIMEO of socket(7). World: Frozen. */
#ifndef DM_SOCKET_LIMIT_H
#define DM_SOCKET_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* The option that limits system call `number` on its first argument: SO_RCVTIMEO, SO_SNDTIMEO or 0. */
int dm_limit_of_call(int64_t number);

/* Whether descriptor `fd` of the program is a socket that has this limit. From the checkpoint thread, whose table may be
 * another one. */
bool dm_socket_has_limit(int fd, int option);

#endif
