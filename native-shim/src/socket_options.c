/* World: Frozen. */
#include "socket_options.h"

#include <errno.h>

#include "dm_syscall.h"

void dm_socket_options_read(int32_t fd, const struct dm_option_call *calls, uint32_t count, uint8_t *values)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct dm_option_call *call = &calls[i];
        uint8_t *value = values + call->at;
        uint32_t length = call->bytes;
        int64_t error =
            dm_syscall5(__NR_getsockopt, fd, call->level, call->number, (int64_t)(value + 1), (int64_t)&length);
        if (error == -ENOPROTOOPT || error == -EOPNOTSUPP)
            *value = DM_OPTION_ABSENT;
        else
            *value = dm_is_error(error) ? 0 : (uint8_t)length;
        if (*value != 0 || dm_is_error(error))
            continue;
        for (uint32_t left = call->covered; left > 0; left--) {
            i++;
            values[calls[i].at] = calls[i].bytes;
        }
    }
}
