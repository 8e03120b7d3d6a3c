/* dormouse-wake.so: what ld.so calls first, rtld-audit(7). World: Bare. */
#include "program_file.h"

__attribute__((visibility("default"))) unsigned la_version(unsigned version);
__attribute__((visibility("default"))) unsigned la_version(unsigned version)
{
    (void)version;
    dm_wake_again();
    return 0; /* not for us: go on without this library */
}
