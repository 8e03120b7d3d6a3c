/* Reads many options of a socket: there are some 70 of them, and a process may have thousands of sockets. World: Frozen. */
#ifndef DM_SOCKET_OPTIONS_H
#define DM_SOCKET_OPTIONS_H

#include <stdint.h>

/* Length of an option that the kernel does not have for this socket. */
#define DM_OPTION_ABSENT 255

/* One option, as getsockopt(2) is asked for it, and where its length, one byte, and value are to lie; mirrored in C#
 * (Sockets/SocketOptionCall.cs). */
struct dm_option_call {
    int32_t level;
    int32_t number;
    uint16_t at;
    uint8_t bytes;
    uint8_t covered; /* when its length is 0, as many options behind it are 0, and are not asked for */
};

/* `values` must be all 0. An option that cannot be read otherwise gets the length 0. */
void dm_socket_options_read(int32_t fd, const struct dm_option_call *calls, uint32_t count, uint8_t *values);

#endif
