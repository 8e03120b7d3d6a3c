/* World: Guest, Frozen: no libc beyond mem* and str*. See old_addresses.h. */
#define _GNU_SOURCE
#include "old_addresses.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "dm_syscall.h"

#define COOKIE 57 /* SO_COOKIE */

_Static_assert(sizeof(struct dm_known_address) == 40, "mirrored in C#");
_Static_assert(sizeof(struct dm_known_port) == 48, "mirrored in C#");
_Static_assert(sizeof(struct dm_known_name) == 96, "mirrored in C#");
_Static_assert(sizeof(struct dm_shown_name) == 72, "mirrored in C#");
_Static_assert(sizeof(struct dm_address_table) == 232, "mirrored in C#");

__attribute__((visibility("hidden"))) const struct dm_address_table *dm_address_table;
static char *s_entry;

static const uint8_t s_any[16];

/* --- the arrays --------------------------------------------------------------------------------------------------- */

const struct dm_known_address *dm_known_addresses(const struct dm_address_table *table)
{
    return (const struct dm_known_address *)(table + 1);
}

static const struct dm_known_port *ports_of(const struct dm_address_table *table)
{
    return (const struct dm_known_port *)(dm_known_addresses(table) + table->addresses);
}

static const struct dm_port_range *ranges_of(const struct dm_address_table *table)
{
    return (const struct dm_port_range *)(ports_of(table) + table->ports);
}

const struct dm_known_name *dm_known_names(const struct dm_address_table *table)
{
    return (const struct dm_known_name *)(ranges_of(table) + table->ranges);
}

static const struct dm_shown_name *sockets_of(const struct dm_address_table *table)
{
    return (const struct dm_shown_name *)(dm_known_names(table) + table->names);
}

static uint64_t size_of(const struct dm_address_table *table)
{
    return sizeof *table + (uint64_t)table->addresses * sizeof(struct dm_known_address) +
           (uint64_t)table->ports * sizeof(struct dm_known_port) +
           (uint64_t)table->ranges * sizeof(struct dm_port_range) +
           (uint64_t)table->names * sizeof(struct dm_known_name) +
           (uint64_t)table->sockets * sizeof(struct dm_shown_name);
}

/* --- struct sockaddr ---------------------------------------------------------------------------------------------- */

struct endpoint {
    uint8_t address[16];
    uint16_t port; /* as a number */
};

static const uint8_t s_mapped[12] = {[10] = 0xFF, [11] = 0xFF};

static int is_mapped(const uint8_t *address)
{
    return memcmp(address, s_mapped, sizeof s_mapped) == 0;
}

static int is_v4_any(const uint8_t *address)
{
    static const uint8_t Zero[4];
    return is_mapped(address) && memcmp(address + 12, Zero, sizeof Zero) == 0;
}

static int is_any(const uint8_t *address)
{
    return memcmp(address, s_any, sizeof s_any) == 0 || is_v4_any(address);
}

/* Whether a socket bound to `bound` has what comes to `address`; 0.0.0.0 is for IPv4 only, :: for both. */
static int covers(const uint8_t *bound, const uint8_t *address)
{
    return memcmp(bound, address, 16) == 0 || memcmp(bound, s_any, sizeof s_any) == 0 ||
           (is_v4_any(bound) && is_mapped(address));
}

static int is_loopback(const uint8_t *address)
{
    static const uint8_t Loopback[16] = {[15] = 1};
    return memcmp(address, Loopback, sizeof Loopback) == 0 || (is_mapped(address) && address[12] == 127);
}

static int read_endpoint(const void *address, size_t bytes, struct endpoint *endpoint)
{
    sa_family_t family;
    if (bytes < sizeof family)
        return 0;
    memcpy(&family, address, sizeof family);
    if (family == AF_INET && bytes >= offsetof(struct sockaddr_in, sin_zero)) {
        const struct sockaddr_in *v4 = address;
        memcpy(endpoint->address, s_mapped, sizeof s_mapped);
        memcpy(endpoint->address + sizeof s_mapped, &v4->sin_addr, 4);
        endpoint->port = ntohs(v4->sin_port);
        return 1;
    }
    if (family == AF_INET6 && bytes >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
        const struct sockaddr_in6 *v6 = address;
        memcpy(endpoint->address, &v6->sin6_addr, 16);
        endpoint->port = ntohs(v6->sin6_port);
        return 1;
    }
    return 0;
}

