/* The settings of the C# runtime: it reads them from the environment as DOTNET_<name>, and finds these and no others.
 * World: Guest. Meanings: dotnet/runtime src/coreclr/gc/gcconfig.h; numbers are hexadecimal. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "arena.h"
#include "embed.h"

/* The collector reserves its whole range at start: 256 GiB by default, which RLIMIT_AS and readers of /proc/self/maps
 * would notice. The largest of these is enough for the plan of a very large image, many times over; the others are for
 * programs that live under a tight RLIMIT_AS. */
struct heap {
    uint64_t needed_bytes; /* range, tables and what the runtime allocates beside it */
    const char *range;
    const char *limit;
};
static const struct heap s_heaps[] = {
    {288ull << 20, "10000000", "8000000"},
    {144ull << 20, "8000000", "4000000"},
    {80ull << 20, "4000000", "2000000"},
};
static const struct heap *s_heap = &s_heaps[0];

int dm_settings_fit(void)
{
    for (size_t i = 0; i < sizeof s_heaps / sizeof s_heaps[0]; i++) {
        if (dm_arena_open(s_heaps[i].needed_bytes) == 0) {
            s_heap = &s_heaps[i];
            return 0;
        }
    }
    return -ENOMEM;
}

char *dm_rt_getenv(const char *name)
{
    const struct {
        const char *name, *value;
    } settings[] = {
        {"DOTNET_GCRegionRange", s_heap->range},
        {"DOTNET_GCHeapHardLimit", s_heap->limit},
        {"DOTNET_GCRegionSize", "20000"},
        /* The youngest generation: small, since it becomes private memory of every process, and part of its image. */
        {"DOTNET_GCgen0size", "40000"},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (strcmp(name, settings[i].name) == 0)
            return (char *)(uintptr_t)settings[i].value;
    }
    return NULL;
}
