/* The addresses and host names that a woken program goes on using, and where what they mean is now.
 * World: Guest (reading), Frozen and restored process (setting).
 *
 * The table is made by C# when a restart has put a host of the computation elsewhere (Addresses/AddressTable.cs), and by the
 * constructor in a program that a woken one executes: docs/decisions/0019. Until then there is none, and all that a
 * wrapper costs is to find that out.
 *
 * Addresses are IPv6; an IPv4 one is ::ffff:a.b.c.d, so that one table serves sockets of both families. "Shown" is what the
 * program has seen before it slept and goes on seeing; "now" is what the kernel knows.
 */
#ifndef DM_OLD_ADDRESSES_H
#define DM_OLD_ADDRESSES_H

#include <stddef.h>
#include <stdint.h>

#define DM_SOCKET_NAME_BYTES 28

/* All layouts are mirrored in C# (Addresses/AddressTable.cs). */
struct dm_known_address {
    uint8_t shown[16], now[16];
    uint32_t host;      /* whose it is: which of the original hosts */
    uint32_t direction; /* DM_TO_NOW: from shown to now; DM_TO_SHOWN: back */
};
enum { DM_TO_NOW = 0, DM_TO_SHOWN = 1 };

/* A listening or bound port of hosts that share one host now. All of these are known, also those that could stay. */
struct dm_known_port {
    uint8_t shown[16], now[16]; /* zero: all addresses of the host */
    uint32_t host;
    uint16_t shown_port, now_port;
    uint16_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
    uint16_t padding[3];
};

/* The ports that connections of a host come from when it shares its place with another one. */
struct dm_port_range {
    uint32_t host;
    uint16_t first, last;
};

struct dm_known_name {
    uint32_t host;
    char name[92]; /* NUL-terminated */
};

/* A socket whose name cannot be told from its addresses: its connection had to be made under other ports. */
struct dm_shown_name {
    uint64_t cookie;                  /* SO_COOKIE, socket(7): one number for each socket, whoever holds it */
    uint32_t local_bytes, peer_bytes; /* 0: not known here */
    uint8_t local[DM_SOCKET_NAME_BYTES], peer[DM_SOCKET_NAME_BYTES];
};

/* The arrays follow, in the order of their counts. Entries of the own host come before those of others. */
struct dm_address_table {
    uint32_t bytes; /* all of it */
    uint32_t own_host;
    uint32_t addresses, ports, ranges, names, sockets;
    uint32_t padding;
    char own_name[72]; /* what gethostname(2) says; empty: the kernel's */
    char own_id[128];  /* for C# */
};

/* NULL: everything is as the kernel says. */
extern const struct dm_address_table *dm_address_table;
static inline const struct dm_address_table *dm_addresses(void)
{
    return __atomic_load_n(&dm_address_table, __ATOMIC_ACQUIRE);
}

/* The same for C#. */
const struct dm_address_table *dm_addresses_in_use(void);

/* From now on this one, which is never freed nor changed: a thread may be reading. `entry` is the same for the environment of
 * programs that are executed ("DORMOUSE_ADDRESSES=..."), or NULL. While all threads of the program stand still. */
void dm_addresses_set(const struct dm_address_table *table, char *entry);

/* In a program that has just been executed: an entry of its environment, which is copied. */
void dm_addresses_take(const char *entry);

/* The entry to pass on, or NULL. */
char *dm_addresses_entry(void);

#define DM_ADDRESSES_VARIABLE "DORMOUSE_ADDRESSES="

/* Change a struct sockaddr in place; one of another family or too short stays as it is. `protocol`: of the socket, for
 * ports; 0: look at addresses only. World: also Frozen. */
void dm_address_to_now(void *address, size_t bytes, int protocol);
void dm_address_to_shown(void *address, size_t bytes, int protocol, int is_own);

/* The socket's own entry, or NULL. */
const struct dm_shown_name *dm_shown_name_of(int fd);

/* Where connections of this host are to come from, or NULL: from any port. */
const struct dm_port_range *dm_own_port_range(void);

/* The arrays of a table. */
const struct dm_known_address *dm_known_addresses(const struct dm_address_table *table);
const struct dm_known_name *dm_known_names(const struct dm_address_table *table);

#endif
