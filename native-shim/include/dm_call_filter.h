/* Makes machine code compress better: the distances of x86 calls and jumps become places, so that two calls of the same
 * function look the same. World: all.
 *
 * Only distances of 25 bits (with sign) are changed, into numbers of 25 bits: their last byte stays 0x00 or 0xff. What looks
 * like a call is stepped over as a whole, changed or not: so the way back meets the same ones. In place.
 */
#ifndef DM_CALL_FILTER_H
#define DM_CALL_FILTER_H

#include <stdint.h>

enum dm_call_direction { DM_CALLS_TO_PLACES = 1, DM_CALLS_TO_DISTANCES = -1 };

static inline void dm_filter_calls(uint8_t *code, uint32_t bytes, enum dm_call_direction direction)
{
    const uint32_t Length = 5; /* opcode e8 or e9, 32-bit distance from the next instruction */
    for (uint32_t at = 0; bytes - at >= Length && at < bytes;) {
        if ((code[at] | 1) != 0xe9) {
            at++;
            continue;
        }
        uint8_t *field = code + at + 1;
        at += Length;
        if (field[3] != 0x00 && field[3] != 0xff)
            continue;
        uint32_t value =
            (uint32_t)field[0] | (uint32_t)field[1] << 8 | (uint32_t)field[2] << 16 | (uint32_t)field[3] << 24;
        value += direction == DM_CALLS_TO_PLACES ? at : 0u - at;
        value = (value & 0x1ffffff) ^ 0x1000000;
        value -= 0x1000000;
        for (int i = 0; i < 4; i++)
            field[i] = (uint8_t)(value >> (8 * i));
    }
}

#endif
