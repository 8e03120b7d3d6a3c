/* The platform that a generated NAME.g.c asks for its targets (DNNE's word for it). World: Guest.
 *
 * With DNNE this file starts a CLR and looks the method up in it. Here every method was compiled ahead of time and has a
 * gate; the runtime itself starts when the checkpoint thread needs it. */
#include <stddef.h>
#include <string.h>

#include "dm_gate.h"
#include "dm_syscall.h"
#include "dnne/dnne.h"
#include "embed.h"

void *get_fast_callable_managed_function(const char *type, const char *method);
void *get_callable_managed_function(const char *type, const char *method, const char *delegate_type);

/* Called once per exported function, by the first program thread that uses it. */
void *get_fast_callable_managed_function(const char *type, const char *method)
{
    for (uint32_t i = 0; i < dm_gate_count; i++) {
        if (strcmp(dm_gates[i].type, type) == 0 && strcmp(dm_gates[i].method, method) == 0)
            return dm_gates[i].gate;
    }
    dnne_abort(failure_load_export, 0);
}

/* For methods with DNNE's [Export] instead of [UnmanagedCallersOnly]: they need delegates, which NativeAOT has no names for. */
void *get_callable_managed_function(const char *type, const char *method, const char *delegate_type)
{
    (void)type;
    (void)method;
    (void)delegate_type;
    dnne_abort(failure_load_export, 0);
}

_Noreturn void dnne_abort(enum failure_type type, int error_code)
{
    char line[128];
    int length =
        dm_rt_snprintf(line, sizeof line, "dormouse: an exported function has no target (failure %d, error %d).\n",
                       (int)type, error_code);
    (void)dm_write(2, line, (size_t)length);
    dm_rt_abort();
}
