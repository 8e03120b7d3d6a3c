/* Host names: a woken program has the name that its host had, and finds the hosts of its computation under theirs.
 * World: the program's own.
 *
 * An old name has the old addresses, whatever /etc/hosts and DNS say today: these are what the program has seen, and connect(2)
 * finds the way (old_address_calls.c). So libc is asked for the address as text instead of the name, and all of its flags and
 * families have their meaning.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "old_address_calls.h"
#include "old_addresses.h"

#define EXPORT __attribute__((visibility("default")))

static struct {
    int (*getaddrinfo)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    int (*getnameinfo)(const struct sockaddr *, socklen_t, char *, socklen_t, char *, socklen_t, int);
    struct hostent *(*gethostbyname)(const char *);
    struct hostent *(*gethostbyname2)(const char *, int);
    int (*gethostbyname_r)(const char *, struct hostent *, char *, size_t, struct hostent **, int *);
    int (*gethostbyname2_r)(const char *, int, struct hostent *, char *, size_t, struct hostent **, int *);
    int (*uname)(struct utsname *);
} s_real;

void dm_host_names_prepare(void)
{
    s_real.getnameinfo = dlsym(RTLD_NEXT, "getnameinfo");
    s_real.gethostbyname = dlsym(RTLD_NEXT, "gethostbyname");
    s_real.gethostbyname2 = dlsym(RTLD_NEXT, "gethostbyname2");
    s_real.gethostbyname_r = dlsym(RTLD_NEXT, "gethostbyname_r");
    s_real.gethostbyname2_r = dlsym(RTLD_NEXT, "gethostbyname2_r");
    s_real.uname = dlsym(RTLD_NEXT, "uname");
    __atomic_store_n(&s_real.getaddrinfo, dlsym(RTLD_NEXT, "getaddrinfo"), __ATOMIC_RELEASE);
}

static inline void make_ready(void)
{
    if (__builtin_expect(__atomic_load_n(&s_real.getaddrinfo, __ATOMIC_ACQUIRE) == NULL, 0))
        dm_host_names_prepare();
}

/* --- the own name ------------------------------------------------------------------------------------------------- */

EXPORT int uname(struct utsname *system)
{
    make_ready();
    int error = s_real.uname(system);
    const struct dm_address_table *table = dm_addresses();
    if (error == 0 && table != NULL && table->own_name[0] != '\0') {
        memcpy(system->nodename, table->own_name, sizeof system->nodename);
        system->nodename[sizeof system->nodename - 1] = '\0';
    }
    return error;
}

/* As in glibc (sysdeps/posix/gethostname.c): what fits is copied also when it is not all. */
EXPORT int gethostname(char *name, size_t room)
{
    struct utsname system;
    if (uname(&system) != 0)
        return -1;
    size_t bytes = strlen(system.nodename) + 1;
    memcpy(name, system.nodename, bytes < room ? bytes : room);
    if (bytes > room) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

void __chk_fail(void) __attribute__((noreturn));
int __gethostname_chk(char *name, size_t room, size_t capacity);
EXPORT int __gethostname_chk(char *name, size_t room, size_t capacity)
{
    if (room > capacity)
        __chk_fail();
    return gethostname(name, room);
}

/* --- from a name to addresses ------------------------------------------------------------------------------------- */

/* The entry of a host of the computation that is called so, or NULL. Names of hosts are the same in capitals, and with a final dot. */
static const struct dm_known_name *find_name(const struct dm_address_table *table, const char *name)
{
    if (table == NULL || name == NULL)
        return NULL;
    size_t bytes = strlen(name);
    if (bytes > 0 && name[bytes - 1] == '.')
        bytes--;
    const struct dm_known_name *known = dm_known_names(table);
    for (uint32_t i = 0; bytes > 0 && i < table->names; i++) {
        if (strncasecmp(known[i].name, name, bytes) == 0 && known[i].name[bytes] == '\0')
            return &known[i];
    }
    return NULL;
}

/* An old address as text; NULL: not of this family (AF_UNSPEC: any), or not of this host. */
static const char *text_of(const struct dm_known_address *address, uint32_t host, int family, char *text)
{
    int is_v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)address->shown);
    if (address->host != host || address->direction != DM_TO_NOW ||
        (family != AF_UNSPEC && family != (is_v4 ? AF_INET : AF_INET6)))
        return NULL;
    return is_v4 ? inet_ntop(AF_INET, address->shown + 12, text, INET6_ADDRSTRLEN)
                 : inet_ntop(AF_INET6, address->shown, text, INET6_ADDRSTRLEN);
}

/* freeaddrinfo(3) frees every element by itself, so that answers can be joined. 0, or the last error when there is no answer. */
static int look_up(const struct dm_address_table *table, const struct dm_known_name *name, const char *service,
                   const struct addrinfo *wanted, struct addrinfo **answer)
{
    struct addrinfo **end = answer;
    const struct dm_known_address *address = dm_known_addresses(table);
    int error = EAI_NONAME;
    *answer = NULL;
    for (uint32_t i = 0; i < table->addresses; i++) {
        char text[INET6_ADDRSTRLEN];
        if (text_of(&address[i], name->host, AF_UNSPEC, text) == NULL)
            continue;
        int result = s_real.getaddrinfo(text, service, wanted, end);
        if (result != 0) {
            *end = NULL;
            error = result;
        }
        while (*end != NULL)
            end = &(*end)->ai_next;
    }
    if (*answer != NULL && (*answer)->ai_canonname != NULL) {
        free((*answer)->ai_canonname);
        (*answer)->ai_canonname = strdup(name->name);
    }
    return *answer != NULL ? 0 : error;
}