/* The family stays: there is no IPv6 address in a struct sockaddr_in. */
static void write_endpoint(void *address, const struct endpoint *endpoint)
{
    if (((struct sockaddr *)address)->sa_family == AF_INET6) {
        struct sockaddr_in6 *v6 = address;
        memcpy(&v6->sin6_addr, endpoint->address, 16);
        v6->sin6_port = htons(endpoint->port);
    } else if (is_mapped(endpoint->address)) {
        struct sockaddr_in *v4 = address;
        memcpy(&v4->sin_addr, endpoint->address + sizeof s_mapped, 4);
        v4->sin_port = htons(endpoint->port);
    }
}

/* --- from shown to now -------------------------------------------------------------------------------------------- */

static const struct dm_known_address *find_address(const struct dm_address_table *table, uint32_t direction,
                                                   const uint8_t *address)
{
    const struct dm_known_address *known = dm_known_addresses(table);
    for (uint32_t i = 0; i < table->addresses; i++) {
        if (known[i].direction == direction &&
            memcmp(direction == DM_TO_NOW ? known[i].shown : known[i].now, address, 16) == 0)
            return &known[i];
    }
    return NULL;
}

/* How closely a socket bound to `bound` is meant by `address`: the very one, then that of the family. Many programs listen at 0.0.0.0
 * and, for IPv6 only, at ::. */
static int closeness(const uint8_t *bound, const uint8_t *address)
{
    if (!covers(bound, address))
        return 0;
    return memcmp(bound, address, 16) == 0 ? 3 : is_mapped(bound) == is_mapped(address) ? 2 : 1;
}

static const struct dm_known_port *find_shown_port(const struct dm_address_table *table, const struct endpoint *shown,
                                                   int protocol, uint32_t host)
{
    const struct dm_known_port *port = ports_of(table), *found = NULL;
    int closest = 0;
    for (uint32_t i = 0; i < table->ports; i++) {
        if (port[i].host != host || port[i].protocol != protocol || port[i].shown_port != shown->port)
            continue;
        int close = closeness(port[i].shown, shown->address);
        if (close > closest) {
            closest = close;
            found = &port[i];
        }
    }
    return found;
}

void dm_address_to_now(void *address, size_t bytes, int protocol)
{
    const struct dm_address_table *table = dm_addresses();
    struct endpoint endpoint;
    if (table == NULL || !read_endpoint(address, bytes, &endpoint))
        return;
    const struct dm_known_address *known = find_address(table, DM_TO_NOW, endpoint.address);
    int is_here = is_loopback(endpoint.address) || is_any(endpoint.address);
    if (known == NULL && !is_here)
        return;
    uint32_t host = known == NULL ? table->own_host : known->host;
    struct endpoint now = endpoint;
    if (known != NULL)
        memcpy(now.address, known->now, 16);
    const struct dm_known_port *port = find_shown_port(table, &endpoint, protocol, host);
    if (port != NULL) {
        now.port = port->now_port;
        if (!is_any(port->now))
            memcpy(now.address, port->now, 16);
    }
    write_endpoint(address, &now);
}

/* --- and back ----------------------------------------------------------------------------------------------------- */

static const struct dm_known_port *find_port(const struct dm_address_table *table, const struct endpoint *now,
                                             int protocol, uint32_t host)
{
    const struct dm_known_port *port = ports_of(table);
    for (uint32_t i = 0; i < table->ports; i++) {
        if (port[i].host == host && port[i].protocol == protocol && port[i].now_port == now->port &&
            covers(port[i].now, now->address))
            return &port[i];
    }
    return NULL;
}

static int is_from(const struct dm_address_table *table, uint32_t host, uint16_t port)
{
    const struct dm_port_range *range = ranges_of(table);
    for (uint32_t i = 0; i < table->ranges; i++) {
        if (range[i].host == host && range[i].first <= port && port <= range[i].last)
            return 1;
    }
    return 0;
}

enum evidence { BY_ADDRESS, BY_RANGE, BY_PORT };

static enum evidence evidence_for(const struct dm_address_table *table, uint32_t host, const struct endpoint *now,
                                  int protocol)
{
    return find_port(table, now, protocol, host) != NULL ? BY_PORT
           : is_from(table, host, now->port)             ? BY_RANGE
                                                         : BY_ADDRESS;
}

