/* World: Bare. */
#include "coordinator.h"

#include <asm/errno.h>

#include "base.h"
#include "dm_syscall.h"

static uint32_t number(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint32_t)at[i] << (8 * i);
    return value;
}

/* CommandFailed: u8 failure | text. */
static void copy_reason(struct dm_coordinator *coordinator, uint32_t payload)
{
    const uint8_t *text = coordinator->frame + DM_FRAME_HEADER_BYTES + 1;
    uint32_t length = payload >= 3 ? number(text, 2) : 0;
    if (length > payload - 3 || payload < 3)
        length = 0;
    if (length > sizeof coordinator->reason - 1)
        length = sizeof coordinator->reason - 1;
    memcpy(coordinator->reason, text + 2, length);
    coordinator->reason[length] = 0;
}

enum dm_verdict dm_coordinator_read(struct dm_coordinator *coordinator, const struct dm_plan *plan)
{
    uint32_t wanted = DM_FRAME_HEADER_BYTES;
    if (coordinator->have >= DM_FRAME_HEADER_BYTES)
        wanted += number(coordinator->frame, 4);
    if (wanted > sizeof coordinator->frame)
        return DM_VERDICT_LOST;
    if (coordinator->have < wanted) {
        int64_t got = dm_read(plan->coordinator_fd, coordinator->frame + coordinator->have, wanted - coordinator->have);
        if (got == -EAGAIN || got == -EINTR)
            return DM_VERDICT_NONE;
        if (got <= 0)
            return DM_VERDICT_LOST;
        coordinator->have += (uint32_t)got;
    }
    if (coordinator->have < DM_FRAME_HEADER_BYTES)
        return DM_VERDICT_NONE;
    uint32_t payload = number(coordinator->frame, 4);
    if (coordinator->have < DM_FRAME_HEADER_BYTES + payload)
        return DM_VERDICT_NONE;
    uint32_t kind = number(coordinator->frame + 4, 2);
    coordinator->have = 0;
    if (kind == plan->done_kind)
        return DM_VERDICT_DONE;
    if (kind != plan->failed_kind)
        return DM_VERDICT_NONE;
    copy_reason(coordinator, payload);
    return DM_VERDICT_FAILED;
}
