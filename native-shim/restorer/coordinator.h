/* The one thing that the restorer hears from the coordinator: done, or failed
 * and why. World: Bare.
 *
 * docs/PROTOCOL.md: u32 bytes of the payload | u16 kind | payload; a text is
 * u16 bytes | UTF-8.
 */
#ifndef DM_COORDINATOR_H
#define DM_COORDINATOR_H

#include <stdint.h>

#include "plan.h"

#define DM_FRAME_HEADER_BYTES 6u

enum dm_verdict { DM_VERDICT_NONE, DM_VERDICT_DONE, DM_VERDICT_FAILED, DM_VERDICT_LOST };

struct dm_coordinator {
    uint32_t have; /* bytes in the buffer */
    uint8_t frame[2048];
    char reason[1024]; /* filled with DM_VERDICT_FAILED */
};

/* Reads once from the connection. */
enum dm_verdict dm_coordinator_read(struct dm_coordinator *coordinator, const struct dm_plan *plan);

#endif