/* Several hosts may have an address now: then its ports tell whose it is, and else it is the first's. */
static const struct dm_known_address *find_owner(const struct dm_address_table *table, const struct endpoint *now,
                                                 int protocol, int is_own)
{
    const struct dm_known_address *known = dm_known_addresses(table), *best = NULL;
    enum evidence most = BY_ADDRESS;
    for (uint32_t i = 0; i < table->addresses; i++) {
        if (known[i].direction != DM_TO_SHOWN || memcmp(known[i].now, now->address, 16) != 0)
            continue;
        if (is_own && known[i].host == table->own_host)
            return &known[i];
        enum evidence evidence =
            is_own || table->ranges == 0 ? BY_ADDRESS : evidence_for(table, known[i].host, now, protocol);
        if (!is_own && (best == NULL || evidence > most)) {
            best = &known[i];
            most = evidence;
        }
    }
    return best;
}

void dm_address_to_shown(void *address, size_t bytes, int protocol, int is_own)
{
    const struct dm_address_table *table = dm_addresses();
    struct endpoint endpoint;
    if (table == NULL || !read_endpoint(address, bytes, &endpoint))
        return;
    int is_here = is_loopback(endpoint.address) || is_any(endpoint.address);
    const struct dm_known_address *known = is_here ? NULL : find_owner(table, &endpoint, protocol, is_own);
    if (known == NULL && !is_here)
        return;
    struct endpoint shown = endpoint;
    if (known != NULL)
        memcpy(shown.address, known->shown, 16);
    const struct dm_known_port *port =
        find_port(table, &endpoint, protocol, known == NULL ? table->own_host : known->host);
    if (port != NULL) {
        shown.port = port->shown_port;
        if (known != NULL && !is_any(port->shown))
            memcpy(shown.address, port->shown, 16);
    }
    write_endpoint(address, &shown);
}

const struct dm_shown_name *dm_shown_name_of(int fd)
{
    const struct dm_address_table *table = dm_addresses();
    uint64_t cookie = 0;
    socklen_t bytes = sizeof cookie;
    if (table == NULL || table->sockets == 0 ||
        dm_syscall5(__NR_getsockopt, fd, SOL_SOCKET, COOKIE, (int64_t)&cookie, (int64_t)&bytes) < 0)
        return NULL;
    const struct dm_shown_name *name = sockets_of(table);
    for (uint32_t i = 0; i < table->sockets; i++)
        if (name[i].cookie == cookie)
            return &name[i];
    return NULL;
}

const struct dm_port_range *dm_own_port_range(void)
{
    const struct dm_address_table *table = dm_addresses();
    if (table == NULL)
        return NULL;
    const struct dm_port_range *range = ranges_of(table);
    for (uint32_t i = 0; i < table->ranges; i++)
        if (range[i].host == table->own_host)
            return &range[i];
    return NULL;
}

/* --- setting ------------------------------------------------------------------------------------------------------ */

void dm_addresses_set(const struct dm_address_table *table, char *entry)
{
    s_entry = entry;
    __atomic_store_n(&dm_address_table, table, __ATOMIC_RELEASE);
}

const struct dm_address_table *dm_addresses_in_use(void)
{
    return dm_addresses();
}

char *dm_addresses_entry(void)
{
    return s_entry;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The entry lies among what programs overwrite to be shown otherwise by ps(1). */
void dm_addresses_take(const char *entry)
{
    size_t length = strlen(entry), table_bytes = (length - (sizeof DM_ADDRESSES_VARIABLE - 1)) / 2;
    if (table_bytes < sizeof(struct dm_address_table))
        return;
    int64_t room = dm_mmap(0, table_bytes + length + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (dm_is_error(room))
        return;
    uint8_t *to = (uint8_t *)room;
    const char *hex = entry + sizeof DM_ADDRESSES_VARIABLE - 1;
    for (size_t i = 0; i < table_bytes; i++) {
        int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return;
        to[i] = (uint8_t)(high << 4 | low);
    }
    const struct dm_address_table *table = (const struct dm_address_table *)to;
    if (table->bytes == table_bytes && size_of(table) == table_bytes)
        dm_addresses_set(table, memcpy(to + table_bytes, entry, length + 1));
}
