/* The settings of the C# runtime: it reads them from the environment as DOTNET_<name>, and finds these and no others.
 * World: Guest. Meanings: dotnet/runtime src/coreclr/gc/gcconfig.h; numbers are hexadecimal. */
#include <stddef.h>
#include <string.h>

#include "embed.h"

static const char *const s_settings[][2] = {
    /* The collector reserves its whole range at start: 256 GiB by default, which RLIMIT_AS and readers of
     * /proc/self/maps would notice. 256 MiB hold what the plan of a very large image needs, many times over. */
    { "DOTNET_GCRegionRange", "10000000" },
    { "DOTNET_GCHeapHardLimit", "8000000" },
    { "DOTNET_GCRegionSize", "100000" },
    /* The youngest generation: small, since it is private memory of every process. */
    { "DOTNET_GCgen0size", "40000" },
};

char *dm_rt_getenv(const char *name)
{
    for (size_t i = 0; i < sizeof s_settings / sizeof s_settings[0]; i++) {
        if (strcmp(name, s_settings[i][0]) == 0)
            return (char *)(uintptr_t)s_settings[i][1];
    }
    return NULL;
}
