/* Turning stored bytes of an extent back into memory. World: Bare. */
#ifndef DM_CODEC_H
#define DM_CODEC_H

#include <stdint.h>

/* codec: enum dm_codec of dm_image.h, not DM_CODEC_RAW. `to` is filled exactly. Returns 0, -EINVAL when the
 * bytes make no sense, -ENOSYS when this build does not know the codec. */
int dm_decode(uint32_t codec, const uint8_t *from, uint32_t from_bytes, uint8_t *to, uint32_t to_bytes);

#endif
