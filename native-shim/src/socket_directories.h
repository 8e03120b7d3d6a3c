/* Where AF_UNIX sockets lie that were bound to a relative name. The kernel shows that name (getsockname(2), sock_diag(7)) and not the
 * directory that was current then, and a program that becomes a service leaves it; so bind(2) notes it here.
 */
#ifndef DM_SOCKET_DIRECTORIES_H
#define DM_SOCKET_DIRECTORIES_H

#include <sys/socket.h>

/* After a bind(2) that has succeeded. Leaves errno alone; another thread's note that is being written has precedence. World: the
 * program's own. */
void dm_socket_directory_note(const struct sockaddr *address, socklen_t bytes);

/* The directory of a relative name, or NULL. While all threads stand still. */
const char *dm_socket_directory(const char *name);

#endif
