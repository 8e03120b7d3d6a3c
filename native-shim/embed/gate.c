/* Crossing from the program into C# and back. World: Guest. See dm_gate.h. */
#define _GNU_SOURCE
#include "dm_gate.h"

#include <dlfcn.h>
#include <stddef.h>

#include "dm_embed.h"
#include "embed.h"

struct dm_gate_room {
    struct dm_gate_room *next;
    uint64_t reserved; /* what follows is aligned to 16 bytes */
};

static uint32_t s_detached;
static struct dm_gate *s_current; /* of the thread that is the guest */

void dm_gate_prepare(void)
{
    for (uint32_t i = 0; i < dm_gate_count; i++)
        (void)dm_gate_real(i);
}

void *dm_gate_real(uint32_t index)
{
    void *real = __atomic_load_n(&dm_gate_reals[index], __ATOMIC_ACQUIRE);
    if (real == NULL) {
        /* A call that came before our constructor: still in the program's hands, the loader lock may be taken. */
        real = dlsym(RTLD_NEXT, dm_gates[index].name);
        if (real == NULL)
            dm_rt_abort();
        __atomic_store_n(&dm_gate_reals[index], real, __ATOMIC_RELEASE);
    }
    return real;
}

int dm_gate_is_open(void)
{
    return dm_runtime_is_up() && !__atomic_load_n(&s_detached, __ATOMIC_RELAXED) && !dm_runtime_is_inside() &&
           dm_guest_owns_process();
}

void dm_gate_detach(void)
{
    __atomic_store_n(&s_detached, 1, __ATOMIC_RELAXED);
}

struct crossing {
    struct dm_gate *gate;
    void (*enter)(void *);
    void *argument;
};

static void cross(void *argument)
{
    const struct crossing *crossing = argument;
    s_current = crossing->gate;
    crossing->enter(crossing->argument);
    s_current = NULL;
}

void dm_gate_cross(struct dm_gate *gate, void (*enter)(void *), void *argument)
{
    struct crossing crossing = {.gate = gate, .enter = enter, .argument = argument};
    dm_runtime_call(cross, &crossing);
}

void dm_gate_forward(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    if (s_current == NULL)
        dm_rt_abort();
    const uint64_t arguments[6] = {a, b, c, d, e, f};
    for (int i = 0; i < 6; i++)
        s_current->forward[i] = arguments[i];
    s_current->wants_real = 1;
}

void *dm_gate_room(uint64_t bytes)
{
    if (s_current == NULL)
        dm_rt_abort();
    struct dm_gate_room *room = dm_rt_calloc(1, sizeof *room + bytes);
    if (room == NULL)
        return NULL;
    room->next = s_current->rooms;
    s_current->rooms = room;
    return room + 1;
}

static void free_rooms(void *argument)
{
    struct dm_gate *gate = argument;
    while (gate->rooms != NULL) {
        struct dm_gate_room *room = gate->rooms;
        gate->rooms = room->next;
        dm_rt_free(room);
    }
}

/* As the guest: the allocator's lock must not be held by code that a signal handler can interrupt. */
void dm_gate_release(struct dm_gate *gate)
{
    if (gate->rooms != NULL)
        dm_runtime_call(free_rooms, gate);
}
