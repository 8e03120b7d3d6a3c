/* Addresses that the program goes on seeing after a restart. World: the program's own. */
#ifndef DM_SHOWN_NAMES_H
#define DM_SHOWN_NAMES_H

#include <stdint.h>

#define DM_NAME_BYTES 28

/* A socket whose connection had to be made under other addresses. Mirrored in C# (Sockets/ShownNames.cs). */
struct dm_shown_name {
    uint64_t cookie; /* SO_COOKIE, socket(7): one number for each socket, whoever holds it */
    uint32_t local_bytes, peer_bytes;
    uint8_t local[DM_NAME_BYTES], peer[DM_NAME_BYTES];
};

/* While all threads of the program stand still. The memory stays the caller's, for as long as it is set. */
void dm_show_names(const struct dm_shown_name *names, uint64_t count);

#endif