EXPORT int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict wanted,
                       struct addrinfo **restrict answer)
{
    make_ready();
    const struct dm_address_table *table = dm_addresses();
    int is_number = wanted != NULL && (wanted->ai_flags & AI_NUMERICHOST) != 0;
    const struct dm_known_name *known = is_number ? NULL : find_name(table, name);
    if (known != NULL && look_up(table, known, service, wanted, answer) == 0)
        return 0;
    return s_real.getaddrinfo(name, service, wanted, answer);
}

/* The text of the first old address of a family, or NULL: libc is to look for the name itself. */
static const char *old_address(const struct dm_known_name *known, const struct dm_address_table *table, int family,
                               char *text)
{
    const struct dm_known_address *address = known == NULL ? NULL : dm_known_addresses(table);
    for (uint32_t i = 0; address != NULL && i < table->addresses; i++) {
        if (text_of(&address[i], known->host, family, text) != NULL)
            return text;
    }
    return NULL;
}

/* The table lives for ever. */
static void put_name(struct hostent *host, const struct dm_known_name *known)
{
    if (host != NULL && known != NULL)
        host->h_name = (char *)known->name;
}

EXPORT struct hostent *gethostbyname2(const char *name, int family)
{
    make_ready();
    char text[INET6_ADDRSTRLEN];
    const struct dm_address_table *table = dm_addresses();
    const struct dm_known_name *known = find_name(table, name);
    const char *old = old_address(known, table, family, text);
    struct hostent *host = s_real.gethostbyname2(old != NULL ? old : name, family);
    put_name(host, old != NULL ? known : NULL);
    return host;
}

EXPORT struct hostent *gethostbyname(const char *name)
{
    make_ready();
    char text[INET6_ADDRSTRLEN];
    const struct dm_address_table *table = dm_addresses();
    const struct dm_known_name *known = find_name(table, name);
    const char *old = old_address(known, table, AF_INET, text);
    struct hostent *host = s_real.gethostbyname(old != NULL ? old : name);
    put_name(host, old != NULL ? known : NULL);
    return host;
}

EXPORT int gethostbyname2_r(const char *restrict name, int family, struct hostent *restrict room, char *restrict buffer,
                            size_t bytes, struct hostent **restrict answer, int *restrict error)
{
    make_ready();
    char text[INET6_ADDRSTRLEN];
    const struct dm_address_table *table = dm_addresses();
    const struct dm_known_name *known = find_name(table, name);
    const char *old = old_address(known, table, family, text);
    int result = s_real.gethostbyname2_r(old != NULL ? old : name, family, room, buffer, bytes, answer, error);
    put_name(result == 0 ? *answer : NULL, old != NULL ? known : NULL);
    return result;
}

EXPORT int gethostbyname_r(const char *restrict name, struct hostent *restrict room, char *restrict buffer,
                           size_t bytes, struct hostent **restrict answer, int *restrict error)
{
    make_ready();
    char text[INET6_ADDRSTRLEN];
    const struct dm_address_table *table = dm_addresses();
    const struct dm_known_name *known = find_name(table, name);
    const char *old = old_address(known, table, AF_INET, text);
    int result = s_real.gethostbyname_r(old != NULL ? old : name, room, buffer, bytes, answer, error);
    put_name(result == 0 ? *answer : NULL, old != NULL ? known : NULL);
    return result;
}

/* --- from an address to a name ------------------------------------------------------------------------------------ */

/* The first name of the host that had this address, or NULL. */
static const struct dm_known_name *name_of(const struct dm_address_table *table, const struct sockaddr *address,
                                           socklen_t bytes)
{
    uint8_t wanted[16] = {[10] = 0xFF, [11] = 0xFF};
    if (table == NULL || address == NULL)
        return NULL;
    if (address->sa_family == AF_INET && bytes >= sizeof(struct sockaddr_in))
        memcpy(wanted + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
    else if (address->sa_family == AF_INET6 && bytes >= sizeof(struct sockaddr_in6))
        memcpy(wanted, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
    else
        return NULL;
    const struct dm_known_address *known = dm_known_addresses(table);
    const struct dm_known_name *name = dm_known_names(table);
    for (uint32_t i = 0; i < table->addresses; i++) {
        if (known[i].direction != DM_TO_NOW || memcmp(known[i].shown, wanted, sizeof wanted) != 0)
            continue;
        for (uint32_t j = 0; j < table->names; j++) {
            if (name[j].host == known[i].host)
                return &name[j];
        }
    }
    return NULL;
}

EXPORT int getnameinfo(const struct sockaddr *restrict address, socklen_t bytes, char *restrict host,
                       socklen_t host_room, char *restrict service, socklen_t service_room, int flags)
{
    make_ready();
    int wants_name = host != NULL && host_room > 0 && (flags & NI_NUMERICHOST) == 0;
    const struct dm_known_name *known = wants_name ? name_of(dm_addresses(), address, bytes) : NULL;
    if (known == NULL)
        return s_real.getnameinfo(address, bytes, host, host_room, service, service_room, flags);
    if (strlen(known->name) >= host_room)
        return EAI_OVERFLOW;
    int error = service != NULL && service_room > 0
                    ? s_real.getnameinfo(address, bytes, NULL, 0, service, service_room, flags & ~NI_NAMEREQD)
                    : 0;
    if (error == 0)
        strcpy(host, known->name);
    return error;
}
